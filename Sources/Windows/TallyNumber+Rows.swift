import Lifecycle

extension TallyNumber {
  static let ofInvocations = [
    TallyNumber(
      .invocations,
      .words(
        Trigger.self, { $0.invocations.counts }, { $1(&$0.invocations.counts) },
        { $0[$1].totals.invocations.counts }),
      member: "invocations", parts: "invocationsByTrigger",
      columns: [Column(10, .count, "Invocations", short: "Invoc.", field: "invocations")],
      metric: "lambda_invocations_total", by: "trigger", help: "Finished invocations, by trigger.",
      cloudWatch: "Invocations", openTelemetry: "faas.invocations"),
    TallyNumber(
      .errors, .count({ $0.errors }, { $1(&$0.errors) }, { $0[$1].totals.errors }),
      member: "errors", columns: [Column(30, .count, "Errors", short: "Errors", field: "errors")],
      metric: "lambda_errors_total",
      help: "Invocations that failed, including timeouts and crashes.",
      cloudWatch: "Errors", openTelemetry: "faas.errors"),
    TallyNumber(
      .throttles,
      .words(
        ThrottleReason.self, { $0.throttles.counts }, { $1(&$0.throttles.counts) }, { $0[$1].totals.throttles.counts }),
      member: "throttles", parts: "throttlesByReason",
      columns: [Column(20, .count, "Throttled", short: "Thrott.", field: "throttles")],
      metric: "lambda_throttles_total", by: "reason",
      help: "Invocations refused because of a concurrency or rate limit. They count as neither invocations nor errors.",
      cloudWatch: "Throttles"),
    TallyNumber(
      .timeouts,
      .words(
        TimeoutSource.self, { $0.timeouts.counts }, { $1(&$0.timeouts.counts) }, { $0[$1].totals.timeouts.counts }),
      member: "timeouts", parts: "timeoutsBySource",
      columns: [Column(40, .count, "504s", short: "504s", field: "timeouts")],
      metric: "lambda_timeouts_total", by: "source",
      help: "Invocations whose caller got a 504, by the source of the timeout. They are errors, too.",
      openTelemetry: "faas.timeouts"),
    TallyNumber(
      .crashes, .count({ $0.crashes }, { $1(&$0.crashes) }, { $0[$1].totals.crashes }),
      member: "crashes", columns: [Column(100, .count, "Crashes", short: "Crash", field: "crashes")],
      metric: "lambda_crashes_total", help: "Invocations that ended because the process of their instance exited."),
    TallyNumber(
      .outOfMemory, .count({ $0.outOfMemory }, { $1(&$0.outOfMemory) }, { $0[$1].totals.outOfMemory }),
      member: "outOfMemory", columns: [Column(110, .count, "Out of memory", short: "OOM", field: "out_of_memory")],
      metric: "lambda_out_of_memory_total",
      help: "Invocations that ended because their instance exceeded its memory limit."),
    TallyNumber(
      .coldStarts, .count({ $0.coldStarts }, { $1(&$0.coldStarts) }, { $0[$1].totals.coldStarts }),
      member: "coldStarts", columns: [Column(50, .count, "Cold starts", short: "Cold", field: "cold_starts")],
      metric: "lambda_cold_starts_total", help: "Invocations that had to wait for an on-demand initialization.",
      openTelemetry: "faas.coldstarts",
      exemplar: { functions, position, _ in functions[position].exemplars.coldStart }),
  ]

