import Lifecycle

extension AlertRules {
  var failures: [AlertingRule] {
    [
      AlertingRule(
        "LambdaTimeouts", .warning, .timeouts,
        summary: "Callers of a function get 504, because it took too long.",
        description:
          "\(Template.count) invocations of \(Template.function) ended in 504 in \(rangeText). The source of the timeout: {{ $labels.source }}.",
        "\(PromQL.increase("lambda_timeouts_total", range)) > \(thresholds.timeouts)"),
      AlertingRule(
        "LambdaCrashes", .warning, .errors,
        summary: "Instances of a function end in the middle of invocations.",
        description: "\(Template.count) invocations of \(Template.function) ended by a crash in \(rangeText).",
        "\(PromQL.increase("lambda_crashes_total", range)) > \(thresholds.crashes)"),
      AlertingRule(
        "LambdaOutOfMemory", .warning, .memory,
        summary: "Instances of a function exceed their memory limit.",
        description: "\(Template.count) invocations of \(Template.function) ended at the memory limit in \(rangeText).",
        "\(PromQL.increase("lambda_out_of_memory_total", range)) > \(thresholds.outOfMemory)"),
      AlertingRule(
        "LambdaOverlappingExecutions", .warning, .timeouts, pending: thresholds.pending,
        summary: "Handlers of a function still run after their timeout, during the next invocation.",
        description: "\(Template.count) timed-out handlers of \(Template.function) still run.",
        "sum without (version) (\(PromQL.max("lambda_overlapping_executions", range))) > \(thresholds.overlappingExecutions)"
      ),
    ]
  }

  /// Each version has limits of its own, so versions are compared one by one.
  var limits: [AlertingRule] {
    [
      AlertingRule(
        "LambdaMemoryNearLimit", .warning, .memory, pending: thresholds.pending,
        summary: "A function uses nearly all of the memory that it may use.",
        description: "\(Template.version) uses \(Template.percentage) of its memory limit.",
        """
          \(PromQL.max("lambda_memory_used_max_bytes", range))
        /
          \(PromQL.last("lambda_memory_limit_bytes", range))
        > \(thresholds.memoryShare.decimal)
        """),
      AlertingRule(
        "LambdaDurationNearTimeout", .warning, .timeouts, pending: thresholds.pending,
        summary: "Invocations of a function take nearly as long as they may.",
        description: "\(Template.version) takes up to \(Template.percentage) of its timeout.",
        """
          \(PromQL.max("lambda_invocation_duration_max_seconds", range))
        /
          \(PromQL.last("lambda_timeout_seconds", range))
        > \(thresholds.durationShare.decimal)
        """),
    ]
  }

  var traffic: [AlertingRule] {
    let quiet = thresholds.trafficGoneAfter
    let before = "increase(lambda_invocations_total[1h] offset \(PromQL.duration(quiet)))"
    return [
      // Throttles are traffic: who is refused does call.
      AlertingRule(
        "LambdaTrafficGone", .warning, .traffic,
        summary: "A function that was called often is not called any more.",
        description:
          "\(Template.function) had no invocation in \(PromQL.duration(quiet)), and \(Template.count) in the hour before.",
        """
        sum without (version, trigger) (\(before)) >= \(max(1, thresholds.trafficMinimumInvocations))
        and
          \(PromQL.increase("lambda_invocations_total", quiet, over: "trigger")) == 0
        unless
          \(PromQL.increase("lambda_throttles_total", quiet, over: "reason")) > 0
        """)
    ]
  }
}
