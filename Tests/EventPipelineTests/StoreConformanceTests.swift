import EventPipeline
import Foundation
import Lifecycle
import TestSupport
import Testing
import WindowStore
import Windows

/// Where a store is kept, whatever becomes of the process that writes it.
protocol StorePlace: Sendable {
  /// Opens the store; after the first time, as a process does that follows another.
  func open() throws -> any CheckpointStore
}

/// Each kind of store, and a new place for it.
enum StoreKind: CaseIterable {
  case memory, disk

  static let window = Nanoseconds.seconds(60)

  func makePlace() -> any StorePlace {
    switch self {
    case .memory: MemoryPlace()
    case .disk: DiskPlace()
    }
  }

  private struct MemoryPlace: StorePlace {
    private let store = MemoryStore(Retention(window: StoreKind.window))
    func open() -> any CheckpointStore {
      store.open()
      return store
    }
  }

  private final class DiskPlace: StorePlace {
    private let directory = NSTemporaryDirectory() + "kelvin-conformance-" + UUID().uuidString
    // What is left over is in the system's directory for temporary files: no reason to fail a test.
    deinit { try? FileManager.default.removeItem(atPath: directory) }
    func open() throws -> any CheckpointStore {
      try WindowStore.open(
        directory: directory, window: StoreKind.window, retention: Retention(window: StoreKind.window))
    }
  }
}

/// What every store has to do.
@Suite struct `A store` {
  /// 2026-11-23T10:00:00Z, the start of a window in every tier.
  private static let ten = Timestamp(seconds: 1_795_428_000)
  private static let orders = FunctionID("orders")
  private static let mail = FunctionID("mail", version: "7")
  private static let tiers = Retention(window: StoreKind.window).tiers.map(\.length)

  /// Of an execution that began in the window and has ended in it.
  private static let edges: [UInt64] = [8 << 3 | 4, 16 << 3]

  private func window(_ scope: Scope, _ minutes: Int64, _ errors: UInt64, concurrency: Int64 = 0, final: Bool = true)
    -> WindowCheckpoint
  {
    WindowCheckpoint(
      scope: scope, start: Self.ten + .seconds(60 * minutes), rollup: rollup(errors, concurrency), isFinal: final)
  }

  private func rollup(_ errors: UInt64, _ concurrency: Int64 = 0) -> Rollup {
    var rollup = Rollup()
    rollup.tally.errors = errors
    rollup.peaks.concurrency = concurrency
    return rollup
  }

  private func checkpoint(_ windows: WindowCheckpoint..., late: [LateTally] = []) -> Checkpoint {
    var checkpoint = Checkpoint(time: Self.ten)
    checkpoint.windows = windows
    checkpoint.lateTallies = late
    return checkpoint
  }

  private func selection(
    _ scope: Scope, tier: Nanoseconds = StoreKind.window, resolution: Nanoseconds? = nil, minutes: Int64 = 60
  ) -> WindowSelection {
    WindowSelection(
      scope: scope, from: Self.ten, to: Self.ten + .seconds(60 * minutes), tier: tier, resolution: resolution ?? tier)
  }

  private func final(_ store: any CheckpointStore, _ selection: WindowSelection) throws -> [Timestamp: Rollup] {
    try store.finalWindows(selection, since: nil).rollups
  }

