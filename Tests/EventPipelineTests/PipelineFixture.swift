import EventPipeline
import Foundation
import Lifecycle
import Logging
import TestSupport
import WindowStore
import Windows

/// A directory and a time, and pipelines on them one after the other.
final class PipelineFixture: Sendable {
  let directory = NSTemporaryDirectory() + "kelvin-pipeline-" + UUID().uuidString
  let time = FakeTime()
  let journal = MemoryJournal()

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var configuration: PipelineConfiguration { PipelineConfiguration(aggregator: AggregatorConfiguration()) }

  /// - Parameter keepsBatches: Whether it has a journal.
  func makePipeline(_ configuration: PipelineConfiguration? = nil, keepsBatches: Bool = true) -> EventPipeline {
    EventPipeline(
      configuration ?? self.configuration, time: time.time,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() },
      openStores: { [directory, journal] () throws(StoreError) in
        (try Self.store(directory), keepsBatches ? journal : nil)
      })
  }

  static func store(_ directory: String) throws(StoreError) -> WindowStore {
    let window = AggregatorConfiguration().window
    return try WindowStore.open(directory: directory, window: window, retention: Retention(window: window))
  }

  /// Runs a test beside a pipeline that was started and runs, and ends that.
  func whileRunning(_ pipeline: EventPipeline, _ body: () async throws -> Void) async throws {
    try await pipeline.start()
    let running = Task { await pipeline.run() }
    let result: Result<Void, any Error>
    do {
      result = .success(try await body())
    } catch {
      result = .failure(error)
    }
    running.cancel()
    await running.value
    _ = await pipeline.finish()
    try result.get()
  }
}

extension EventPipeline {
  /// The invocations of all functions.
  func invocations(at now: Timestamp) -> UInt64 {
    read(at: now) { $0.snapshot(now).functions.reduce(0) { $0 + $1.totals.invocations.total } }
  }
}
