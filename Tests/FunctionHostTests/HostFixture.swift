import Glibc
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes
import Synchronization
import TestSupport
import Testing

@testable import FunctionHost

/// A host on a free port with functions in Python, ended when the body returns.
struct HostFixture: Sendable {
  let port: Int
  let host: FunctionHost
  let events: EventLog

  /// Starts a host, calls `body`, stops the host, and returns what was emitted until the end.
  @discardableResult
  static func run(
    _ configuration: HostConfiguration, clock: SteadyClock = .system(), logger: Logger = silentLogger,
    watching watch: @escaping @Sendable (LifecycleEvent) -> Void = { _ in },
    _ body: @escaping @Sendable (HostFixture) async throws -> Void
  ) async throws -> [LifecycleEvent] {
    var configuration = configuration
    configuration.port = 0
    if let path = variable("PATH") { configuration.baseEnvironment["PATH"] = path }
    let events = EventLog()
    let host = try FunctionHost(
      configuration: configuration, launcher: try TestPrograms.launcher(), clock: clock, logger: logger
    ) { event in
      events.append(event)
      watch(event)
    }
    try await host.start()
    let fixture = HostFixture(port: try #require(host.port), host: host, events: events)
    let service = Task { try await host.run() }
    let result = await Task { try await body(fixture) }.result
    service.cancel()
    try await service.value
    try result.get()
    return events.all
  }

  func invoke(
    _ name: String, _ event: String = "{}", headers: [(String, String)] = [], query: String = ""
  ) async throws -> Answer {
    try await TestClient.send(
      .POST, "/2015-03-31/functions/\(name)/invocations\(query)", port: port, headers: headers, body: event)
  }

  func url(
    _ method: HTTPMethod = .GET, _ target: String, headers: [(String, String)] = [], body: String = ""
  ) async throws -> Answer {
    try await TestClient.send(method, target, port: port, headers: headers, body: body)
  }

  /// Waits until `condition` holds for the events so far.
  func eventually(
    _ limit: Duration = .seconds(20), sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: @Sendable ([LifecycleEvent]) -> Bool
  ) async throws {
    let end = ContinuousClock.now + limit
    while !condition(events.all) {
      if ContinuousClock.now > end {
        Issue.record("Nothing came of it; events: \(events.all)", sourceLocation: sourceLocation)
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  /// Waits until every instance is idle.
  func eventuallyIdle(sourceLocation: SourceLocation = #_sourceLocation) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while await host.snapshot().contains(where: { $0.state != .idle }) {
      if ContinuousClock.now > end {
        Issue.record("An instance stays busy.", sourceLocation: sourceLocation)
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  static func variable(_ name: String) -> String? { unsafe getenv(name).map { unsafe String(cString: $0) } }
}

/// Every event of a host in the order in which it came.
final class EventLog: Sendable {
  private let events = Mutex<[LifecycleEvent]>([])
  func append(_ event: LifecycleEvent) { events.withLock { $0.append(event) } }
  var all: [LifecycleEvent] { events.withLock { $0 } }
}

let silentLogger = Logger(label: "test") { _ in SilentLog() }

/// Answers in the order in which they came.
final class AnswerLog: Sendable {
  private let answers = Mutex<[Answer]>([])
  func append(_ answer: Answer) { answers.withLock { $0.append(answer) } }
  var all: [Answer] { answers.withLock { $0 } }
}

struct SilentLog: LogHandler {
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.critical
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) {}
}

/// What a host says to its logger: the message, then `name=value` for each of its metadata.
final class RecordedLog: Sendable {
  private let said = Mutex<[String]>([])
  var lines: [String] { said.withLock { $0 } }
  var logger: Logger { Logger(label: "test") { _ in Handler(log: self) } }

  private struct Handler: LogHandler {
    let log: RecordedLog
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.info
    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }
    func log(event: LogEvent) {
      let fields = (event.metadata ?? [:]).sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }
      log.said.withLock { $0.append("\(event.message)" + fields.joined()) }
    }
  }
}

extension [LifecycleEvent] {
  var finished: [InvocationFinished] {
    compactMap { if case .invocationFinished(let event) = $0.kind { event } else { nil } }
  }
  var invocationsStarted: [InvocationStarted] {
    compactMap { if case .invocationStarted(let event) = $0.kind { event } else { nil } }
  }
  var started: [InstanceStarted] {
    compactMap { if case .instanceStarted(let event) = $0.kind { event } else { nil } }
  }
  var ready: [InstanceReady] {
    compactMap { if case .instanceReady(let event) = $0.kind { event } else { nil } }
  }
  var stopped: [InstanceStopped] {
    compactMap { if case .instanceStopped(let event) = $0.kind { event } else { nil } }
  }
  var throttled: [Throttled] {
    compactMap { if case .throttled(let event) = $0.kind { event } else { nil } }
  }
  var overlapsEnded: [OverlapEnded] {
    compactMap { if case .overlapEnded(let event) = $0.kind { event } else { nil } }
  }
  var overlapsStarted: [OverlapStarted] {
    compactMap { if case .overlapStarted(let event) = $0.kind { event } else { nil } }
  }
  var warmedUp: [WarmedUp] {
    compactMap { if case .warmedUp(let event) = $0.kind { event } else { nil } }
  }
  var limits: [FunctionLimitsChanged] {
    compactMap { if case .limitsChanged(let event) = $0.kind { event } else { nil } }
  }
}

/// A function of the fixture script.
func python(
  _ name: String, environment: [String: String] = [:], timeout: Nanoseconds? = nil, reserved: Int? = nil,
  onTimeout: FunctionSpecification.TimeoutAction = .restart, abortSignal: AbortSignal? = nil,
  abortLimit: Nanoseconds? = nil, idleLimit: Nanoseconds = .seconds(600),
  initializationLimit: Nanoseconds = .seconds(10)
) -> FunctionSpecification {
  let directory = String(#filePath.prefix(upTo: #filePath.lastIndex(of: "/") ?? #filePath.endIndex)) + "/Fixtures"
  return FunctionSpecification(
    name: name, command: ["python3", "-S", "-E", "function.py"], directory: directory, environment: environment,
    timeout: timeout, reserved: reserved, onTimeout: onTimeout, abortSignal: abortSignal,
    abortLimit: abortLimit, idleLimit: idleLimit,
    initializationLimit: initializationLimit)
}
