import Lifecycle
import Windows

extension Catalogue {
  /// What a function is doing now, and its settings. Limits are absent until a source has reported them;
  /// all of it is absent of functions that are gone.
  static let gauges: [MetricFamily] = [
    .gauge("lambda_concurrent_executions", help: "Executions in progress now.") {
      .integer($0[$1].concurrentExecutions)
    },
    MetricFamily(
      "lambda_instances", .gauge, help: "Instances alive now, by state.",
      labels: [MetricLabel("state", InstanceState.allCases.map(\.name))],
      source: .function { functions, position, samples in
        if !functions[position].isGone { samples.add(functions[position].instances) }
      }),
    .gauge("lambda_overlapping_executions", help: "Handlers that have timed out and still run now.") {
      .integer($0[$1].overlappingExecutions)
    },
    .gauge(
      "lambda_reserved_concurrency",
      help: "Concurrency reserved for the function, which is also its limit; 0 pauses it. Absent without a reserve."
    ) { $0[$1].limits?.reserved.map { .integer($0) } },
    MetricFamily(
      "lambda_provisioned_concurrency", .gauge,
      help:
        "Provisioned instances: requested, started (allocated) and ready (available). Absent if none are requested.",
      labels: [MetricLabel("state", ["requested", "allocated", "available"])],
      source: .function { functions, position, samples in
        guard let provisioned = functions[position].limits?.provisioned else { return }
        samples.add(.integer(provisioned.requested), labelValue: 0)
        samples.add(.integer(provisioned.allocated), labelValue: 1)
        samples.add(.integer(provisioned.available), labelValue: 2)
      }),
    .gauge(
      "lambda_memory_limit_bytes", unit: .bytes, help: "The memory that an instance may use.",
      cloudWatch: "total_memory (Lambda Insights)", openTelemetry: "faas.max_memory"
    ) {
      $0[$1].limits.map { .integer($0.memoryLimitBytes) }
    },
    .gauge(
      "lambda_timeout_seconds", unit: .seconds,
      help: "The longest that an invocation may take; 10 s over HTTP if no timeout is configured."
    ) {
      $0[$1].limits.map { .duration($0.timeout) }
    },
    .gauge(
      "lambda_temporary_storage_limit_bytes", unit: .bytes,
      help: "The space that an instance may use for temporary files."
    ) { $0[$1].limits.map { .integer($0.temporaryStorageLimitBytes) } },
    .gauge("lambda_function_info", help: "A function that Kelvin knows; always 1.") { _, _ in .integer(1) },
    .gauge(
      "lambda_function_first_seen_timestamp_seconds", unit: .seconds,
      help: "When Kelvin first saw the function and began to count, in seconds since the Unix epoch."
    ) { .instant($0[$1].firstSeen) },
  ]

  /// The largest values of the last closed window. They keep their value for the length of a window, so that every
  /// scraper sees every window.
  static let windowGauges: [MetricFamily] = [
    .gauge(
      "lambda_concurrent_executions_max",
      help: "The most executions in progress at one instant of the last closed window of {window} s.",
      cloudWatch: "ConcurrentExecutions"
    ) { .integer($0[$1].lastClosed.concurrency) },
    .gauge(
      "lambda_instances_max",
      help: "The most instances alive at one instant of the last closed window of {window} s."
    ) { .integer($0[$1].lastClosed.instances) },
    .gauge(
      "lambda_provisioned_concurrency_utilization_max", unit: .ratio,
      help:
        "The largest share of provisioned concurrency in use in the last closed window of {window} s. Absent without any.",
      cloudWatch: "ProvisionedConcurrencyUtilization"
    ) { functions, position in
      let utilization = functions[position].lastClosed.provisionedUtilization
      return functions[position].limits?.provisioned == nil && utilization == 0 ? nil : .ratio(utilization)
    },
    .gauge(
      "lambda_invocation_duration_max_seconds", unit: .seconds,
      help:
        "The duration of the longest invocation that ended in the last closed window of {window} s; 0 if none ended.",
      cloudWatch: "Duration (maximum)"
    ) { .duration($0[$1].lastClosedEnded.duration) },
    .gauge(
      "lambda_memory_used_max_bytes", unit: .bytes,
      help:
        "The peak memory of an instance whose invocation ended in the last closed window of {window} s; 0 if none.",
      cloudWatch: "used_memory_max (Lambda Insights, maximum)"
    ) { .integer($0[$1].lastClosedEnded.memoryUsedBytes) },
    .single(
      "lambda_window_end_timestamp_seconds", .gauge, unit: .seconds,
      help:
        "The end of the last closed window of {window} s (see the metrics with _max), in seconds since the Unix epoch."
    ) { snapshot, _ in .instant(snapshot.lastClosedWindowEnd) },
  ]

  /// All functions together. Peaks of functions do not add up, so these are computed on the merged stream.
  static let account: [MetricFamily] = [
    .single("lambda_account_concurrent_executions", .gauge, help: "Executions of all functions in progress now.") {
      snapshot, _ in .integer(snapshot.account.concurrentExecutions)
    },
    .single(
      "lambda_account_concurrent_executions_max", .gauge,
      help: "The most executions of all functions at one instant of the last closed window of {window} s.",
      cloudWatch: "ConcurrentExecutions (no dimension)"
    ) { snapshot, _ in .integer(snapshot.account.lastClosed.concurrency) },
    .single(
      "lambda_account_concurrency_limit", .gauge,
      help: "The most executions of all functions at once. Absent until a source has reported it.",
      cloudWatch: "SERVICE_QUOTA(ConcurrentExecutions)"
    ) { snapshot, _ in snapshot.account.concurrencyLimit.map { .integer($0) } },
    .single(
      "lambda_account_unreserved_concurrent_executions_max", .gauge,
      help:
        "The most executions of functions without a reserve at one instant of the last closed window of {window} s.",
      cloudWatch: "UnreservedConcurrentExecutions"
    ) { snapshot, _ in .integer(snapshot.account.lastClosed.unreservedConcurrency) },
    .single(
      "lambda_account_claimed_concurrency_max", .gauge,
      help:
        "The most concurrency in use, reserved or provisioned at one instant of the last closed window of {window} s.",
      cloudWatch: "ClaimedAccountConcurrency"
    ) { snapshot, _ in .integer(snapshot.account.lastClosed.claimedConcurrency) },
  ]
}
