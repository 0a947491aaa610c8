package import Lifecycle

/// The life of one instance: the one place that knows its phase, what each call of its runtime is answered in it, and what
/// follows from what happens.
///
/// `next` is the hinge: the first one ends the initialization, every other one ends an invocation. In both cases the instance
/// can take an event only once its extensions are done, too. A handler that ran over its deadline and is left running is an
/// *overlap*; its late answer, or a word of the runtime that it stopped, ends the overlap and is otherwise without
/// consequence.
package struct InstanceMachine: ~Copyable, Sendable {
  /// The most timed-out handlers that are followed in one instance; the oldest counts as stopped when another comes.
  static let overlapsLimit = 64

  /// Where the instance is in its life.
  package private(set) var phase = Phase.created
  /// The state of the runtime's program.
  package private(set) var runtime = Runtime.notStarted
  private var overlaps: [Overlap] = []
  /// The invocation whose answer arrives piece by piece, or of which that was the last.
  private var streaming: RequestID?

  /// A handler whose caller has its answer and that still runs.
  private struct Overlap {
    var request: RequestID
    /// Whether another event was handed over since.
    var isBesideAnother = false
  }

  /// An instance of which nothing runs yet.
  package init() {}

  // MARK: What it is

  /// When it began to initialize; `nil` if it never did.
  package var startedAt: Timestamp? {
    switch phase {
    case .created: nil
    case .initializing(let initialization): initialization.startedAt
    case .serving(let service): service.startedAt
    case .ending(let end): end.startedAt
    }
  }

  /// When its initialization was over; `nil` if it is not, or failed.
  package var readyAt: Timestamp? {
    switch phase {
    case .created, .initializing: nil
    case .serving(let service): service.readyAt
    case .ending(let end): end.readyAt
    }
  }

  /// From ``startedAt`` until ``readyAt``; zero without either.
  package var initializationDuration: Nanoseconds {
    guard let startedAt, let readyAt else { return .zero }
    return readyAt - startedAt
  }

  /// Whether its initialization is neither over nor given up.
  package var isInitializing: Bool {
    switch phase {
    case .created, .initializing: true
    case .serving, .ending: false
    }
  }

  /// Whether its runtime has not asked for its first event.
  package var isRuntimeInitializing: Bool {
    switch phase {
    case .created: true
    case .initializing(let initialization): initialization.progress != .awaitingExtensions
    case .serving, .ending: false
    }
  }

  /// Whether it has ended or is being ended.
  package var isEnding: Bool { end != nil }

  /// Its end, if that has begun.
  package var end: End? { if case .ending(let end) = phase { end } else { nil } }

  /// Whether its runtime asked for an event that it is not given, because extensions are not done yet.
  package var isAwaitingExtensions: Bool {
    switch phase {
    case .initializing(let initialization): initialization.progress == .awaitingExtensions
    case .serving(let service): service.activity == .awaitingExtensions
    case .created, .ending: false
    }
  }

  /// When the initialization began for which a warm-up may be reported; `nil` if none may be reported now.
  package var warmUpPossibleSince: Timestamp? {
    guard case .initializing(let initialization) = phase, initialization.progress == .running(hasWarmedUp: false) else {
      return nil
    }
    return initialization.startedAt
  }

  /// Whether it serves and no invocation of it has been reported.
  package var isBeforeFirstReport: Bool {
    if case .serving(let service) = phase { !service.hasReported } else { false }
  }

  /// What a reader of the host's state is shown.
  package var state: InstanceState {
    switch phase {
    case .created, .initializing: .initializing
    case .serving(let service): service.activity == .idle || service.activity == .frozen ? .idle : .busy
    case .ending: .busy
    }
  }

  /// Whether the handler of `request` is known to run on after its caller has its answer.
  package func isOverlapping(_ request: RequestID) -> Bool { overlaps.contains { $0.request == request } }

  // MARK: Its start

  /// Begins the initialization: the instance's API is bound, and its programs are about to be started.
  ///
  /// - Returns: False if it was ended meanwhile: then nothing was said of it, and there is nothing to be ended.
  package mutating func start(at now: Timestamp) -> Bool {
    guard case .created = phase else { return false }
    phase = .initializing(Initialization(startedAt: now))
    return true
  }

  /// Notes that the runtime's program was started.
  package mutating func runtimeStarted() { runtime = .running }

  /// Notes that the runtime's program has ended, or could not be started.
  package mutating func runtimeEnded() { runtime = .ended }

  /// Notes that the runtime has reported its warm-up.
  ///
  /// - Precondition: `warmUpPossibleSince` is not `nil`.
  package mutating func warmUp() {
    guard case .initializing(var initialization) = phase, initialization.progress == .running(hasWarmedUp: false) else {
      preconditionFailure("BUG: a warm-up of an instance that is \(phase)")
    }
    initialization.progress = .running(hasWarmedUp: true)
    phase = .initializing(initialization)
  }

  /// Ends the initialization, once runtime and extensions are done: from now on the instance can take an event.
  ///
  /// - Precondition: The runtime has called `next` for the first time, and nothing since.
  package mutating func becomeReady(at now: Timestamp) {
    guard case .initializing(let initialization) = phase, initialization.progress == .awaitingExtensions else {
      preconditionFailure("BUG: an instance that is \(phase) is ready")
    }
    phase = .serving(Service(startedAt: initialization.startedAt, readyAt: now))
  }

  // MARK: Its invocations

  /// Begins an invocation: the host gives the event of `request` to the call that waits.
  ///
  /// - Precondition: The instance is idle or frozen.
  ///
  /// - Returns: The handlers that run beside another one from now on.
  package mutating func handOver(_ request: RequestID) -> [RequestID] {
    guard case .serving(let service) = phase, service.activity == .idle || service.activity == .frozen else {
      preconditionFailure("BUG: an event for an instance that is \(phase)")
    }
    proceed(service, to: .running(request))
    var beside: [RequestID] = []
    for index in overlaps.indices where !overlaps[index].isBesideAnother {
      overlaps[index].isBesideAnother = true
      beside.append(overlaps[index].request)
    }
    return beside
  }

  /// Notes that the invocation's deadline has passed and that the instance is kept. Does nothing if no handler runs.
  package mutating func passDeadline(at now: Timestamp) {
    if case .serving(let service) = phase, case .running(let request) = service.activity {
      proceed(service, to: .overdue(request, since: now))
    }
  }

  /// Ends an invocation, once runtime and extensions are done with it: the instance can take the next event.
  ///
  /// - Precondition: The runtime has called `next` after the invocation.
  package mutating func settle() {
    guard case .serving(let service) = phase, service.activity == .awaitingExtensions else {
      preconditionFailure("BUG: an instance that is \(phase) is done with an invocation")
    }
    proceed(service, to: .idle)
  }

  /// Notes that an invocation of the instance was reported.
  package mutating func report() {
    guard case .serving(var service) = phase else { return }
    service.hasReported = true
    phase = .serving(service)
  }

  // MARK: Standing still

  /// Freezes the instance, if it is idle and no handler that timed out still runs.
  ///
  /// - Returns: Whether its processes are to be stopped now.
  package mutating func freeze() -> Bool {
    guard case .serving(let service) = phase, service.activity == .idle, overlaps.isEmpty else { return false }
    proceed(service, to: .frozen)
    return true
  }

  /// Thaws the instance, if it is frozen.
  ///
  /// - Returns: Whether its processes are to be continued.
  package mutating func thaw() -> Bool {
    guard case .serving(let service) = phase, service.activity == .frozen else { return false }
    proceed(service, to: .idle)
    return true
  }

  // MARK: Its end

  /// Begins the end of the instance. If that has begun already, its reason stays.
  ///
  /// - Parameters:
  ///   - grace: How long a runtime that ends by itself is given for that; zero: it does not end by itself.
  ///   - budget: What its extensions have for their end; zero without any.
  package mutating func end(
    _ reason: StopReason, within grace: Nanoseconds = .zero, budget: Nanoseconds = .zero, at now: Timestamp
  ) -> EndStep {
    if let end {
      // A grace for what ends by itself is cut short by a host that stops; extensions have a budget that is short anyway.
      if grace == .zero, end.extensionsDeadline == nil { return .kill }
      return .nothing
    }
    var stopped = overlaps.map(\.request)
    if case .serving(let service) = phase, case .overdue(let request, _) = service.activity { stopped.append(request) }
    overlaps = []
    let manner: End.Manner =
      if budget > .zero {
        .inSteps(until: now + budget, isByItself: grace > .zero)
      } else {
        grace > .zero ? .byItself : .atOnce
      }
    phase = .ending(End(startedAt: startedAt, readyAt: readyAt, reason: reason, manner: manner))
    return .begin(overlapsEnded: stopped)
  }

  /// Notes that the host kills all of the instance; does nothing unless it is being ended.
  package mutating func kill(at now: Timestamp) {
    guard case .ending(var end) = phase, end.killedAt == nil else { return }
    end.killedAt = now
    phase = .ending(end)
  }
}

