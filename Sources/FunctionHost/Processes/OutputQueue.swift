internal import NIOCore
internal import Synchronization

/// The lines of one process on their way from the keeper's thread to the event loop; bounded.
final class OutputQueue: Sendable {
  private struct State {
    var waiting = ProcessOutput()
    var budget: Int
    var isScheduled = false
  }

  private let state: Mutex<State>
  private let bytesMax: Int
  private let loop: any EventLoop
  private let onOutput: @Sendable (ProcessOutput) -> Void

  init(bytesMax: Int, loop: any EventLoop, onOutput: @escaping @Sendable (ProcessOutput) -> Void) {
    self.bytesMax = bytesMax
    self.loop = loop
    self.onOutput = onOutput
    state = Mutex(State(budget: bytesMax))
  }

  /// How many bytes of lines there is room for. Only the loop makes it more.
  var budget: Int { state.withLock { $0.budget } }

  /// Adds lines that cost `cost` bytes.
  func add(_ output: ProcessOutput, cost: Int) {
    guard !output.isEmpty else { return }
    let schedules = state.withLock { state in
      state.waiting.lines.append(contentsOf: output.lines)
      state.waiting.linesDropped += output.linesDropped
      state.waiting.bytesDropped += output.bytesDropped
      state.budget -= cost
      defer { state.isScheduled = true }
      return !state.isScheduled
    }
    if schedules { loop.execute { self.deliver() } }
  }

  private func deliver() {
    let output = state.withLock { state in
      let output = state.waiting
      state = State(budget: bytesMax)
      return output
    }
    onOutput(output)
  }
}
