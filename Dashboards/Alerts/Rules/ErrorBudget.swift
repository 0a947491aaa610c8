import Lifecycle

/// How fast an error budget of 30 days may burn: both times must show it, the longer so that it matters, the shorter so that
/// the alert ends soon after the errors do (Google's SRE workbook, chapter 5).
private struct BurnRate {
  var severity: Severity
  var long: Nanoseconds
  var short: Nanoseconds
  /// Times the rate that uses up the budget in exactly 30 days.
  var factor: String
  /// What that comes to.
  var usedUpIn: String

  static let all = [
    BurnRate(severity: .critical, long: .seconds(3_600), short: .seconds(300), factor: "14.4", usedUpIn: "50 hours"),
    BurnRate(severity: .critical, long: .seconds(21_600), short: .seconds(1_800), factor: "6", usedUpIn: "5 days"),
    BurnRate(severity: .warning, long: .seconds(86_400), short: .seconds(7_200), factor: "3", usedUpIn: "10 days"),
    BurnRate(severity: .warning, long: .seconds(259_200), short: .seconds(21_600), factor: "1", usedUpIn: "30 days"),
  ]
}

extension AlertRules {
  private static let invocations = "function:lambda_invocations:rate"
  private static let errorRatio = "function:lambda_errors_per_lambda_invocations:ratio_rate"

  /// Rates and error ratios over all times of `BurnRate`; the long ones less often, because they change slowly and cost most.
  var errorBudgetRecordings: [RuleGroup] {
    let ranges = Set(BurnRate.all.flatMap { [$0.long, $0.short] }).sorted()
    let limit = Nanoseconds.seconds(3_600)
    return [
      RuleGroup("lambda-recordings", ranges.filter { $0 <= limit }.flatMap(AlertRules.recordings)),
      RuleGroup(
        "lambda-recordings-long", interval: .seconds(120), ranges.filter { $0 > limit }.flatMap(AlertRules.recordings)),
    ]
  }

  private static func recordings(_ range: Nanoseconds) -> [Rule] {
    let text = PromQL.duration(range)
    return [
      .recording(
        RecordingRule(
          name: invocations + text,
          expression: "sum without (version, trigger) (rate(lambda_invocations_total[\(text)]))")),
      .recording(
        RecordingRule(
          name: errorRatio + text,
          expression: "sum without (version) (rate(lambda_errors_total[\(text)])) / (\(invocations)\(text) > 0)")),
    ]
  }

  var errorBudget: [AlertingRule] {
    let budget = thresholds.errorObjective.rest.decimal
    return BurnRate.all.map { rate in
      let (long, short) = (PromQL.duration(rate.long), PromQL.duration(rate.short))
      return AlertingRule(
        "LambdaErrorBudgetBurn", rate.severity, .errors,
        summary: "A function fails more often than its error budget allows.",
        description:
          "\(Template.percentage) of the invocations of \(Template.function) failed in \(long). At this rate, the error "
          + "budget for 30 days (objective \(thresholds.errorObjective.percentage)) is used up in less than \(rate.usedUpIn).",
        labels: [
          AlertingRule.Label(name: "long_window", value: long), AlertingRule.Label(name: "short_window", value: short),
        ],
        """
        \(AlertRules.errorRatio)\(long) > (\(rate.factor) * \(budget))
        and
          \(AlertRules.errorRatio)\(short) > (\(rate.factor) * \(budget))
        and
          \(AlertRules.invocations)\(long) * \(PromQL.seconds(rate.long)) >= \(thresholds.errorMinimumInvocations)
        """)
    }
  }
}
