internal import Lifecycle

extension Checkpoint {
  /// Puts right, or leaves out, what a store cannot have been given: entries that contradict each other because rows were
  /// damaged, edited or lost. Afterwards no window can show less than nothing.
  ///
  /// - Parameter configuration: Of the aggregator that will continue from it.
  /// - Returns: How many entries were put right or left out.
  public mutating func removeContradictions(_ configuration: AggregatorConfiguration) -> Int {
    var corrected = 0
    if !time.isPossible {
      // What was in progress hangs on it; totals do not.
      let known = (windows.map(\.start) + functions.map(\.firstSeen)).filter(\.isPossible)
      time = known.max() ?? Timestamp(nanoseconds: 0)
      live = LiveState()
      timelines = []
      corrected = 1
    }
    if let limits = live.accountLimits, !limits.time.isPossible || limits.concurrency < 0 {
      live.accountLimits = nil
      corrected += 1
    }
    let before = entriesCount
    functions.removeAll { !$0.isPossible }
    windows.removeAll { !$0.start.isPossible }
    eventSources.removeAll { !$0.isPossible }
    live.executions.removeAll { !$0.start.isPossible || !$0.presumedEnd.isPossible }
    live.instances.removeAll { instance in
      !instance.started.isPossible || !instance.stopped.isPossible || (instance.initialization?.count ?? 0) < 0
    }
    live.overlaps.removeAll { !$0.start.isPossible || !$0.end.isPossible || !$0.presumedEnd.isPossible }
    timelines.removeAll { !$0.isPossible(window: configuration.window) }
    return corrected + before - entriesCount + balanceTimelines(configuration)
  }

  private var entriesCount: Int {
    functions.count + eventSources.count + windows.count + live.executions.count + live.instances.count
      + live.overlaps.count
      + timelines.count
  }

  private struct Line: Hashable {
    var function: FunctionID
    var kind: TimelineKind
  }

  /// What is in progress now and the edges since give what was in progress before; less than nothing cannot be.
  private mutating func balanceTimelines(_ configuration: AggregatorConfiguration) -> Int {
    var aggregator = Aggregator(configuration)
    aggregator.advance(to: time)
    let first = WindowGrid(length: configuration.window).start(aggregator.scopes.firstWindow)
    var lines: [Line: [Int]] = [:]
    // Edges before the first window that is kept are of no account any more.
    for position in timelines.indices where timelines[position].start >= first {
      lines[Line(function: timelines[position].function, kind: timelines[position].kind), default: []].append(position)
    }
    let current = inProgress()
    var corrected = 0
    var dropped: Set<Int> = []
    var added: [TimelineCheckpoint] = []
    for (line, positions) in lines {
      let edges = positions.sorted { timelines[$0].start < timelines[$1].start }.flatMap { timelines[$0].edges }
      var base = current[line] ?? InlineArray(repeating: 0)
      for packed in edges { base[Int(Edge(packed: packed).tag)] &-= Edge(packed: packed).delta }
      let missing = base
      for tag in base.indices where base[tag] < 0 { base[tag] = 0 }
      if Self.descends(edges, from: base) {
        corrected += positions.count
        dropped.formUnion(positions)
        continue
      }
      // What began, did not end and is not in progress: it ends with the checkpoint.
      for tag in missing.indices where missing[tag] < 0 {
        corrected += 1
        added.append(ends(-missing[tag], line.function, line.kind, tag: UInt8(tag), window: configuration.window))
      }
    }
    timelines = timelines.indices.filter { !dropped.contains($0) }.map { timelines[$0] } + added
    return corrected
  }

  private static func descends(_ edges: [UInt64], from base: InlineArray<4, Int64>) -> Bool {
    var level = base
    for packed in edges {
      let edge = Edge(packed: packed)
      level[Int(edge.tag)] &+= edge.delta
      if level[Int(edge.tag)] < 0 { return true }
    }
    return false
  }

  /// Edges that end some executions at the instant of the checkpoint.
  private func ends(
    _ count: Int64, _ function: FunctionID, _ kind: TimelineKind, tag: UInt8, window: Nanoseconds
  ) -> TimelineCheckpoint {
    let grid = WindowGrid(length: window)
    // An end belongs to the window that it closes.
    let start = grid.start(grid.index(of: time - Nanoseconds(1)))
    let edge = Edge(offset: max(1, (time - start).count), side: .end, tag: tag)
    return TimelineCheckpoint(
      function: function, kind: kind, start: start, edges: Array(repeating: edge.packed, count: Int(count)))
  }

  /// How many executions, instances and overlaps of each function are in progress, by tag.
  private func inProgress() -> [Line: InlineArray<4, Int64>] {
    var found: [Line: InlineArray<4, Int64>] = [:]
    func count(_ function: FunctionID, _ kind: TimelineKind, tag: Int) {
      found[Line(function: function, kind: kind), default: InlineArray(repeating: 0)][tag] += 1
    }
    for execution in live.executions where execution.presumedEnd == nil {
      count(execution.function, .executions, tag: Int(execution.pool.rawValue & 3))
    }
    for instance in live.instances where instance.started != nil && instance.stopped == nil {
      count(instance.function, .instances, tag: 0)
    }
    for overlap in live.overlaps where overlap.start != nil && overlap.end == nil && overlap.presumedEnd == nil {
      count(overlap.function, .overlaps, tag: 0)
    }
    return found
  }
}

extension TimelineCheckpoint {
  /// Whether every edge lies in the window.
  fileprivate func isPossible(window: Nanoseconds) -> Bool {
    guard start.isPossible, WindowGrid(length: window).start(WindowGrid(length: window).index(of: start)) == start
    else {
      return false
    }
    return edges.allSatisfy { packed in
      let edge = Edge(packed: packed)
      return edge.side == .start ? edge.offset < window.count : edge.offset <= window.count
    }
  }
}

extension EventSourceCheckpoint {
  fileprivate var isPossible: Bool {
    firstSeen.isPossible && present.oldest.isPossible && present.oldestTold.isPossible
      && present.levels.allSatisfy { $0.time.isPossible && $0.value >= 0 }
  }
}

extension FunctionCheckpoint {
  fileprivate var isPossible: Bool {
    firstSeen.isPossible && concurrencyNanoseconds >= 0 && endedConcurrencyNanoseconds >= 0
      && limits.allSatisfy(\.isPossible)
      && endedPeaks.allSatisfy { $0.start.isPossible && $0.peaks.duration.count >= 0 && $0.peaks.memoryUsedBytes >= 0 }
  }
}

extension FunctionLimitsChanged {
  fileprivate var isPossible: Bool {
    let amounts = [reserved ?? 0, memoryLimitBytes, timeout.count, temporaryStorageLimitBytes]
    let pool = provisioned.map { [$0.requested, $0.allocated, $0.available] } ?? []
    return time.isPossible && (amounts + pool).allSatisfy { $0 >= 0 }
  }
}

extension Timestamp {
  /// Whether Kelvin could have seen it: from 1970 to 2200, so that no difference of two overflows.
  fileprivate var isPossible: Bool { nanoseconds >= 0 && self <= Timestamp(seconds: 7_258_118_400) }
}

extension Timestamp? {
  fileprivate var isPossible: Bool { self.map { $0.isPossible } ?? true }
}
