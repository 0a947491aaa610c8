import EventPipeline
import Lifecycle
import Synchronization
import WindowStore
import Windows

/// A store in memory, in the plainest way: what the store on disk is measured against.
final class MemoryStore: CheckpointStore {
  private struct WindowPlace: Hashable {
    var length: Nanoseconds
    var start: Timestamp
    var scope: Scope
  }

  private struct TimelinePlace: Hashable {
    var function: FunctionID
    var kind: TimelineKind
    var start: Timestamp
  }

  private struct Content {
    var time: Timestamp?
    var functions: [FunctionID: FunctionCheckpoint] = [:]
    var windows: [WindowPlace: (rollup: Rollup, isFinal: Bool)] = [:]
    var timelines: [TimelinePlace: [UInt64]] = [:]
    var live = LiveState()
    var journal = JournalPosition.start
    var isOpen = true
  }

  private let retention: Retention
  private let content = Mutex(Content())

  init(_ retention: Retention) { self.retention = retention }

  /// Makes it usable again, as a process does that follows another.
  func open() { content.withLock { $0.isOpen = true } }

  private static let closed = StoreError(.failed, "the store is closed")

  private func whileOpen<Value: Sendable>(_ body: (inout Content) -> Value) throws(StoreError) -> Value {
    try content.withLock { content throws(StoreError) in
      guard content.isOpen else { throw Self.closed }
      return body(&content)
    }
  }

  func load() throws(StoreError) -> Checkpoint? {
    let window = retention.tiers[0].length
    return try whileOpen { content in
      guard let time = content.time else { return nil }
      var checkpoint = Checkpoint(time: time)
      checkpoint.functions = Array(content.functions.values)
      checkpoint.windows = content.windows.filter { $0.key.length == window && !$0.value.isFinal }.map {
        place, stored in
        WindowCheckpoint(scope: place.scope, start: place.start, rollup: stored.rollup, isFinal: false)
      }
      checkpoint.timelines = content.timelines.map { place, edges in
        TimelineCheckpoint(function: place.function, kind: place.kind, start: place.start, edges: edges)
      }
      checkpoint.live = content.live
      checkpoint.journal = content.journal
      return checkpoint
    }
  }

  func save(_ checkpoint: Checkpoint) throws(StoreError) {
    let tiers = retention.tiers.map(\.length)
    try whileOpen { content in
      content.time = checkpoint.time
      content.live = checkpoint.live
      content.journal = max(content.journal, checkpoint.journal)
      for function in checkpoint.functions { content.functions[function.function] = function }
      for timeline in checkpoint.timelines {
        let place = TimelinePlace(function: timeline.function, kind: timeline.kind, start: timeline.start)
        content.timelines[place] = timeline.edges.isEmpty ? nil : timeline.edges
      }
      for window in checkpoint.windows { Self.save(window, tiers, &content) }
      for late in checkpoint.lateTallies {
        var rollup = Rollup()
        rollup.tally = late.tally
        Self.add(rollup, .function(late.function), late.start, tiers[...], &content)
      }
    }
  }

  private static func save(_ window: WindowCheckpoint, _ tiers: [Nanoseconds], _ content: inout Content) {
    let place = WindowPlace(length: tiers[0], start: window.start, scope: window.scope)
    if content.windows[place]?.isFinal == true { return }
    content.windows[place] = window.rollup.isEmpty ? nil : (window.rollup, window.isFinal)
    guard window.isFinal else { return }
    content.timelines = content.timelines.filter { place, _ in
      place.start != window.start || window.scope != .function(place.function)
    }
    if !window.rollup.isEmpty { add(window.rollup, window.scope, window.start, tiers.dropFirst(), &content) }
  }

  private static func add(
    _ rollup: Rollup, _ scope: Scope, _ start: Timestamp, _ tiers: ArraySlice<Nanoseconds>, _ content: inout Content
  ) {
    for tier in tiers {
      let grid = WindowGrid(length: tier)
      let place = WindowPlace(length: tier, start: grid.start(grid.index(of: start)), scope: scope)
      var sum = content.windows[place]?.rollup ?? Rollup()
      sum.merge(rollup)
      content.windows[place] = (sum, true)
    }
  }

  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    let window = retention.tiers[0].length
    return try whileOpen { content in
      var found = FinalWindows()
      let grid = WindowGrid(length: selection.resolution)
      for (place, stored) in content.windows where stored.isFinal {
        let isMerged = selection.scope == .account && selection.includesTallies
        guard isMerged || place.scope == selection.scope else { continue }
        let isInRange = place.start >= selection.from && place.start < selection.to
        if let since, place.length == window, place.start >= since, isInRange {
          found.keys.insert(WindowKey(scope: place.scope, start: place.start))
        }
        guard place.length == selection.tier, isInRange else { continue }
        let start = grid.start(grid.index(of: place.start))
        if place.scope == selection.scope {
          found.rollups[start, default: Rollup()].merge(stored.rollup)
        } else {
          // Peaks of functions do not add up to those of the account.
          found.rollups[start, default: Rollup()].tally.merge(stored.rollup.tally)
        }
      }
      return found
    }
  }

  func verify() throws(StoreError) { try whileOpen { _ in } }
  func restore(after _: String) throws(StoreError) -> Restoration { .whole }
  func releaseReserve() -> Bool { false }
  func recovered(invocations _: UInt64) {}
  func close() throws(StoreError) { content.withLock { $0.isOpen = false } }
  var history: StoreHistory { StoreHistory() }
  var savedInvocations: UInt64 {
    content.withLock { $0.functions.values.reduce(0) { $0 &+ $1.totals.invocations.total } }
  }
  var sizeBytes: Int64 { 0 }
}
