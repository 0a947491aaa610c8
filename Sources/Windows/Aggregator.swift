public import Lifecycle

/// Folds lifecycle events into windows and totals.
///
/// Events come in any order, and any order gives the same windows and totals as long as they come before their window
/// is final. The aggregator has no clock: every call says what time it is. It is a value with one owner; it does no
/// input or output.
///
/// - Complexity: A finished invocation costs O(1) amortised when executions end in order, and a move within one chunk
///   of a timeline otherwise. Nothing is allocated per event once windows, timelines and distributions have grown.
public struct Aggregator: Sendable {
  /// How time is cut, and what is bounded.
  public let configuration: AggregatorConfiguration
  var scopes: Scopes
  var live: LiveRecords

  /// Makes an aggregator that has seen nothing; time begins with its first call.
  public init(_ configuration: AggregatorConfiguration) {
    self.configuration = configuration
    scopes = Scopes(configuration)
    live = LiveRecords(configuration)
  }

  /// Counts an event, or says why not.
  ///
  /// - Parameters:
  ///   - now: The clock; decides only whether the event lies too far in the future.
  ///   - isRemote: Whether another process reports it: what it begins goes on when this one ends.
  /// - Returns: `nil` if it was counted or had been counted before.
  @discardableResult
  public mutating func apply(_ event: LifecycleEvent, now: Timestamp, isRemote: Bool = false) -> Rejection? {
    live.isRemote = isRemote
    if scopes.firstWindow == .min { advance(to: now) }
    scopes.statistics.eventsReceived &+= 1
    let rejection = route(event, latest: now + configuration.futureTolerance)
    if let rejection { scopes.statistics.eventsRejected[rejection] &+= 1 }
    return rejection
  }

  /// Events that had been counted before.
  public var eventsDuplicate: UInt64 { scopes.statistics.eventsDuplicate }

  /// Counts an event that arrived and could not be read.
  public mutating func count(_ rejection: Rejection) {
    scopes.statistics.eventsReceived &+= 1
    scopes.statistics.eventsRejected[rejection] &+= 1
  }

  mutating func route(_ event: LifecycleEvent, latest: Timestamp) -> Rejection? {
    if let rejection = admissible(event.kind.time, latest) { return rejection }
    if let end = event.kind.end, let rejection = admissible(end, latest) { return rejection }
    switch event.subject {
    case .account:
      switch event.kind {
      case .accountLimitsChanged(let limits): scopes.accountLimitsChanged(limits)
      case .functionsListed(let listed): scopes.functionsListed(listed)
      default: return .subject
      }
    case .function(let function):
      guard isNamed(function) else { return .functionName }
      // What is rejected makes no function known.
      guard event.kind.isOfFunctions else { return .subject }
      return applyToFunction(event.kind, scopes.position(of: function, at: event.kind.time))
    case .instance(let instance, let function):
      guard isNamed(function) else { return .functionName }
      guard !event.kind.isOfAccount else { return .subject }
      return applyToInstance(event.kind, instance, position(of: function, instance, at: event.kind.time))
    case .source(let source):
      let (rejection, activity) = admit(event.kind, of: source)
      guard let activity else { return rejection }
      scopes.sourceChanged(source, activity, isRemote: live.isRemote)
    }
    return nil
  }

  func admissible(_ time: Timestamp, _ latest: Timestamp) -> Rejection? {
    if time.nanoseconds < 0 { return .beforeEpoch }
    return time > latest ? .future : nil
  }

  /// What an event of a source tells, or why it is not counted.
  func admit(
    _ kind: LifecycleEvent.Kind, of source: EventSourceID
  ) -> (rejection: Rejection?, activity: EventSourceActivity?) {
    let bytes = source.name.utf8.count
    guard bytes > 0, bytes <= FunctionID.nameBytesLimit else { return (.functionName, nil) }
    // A function URL is no source: what it brings are invocations.
    guard case .sourceChanged(let activity) = kind, source.trigger != .http else { return (.subject, nil) }
    guard activity.changes.count <= EventSourceActivity.changesLimit, activity.changes.allSatisfy(\.isPossible) else {
      return (.malformed, nil)
    }
    return (nil, activity)
  }

