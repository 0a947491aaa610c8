import BlockingHTTP
import Documents
import Lifecycle
import Table
import Terminal

extension MetricsLambda {
  /// Live requests wait no longer than this, so that a view soon says that the agent does not answer.
  static let liveTimeout = Duration.seconds(10)

  /// Shows windows until somebody ends it.
  func runWatch() throws {
    let interval = interval ?? LiveInterval.standard
    var asker = try watchAsker()
    let first = try asker.ask(())
    guard TerminalSession.isPossible else { return try appendTables(asker, first, every: interval) }
    let view = WatchView(first, function: function, interval: interval, isWide: wide)
    try LiveLoop.run(view, asker: asker, every: .nanoseconds(interval.count))
  }

  private func watchAsker() throws -> WatchAsker {
    let command = self
    if let dataDir {
      return WatchAsker(
        function: function,
        windows: { () throws(CommandFailure) in try command.storedDocument(in: dataDir) },
        status: nil)
    }
    let client = try ServerClient(.agent, option: agent.agent)
    return WatchAsker(
      function: function,
      windows: { () throws(CommandFailure) in
        let body = try client.get(command.path, about: command.function, timeout: MetricsLambda.liveTimeout).body
        return try command.documentFrom(body)
      },
      status: { () throws(CommandFailure) in try client.status(timeout: MetricsLambda.liveTimeout) })
  }

  /// The windows from where data begins, unless somebody named a range: a table has a line for each, and what is drawn has
  /// an axis of time.
  private func begun(_ document: WindowsDocument) -> WindowsDocument {
    guard range == nil else { return document }
    var document = document
    let first = document.windows.map(\.start).min() ?? document.to - document.resolution
    document.from = max(document.from, first)
    return document
  }

  /// One table after the other, for what cannot be drawn on: a file, a pipe, a dumb terminal.
  private func appendTables(_ asker: WatchAsker, _ first: WatchAnswer, every interval: Nanoseconds) throws {
    var asker = asker
    let clock = ContinuousClock()
    var next = clock.now
    var answer: WatchAnswer? = first
    while true {
      if let answer { try Console.result(text(begun(answer.windows)) + "\n") }
      next = max(clock.now, next + .nanoseconds(interval.count))
      Console.sleep(until: next, clock)
      do throws(CommandFailure) {
        answer = try asker.ask(())
      } catch {
        answer = nil
        Console.message("kelvin: \(error.message) Trying again.")
      }
    }
  }
}
