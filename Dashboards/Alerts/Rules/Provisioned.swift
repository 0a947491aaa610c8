import Lifecycle

extension AlertRules {
  var provisioned: [AlertingRule] {
    let spilled = PromQL.increase("lambda_provisioned_spillover_invocations_total", range)
    let served = PromQL.increase("lambda_provisioned_invocations_total", range)
    let idleAfter = thresholds.provisionedIdleAfter
    return [
      AlertingRule(
        "LambdaProvisionedSpillover", .warning, .provisioned,
        summary: "Provisioned concurrency is used up, and invocations run on demand.",
        description:
          "\(Template.percentage) of the invocations of \(Template.function) found its provisioned concurrency used up.",
        """
          \(spilled)
        /
          (
              \(spilled)
            +
              \(served)
            >= \(max(1, thresholds.minimumInvocations))
          )
        > \(thresholds.spilloverShare.decimal)
        """),
      // One provisioned instance is in use to the full whenever it runs, so that is near no limit.
      AlertingRule(
        "LambdaProvisionedNearLimit", .warning, .provisioned, pending: thresholds.pending,
        summary: "Nearly all of a function's provisioned concurrency is in use.",
        description: "\(Template.version) uses \(Template.percentage) of its provisioned concurrency.",
        """
        \(PromQL.max("lambda_provisioned_concurrency_utilization_max", range)) > \(thresholds.provisionedShare.decimal)
        and ignoring (state)
          \(PromQL.last("lambda_provisioned_concurrency{state=\"allocated\"}", range)) > 1
        """),
      AlertingRule(
        "LambdaProvisionedIdle", .info, .provisioned,
        summary: "A function has more provisioned concurrency than it needs.",
        description:
          "\(Template.version) used at most \(Template.percentage) of its provisioned concurrency in \(PromQL.duration(idleAfter)).",
        """
        \(PromQL.max("lambda_provisioned_concurrency_utilization_max", idleAfter)) < \(thresholds.provisionedIdleShare.decimal)
        and
          \(PromQL.max("lambda_provisioned_concurrency_utilization_max", range)) >= 0
        and
          max_over_time(lambda_provisioned_concurrency_utilization_max[\(rangeText)] offset \(PromQL.duration(idleAfter))) >= 0
        and ignoring (state)
          \(PromQL.last("lambda_provisioned_concurrency{state=\"requested\"}", range)) > 0
        """),
    ]
  }
}
