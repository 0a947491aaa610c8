import JSON
import Lifecycle
import Windows

/// Values that several tests show.
enum Samples {
  /// 2026-11-23T10:00:00Z
  static let morning = Timestamp(seconds: 1_795_428_000)
  static let minute = Nanoseconds.seconds(60)

  static func tally() -> Tally {
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

  static func rollup() -> Rollup {
    var rollup = Rollup()
    rollup.tally = tally()
    rollup.peaks.concurrency = 2
    rollup.peaks.instances = 2
    rollup.peaks.provisionedUtilization = 0.5
    rollup.concurrencyNanoseconds = 4_100_000_000
    return rollup
  }

  static func window(_ scope: Scope, minute: Int64 = 0, closed: Bool = true) -> WindowRollup {
    WindowRollup(
      scope: scope, start: morning + .seconds(60 * minute), length: Samples.minute, isClosed: closed, rollup: rollup())
  }

  static func document(_ rollups: [WindowRollup], minutes: Int64) -> WindowsDocument {
    WindowsDocument(resolution: minute, from: morning, to: morning + .seconds(60 * minutes), rollups: rollups)
  }

  static func status() -> StatusDocument {
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
    return StatusDocument(
      version: "0.1.0", started: morning, time: morning + .seconds(7_505),
      agent: StatusDocument.AgentDocument(listen: "127.0.0.1:27315", window: minute, functionsLimit: 10_000),
      store: StatusDocument.StoreDocument(
        path: ".kelvin/kelvin.sqlite", state: "failed", problem: "the disk is full", lastCheckpoint: morning,
        sizeBytes: 4_096),
      host: StatusDocument.HostDocument(
        listen: "127.0.0.1:27316", functions: 3,
        isolation: StatusDocument.IsolationDocument(
          summary: "memory by sampling, process groups", memory: "sampling", temporaryStorage: "folder",
          processes: "groups", shortcomings: ["no rights"])),
      account: StatusDocument.AccountDocument(concurrentExecutions: 2, concurrencyLimit: 1_000),
      functions: [orders, paused, unknown, free].map { FunctionDocument($0) })
  }
}
