package import Catalogue
package import Documents
package import Lifecycle
package import Prometheus
package import Windows

/// Values that several tests show.
package enum Samples {
  /// 2026-11-23T10:00:00Z
  package static let morning = Timestamp(seconds: 1_795_428_000)
  package static let minute = Nanoseconds.seconds(60)

  package static func tally() -> Tally {
    var tally = Tally()
    tally.invocations[.http] = 4
    tally.invocations[.direct] = 1
    tally.errors = 1
    tally.throttles[.reservedFunctionConcurrentInvocationLimit] = 3
    tally.timeouts[.handler] = 1
    tally.coldStarts = 2
    tally.initializations[.onDemand] = 2
    tally.billedNanoseconds = 4_300_000_000
    for milliseconds: Int64 in [10, 1_000, 1_000, 1_000, 1_090] { tally.duration.record(milliseconds * 1_000_000) }
    tally.memoryUsed.record(64 << 20)
    return tally
  }

  package static func rollup() -> Rollup {
    var rollup = Rollup()
    rollup.tally = tally()
    rollup.peaks.concurrency = 2
    rollup.peaks.instances = 2
    rollup.peaks.provisionedUtilization = 0.5
    rollup.concurrencyNanoseconds = 4_100_000_000
    return rollup
  }

  package static func window(_ scope: Scope, minute: Int64 = 0, closed: Bool = true) -> WindowRollup {
    WindowRollup(
      scope: scope, start: morning + .seconds(60 * minute), length: Samples.minute, isClosed: closed, rollup: rollup())
  }

  package static func document(_ rollups: [WindowRollup], minutes: Int64) -> WindowsDocument {
    WindowsDocument(resolution: minute, from: morning, to: morning + .seconds(60 * minutes), rollups: rollups)
  }

  package static func status() -> StatusDocument {
    var orders = FunctionSnapshot(function: FunctionID("orders"), firstSeen: morning)
    orders.limits = FunctionLimitsChanged(
      time: morning, reserved: 50, provisioned: ProvisionedConcurrency(requested: 5, allocated: 5, available: 3),
      memoryLimitBytes: 512 << 20, timeout: .seconds(10), temporaryStorageLimitBytes: 512 << 20)
    orders.instances[.busy] = 2
    orders.instances[.idle] = 3
    orders.totals = tally()
    orders.concurrentExecutions = 2
    var paused = FunctionSnapshot(function: FunctionID("paused", version: "blue"), firstSeen: morning)
    paused.limits = FunctionLimitsChanged(
      time: morning, reserved: 0, memoryLimitBytes: 10 << 30, timeout: .milliseconds(1_500),
      temporaryStorageLimitBytes: 512 << 20)
    let unknown = FunctionSnapshot(function: FunctionID("unknown"), firstSeen: morning)
    var free = paused
    free.function = FunctionID("free")
    free.limits?.reserved = nil
    var status = StatusDocument(
      version: "0.1.0", started: morning, time: morning + .seconds(7_505),
      agent: StatusDocument.AgentDocument(listen: "127.0.0.1:27315", window: minute, functionsLimit: 10_000),
      store: StatusDocument.StoreDocument(
        path: ".kelvin/kelvin.sqlite", state: "failed", problem: "the disk is full", lastCheckpoint: morning,
        sizeBytes: 4_096, journalBytes: 512),
      host: StatusDocument.HostDocument(
        listen: "127.0.0.1:27316", functions: 3,
        isolation: StatusDocument.IsolationDocument(
          summary: "memory by sampling, process groups", memory: "sampling", temporaryStorage: "folder",
          processes: "groups", shortcomings: ["no rights"])),
      account: StatusDocument.AccountDocument(concurrentExecutions: 2, concurrencyLimit: 1_000),
      functions: [orders, paused, unknown, free].map { FunctionDocument($0) })
    status.sources = [
      SourceDocument(
        source: "a1b2c3d4e5f64718899aabbccddeeff0", lastHeard: morning + .seconds(7_504), lag: .milliseconds(1_250),
        events: 12_345, rejected: 2, duplicateBatches: 1, missingBatches: 3)
    ]
    return status
  }

  /// What an aggregator shows after these invocations, and a process that started at 09:59.
  package static func scrape(_ invocations: [(FunctionID, InvocationFinished)]) -> (Snapshot, AgentStatistics) {
    var aggregator = Aggregator(AggregatorConfiguration())
    let now = morning + .seconds(61)
    for (number, (function, finished)) in invocations.enumerated() {
      let instance = InstanceID(Identifier128(high: 9, low: UInt64(number)))
      aggregator.apply(LifecycleEvent(.instance(instance, of: function), .invocationFinished(finished)), now: now)
    }
    var statistics = AgentStatistics(version: "0.1.0")
    statistics.process = ProcessStatistics(
      started: morning - .seconds(60), cpu: .milliseconds(1_230), residentBytes: 4_096, virtualBytes: 8_192,
      openFiles: 12, openFilesLimit: 1_024, threads: 4)
    return (aggregator.snapshot(now: now), statistics)
  }

  /// An invocation that began some milliseconds after ten.
  package static func invocation(
    _ number: UInt64, at milliseconds: Int64, _ duration: Nanoseconds, wait: Nanoseconds = .zero, cold: Bool = false
  ) -> InvocationFinished {
    InvocationFinished(
      request: RequestID(Identifier128(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210 &+ number)),
      start: morning + .milliseconds(milliseconds), wait: wait, duration: duration, trigger: .http, pool: .unreserved,
      isColdStart: cold, outcome: .success, billed: duration, memoryUsedBytes: 64 << 20)
  }

  package static func bytes(
    _ snapshot: Snapshot, _ statistics: AgentStatistics, _ format: ExpositionFormat, _ options: ExpositionOptions = []
  ) -> [UInt8] {
    var exposition = Exposition()
    exposition.write(snapshot, statistics, as: format, options)
    return exposition.withBytes(copy)
  }

  /// The bytes that a span borrows: without optimization, copying a scrape byte by byte takes longer than writing it.
  package static func copy(_ bytes: Span<UInt8>) -> [UInt8] {
    // SAFETY: the pointer does not leave the closure, and the array copies what it points to.
    unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
  }
}
