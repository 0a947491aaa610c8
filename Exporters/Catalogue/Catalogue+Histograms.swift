import Windows

extension Catalogue {
  /// Distributions of a function since Kelvin first saw it. Their buckets count exactly.
  static let histograms: [MetricFamily] = [
    .histogram(
      "lambda_invocation_duration_seconds", unit: .seconds,
      bounds: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 900],
      help: "Time from the hand-over of an event to an instance until the answer, the timeout or the crash.",
      cloudWatch: "Duration", { $0[$1].totals.duration }),
    .histogram(
      "lambda_initialization_duration_seconds", unit: .seconds,
      bounds: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      help: "Time from the start of an instance until it asks for its first event, warm-up included.",
      cloudWatch: "InitDuration", { $0[$1].totals.initialization }),
    .histogram(
      "lambda_warmup_duration_seconds", unit: .seconds,
      bounds: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      help: "Time that warm-up hooks took.", { $0[$1].totals.warmUp }),
    .histogram(
      "lambda_memory_used_bytes", unit: .bytes,
      bounds: (25...34).map { Double(UInt64(1) << $0) },
      help: "The most memory that an instance had used by the end of an invocation.", cloudWatch: "MaxMemoryUsed",
      { $0[$1].totals.memoryUsed }),
    .histogram(
      "lambda_instance_lifetime_seconds", unit: .seconds, bounds: [1, 10, 60, 300, 900, 3_600, 14_400, 86_400],
      help: "Time from the start of an instance until it stopped.", { $0[$1].totals.instanceLifetime }),
  ]
}
