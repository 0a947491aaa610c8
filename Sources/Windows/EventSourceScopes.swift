import Lifecycle

/// What is counted of event sources: queues, schedules and the like.
struct EventSourceScopes: Sendable {
  private let configuration: AggregatorConfiguration
  private let grid: WindowGrid
  private(set) var states: [EventSourceState] = []
  private(set) var positions: [EventSourceID: Int] = [:]
  private var lateTallies: [LateSourceKey: EventSourceTally] = [:]

  /// When something came.
  enum Arrival {
    case inTime
    /// After its window was final.
    case late
    /// The same, and there was no room for what is to be added to the store.
    case lost
  }

  init(_ configuration: AggregatorConfiguration) {
    self.configuration = configuration
    grid = WindowGrid(length: configuration.window)
  }

  /// Takes what changed at a source, which is made known if it is new.
  ///
  /// - Parameter first: The first window that is not final.
  mutating func changed(
    _ source: EventSourceID, _ activity: EventSourceActivity, isRemote: Bool, first: Int64
  ) -> Arrival {
    let position = position(of: source, at: activity.time)
    states[position].isRemote = isRemote
    states[position].apply(activity, grid, first: first)
    let window = grid.index(of: activity.time)
    guard window < first else { return .inTime }
    var tally = EventSourceTally()
    for change in activity.changes { tally.add(change) }
    guard tally != EventSourceTally() else { return .late }
    let key = LateSourceKey(source: states[position].source, window: window)
    if lateTallies.count >= configuration.unsavedWindowsLimit && lateTallies[key] == nil {
      return .lost
    }
    lateTallies[key, default: EventSourceTally()].merge(tally)
    return .late
  }

  private mutating func position(of source: EventSourceID, at time: Timestamp) -> Int {
    if let known = positions[source] { return known }
    let other = EventSourceID(source.trigger, AggregatorConfiguration.otherFunctionName)
    guard states.count < configuration.eventSourcesLimit || source == other else {
      return position(of: other, at: time)
    }
    return add(EventSourceState(source: source, firstSeen: time))
  }

  /// Makes a source known, whatever the limit.
  private mutating func add(_ state: EventSourceState) -> Int {
    states.append(state)
    positions[state.source] = states.count - 1
    return states.count - 1
  }

  /// Ends what is there at the sources of this process.
  mutating func abandon(at time: Timestamp, first: Int64) {
    for position in states.indices where !states[position].isRemote {
      states[position].end(at: time, grid, first: first)
    }
  }

  // MARK: Reading

  /// The sources with the peaks of a window, in ascending order.
  func snapshots(closed: Int64, now: Timestamp) -> [EventSourceSnapshot] {
    states.map { state in
      EventSourceSnapshot(
        source: state.source, firstSeen: state.firstSeen, totals: state.totals, present: state.present,
        lastClosed: state.rollup(inWindow: closed, grid, now: now).peaks)
    }.sorted { $0.source < $1.source }
  }

  /// The windows of a source that are not final, in ascending order.
  func windows(of source: EventSourceID, _ span: Scopes.WindowSpan, now: Timestamp) -> [WindowRollup] {
    guard let position = positions[source] else { return [] }
    let state = states[position]
    let used = state.windowsInUse(before: span.begun, lastingFrom: span.first, grid)
    return (used + state.reportedWindows(from: span.begun)).filter(span.holds).compactMap { window in
      let found = state.rollup(inWindow: window, grid, now: now)
      guard !found.isEmpty else { return nil }
      let start = grid.start(window)
      return WindowRollup(
        scope: .source(source), start: start, length: configuration.window,
        isClosed: start + configuration.window + configuration.grace <= now, rollup: Rollup(found))
    }
  }

  // MARK: Time and checkpoints

  /// The windows before one that become final.
  ///
  /// - Parameter first: From where on there are windows of what only lasted.
  func finals(until boundary: Int64, lastingFrom first: Int64, _ now: Timestamp) -> [WindowCheckpoint] {
    states.flatMap { state in
      state.windowsInUse(before: boundary, lastingFrom: first, grid).map { window in
        let rollup = Rollup(state.rollup(inWindow: window, grid, now: now))
        return WindowCheckpoint(scope: .source(state.source), start: grid.start(window), rollup: rollup, isFinal: true)
      }
    }
  }

  mutating func forget(before boundary: Int64) {
    for position in states.indices { states[position].dropWindows(before: boundary) }
  }

  /// Adds what changed since the last checkpoint.
  mutating func collect(_ now: Timestamp, first: Int64, into checkpoint: inout Checkpoint) {
    checkpoint.lateSourceTallies = lateTallies.map { key, tally in
      LateSourceTally(source: key.source, start: grid.start(key.window), tally: tally)
    }
    lateTallies = [:]
    let current = grid.index(of: now)
    for position in states.indices {
      let state = states[position]
      if state.isChanged {
        checkpoint.eventSources.append(
          EventSourceCheckpoint(
            source: state.source, firstSeen: state.firstSeen, totals: state.totals, present: state.present,
            isRemote: state.isRemote))
      }
      if state.changedFrom != .max {
        let begin = max(first, state.changedFrom)
        let last = max(begin, current)
        for window in Array(begin...last) + state.reportedWindows(from: last + 1) {
          let rollup = Rollup(state.rollup(inWindow: window, grid, now: now))
          checkpoint.windows.append(
            WindowCheckpoint(scope: .source(state.source), start: grid.start(window), rollup: rollup, isFinal: false))
        }
      }
      states[position].markStored(next: current)
    }
  }

  /// Makes what a checkpoint held due again with the next one.
  mutating func checkpointFailed(_ checkpoint: Checkpoint, first: Int64) {
    for late in checkpoint.lateSourceTallies {
      let key = LateSourceKey(source: late.source, window: grid.index(of: late.start))
      lateTallies[key, default: EventSourceTally()].merge(late.tally)
    }
    for position in states.indices { states[position].markAllChanged(from: first) }
  }

  mutating func restore(_ stored: [EventSourceCheckpoint]) {
    for stored in stored where positions[stored.source] == nil { _ = add(EventSourceState(stored)) }
  }

  mutating func restore(_ rollup: EventSourceRollup, of source: EventSourceID, inWindow window: Int64) {
    // Windows alone do not say what there is now; the source tells that with its next event.
    let position = positions[source] ?? add(EventSourceState(source: source, firstSeen: grid.start(window)))
    states[position].restore(window: window, rollup: rollup)
  }
}

/// A final window of an event source.
struct LateSourceKey: Hashable, Sendable {
  var source: EventSourceID
  var window: Int64
}
