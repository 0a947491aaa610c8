package import Lifecycle

/// Something that the platform did with an instance. Telemetry records and log lines are made from these events.
///
/// A value holds what a record says, in the units in which it says it. Optional parts are `nil` where a record of that schema,
/// or of that kind of instance, leaves them out.
package struct PlatformEvent: Equatable, Sendable {
  /// When the platform made the record.
  package var time: Timestamp
  /// What happened.
  package var kind: Kind

  /// Makes an event of its parts.
  package init(time: Timestamp, kind: Kind) {
    self.time = time
    self.kind = kind
  }

  /// What happened, and what is told about it.
  package enum Kind: Equatable, Sendable {
    /// An initialization begins.
    case initStart(EnvironmentStart)
    /// The runtime's part of an initialization is over.
    case initRuntimeDone(InitializationEnd)
    /// An initialization is over.
    case initReport(InitializationEnd)
    /// An instance begins to be restored from a snapshot (SnapStart).
    case restoreStart(EnvironmentStart)
    /// The runtime's part of a restore is over.
    case restoreRuntimeDone(RestoreEnd)
    /// A restore is over.
    case restoreReport(RestoreEnd)
    /// An invocation begins.
    case start(Start)
    /// The runtime is done with an invocation.
    case runtimeDone(RuntimeDone)
    /// The line END, and `platform.end` of the Logs API: an invocation is over.
    case end(RequestID)
    /// An invocation is over, and this is what it took.
    case report(Report)
    /// `platform.fault` of the Logs API: why an invocation failed, as a sentence.
    case fault(String)
    /// An extension has come to a state.
    case extensionState(ExtensionState)
    /// An extension has subscribed.
    case subscription(SubscriptionState)
    /// Records or lines are missing.
    case logsDropped(LogsDropped)
  }

  /// How something ended.
  package enum Status: String, CaseIterable, Sendable {
    /// As it should.
    case success
    /// The platform failed.
    case failure
    /// The function, its runtime or an extension failed.
    case error
    /// The time allowed had passed.
    case timeout
  }
}

// MARK: Environments

extension PlatformEvent {
  /// An environment in which an instance begins. Of a log line only the runtime's version is known.
  package struct EnvironmentStart: Equatable, Sendable {
    /// Why it is initialized; `nil` for a restore, and for a type that Kelvin has no word for.
    package var initializationType: InitializationType?
    /// Before an invocation, or inside one; `nil` for a restore, and for a phase that Kelvin has no word for.
    package var phase: InitializationPhase?
    /// The function.
    package var functionName: String?
    /// Its version, such as `$LATEST` or `7`.
    package var functionVersion: String?
    /// The name of the log stream.
    package var instanceID: String?
    /// What the instance may hold.
    package var memoryLimitBytes: Int64?
    /// The runtime that is used.
    package var runtimeVersion: String?
    /// The ARN of the runtime's version.
    package var runtimeVersionARN: String?
    /// The ARN of the function, unqualified.
    package var functionARN: String?
    /// The trace that it belongs to.
    package var tracing: Tracing?

    /// Makes a start of its parts.
    package init(
      initializationType: InitializationType? = nil, phase: InitializationPhase? = nil, functionName: String? = nil,
      functionVersion: String? = nil, instanceID: String? = nil, memoryLimitBytes: Int64? = nil,
      runtimeVersion: String? = nil, runtimeVersionARN: String? = nil, functionARN: String? = nil,
      tracing: Tracing? = nil
    ) {
      self.initializationType = initializationType
      self.phase = phase
      self.functionName = functionName
      self.functionVersion = functionVersion
      self.instanceID = instanceID
      self.memoryLimitBytes = memoryLimitBytes
      self.runtimeVersion = runtimeVersion
      self.runtimeVersionARN = runtimeVersionARN
      self.functionARN = functionARN
      self.tracing = tracing
    }
  }

  /// The end of an initialization, or of the runtime's part in it.
  package struct InitializationEnd: Equatable, Sendable {
    /// Why it was initialized; `nil` in a log line, and for a type that Kelvin has no word for.
    package var initializationType: InitializationType?
    /// Before an invocation, or inside one; `nil` for a phase that Kelvin has no word for.
    package var phase: InitializationPhase?
    /// How it ended; `nil` in a report of schemas before 2022-12-13.
    package var status: Status?
    /// What failed.
    package var errorType: String?
    /// How long it took; only of a report.
    package var duration: Nanoseconds?
    /// Its parts.
    package var spans: [Span]
    /// The trace that it belongs to.
    package var tracing: Tracing?

    /// Makes an end of its parts.
    package init(
      initializationType: InitializationType? = nil, phase: InitializationPhase? = nil, status: Status? = nil,
      errorType: String? = nil, duration: Nanoseconds? = nil, spans: [Span] = [], tracing: Tracing? = nil
    ) {
      self.initializationType = initializationType
      self.phase = phase
      self.status = status
      self.errorType = errorType
      self.duration = duration
      self.spans = spans
      self.tracing = tracing
    }
  }

