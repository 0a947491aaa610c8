import Lifecycle

extension AlertRules {
  var initialization: [AlertingRule] {
    [
      coldStarts,
      slow(
        "LambdaInitializationSlow", "lambda_initialization_duration_seconds", over: thresholds.initializationDuration,
        summary: "New instances of a function take long to initialize.", noun: "initializations"),
      slow(
        "LambdaWarmUpSlow", "lambda_warmup_duration_seconds", over: thresholds.warmUpDuration,
        summary: "The warm-up hooks of a function take long.", noun: "warm-ups"),
      AlertingRule(
        "LambdaInitializationFailures", .warning, .initialization,
        summary: "New instances of a function fail to initialize.",
        description: "\(Template.count) initializations of \(Template.function) failed in \(rangeText).",
        "\(PromQL.increase("lambda_initialization_failures_total", range)) > \(thresholds.initializationFailures)"),
      AlertingRule(
        "LambdaWarmUpFailures", .warning, .initialization,
        summary: "The warm-up hooks of a function fail.",
        description: "\(Template.count) warm-ups of \(Template.function) failed in \(rangeText).",
        "\(PromQL.increase("lambda_warmup_failures_total", range)) > \(thresholds.warmUpFailures)"),
    ]
  }

  private var coldStarts: AlertingRule {
    AlertingRule(
      "LambdaColdStarts", .warning, .initialization, pending: thresholds.pending,
      summary: "A large share of the invocations of a function waits for a new instance.",
      description: "\(Template.percentage) of the invocations of \(Template.function) are cold starts.",
      """
        \(PromQL.increase("lambda_cold_starts_total", range))
      /
        (\(PromQL.increase("lambda_invocations_total", range, over: "trigger")) >= \(max(1, thresholds.minimumInvocations)))
      > \(thresholds.coldStartShare.decimal)
      """)
  }

  private func slow(
    _ name: String, _ histogram: String, over limit: Nanoseconds, summary: String, noun: String
  ) -> AlertingRule {
    let range = thresholds.initializationRange
    return AlertingRule(
      name, .warning, .initialization, summary: summary,
      description: "A tenth of the \(noun) of \(Template.function) take more than \(Template.duration).",
      """
      \(PromQL.quantile("0.9", histogram, range)) > \(PromQL.seconds(limit))
      and
        \(PromQL.increase("lambda_initializations_total", range, over: "initialization_type")) >= \(thresholds.minimumInitializations)
      """)
  }
}
