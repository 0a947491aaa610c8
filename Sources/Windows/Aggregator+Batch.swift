public import Lifecycle

extension Aggregator {
  /// How many events are looked up ahead of being counted.
  private static let stride = 64

  /// Counts the events of a batch, as a call of ``apply(_:now:isRemote:)`` for each would, at a fraction of the cost.
  ///
  /// - Parameters:
  ///   - now: The clock; decides only whether an event lies too far in the future.
  ///   - isRemote: Whether another process reports them.
  /// - Returns: Those that are not counted, in ascending order of their index.
  @discardableResult
  public mutating func apply(_ events: [LifecycleEvent], now: Timestamp, isRemote: Bool = false) -> [RejectedEvent] {
    live.isRemote = isRemote
    if scopes.firstWindow == .min { advance(to: now) }
    scopes.statistics.eventsReceived &+= UInt64(events.count)
    let latest = now + configuration.futureTolerance
    var rejected: [RejectedEvent] = []
    var activities: [Activities] = []
    var begin = 0
    while begin < events.count {
      let end = min(begin + Aggregator.stride, events.count)
      apply(events.span, begin..<end, latest: latest, &rejected, &activities)
      begin = end
    }
    apply(activities)
    return rejected
  }

  private mutating func apply(
    _ events: Span<LifecycleEvent>, _ range: Range<Int>, latest: Timestamp, _ rejected: inout [RejectedEvent],
    _ activities: inout [Activities]
  ) {
    // Each table is larger than the processor's cache. Look-ups that do not wait for each other take a fraction of the time, so those
    // of many events come first.
    var places = InlineArray<64, Place>(repeating: Place())
    for index in range { places[index - range.lowerBound] = place(events, index) }
    let changes = live.instances.changes
    for index in range {
      var place = places[index - range.lowerBound]
      // An event in front of this one may have made an instance known.
      if changes != live.instances.changes { place = self.place(events, index) }
      let rejection: Rejection?
      if place.slot >= 0, case .invocationFinished(let finished) = events[index].kind {
        rejection = apply(finished, place, latest: latest)
      } else if case .source(let source) = events[index].subject {
        let (problem, activity) = admit(events[index].kind, of: source)
        rejection = admissible(events[index].kind.time, latest) ?? problem
        if rejection == nil, let activity { activities.append(Activities(source: source, activity: activity)) }
      } else {
        rejection = route(events[index], latest: latest)
      }
      guard let rejection else { continue }
      scopes.statistics.eventsRejected[rejection] &+= 1
      rejected.append(RejectedEvent(index: index, reason: rejection))
    }
  }

  /// What an event of a batch tells of a source.
  private struct Activities {
    var source: EventSourceID
    var activity: EventSourceActivity
  }

  /// Applies what the events of a batch tell of sources, in the order of their times.
  private mutating func apply(_ activities: [Activities]) {
    guard !activities.isEmpty else { return }
    let times = activities.map(\.activity.time)
    let isInOrder = zip(times, times.dropFirst()).allSatisfy { $0 <= $1 }
    // A stable sort: of what was told of one instant, the last holds.
    for told in isInOrder ? activities : activities.sorted(by: { $0.activity.time < $1.activity.time }) {
      scopes.sourceChanged(told.source, told.activity, isRemote: live.isRemote)
    }
  }

  /// What was found of a finished invocation of an instance.
  private struct Place {
    /// Where the instance is; -1 for another event, and if the instance is not known, or known under another function.
    var slot = -1
    /// The position of its function.
    var position = -1
    /// Whether the request is one of those that finished last.
    var isRepeated = false
  }

  @inline(__always) private func place(_ events: Span<LifecycleEvent>, _ index: Int) -> Place {
    var place = Place()
    guard case .invocationFinished(let finished) = events[index].kind,
      case .instance(let instance, let function) = events[index].subject
    else { return place }
    place.isRepeated = live.recent.contains(finished.request)
    guard let slot = live.instances.slot(ofKnown: instance) else { return place }
    let position = live.instances.position(at: slot)
    guard scopes.identities[position] == function, isNamed(function) else { return place }
    (place.slot, place.position) = (slot, position)
    return place
  }

  /// Counts a finished invocation of a known instance, as ``route(_:latest:)`` would.
  @inline(__always)
  private mutating func apply(_ finished: InvocationFinished, _ place: Place, latest: Timestamp) -> Rejection? {
    if let rejection = admissible(finished.start, latest) ?? admissible(finished.end, latest) { return rejection }
    guard !place.isRepeated, live.recent.insert(finished.request) else {
      scopes.statistics.eventsDuplicate &+= 1
      return nil
    }
    let window = scopes.grid.index(of: finished.start)
    live.instances.countInvocation(at: place.slot)
    if window < scopes.firstWindow || live.executions.contains(finished.request)
      || !scopes.take(finished, place.position, inWindow: window)
    {
      live.count(finished, nil, place.position, &scopes)
    }
    return nil
  }
}