  /// The end of a restore, or of the runtime's part in it.
  package struct RestoreEnd: Equatable, Sendable {
    /// How it ended.
    package var status: Status
    /// What failed.
    package var errorType: String?
    /// How long it took; only of a report.
    package var duration: Nanoseconds?
    /// Its parts.
    package var spans: [Span]
    /// The trace that it belongs to.
    package var tracing: Tracing?

    /// Makes an end of its parts.
    package init(
      status: Status = .success, errorType: String? = nil, duration: Nanoseconds? = nil, spans: [Span] = [],
      tracing: Tracing? = nil
    ) {
      self.status = status
      self.errorType = errorType
      self.duration = duration
      self.spans = spans
      self.tracing = tracing
    }
  }
}

// MARK: Invocations

extension PlatformEvent {
  /// The begin of an invocation.
  package struct Start: Equatable, Sendable {
    /// The invocation.
    package var request: RequestID
    /// The function's version that runs.
    package var version: String?
    /// The ARN of the function, unqualified.
    package var functionARN: String?
    /// The tenant, of a function that keeps its tenants apart.
    package var tenantID: String?
    /// The trace that it belongs to.
    package var tracing: Tracing?

    /// Makes a start of its parts.
    package init(
      request: RequestID, version: String? = nil, functionARN: String? = nil, tenantID: String? = nil,
      tracing: Tracing? = nil
    ) {
      self.request = request
      self.version = version
      self.functionARN = functionARN
      self.tenantID = tenantID
      self.tracing = tracing
    }
  }

  /// The end of the runtime's work on an invocation.
  package struct RuntimeDone: Equatable, Sendable {
    /// The invocation.
    package var request: RequestID
    /// How it ended for the runtime. An error that the function reported itself is a success here.
    package var status: Status
    /// What failed.
    package var errorType: String?
    /// From the handover of the event to the runtime's next call.
    package var duration: Nanoseconds?
    /// The length of the answer.
    package var producedBytes: Int64?
    /// Its parts.
    package var spans: [Span]
    /// The tenant, of a function that keeps its tenants apart.
    package var tenantID: String?
    /// The trace that it belongs to.
    package var tracing: Tracing?

    /// Makes an end of its parts.
    package init(
      request: RequestID, status: Status, errorType: String? = nil, duration: Nanoseconds? = nil,
      producedBytes: Int64? = nil, spans: [Span] = [], tenantID: String? = nil, tracing: Tracing? = nil
    ) {
      self.request = request
      self.status = status
      self.errorType = errorType
      self.duration = duration
      self.producedBytes = producedBytes
      self.spans = spans
      self.tenantID = tenantID
      self.tracing = tracing
    }
  }

  /// What an invocation took.
  package struct Report: Equatable, Sendable {
    /// The invocation.
    package var request: RequestID
    /// How it ended. A log line without a status says success, as today's do; older lines leave it out for failures, too, which
    /// have a line of their own (``LogLine/timedOut(_:)``, ``LogLine/exited(_:)``).
    package var status: Status
    /// What failed.
    package var errorType: String?
    /// From the start to the end, extensions included.
    package var duration: Nanoseconds
    /// What is billed, in milliseconds; `nil` of managed instances.
    package var billedMilliseconds: Int64?
    /// What the instance may hold, in MB of 2^20 bytes; `nil` of managed instances.
    package var memorySizeMegabytes: Int64?
    /// The most that the instance has ever held, in MB of 2^20 bytes, rounded up; `nil` of managed instances.
    package var memoryUsedMegabytes: Int64?
    /// Only of the first invocation of an instance that was initialized on demand, before it; zero if it is not known how long that took.
    package var initializationDuration: Nanoseconds?
    /// Only of the first invocation of an instance that was restored from a snapshot.
    package var restoreDuration: Nanoseconds?
    /// What of the restore is billed, in milliseconds.
    package var billedRestoreMilliseconds: Int64?
    /// Its parts.
    package var spans: [Span]
    /// The tenant, of a function that keeps its tenants apart.
    package var tenantID: String?
    /// The trace that it belongs to, as records tell it.
    package var tracing: Tracing?
    /// The segment of X-Ray, which log lines tell in place of ``tracing``.
    package var segment: TraceSegment?
    /// Why it failed: the Logs API tells it in a record before that of the report, the others not at all.
    package var fault: String?

    /// Makes a report of its parts.
    package init(
      request: RequestID, status: Status = .success, errorType: String? = nil, duration: Nanoseconds,
      billedMilliseconds: Int64? = nil, memorySizeMegabytes: Int64? = nil, memoryUsedMegabytes: Int64? = nil,
      initializationDuration: Nanoseconds? = nil, restoreDuration: Nanoseconds? = nil,
      billedRestoreMilliseconds: Int64? = nil, spans: [Span] = [], tenantID: String? = nil, tracing: Tracing? = nil,
      segment: TraceSegment? = nil, fault: String? = nil
    ) {
      self.request = request
      self.status = status
      self.errorType = errorType
      self.duration = duration
      self.billedMilliseconds = billedMilliseconds
      self.memorySizeMegabytes = memorySizeMegabytes
      self.memoryUsedMegabytes = memoryUsedMegabytes
      self.initializationDuration = initializationDuration
      self.restoreDuration = restoreDuration
      self.billedRestoreMilliseconds = billedRestoreMilliseconds
      self.spans = spans
      self.tenantID = tenantID
      self.tracing = tracing
      self.segment = segment
      self.fault = fault
    }
  }

