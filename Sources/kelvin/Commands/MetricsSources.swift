import ArgumentParser
import Documents
import Lifecycle
import Table
import Windows

struct MetricsQueue: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue",
    abstract: "Shows what came to a queue, what became of it, and how long it waited, newest window first.",
    discussion: """
      Examples:
        kelvin metrics queue mail.fifo
        kelvin metrics queue mail.fifo --range 7d --resolution 1h --output csv
      """)

  @Argument(help: "The name of the queue.")
  var queue: String

  @OptionGroup var windows: WindowOptions

  func run() async throws { try await reportingFailure { try windows.show(EventSourceID(.queue, queue)) } }
}

struct MetricsSchedule: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Shows the runs of a schedule, and how late they were, newest window first.",
    discussion: """
      Examples:
        kelvin metrics schedule nightly
      """)

  @Argument(help: "The name of the schedule.")
  var schedule: String

  @OptionGroup var windows: WindowOptions

  func run() async throws { try await reportingFailure { try windows.show(EventSourceID(.schedule, schedule)) } }
}

struct MetricsWebSocket: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ws",
    abstract: "Shows connections and messages of a WebSocket, newest window first.",
    discussion: """
      Examples:
        kelvin metrics ws chat
      """)

  @Argument(help: "The name of the WebSocket, as behind /ws/.")
  var name: String

  @OptionGroup var windows: WindowOptions

  func run() async throws { try await reportingFailure { try windows.show(EventSourceID(.websocket, name)) } }
}

extension WindowOptions {
  /// Prints the windows of an event source.
  fileprivate func show(_ source: EventSourceID) throws {
    let document = try read([(source.trigger.sourceMember, source.name)])
    switch output {
    case .json: try Console.result(String(decoding: document.json(), as: UTF8.self))
    case .csv: try Console.result(WindowsCSV.text(document, of: source.trigger))
    case .table:
      let command = "kelvin metrics \(source.trigger == .websocket ? "ws" : source.trigger.name) \(source.name)"
      let columns = WindowColumn.columns(of: source.trigger)
      try Console.result(
        WindowsTable.text(document, .forStandardOutput(isWide: false), columns: columns, command: command))
    }
  }
}
