import Lifecycle

extension AlertRules {
  var concurrency: [AlertingRule] {
    // Peaks of versions need not be at the same time: their sum is the most that can have been. A reserve of 1 is full whenever
    // the function runs, so it is never near its limit.
    [
      AlertingRule(
        "LambdaConcurrencyNearReserved", .warning, .concurrency, pending: thresholds.pending,
        summary: "A function uses nearly all of its reserved concurrency.",
        description: "\(Template.function) uses \(Template.percentage) of its reserved concurrency.",
        """
          sum without (version) (\(PromQL.max("lambda_concurrent_executions_max", range)))
        /
          (max without (version) (\(PromQL.last("lambda_reserved_concurrency", range))) > 1)
        > \(thresholds.concurrencyShare.decimal)
        """),
      AlertingRule(
        "LambdaConcurrencyNearAccountLimit", .critical, .concurrency, pending: thresholds.pending,
        summary: "All functions together run nearly as many executions as the account allows.",
        description: "\(Template.percentage) of the account's concurrency is in use at \(Template.agent).",
        """
          \(PromQL.max("lambda_account_concurrent_executions_max", range))
        /
          \(PromQL.last("lambda_account_concurrency_limit", range))
        > \(thresholds.concurrencyShare.decimal)
        """),
      AlertingRule(
        "LambdaConcurrencyClaimed", .warning, .concurrency, pending: thresholds.pending,
        summary: "Nearly all of the account's concurrency is in use, reserved or provisioned.",
        description:
          "\(Template.percentage) of the account's concurrency is in use, reserved or provisioned at \(Template.agent). Functions without a reserve share what is left.",
        """
          \(PromQL.max("lambda_account_claimed_concurrency_max", range))
        /
          \(PromQL.last("lambda_account_concurrency_limit", range))
        > \(thresholds.concurrencyShare.decimal)
        """),
    ]
  }
}