// MARK: - Calls of the runtime

extension InstanceMachine {
  /// Decides what a call of the runtime is answered, and what follows from it.
  package mutating func take(_ call: Call, at now: Timestamp) -> Step {
    switch call {
    case .next: next()
    case .response(let request): answer(request, leavesOverlap: false, to: "RuntimeInvocationResponse", at: now)
    case .error(let request, let isHandlerTimeout):
      answer(request, leavesOverlap: isHandlerTimeout, to: "RuntimeInvocationErrorResponse", at: now)
    case .initializationError: initializationError()
    case .overlapEnded(let request): Step(reply: .accepted, overlapEnded: endOverlap(request) ? request : nil)
    }
  }

  /// Whether the runtime may answer an invocation piece by piece now. Where not, ``take(_:at:)`` says what its answer is answered.
  package func mayStream(_ request: RequestID) -> Bool {
    guard case .serving(let service) = phase else { return false }
    return service.activity == .running(request) && streaming != request
  }

  /// Notes that an answer arrives piece by piece: until its end, the runtime's other calls about the invocation are refused.
  ///
  /// - Precondition: ``mayStream(_:)``.
  package mutating func beginStream(of request: RequestID) { streaming = request }

  /// Notes the end of an answer that arrived piece by piece; what follows is that of an answer which arrived at once.
  package mutating func endStream(of request: RequestID, at now: Timestamp) -> Step {
    if streaming == request { streaming = nil }
    return take(.response(request), at: now)
  }

