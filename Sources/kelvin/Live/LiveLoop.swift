import Dispatch
import Glibc
import Synchronization
import Terminal

/// Asks a server again and again, and keeps what it needs between questions.
protocol Asking: Sendable {
  associatedtype Question: Sendable
  associatedtype Answer: Sendable

  /// Asks once. May block.
  mutating func ask(_ question: Question) throws(CommandFailure) -> Answer
}

/// A live view: what it shows, and how keys change it. Pure: it neither asks nor draws.
protocol LiveView {
  associatedtype Asker: Asking

  /// What to ask next.
  var question: Asker.Question { get }

  mutating func take(_ answer: Asker.Answer)
  /// The server did not answer; the view keeps the values that it has.
  mutating func fail(_ failure: CommandFailure)
  mutating func press(_ key: Key) -> LiveAction
  /// The frame, top to bottom.
  mutating func lines(_ size: TerminalSize) -> [StyledLine]
}

/// What to do after a key.
enum LiveAction: Hashable {
  /// Draw, if anything changed.
  case draw
  /// Ask at once, because the question changed.
  case ask
  case leave
}

/// Shows a view until somebody leaves it. The only place where asking, drawing and keys come together.
enum LiveLoop {
  /// - Parameters:
  ///   - view: Has had its first answer.
  ///   - asker: Goes on asking, on a thread of its own, so that keys are never kept waiting.
  /// - Throws: ``CommandFailure`` if the terminal cannot be used.
  static func run<View: LiveView>(_ view: View, asker: View.Asker, every interval: Duration) throws {
    guard let session = TerminalSession() else {
      throw CommandFailure.failure("The terminal cannot be used: the process has too many files open.")
    }
    var view = view
    var writer = FrameWriter(usesColour: Console.outputTakesColour)
    let waker = session.waker
    let poller = Poller(asker, view.question, every: interval) { waker.wake() }
    session.enter()
    defer { session.leave() }
    poller.start()
    while true {
      let size = session.size
      session.write(writer.bytes(view.lines(size), size: size))
      for event in session.events() {
        switch event {
        case .key(.control("c")): session.end(by: SIGINT)
        case .key(.control("z")), .suspended:
          session.suspend()
          writer.forget()
        case .key(.control("l")), .resized: writer.forget()
        case .key(let key):
          switch view.press(key) {
          case .leave: return
          case .ask: poller.ask(view.question)
          case .draw: poller.prepare(view.question)
          }
        case .woken:
          switch poller.answer() {
          case .success(let answer)?: view.take(answer)
          case .failure(let failure)?: view.fail(failure)
          case nil: break
          }
          poller.prepare(view.question)
        case .ended(let signal): session.end(by: signal)
        }
      }
    }
  }
}

/// Asks on a thread of its own: at intervals, and when the question changes.
private final class Poller<Asker: Asking>: Sendable {
  private struct State {
    var question: Asker.Question
    /// The newest one that was not taken yet.
    var answer: Result<Asker.Answer, CommandFailure>?
  }

  private let first: Asker
  private let interval: Duration
  private let wake: @Sendable () -> Void
  private let state: Mutex<State>
  private let wanted = DispatchSemaphore(value: 0)

  init(
    _ asker: Asker, _ question: Asker.Question, every interval: Duration, wake: @escaping @Sendable () -> Void
  ) {
    first = asker
    self.interval = interval
    self.wake = wake
    state = Mutex(State(question: question))
  }

  /// Begins; ends with the process, which waits for no answer.
  func start() {
    DispatchQueue(label: "kelvin.poller").async { [self] in
      var asker = first
      let clock = ContinuousClock()
      var last = clock.now
      while true {
        let rest = max(.zero, last + interval - clock.now)
        _ = wanted.wait(timeout: .now() + .nanoseconds(Int(rest / .nanoseconds(1))))
        last = clock.now
        let question = state.withLock { $0.question }
        let result = Result { () throws(CommandFailure) in try asker.ask(question) }
        state.withLock { $0.answer = result }
        wake()
      }
    }
  }

  /// Changes the next question.
  func prepare(_ question: Asker.Question) { state.withLock { $0.question = question } }

  /// Changes the question, and asks it now.
  func ask(_ question: Asker.Question) {
    prepare(question)
    wanted.signal()
  }

  func answer() -> Result<Asker.Answer, CommandFailure>? {
    state.withLock { state in
      defer { state.answer = nil }
      return state.answer
    }
  }
}