  // Of a function's totals they are read in their box: the properties of a tally that look into it would take a copy of the tally.
  static let ofInstances = [
    TallyNumber(
      .initializations,
      .words(
        InitializationType.self, { $0.initializations.counts }, { $1(&$0.initializations.counts) },
        { $0[$1].totals.instancesIfAny?.value.initializations.counts ?? WordSlots(repeating: 0) }),
      member: "initializations", parts: "initializationsByType",
      columns: [Column(130, .count, "Initializations", short: "Inits", field: "initializations")],
      metric: "lambda_initializations_total", by: "initialization_type",
      help: "Initializations of instances, by initialization type."),
    TallyNumber(
      .initializationFailures,
      .count(
        { $0.initializationFailures }, { $1(&$0.initializationFailures) },
        { $0[$1].totals.instancesIfAny?.value.initializationFailures ?? 0 }),
      member: "initializationFailures", metric: "lambda_initialization_failures_total",
      help: "Initializations that ended in an error or exceeded their time limit."),
    TallyNumber(
      .warmUpFailures,
      .count(
        { $0.warmUpFailures }, { $1(&$0.warmUpFailures) }, { $0[$1].totals.instancesIfAny?.value.warmUpFailures ?? 0 }),
      member: "warmupFailures", metric: "lambda_warmup_failures_total", help: "Warm-up hooks that failed."),
    TallyNumber(
      .provisionedInvocations,
      .count(
        { $0.provisionedInvocations }, { $1(&$0.provisionedInvocations) }, { $0[$1].totals.provisionedInvocations }),
      member: "provisionedInvocations", metric: "lambda_provisioned_invocations_total",
      help: "Invocations that ran on provisioned concurrency.", cloudWatch: "ProvisionedConcurrencyInvocations"),
    TallyNumber(
      .spilloverInvocations,
      .count({ $0.spilloverInvocations }, { $1(&$0.spilloverInvocations) }, { $0[$1].totals.spilloverInvocations }),
      member: "spillover", columns: [Column(210, .count, "Spillover", short: "Spill", field: "spillover_invocations")],
      metric: "lambda_provisioned_spillover_invocations_total",
      help: "Invocations that ran on demand because provisioned concurrency was used up.",
      cloudWatch: "ProvisionedConcurrencySpilloverInvocations"),
    TallyNumber(
      .instanceStops,
      .words(
        StopReason.self, { $0.instanceStops.counts }, { $1(&$0.instanceStops.counts) },
        { $0[$1].totals.instancesIfAny?.value.stops.counts ?? WordSlots(repeating: 0) }),
      member: "instanceStops", parts: "instanceStopsByReason",
      metric: "lambda_instance_stops_total", by: "reason", help: "Instances that stopped, by reason."),
  ]

  /// Of functions that never had a request over HTTP they are not exposed: most functions of an account may be such.
  private static let hasHTTP: Reading<Bool> = { $0[$1].totals.httpIfAny != nil }

  static let ofHTTP = [
    TallyNumber(
      .httpResponses,
      .words(
        ResponseClass.self, { $0.httpResponses.counts }, { $1(&$0.httpResponses.counts) },
        { $0[$1].totals.httpIfAny?.value.responses.counts ?? WordSlots(repeating: 0) }),
      member: "httpResponses", parts: "httpResponsesByClass",
      metric: "lambda_http_responses_total", by: "code",
      help:
        "Answers to requests over HTTP by class of status, those to throttled requests included; absent without any request.",
      cloudWatch: "Url4xxCount, Url5xxCount, UrlRequestCount", isShown: hasHTTP),
    TallyNumber(
      .httpGatewayTimeouts,
      .count(
        { $0.httpGatewayTimeouts }, { $1(&$0.httpGatewayTimeouts) },
        { $0[$1].totals.httpIfAny?.value.gatewayTimeouts ?? 0 }),
      member: "httpGatewayTimeouts", metric: "lambda_http_gateway_timeouts_total",
      help: "Requests over HTTP that were answered with 504; absent without any request.", isShown: hasHTTP),
    TallyNumber(
      .httpThrottles,
      .count({ $0.httpThrottles }, { $1(&$0.httpThrottles) }, { $0[$1].totals.httpIfAny?.value.throttles ?? 0 }),
      member: "httpThrottles", metric: "lambda_http_throttles_total",
      help: "Requests over HTTP that were refused with 429; absent without any request.", isShown: hasHTTP),
  ]

  static let times = [
    TallyNumber(
      .billed, .time({ $0.billedNanoseconds }, { $1(&$0.billedNanoseconds) }, { $0[$1].totals.billedNanoseconds }),
      member: "billedSeconds", metric: "lambda_billed_seconds_total", help: "Billed time.")
  ]

