import Lifecycle

extension AlertRules {
  /// Holds for functions whose reserved concurrency is 0: somebody paused them, so that throttles are what was meant.
  private var paused: String {
    "max without (version) (\(PromQL.last("lambda_reserved_concurrency", range))) == 0"
  }

  private var throttledCalls: String { PromQL.increase("lambda_throttles_total", range, over: "reason") }

  private var finishedCalls: String { PromQL.increase("lambda_invocations_total", range, over: "trigger") }

  var throttling: [AlertingRule] {
    [
      AlertingRule(
        "LambdaThrottled", .warning, .throttling,
        summary: "Invocations of a function are refused because of a concurrency or rate limit.",
        description:
          "\(Template.function) refused \(Template.count) invocations in \(rangeText): {{ $labels.reason }}.",
        """
        \(PromQL.increase("lambda_throttles_total", range)) > \(thresholds.throttles)
        unless ignoring (reason)
          \(paused)
        """),
      AlertingRule(
        "LambdaThrottledOften", .critical, .throttling, pending: thresholds.pending,
        summary: "A large share of the calls of a function is refused.",
        description: "\(Template.function) refuses \(Template.percentage) of its calls.",
        """
          \(throttledCalls)
        /
          (
              \(throttledCalls)
            +
              \(finishedCalls)
            >= \(max(1, thresholds.minimumInvocations))
          )
        > \(thresholds.throttledShare.decimal)
        unless
          \(paused)
        """),
      AlertingRule(
        "LambdaPausedFunctionCalled", .info, .throttling,
        summary: "A function that is paused (reserved concurrency 0) is called.",
        description: "\(Template.function) is paused and refused \(Template.count) invocations in \(rangeText).",
        """
        \(throttledCalls) > 0
        and
          \(paused)
        """),
    ]
  }
}