  private mutating func next() -> Step {
    switch phase {
    case .created, .ending: return refuse("RuntimeReady")
    case .initializing(var initialization):
      guard initialization.progress != .awaitingExtensions else { return Step(reply: .waitsAlready) }
      initialization.progress = .awaitingExtensions
      phase = .initializing(initialization)
      return Step(reply: .wait, effect: .initialized)
    case .serving(let service):
      switch service.activity {
      case .idle, .frozen, .awaitingExtensions: return Step(reply: .waitsAlready)
      case .running(let request) where request == streaming: return refuse("RuntimeReady")
      case .running: return Step(reply: .sameEvent)
      case .overdue(let request, _):
        proceed(service, to: .awaitingExtensions)
        return Step(reply: .wait, effect: .available, overlapEnded: beginOverlap(request))
      case .answered:
        proceed(service, to: .awaitingExtensions)
        return Step(reply: .wait, effect: .available)
      }
    }
  }

  private mutating func answer(
    _ request: RequestID, leavesOverlap: Bool, to target: String, at now: Timestamp
  ) -> Step {
    guard case .serving(let service) = phase else {
      return isEnding ? refuse(target) : Step(reply: .invalidRequestID)
    }
    // An event that is given again to the instance that runs on with it: the first answer is the caller's.
    if service.activity != .running(request), endOverlap(request) {
      return Step(reply: .accepted, overlapEnded: request)
    }
    switch service.activity {
    case .running(request) where request == streaming: return refuse(target)
    case .running(request):
      proceed(service, to: .answered(request, at: now))
      let displaced = leavesOverlap ? beginOverlap(request) : nil
      return Step(reply: .accepted, effect: .answered(request), overlapEnded: displaced)
    case .overdue(request, let since):
      // Its caller has the timeout for an answer, and that is what the time until the next event counts from.
      proceed(service, to: .answered(request, at: since))
      return Step(reply: .accepted, overlapEnded: leavesOverlap ? beginOverlap(request) : request)
    case .answered(request, _): return refuse(target)
    case .idle, .frozen, .awaitingExtensions, .running, .overdue, .answered: return Step(reply: .invalidRequestID)
    }
  }

  private func initializationError() -> Step {
    isRuntimeInitializing ? Step(reply: .accepted, effect: .initializationFailed) : refuse("RuntimeInitError")
  }

  private func refuse(_ target: String) -> Step { Step(reply: .invalidState(from: stateName, to: target)) }

  private mutating func proceed(_ service: Service, to activity: Activity) {
    var service = service
    service.activity = activity
    phase = .serving(service)
  }

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
    switch phase {
    case .created: "RuntimeStarted"
    case .initializing(let initialization):
      initialization.progress == .awaitingExtensions ? "RuntimeReady" : "RuntimeStarted"
    case .serving(let service):
      switch service.activity {
      case .idle, .frozen, .awaitingExtensions: "RuntimeReady"
      case .running(let request) where request == streaming: "RuntimeInvocationResponse"
      case .running, .overdue: "RuntimeRunning"
      case .answered: "RuntimeResponseSent"
      }
    case .ending: "RuntimeEnded"
    }
  }
}