  /// A part of an invocation or initialization.
  package struct Span: Equatable, Sendable {
    /// Such as `responseLatency`, `responseDuration`, `runtimeOverhead` or `extensionOverhead`.
    package var name: String
    /// When it began.
    package var start: Timestamp
    /// How long it took.
    package var duration: Nanoseconds

    /// Makes a span of its parts.
    package init(name: String, start: Timestamp, duration: Nanoseconds) {
      self.name = name
      self.start = start
      self.duration = duration
    }
  }

  /// The trace that something belongs to, as records tell it.
  package struct Tracing: Equatable, Sendable {
    /// The segment of the record's own work.
    package var spanID: String?
    /// In the form of the header `X-Amzn-Trace-Id`: `Root=1-…;Parent=…;Sampled=0`.
    package var value: String

    /// Makes a trace of its parts.
    package init(spanID: String? = nil, value: String) {
      self.spanID = spanID
      self.value = value
    }
  }

  /// A segment of X-Ray, as log lines tell it.
  package struct TraceSegment: Equatable, Sendable {
    /// The trace: `1-`, eight digits of the time, `-`, 24 of chance.
    package var traceID: String
    /// The segment of the invocation.
    package var segmentID: String?
    /// Whether X-Ray keeps it.
    package var isSampled: Bool?

    /// Makes a segment of its parts.
    package init(traceID: String, segmentID: String? = nil, isSampled: Bool? = nil) {
      self.traceID = traceID
      self.segmentID = segmentID
      self.isSampled = isSampled
    }
  }
}

// MARK: Extensions

extension PlatformEvent {
  /// An extension and the state that it has come to.
  package struct ExtensionState: Equatable, Sendable {
    /// The name of its file.
    package var name: String
    /// Such as `Ready` or `ExitError`.
    package var state: String
    /// The events that it is registered for.
    package var events: [String]
    /// What failed.
    package var errorType: String?

    /// Makes a state of its parts.
    package init(name: String, state: String, events: [String], errorType: String? = nil) {
      self.name = name
      self.state = state
      self.events = events
      self.errorType = errorType
    }
  }

  /// An extension and what it has subscribed.
  package struct SubscriptionState: Equatable, Sendable {
    /// Its state as AWS writes it.
    package static let subscribed = "Subscribed"

    /// The name of the extension.
    package var name: String
    /// ``subscribed``, as far as is known.
    package var state: String
    /// The types of records.
    package var types: [String]

    /// Makes a state of its parts.
    package init(name: String, state: String = SubscriptionState.subscribed, types: [String]) {
      self.name = name
      self.state = state
      self.types = types
    }
  }

  /// Records that a subscriber, or lines that a log has not got.
  package struct LogsDropped: Equatable, Sendable {
    /// How many bytes.
    package var bytes: Int64
    /// How many records.
    package var records: Int64
    /// Why, as a sentence.
    package var reason: String

    /// Makes a loss of its parts.
    package init(bytes: Int64, records: Int64, reason: String) {
      self.bytes = bytes
      self.records = records
      self.reason = reason
    }
  }
}

// MARK: Amounts

extension Nanoseconds {
  /// Whole milliseconds that have begun; of a negative length none.
  package var billedMilliseconds: Int64 {
    let count = max(0, count)
    return count / 1_000_000 + (count % 1_000_000 > 0 ? 1 : 0)
  }
}

extension PlatformEvent.Report {
  /// Bytes in whole MB that have begun: a function of a few hundred kilobytes does not use nothing.
  package static func megabytes(_ bytes: Int64) -> Int64 { (max(0, bytes) + 0xF_FFFF) >> 20 }
}
