import DequeModule
import NIOCore
import Synchronization

/// The output lines of one process on their way from the keeper's thread to the event loop; bounded.
final class OutputQueue: Sendable {
  private struct State {
    var lines: Deque<ProcessOutput.Line> = []
    var linesDropped = 0
    var bytesDropped = 0
    var budget: Int
    /// Whether it waits for its turn.
    var isListed = false
    var atEnd: (@Sendable () -> Void)?
  }

  private let state: Mutex<State>
  private let bytesMax: Int
  private let pump: OutputPump
  private let onOutput: @Sendable (ProcessOutput) -> Void

  init(bytesMax: Int, pump: OutputPump, onOutput: @escaping @Sendable (ProcessOutput) -> Void) {
    self.bytesMax = bytesMax
    self.pump = pump
    self.onOutput = onOutput
    state = Mutex(State(budget: bytesMax))
  }

  /// How many bytes of lines there is room for. Only the loop makes it more; after lines were dropped not before it has
  /// taken all that came before them, so that the lines between two gaps have none among them.
  var budget: Int { state.withLock { $0.linesDropped > 0 ? 0 : max(0, $0.budget) } }

  /// Adds lines.
  func add(_ output: ProcessOutput) {
    guard !output.isEmpty else { return }
    list { state in
      state.lines.append(contentsOf: output.lines)
      state.linesDropped += output.linesDropped
      state.bytesDropped += output.bytesDropped
      state.budget -= output.lines.reduce(0) { $0 + $1.cost }
    }
  }

  /// Nothing more comes: `body` is called on the loop once everything has been taken.
  func finish(_ body: @escaping @Sendable () -> Void) { list { $0.atEnd = body } }

  private func list(_ change: (inout State) -> Void) {
    let isNew = state.withLock { state in
      change(&state)
      defer { state.isListed = true }
      return !state.isListed
    }
    if isNew { pump.list(self) }
  }

  /// Hands on lines, at least one, that cost up to `bytes`; on the loop.
  ///
  /// - Returns: What they cost, and whether there are more.
  func handOn(_ linesMax: Int, _ bytes: Int) -> (lines: Int, bytes: Int, hasMore: Bool) {
    var output = ProcessOutput()
    var cost = 0
    let (hasMore, end) = state.withLock { state -> (Bool, (@Sendable () -> Void)?) in
      while let line = state.lines.first, output.lines.count < linesMax,
        output.lines.isEmpty || cost + line.cost <= bytes
      {
        cost += line.cost
        output.lines.append(line)
        state.lines.removeFirst()
      }
      state.budget += cost
      guard state.lines.isEmpty else { return (true, nil) }
      output.linesDropped = state.linesDropped
      output.bytesDropped = state.bytesDropped
      let end = state.atEnd
      state = State(budget: bytesMax)
      return (false, end)
    }
    if !output.isEmpty { onOutput(output) }
    end?()
    return (output.lines.count, cost, hasMore)
  }
}

/// Brings what all processes print to the event loop, a bounded piece in each of its turns, to each process in turn: who
/// prints without end takes the loop neither from callers nor from the other processes' lines.
final class OutputPump: Sendable {
  /// The most that is taken in one turn, of all processes together.
  static let turnLinesMax = 256
  static let turnBytesMax = 64 * 1024
  /// The most that one process has of it before the next has its part.
  private static let shareLinesMax = 32
  private static let shareBytesMax = 16 * 1024
  /// The time between two turns. Not zero: what is due at once is done before the loop looks at its sockets again.
  private static let pause = TimeAmount.milliseconds(1)

  private struct State {
    var waiting: Deque<OutputQueue> = []
    var isScheduled = false
    var ranAt = NIODeadline.uptimeNanoseconds(0)
  }

  private let state = Mutex(State())
  private let loop: any EventLoop

  init(_ loop: any EventLoop) { self.loop = loop }

  fileprivate func list(_ queue: OutputQueue) {
    let ranAt = state.withLock { state -> NIODeadline? in
      state.waiting.append(queue)
      defer { state.isScheduled = true }
      return state.isScheduled ? nil : state.ranAt
    }
    if let ranAt { schedule(after: ranAt) }
  }

  private func schedule(after ranAt: NIODeadline) {
    let dueAt = ranAt + OutputPump.pause
    if dueAt <= .now() { loop.execute { self.turn() } } else { _ = loop.scheduleTask(deadline: dueAt) { self.turn() } }
  }

  private func turn() {
    var lines = 0
    var bytes = 0
    while lines < OutputPump.turnLinesMax, bytes < OutputPump.turnBytesMax,
      let queue = state.withLock({ $0.waiting.popFirst() })
    {
      let taken = queue.handOn(OutputPump.shareLinesMax, OutputPump.shareBytesMax)
      // One without lines, which has ended, costs something, too.
      lines += max(1, taken.lines)
      bytes += taken.bytes
      if taken.hasMore { state.withLock { $0.waiting.append(queue) } }
    }
    let now = NIODeadline.now()
    let goesOn = state.withLock { state in
      state.ranAt = now
      state.isScheduled = !state.waiting.isEmpty
      return state.isScheduled
    }
    if goesOn { schedule(after: now) }
  }
}

/// The programs of a sandbox whose ends are not reported yet, because their last lines wait.
final class Farewells: Sendable {
  private struct State {
    var count = 0
    var afterAll: [@Sendable () -> Void] = []
  }

  private let state = Mutex(State())

  func begin() { state.withLock { $0.count += 1 } }

  /// An end was reported; on the loop.
  func end() {
    let bodies = state.withLock { state -> [@Sendable () -> Void] in
      state.count -= 1
      guard state.count == 0 else { return [] }
      defer { state.afterAll = [] }
      return state.afterAll
    }
    for body in bodies { body() }
  }

  /// Calls `body` on the loop once all are reported.
  func afterAll(on loop: any EventLoop, _ body: @escaping @Sendable () -> Void) {
    let isNow = state.withLock { state in
      if state.count > 0 { state.afterAll.append(body) }
      return state.count == 0
    }
    if isNow { loop.execute(body) }
  }
}
