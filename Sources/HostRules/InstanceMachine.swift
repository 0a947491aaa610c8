package import Lifecycle

/// The states of one instance as its Runtime API shows them, and what each call is answered in each state.
///
/// `next` is the hinge: the first one ends the initialization, every other one ends an invocation. A handler that ran
/// over its deadline and is left running is an *overlap*; its late answer, or a word of the runtime that it stopped,
/// ends the overlap and is otherwise without consequence.
package struct InstanceMachine: ~Copyable, Sendable {
  /// Where the instance is.
  package enum State: Equatable, Sendable {
    case initializing
    /// A call of `next` waits for an event.
    case waiting
    case running(RequestID)
    /// The caller has been told of the timeout, the handler still runs, and `next` has not been called.
    case overdue(RequestID)
    case answered(RequestID)
    /// The process has ended or is being ended.
    case ended
  }

  /// A call of the runtime.
  package enum Call: Equatable, Sendable {
    case next
    case response(RequestID)
    /// With whether the runtime says that its handler ran over its own deadline, and may still run.
    case error(RequestID, isHandlerTimeout: Bool)
    case initializationError
    case overlapEnded(RequestID)
  }

  /// What the call is answered.
  package enum Reply: Equatable, Sendable {
    /// 202.
    case accepted
    /// Nothing until there is an event.
    case wait
    /// 403, because an earlier call waits already; unless who sent that one is gone, whose place this one takes.
    case waitsAlready
    /// 200 with the event that was handed over already.
    case sameEvent
    /// 400.
    case invalidRequestID
    /// 403.
    case invalidState(from: String, to: String)
  }

  /// What follows for the host.
  package enum Effect: Equatable, Sendable {
    case nothing
    /// The first `next`: the initialization is over.
    case initialized
    /// A further `next`.
    case available
    /// The invocation has its answer.
    case answered(RequestID)
    case initializationFailed
  }

  /// The answer to a call, and what follows from it.
  package struct Step: Equatable, Sendable {
    package var reply: Reply
    package var effect = Effect.nothing
    /// A timed-out handler that has stopped now.
    package var overlapEnded: RequestID?
  }

  /// The most timed-out handlers that are followed in one instance; the oldest counts as stopped when another comes.
  static let overlapsLimit = 64

  /// Where the instance is.
  package private(set) var state = State.initializing
  private var overlaps: [Overlap] = []

  /// A handler whose caller has its answer and that still runs.
  private struct Overlap {
    var request: RequestID
    /// Whether another event was handed over since.
    var isBesideAnother = false
  }

  /// An instance that initializes.
  package init() {}

  /// Takes a call of the runtime.
  package mutating func take(_ call: Call) -> Step {
    switch call {
    case .next: next()
    case .response(let request): answer(request, leavesOverlap: false, to: "RuntimeInvocationResponse")
    case .error(let request, let isHandlerTimeout):
      answer(request, leavesOverlap: isHandlerTimeout, to: "RuntimeInvocationErrorResponse")
    case .initializationError: initializationError()
    case .overlapEnded(let request): Step(reply: .accepted, overlapEnded: endOverlap(request) ? request : nil)
    }
  }

  /// The host gives the event of `request` to the call that waits.
  ///
  /// - Returns: The handlers that run beside another one from now on.
  package mutating func handOver(_ request: RequestID) -> [RequestID] {
    precondition(state == .waiting, "BUG: an event for an instance that is \(stateName)")
    state = .running(request)
    var beside: [RequestID] = []
    for index in overlaps.indices where !overlaps[index].isBesideAnother {
      overlaps[index].isBesideAnother = true
      beside.append(overlaps[index].request)
    }
    return beside
  }

  /// Whether the handler of `request` is known to run on after its caller has its answer.
  package func isOverlapping(_ request: RequestID) -> Bool { overlaps.contains { $0.request == request } }

  /// Whether any handler is known to run on after its caller has its answer.
  package var hasOverlaps: Bool { !overlaps.isEmpty }

  /// The invocation's deadline has passed and the instance is kept.
  package mutating func passDeadline() {
    if case .running(let request) = state { state = .overdue(request) }
  }

  /// The process has ended or is being ended.
  ///
  /// - Returns: The handlers whose callers have their answer and that stop only now.
  package mutating func end() -> [RequestID] {
    var stopped = overlaps.map(\.request)
    if case .overdue(let request) = state { stopped.append(request) }
    overlaps = []
    state = .ended
    return stopped
  }

  private mutating func next() -> Step {
    switch state {
    case .initializing:
      state = .waiting
      return Step(reply: .wait, effect: .initialized)
    case .waiting: return Step(reply: .waitsAlready)
    case .running: return Step(reply: .sameEvent)
    case .overdue(let request):
      state = .waiting
      return Step(reply: .wait, effect: .available, overlapEnded: beginOverlap(request))
    case .answered:
      state = .waiting
      return Step(reply: .wait, effect: .available)
    case .ended: return refuse("RuntimeReady")
    }
  }

  private mutating func answer(_ request: RequestID, leavesOverlap: Bool, to target: String) -> Step {
    // An event that is given again to the instance that runs on with it: the first answer is the caller's.
    if state != .running(request), endOverlap(request) { return Step(reply: .accepted, overlapEnded: request) }
    switch state {
    case .running(request):
      state = .answered(request)
      let displaced = leavesOverlap ? beginOverlap(request) : nil
      return Step(reply: .accepted, effect: .answered(request), overlapEnded: displaced)
    case .overdue(request):
      state = .answered(request)
      if leavesOverlap { return Step(reply: .accepted, overlapEnded: beginOverlap(request)) }
      return Step(reply: .accepted, overlapEnded: request)
    case .answered(request), .ended: return refuse(target)
    case .initializing, .waiting, .running, .overdue, .answered: return Step(reply: .invalidRequestID)
    }
  }

  private mutating func initializationError() -> Step {
    guard state == .initializing else { return refuse("RuntimeInitError") }
    state = .ended
    return Step(reply: .accepted, effect: .initializationFailed)
  }

  private func refuse(_ target: String) -> Step { Step(reply: .invalidState(from: stateName, to: target)) }

  /// Returns the overlap that is no longer followed, if there are too many.
  private mutating func beginOverlap(_ request: RequestID) -> RequestID? {
    let displaced = overlaps.count >= InstanceMachine.overlapsLimit ? overlaps.removeFirst().request : nil
    overlaps.append(Overlap(request: request))
    return displaced
  }

  private mutating func endOverlap(_ request: RequestID) -> Bool {
    guard let index = overlaps.firstIndex(where: { $0.request == request }) else { return false }
    overlaps.remove(at: index)
    return true
  }

  /// The state in the words that AWS's Runtime API uses in its messages.
  private var stateName: String {
    switch state {
    case .initializing: "RuntimeStarted"
    case .waiting: "RuntimeReady"
    case .running, .overdue: "RuntimeRunning"
    case .answered: "RuntimeResponseSent"
    case .ended: "RuntimeEnded"
    }
  }
}