  static let distributions = [
    TallyNumber(
      .duration, .distribution(.duration, { $0.duration }, { $1(&$0.duration) }, { $0[$1].totals.duration }),
      member: "duration",
      columns: [
        Column(70, .mean, "Duration avg", short: "avg", field: "duration_avg_seconds"),
        Column(80, .p95, "p95", short: "p95", name: "Duration p95", field: "duration_p95_seconds"),
        Column(90, .maximum, "max", short: "max", name: "Duration max", field: "duration_max_seconds"),
      ],
      metric: "lambda_invocation_duration_seconds",
      help: "Time from the hand-over of an event to an instance until the answer, the timeout or the crash.",
      cloudWatch: "Duration", openTelemetry: "faas.invoke_duration", bounds: .invocationDurations,
      exemplar: { functions, position, bucket in functions[position].exemplars[bucket] }),
    TallyNumber(
      .initialization,
      .distribution(
        .duration, { $0.initialization }, { $1(&$0.initialization) },
        { $0[$1].totals.instancesIfAny?.value.initialization ?? Distribution(.duration) }),
      member: "initialization",
      columns: [
        Column(140, .mean, "Initialization avg", short: "avg", field: "initialization_avg_seconds"),
        Column(150, .maximum, "max", short: "max", name: "Initialization max", field: "initialization_max_seconds"),
      ],
      metric: "lambda_initialization_duration_seconds",
      help: "Time from the start of an instance until it asks for its first event, warm-up included.",
      cloudWatch: "init_duration (Lambda Insights)", openTelemetry: "faas.init_duration",
      bounds: ClassicBounds(.duration, [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30])),
    TallyNumber(
      .warmUp,
      .distribution(
        .duration, { $0.warmUp }, { $1(&$0.warmUp) },
        { $0[$1].totals.instancesIfAny?.value.warmUp ?? Distribution(.duration) }),
      member: "warmup",
      columns: [
        Column(160, .count, "Warm-ups", short: "Warm", field: "warmups"),
        Column(170, .mean, "Warm-up avg", short: "avg", field: "warmup_avg_seconds"),
        Column(180, .maximum, "max", short: "max", name: "Warm-up max", field: "warmup_max_seconds"),
      ],
      metric: "lambda_warmup_duration_seconds", help: "Time that warm-up hooks took.",
      bounds: ClassicBounds(.duration, [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30])),
    TallyNumber(
      .memoryUsed, .distribution(.bytes, { $0.memoryUsed }, { $1(&$0.memoryUsed) }, { $0[$1].totals.memoryUsed }),
      member: "memoryUsedBytes",
      columns: [Column(190, .maximum, "Memory (max)", short: "Mem.", field: "memory_used_max_bytes")],
      metric: "lambda_memory_used_bytes",
      help: "The most memory that an instance had used by the end of an invocation.",
      cloudWatch: "used_memory_max (Lambda Insights)", openTelemetry: "faas.mem_usage",
      bounds: ClassicBounds(.bytes, (25...34).map { Double(UInt64(1) << $0) })),
    TallyNumber(
      .instanceLifetime,
      .distribution(
        .duration, { $0.instanceLifetime }, { $1(&$0.instanceLifetime) },
        { $0[$1].totals.instancesIfAny?.value.lifetime ?? Distribution(.duration) }),
      member: "instanceLifetime", metric: "lambda_instance_lifetime_seconds",
      help: "Time from the start of an instance until it stopped.",
      bounds: ClassicBounds(.duration, [1, 10, 60, 300, 900, 3_600, 14_400, 86_400])),
    // No metric: of a function that only serves HTTP it is that of all durations, and a histogram is long.
    TallyNumber(
      .httpDuration,
      .distribution(
        .duration, { $0.httpDuration }, { $1(&$0.httpDuration) }, { $0[$1].totals.httpDuration }),
      member: "httpDuration", metric: nil),
  ]
}
