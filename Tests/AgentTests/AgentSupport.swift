import BlockingHTTP
import EventPipeline
import Foundation
import Documents
import Lifecycle
import Logging
import Synchronization
import TestSupport
import WindowStore
import Windows

@testable import Agent

/// A store whose saving fails on demand.
final class FailingStore: CheckpointStore {
  private let store: WindowStore
  private let error = Mutex<StoreError?>(nil)
  private let readError = Mutex<StoreError?>(nil)
  private let fileError = Mutex<(String, StoreError)?>(nil)
  init(_ store: WindowStore) { self.store = store }

  func failReads(with error: StoreError?) { readError.withLock { $0 = error } }
  func fail(with error: StoreError?) { self.error.withLock { $0 = error } }
  /// Fails as long as there is a file.
  func failWhileThereIs(_ path: String, with error: StoreError) { fileError.withLock { $0 = (path, error) } }
  func load() throws(StoreError) -> Checkpoint? { try store.load() }
  func save(_ checkpoint: Checkpoint) throws(StoreError) {
    if let (path, error) = fileError.withLock({ $0 }), FileManager.default.fileExists(atPath: path) { throw error }
    if let error = error.withLock({ $0 }) { throw error }
    try store.save(checkpoint)
  }
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    if let error = readError.withLock({ $0 }) { throw error }
    return try store.finalWindows(selection, since: since)
  }
  func close() throws(StoreError) { try store.close() }
  func verify() throws(StoreError) { try store.verify() }
  func restore(after reason: String) throws(StoreError) -> Restoration { try store.restore(after: reason) }
  func releaseReserve() -> Bool { store.releaseReserve() }
  func recovered(invocations: UInt64) { store.recovered(invocations: invocations) }
  var history: StoreHistory { store.history }
  var savedInvocations: UInt64 { store.savedInvocations }
  var sizeBytes: Int64 { store.sizeBytes }
}

/// A directory, a clock, and agents on them one after the other.
final class AgentFixture: Sendable {
  let directory = NSTemporaryDirectory() + "kelvin-agent-" + UUID().uuidString
  let clock = ManualClock()
  private let lastStore = Mutex<FailingStore?>(nil)

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: directory) }

  var store: FailingStore? { lastStore.withLock { $0 } }

  var configuration: AgentConfiguration {
    var configuration = AgentConfiguration(dataDirectory: directory)
    configuration.port = 0
    return configuration
  }

  func makeAgent(
    _ configuration: AgentConfiguration? = nil,
    logger: Logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
  ) -> Agent {
    Agent(
      configuration: configuration ?? self.configuration,
      clock: clock.steady, logger: logger,
      openStores: { configuration throws(StoreError) in
        let store = FailingStore(
          try WindowStore.open(
            directory: configuration.dataDirectory, window: configuration.window,
            retention: Retention(window: configuration.window)))
        self.lastStore.withLock { $0 = store }
        return (store, nil)
      })
  }

  /// Runs a test against a started agent and stops it.
  func withAgent(
    _ configuration: AgentConfiguration? = nil, _ body: (Agent, Client) async throws -> Void
  ) async throws {
    let agent = makeAgent(configuration)
    try await agent.start()
    do {
      try await body(agent, Client(port: agent.port ?? 0))
    } catch {
      await agent.stop()
      throw error
    }
    await agent.stop()
  }
}

struct Client {
  let port: Int

  func send(_ method: String, _ path: String, headers: BlockingHTTP.HTTPHeaders = [:]) throws -> HTTPReply {
    let connection = HTTPConnection(try HTTPEndpoint("127.0.0.1:\(port)"))
    defer { connection.close() }
    return try connection.send(ClientRequest(method, path, headers: headers), timeout: .seconds(10))
  }

  func get(_ path: String) throws -> HTTPReply { try send("GET", path) }

  func windows(_ query: String) throws -> WindowsDocument {
    try WindowsDocument(json: get("/api/v1/windows?" + query).body)
  }
}

extension Agent {
  func send(_ events: LifecycleEvent...) { for event in events { sink(event) } }
}

/// What gzip makes of compressed bytes.
func gunzip(_ bytes: [UInt8]) throws -> [UInt8] {
  let path = NSTemporaryDirectory() + UUID().uuidString + ".gz"
  defer { try? FileManager.default.removeItem(atPath: path) }
  try Data(bytes).write(to: URL(fileURLWithPath: path))
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/bin/gzip")
  process.arguments = ["-dc", path]
  let output = Pipe()
  process.standardOutput = output
  try process.run()
  let data = output.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return Array(data)
}