  func isNamed(_ function: FunctionID) -> Bool {
    let bytes = function.name.utf8.count
    return bytes > 0 && bytes <= FunctionID.nameBytesLimit && function.version.utf8.count <= FunctionID.nameBytesLimit
  }

  private mutating func applyToFunction(_ kind: LifecycleEvent.Kind, _ position: Int) -> Rejection? {
    switch kind {
    case .throttled(let throttled):
      scopes.count(position, at: throttled.time) { tally in
        tally.throttles[throttled.reason] &+= 1
        if throttled.trigger == .http { tally.countThrottledHTTP() }
      }
    case .limitsChanged(let limits):
      scopes.functionLimitsChanged(limits, position)
    case .invocationStarted(let started):
      live.invocationStarted(started, instance: nil, position, &scopes)
    case .invocationFinished(let finished):
      live.invocationFinished(finished, nil, position, &scopes)
    default:
      return .subject
    }
    return nil
  }

  private mutating func applyToInstance(
    _ kind: LifecycleEvent.Kind, _ instance: InstanceID, _ position: Int
  ) -> Rejection? {
    switch kind {
    case .instanceStarted(let started): live.instanceStarted(started, instance, position, &scopes)
    case .warmedUp(let warmUp):
      scopes.count(position, at: warmUp.time) { tally in
        tally.warmUp.record(warmUp.duration.count)
        if !warmUp.succeeded { tally.warmUpFailures &+= 1 }
      }
      live.updateInstance(instance, position, &scopes) { $0.warmUp = warmUp.duration }
    case .instanceReady(let ready): live.instanceReady(ready, instance, position, &scopes)
    case .invocationStarted(let started): live.invocationStarted(started, instance: instance, position, &scopes)
    case .invocationHandedOver(let handedOver):
      live.invocationStarted(handedOver.started, instance: instance, position, &scopes)
    case .invocationFinished(let finished): live.invocationFinished(finished, instance, position, &scopes)
    case .overlapStarted(let started): live.overlapStarted(started, instance, position, &scopes)
    case .overlapEnded(let ended): live.overlapEnded(ended, instance, position, &scopes)
    case .instanceStopped(let stopped): live.instanceStopped(stopped, instance, position, &scopes)
    default: return applyToFunction(kind, position)
    }
    return nil
  }

  /// The position of the function of an instance: the instance's own, if it is known.
  mutating func position(of function: FunctionID, _ instance: InstanceID, at time: Timestamp) -> Int {
    // Looking up sixteen random bytes costs a fraction of hashing two strings.
    if let slot = live.instances.slot(ofKnown: instance) {
      let known = live.instances.position(at: slot)
      if scopes.identities[known] == function { return known }
    }
    return scopes.position(of: function, at: time)
  }

}

extension LifecycleEvent.Kind {
  /// Whether a function can be the subject.
  fileprivate var isOfFunctions: Bool {
    switch self {
    case .throttled, .limitsChanged, .invocationStarted, .invocationFinished: true
    default: false
    }
  }

  /// Whether no function can be the subject.
  fileprivate var isOfAccount: Bool {
    switch self {
    case .accountLimitsChanged, .functionsListed, .sourceChanged: true
    default: false
    }
  }

  /// The last instant of an event that has a length.
  fileprivate var end: Timestamp? {
    switch self {
    case .invocationHandedOver(let event): event.time
    case .invocationFinished(let event): event.end
    default: nil
    }
  }

  /// The last instant that the event tells of.
  public var latest: Timestamp { end ?? time }

  /// The instant that decides whether the event is taken.
  var time: Timestamp {
    switch self {
    case .instanceStarted(let event): event.time
    case .warmedUp(let event): event.time
    case .instanceReady(let event): event.time
    case .invocationStarted(let event): event.time
    case .invocationHandedOver(let event): event.start
    case .invocationFinished(let event): event.start
    case .overlapStarted(let event): event.time
    case .overlapEnded(let event): event.time
    case .throttled(let event): event.time
    case .instanceStopped(let event): event.time
    case .limitsChanged(let event): event.time
    case .accountLimitsChanged(let event): event.time
    case .functionsListed(let event): event.time
    case .sourceChanged(let event): event.time
    }
  }
}
