import Windows

extension Catalogue {
  /// Distributions of a function since Kelvin first saw it. Their buckets count exactly.
  static let histograms: [MetricFamily] = [
    .histogram(
      "lambda_invocation_duration_seconds", unit: .seconds, bounds: .invocationDurations,
      help: "Time from the hand-over of an event to an instance until the answer, the timeout or the crash.",
      cloudWatch: "Duration", openTelemetry: "faas.invoke_duration",
      exemplar: { functions, position, bucket in functions[position].exemplars[bucket] },
      { $0[$1].totals.duration }),
    .histogram(
      "lambda_initialization_duration_seconds", unit: .seconds,
      bounds: ClassicBounds(.duration, [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
      help: "Time from the start of an instance until it asks for its first event, warm-up included.",
      cloudWatch: "init_duration (Lambda Insights)", openTelemetry: "faas.init_duration",
      { $0[$1].totals.initialization }),
    .histogram(
      "lambda_warmup_duration_seconds", unit: .seconds,
      bounds: ClassicBounds(.duration, [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]),
      help: "Time that warm-up hooks took.", { $0[$1].totals.warmUp }),
    .histogram(
      "lambda_memory_used_bytes", unit: .bytes,
      bounds: ClassicBounds(.bytes, (25...34).map { Double(UInt64(1) << $0) }),
      help: "The most memory that an instance had used by the end of an invocation.",
      cloudWatch: "used_memory_max (Lambda Insights)",
      openTelemetry: "faas.mem_usage",
      { $0[$1].totals.memoryUsed }),
    .histogram(
      "lambda_instance_lifetime_seconds", unit: .seconds,
      bounds: ClassicBounds(.duration, [1, 10, 60, 300, 900, 3_600, 14_400, 86_400]),
      help: "Time from the start of an instance until it stopped.", { $0[$1].totals.instanceLifetime }),
  ]
}
