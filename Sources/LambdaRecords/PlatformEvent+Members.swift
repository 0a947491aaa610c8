import Lifecycle

// The one table of the members of records, for writing and for reading.

extension PlatformEvent.EnvironmentStart: PlatformRecord {
  static var blank: Self { Self() }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.word("initializationType", &initializationType)
    coder.word("phase", &phase)
    coder.text("functionName", &functionName)
    coder.text("functionVersion", &functionVersion)
    coder.text("instanceId", &instanceID)
    coder.integer("instanceMaxMemory", &memoryLimitBytes)
    coder.text("runtimeVersion", &runtimeVersion)
    coder.text("runtimeVersionArn", &runtimeVersionARN)
    coder.text("functionArn", &functionARN)
    coder.record("tracing", &tracing)
  }
}

extension PlatformEvent.InitializationEnd: PlatformRecord {
  static var blank: Self { Self() }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.word("initializationType", &initializationType)
    coder.word("phase", &phase)
    // The first schema has a state only of what has no duration: of the runtime's part.
    if coder.schema.isDetailed || duration == nil { coder.status("status", &status) }
    if coder.schema.isDetailed { coder.text("errorType", &errorType) }
    if coder.beginObject("metrics", isPresent: duration != nil) {
      coder.milliseconds("durationMs", &duration)
      coder.endObject()
    }
    coder.records("spans", &spans)
    coder.record("tracing", &tracing)
  }
}

extension PlatformEvent.RestoreEnd: PlatformRecord {
  static var blank: Self { Self() }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.status("status", &status)
    if coder.schema.isDetailed { coder.text("errorType", &errorType) }
    if coder.beginObject("metrics", isPresent: duration != nil) {
      coder.milliseconds("durationMs", &duration)
      coder.endObject()
    }
    coder.records("spans", &spans)
    coder.record("tracing", &tracing)
  }
}

extension PlatformEvent.Start: PlatformRecord {
  static var blank: Self { Self(request: RequestID(.zero)) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.request("requestId", &request)
    coder.text("version", &version)
    guard !coder.schema.isLogs else { return }
    coder.text("functionArn", &functionARN)
    coder.text("tenantId", &tenantID)
    coder.record("tracing", &tracing)
  }
}

extension PlatformEvent.RuntimeDone: PlatformRecord {
  static var blank: Self { Self(request: RequestID(.zero), status: .success) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.request("requestId", &request)
    coder.status("status", &status)
    guard !coder.schema.isLogs else { return }
    if coder.schema.isDetailed { coder.text("errorType", &errorType) }
    let hasMetrics = duration != nil || producedBytes != nil
    if coder.beginObject("metrics", isPresent: hasMetrics) {
      coder.milliseconds("durationMs", &duration)
      coder.integer("producedBytes", &producedBytes)
      coder.endObject()
    }
    coder.records("spans", &spans)
    coder.text("tenantId", &tenantID)
    coder.record("tracing", &tracing)
  }
}

extension PlatformEvent.Report: PlatformRecord {
  static var blank: Self { Self(request: RequestID(.zero), duration: .zero) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.request("requestId", &request)
    if !coder.schema.isLogs {
      // The reports of the Logs API have none.
      var told: PlatformEvent.Status? = status
      coder.status("status", &told)
      status = told ?? .success
    }
    if coder.schema.isDetailed { coder.text("errorType", &errorType) }
    if coder.beginObject("metrics") {
      coder.milliseconds("durationMs", &duration)
      coder.integer("billedDurationMs", &billedMilliseconds)
      coder.integer("memorySizeMB", &memorySizeMegabytes)
      coder.integer("maxMemoryUsedMB", &memoryUsedMegabytes)
      coder.milliseconds("initDurationMs", &initializationDuration)
      coder.milliseconds("restoreDurationMs", &restoreDuration)
      coder.integer("billedRestoreDurationMs", &billedRestoreMilliseconds)
      coder.endObject()
    }
    guard !coder.schema.isLogs else { return }
    coder.records("spans", &spans)
    coder.text("tenantId", &tenantID)
    coder.record("tracing", &tracing)
  }
}

/// `platform.end`, which the Logs API has in front of the report.
struct InvocationEnd: PlatformRecord {
  static var blank: Self { Self(request: RequestID(.zero)) }

  var request: RequestID

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.request("requestId", &request)
  }
}

extension PlatformEvent.Span: PlatformRecord {
  static var blank: Self { Self(name: "", start: Timestamp(nanoseconds: 0), duration: .zero) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.text("name", &name)
    coder.time("start", &start)
    coder.milliseconds("durationMs", &duration)
  }
}

extension PlatformEvent.Tracing: PlatformRecord {
  /// The only form of a trace that there is.
  private static var type: String { "X-Amzn-Trace-Id" }

  static var blank: Self { Self(value: "") }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.text("spanId", &spanID)
    var type: String? = Self.type
    coder.text("type", &type)
    coder.text("value", &value)
  }
}

extension PlatformEvent.ExtensionState: PlatformRecord {
  static var blank: Self { Self(name: "", state: "", events: []) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.text("name", &name)
    coder.text("state", &state)
    coder.texts("events", &events)
    if coder.schema.isDetailed { coder.text("errorType", &errorType) }
  }
}

extension PlatformEvent.SubscriptionState: PlatformRecord {
  static var blank: Self { Self(name: "", state: "", types: []) }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.text("name", &name)
    coder.text("state", &state)
    coder.texts("types", &types)
  }
}

extension PlatformEvent.LogsDropped: PlatformRecord {
  static var blank: Self { Self(bytes: 0, records: 0, reason: "") }

  mutating func members<C: MemberCoder>(_ coder: inout C) {
    coder.integer("droppedBytes", &bytes)
    coder.integer("droppedRecords", &records)
    coder.text("reason", &reason)
  }
}
