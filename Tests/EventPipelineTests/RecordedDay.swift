import EventJournal
import EventPipeline
import Foundation
import Lifecycle
import Logging
import TestSupport
import Testing
import WindowStore
import Windows

/// What is in the store after a day.
struct RecordedDay {
  /// How long a day is.
  static let hours: Int64 = 24

  private(set) var windows: [WindowKey: Rollup] = [:]
  private(set) var totals: [FunctionID: Tally] = [:]

  /// Has a pipeline of its own take a day, ten minutes at a time.
  ///
  /// - Parameter day: From `ten` on, in the order of their times.
  init(_ day: [LifecycleEvent], _ take: (EventPipeline, [LifecycleEvent]) async throws -> Void) async throws {
    let directory = NSTemporaryDirectory() + "kelvin-day-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let time = FakeTime()
    let pipeline = Self.pipeline(in: directory, time)
    try await pipeline.start()
    var rest = day[...]
    for slice in 0..<Int(Self.hours * 6) {
      let end = ten + .seconds(Int64(slice + 1) * 600)
      let events = Array(rest.prefix { $0.kind.latest < end })
      rest = rest.dropFirst(events.count)
      time.advance(to: end)
      try await take(pipeline, events)
      await pipeline.turn()
    }
    try await take(pipeline, Array(rest))
    time.advance(to: ten + .seconds(Self.hours * 3_600 + 7_200))
    for _ in 0..<3 {
      await pipeline.turn()
      time.advance(to: time.now + .seconds(2))
    }
    _ = await pipeline.finish()
    try read(directory)
  }

  private static func pipeline(in directory: String, _ time: FakeTime) -> EventPipeline {
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    return EventPipeline(
      PipelineConfiguration(aggregator: AggregatorConfiguration()), time: time.time, logger: logger,
      openStores: { () throws(StoreError) in
        let store = try PipelineFixture.store(directory)
        let journal = try FileJournal.open(
          directory: directory, identity: store.identity, elapsed: { .zero }, logger: logger)
        return (store, journal)
      })
  }

  private mutating func read(_ directory: String) throws {
    let reader = try WindowReader.open(directory: directory)
    let checkpoint = try #require(try reader.checkpoint())
    let scopes = [Scope.account] + checkpoint.functions.map { .function($0.function) }
    for scope in scopes {
      let selection = WindowSelection(
        scope: scope, from: ten - .seconds(3_600), to: ten + .seconds((Self.hours + 2) * 3_600), tier: .seconds(60),
        resolution: .seconds(60))
      for (start, rollup) in try reader.finalWindows(selection, since: nil).rollups {
        windows[WindowKey(scope: scope, start: start)] = rollup
      }
    }
    for function in checkpoint.functions { totals[function.function] = function.totals }
  }
}