  @Test(arguments: StoreKind.allCases)
  func `has nothing before the first checkpoint`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let store = try place.open()
    #expect(try store.load() == nil)
    #expect(store.savedInvocations == 0)
    #expect(try final(store, selection(.account)).isEmpty)
    #expect(store.history == StoreHistory())
    try store.verify()
  }

  @Test(arguments: StoreKind.allCases)
  func `keeps what a later checkpoint does not say, and replaces what it says`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    let store = try place.open()
    var first = checkpoint(
      window(.function(Self.orders), 0, 1, final: false), window(.function(Self.mail), 0, 2, final: false))
    first.timelines = [
      TimelineCheckpoint(function: Self.orders, kind: .executions, start: Self.ten, edges: Self.edges)
    ]
    first.journal = JournalPosition(7)
    try store.save(first)
    #expect(try store.load()?.timelines == first.timelines)
    var second = checkpoint(window(.function(Self.orders), 0, 9, final: false))
    second.timelines = [TimelineCheckpoint(function: Self.orders, kind: .executions, start: Self.ten, edges: [])]
    second.time = Self.ten + .seconds(60)
    try store.save(second)
    try store.close()
    let loaded = try #require(try place.open().load())
    #expect(Set(loaded.windows.map(\.rollup.tally.errors)) == [9, 2])
    #expect(loaded.timelines.isEmpty)
    #expect(loaded.time == second.time)
    #expect(loaded.journal == JournalPosition(7))
  }

  @Test(arguments: StoreKind.allCases)
  func `merges a final window once however often it is saved`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let store = try place.open()
    let saved = checkpoint(window(.function(Self.orders), 0, 3))
    for _ in 0..<2 { try store.save(saved) }
    try store.save(checkpoint(window(.function(Self.orders), 0, 3, final: false)))
    try store.save(checkpoint(window(.function(Self.orders), 0, 0, final: false)))
    #expect(try store.load()?.windows.isEmpty == true)
    for tier in Self.tiers {
      #expect(try final(store, selection(.function(Self.orders), tier: tier)) == [Self.ten: rollup(3)])
    }
    let found = try store.finalWindows(selection(.function(Self.orders), tier: Self.tiers[1]), since: Self.ten)
    #expect(found.keys == [WindowKey(scope: .function(Self.orders), start: Self.ten)])
  }

  @Test(arguments: StoreKind.allCases, [false, true])
  func `deletes a window that turned out to be empty`(_ kind: StoreKind, isFinal: Bool) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let store = try place.open()
    var first = checkpoint(window(.function(Self.orders), 0, 3, final: false))
    first.timelines = [
      TimelineCheckpoint(function: Self.orders, kind: .executions, start: Self.ten, edges: Self.edges)
    ]
    try store.save(first)
    try store.save(checkpoint(window(.function(Self.orders), 0, 0, final: isFinal)))
    #expect(try store.load()?.windows.isEmpty == true)
    #expect(try store.load()?.timelines.isEmpty == isFinal)
    for tier in Self.tiers {
      #expect(try final(store, selection(.function(Self.orders), tier: tier)).isEmpty)
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `adds a late tally in every tier whether or not there was a window`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let store = try place.open()
    try store.save(checkpoint(window(.function(Self.orders), 0, 3, concurrency: 2)))
    let next = Self.ten + StoreKind.window
    try store.save(
      checkpoint(
        late: [(Self.ten, 1), (Self.ten, 1), (next, 7)].map { start, errors in
          LateTally(function: Self.orders, start: start, tally: rollup(errors).tally)
        }))
    #expect(
      try final(store, selection(.function(Self.orders))) == [Self.ten: rollup(5, 2), next: rollup(7)])
    for tier in Self.tiers.dropFirst() {
      #expect(try final(store, selection(.function(Self.orders), tier: tier)) == [Self.ten: rollup(12, 2)])
    }
  }

  @Test(arguments: StoreKind.allCases)
  func `shows of the account the tallies of all functions and its own peaks`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    defer { withExtendedLifetime(place) {} }
    let store = try place.open()
    try store.save(
      checkpoint(
        window(.account, 0, 0, concurrency: 3), window(.function(Self.orders), 0, 4, concurrency: 2),
        window(.function(Self.mail), 0, 5, concurrency: 2), window(.function(Self.mail), 1, 6)))
    let next = Self.ten + StoreKind.window
    let found = try store.finalWindows(selection(.account), since: next)
    #expect(found.rollups == [Self.ten: rollup(9, 3), next: rollup(6)])
    #expect(found.keys == [WindowKey(scope: .function(Self.mail), start: next)])
    var ownOnly = selection(.account)
    ownOnly.includesTallies = false
    #expect(try final(store, ownOnly) == [Self.ten: rollup(0, 3)])
  }

  @Test(arguments: StoreKind.allCases)
  func `takes nothing more once it is closed`(_ kind: StoreKind) throws {
    let place = kind.makePlace()
    let store = try place.open()
    try store.save(checkpoint(window(.function(Self.orders), 0, 3)))
    try store.close()
    #expect(throws: StoreError.self) { try store.save(checkpoint()) }
    #expect(throws: StoreError.self) { _ = try store.load() }
    #expect(throws: StoreError.self) { _ = try store.finalWindows(selection(.account), since: nil) }
    #expect(try final(place.open(), selection(.account)) == [Self.ten: rollup(3)])
  }

  /// All kinds are told the same by an aggregator that is killed again and again, and have to answer the same.
  @Test(arguments: UInt64(1)...6)
  func `answers as every other does, whatever an aggregator tells it`(_ seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let places = StoreKind.allCases.map { $0.makePlace() }
    var stores = try places.map { try $0.open() }
    let configuration = AggregatorConfiguration(window: StoreKind.window, grace: .seconds(1), finality: .seconds(120))
    var aggregator = Aggregator(configuration)
    aggregator.advance(to: Self.ten)
    let events = RandomStory.events(seed: seed, from: Self.ten, lasting: .seconds(900), invocations: 120)
    var now = Self.ten
    for part in stride(from: 0, to: events.count, by: 30) {
      now = now + .seconds(Int64.random(in: 0..<90, using: &random))
      for event in events[part..<min(part + 30, events.count)] { aggregator.apply(event, now: now + .seconds(900)) }
      let saved = aggregator.checkpoint(now: now)
      for store in stores { try store.save(saved) }
      guard Int.random(in: 0..<4, using: &random) == 0 else { continue }
      for store in stores { try store.close() }
      stores = try places.map { try $0.open() }
      let loaded = try stores.map { try #require(try $0.load()) }
      try expectSame(loaded[0], loaded[1])
      aggregator = Aggregator(configuration, restoring: loaded[1])
    }
    for scope in [.account] + (0..<3).map({ Scope.function(FunctionID("function-\($0)")) }) {
      for tier in Self.tiers {
        let asked = selection(scope, tier: tier, resolution: Self.tiers.last ?? tier)
        let found = try stores.map { try $0.finalWindows(asked, since: Self.ten + .seconds(180)) }
        #expect(found[0].rollups == found[1].rollups, "\(scope), \(tier)")
        #expect(found[0].keys == found[1].keys, "\(scope), \(tier)")
      }
    }
    #expect(stores[0].savedInvocations == stores[1].savedInvocations)
  }

  private func expectSame(_ left: Checkpoint, _ right: Checkpoint) throws {
    #expect(left.time == right.time)
    #expect(left.live == right.live)
    #expect(left.journal == right.journal)
    let functions = [left, right].map { $0.functions.sorted { $0.function < $1.function } }
    #expect(functions[0] == functions[1])
    let windows = [left, right].map { $0.windows.sorted { ($0.start, $0.scope) < ($1.start, $1.scope) } }
    #expect(windows[0] == windows[1])
    let timelines = [left, right].map { checkpoint in
      checkpoint.timelines.sorted {
        ($0.start, $0.function, $0.kind.rawValue) < ($1.start, $1.function, $1.kind.rawValue)
      }
    }
    #expect(timelines[0] == timelines[1])
  }
}
