import Synchronization

/// What is enforced now. The host finds that out at start; if the kernel later refuses a control group, less is
/// enforced for as long as it refuses.
final class IsolationWatch: Sendable {
  private struct State {
    let found: Isolation
    var weakness: String?
    var onChange: (@Sendable (Isolation) -> Void)?

    var current: Isolation {
      guard let weakness else { return found }
      var isolation = found
      isolation.memory = .sampling
      isolation.limitsProcesses = false
      isolation.shortcomings.append(IsolationWatch.sentence(weakness))
      return isolation
    }
  }

  private let state: Mutex<State>
  private let note: @Sendable (String) -> Void

  /// - Parameter note: Takes a sentence for the log when what is enforced changes; called on whatever thread.
  init(_ found: Isolation, note: @escaping @Sendable (String) -> Void) {
    state = Mutex(State(found: found))
    self.note = note
  }

  var isolation: Isolation { state.withLock { $0.current } }

  /// Calls `body` whenever what is enforced changes, on whatever thread.
  func onChange(_ body: @escaping @Sendable (Isolation) -> Void) { state.withLock { $0.onChange = body } }

  /// Takes how a sandbox was started: `weakness` says why the kernel keeps less of its limits than was found; `nil`: all of them.
  func started(_ weakness: String?) {
    let change = state.withLock { state -> (Isolation, (@Sendable (Isolation) -> Void)?)? in
      // The reason may change from one to the next; that it is weaker is told once.
      guard (state.weakness == nil) != (weakness == nil) else { return nil }
      state.weakness = weakness
      return (state.current, state.onChange)
    }
    guard let (isolation, onChange) = change else { return }
    note(weakness.map(IsolationWatch.sentence) ?? "Control groups work again: instances are isolated as before.")
    onChange?(isolation)
  }

  private static func sentence(_ weakness: String) -> String {
    "memory is limited by sampling, and the number of processes has no limit, in instances that start now: \(weakness)"
  }
}
