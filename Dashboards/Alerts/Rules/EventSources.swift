import Lifecycle

extension AlertRules {
  var eventSources: [AlertingRule] {
    let lateness = PromQL.seconds(thresholds.lateness)
    let oldest = PromQL.seconds(thresholds.oldestMessage)
    return [
      AlertingRule(
        "LambdaQueueOldestMessage", .warning, .eventSources,
        summary: "A message waits in a queue for too long.",
        description: "The oldest message of the queue \(Template.queue) has waited for \(Template.duration).",
        "\(PromQL.last("lambda_queue_oldest_message_age_seconds", range)) > \(oldest)"),
      AlertingRule(
        "LambdaAsynchronousOldestEvent", .warning, .eventSources,
        summary: "An asynchronous invocation waits for too long.",
        description: "The oldest event for \(Template.function) has waited for \(Template.duration).",
        "\(PromQL.last("lambda_asynchronous_oldest_event_age_seconds", range)) > \(oldest)"),
      AlertingRule(
        "LambdaQueueDeadLetters", .warning, .eventSources,
        summary: "Messages failed too often and went to a dead-letter queue.",
        description:
          "\(Template.count) messages of the queue \(Template.queue) went to its dead-letter queue in \(rangeText).",
        "increase(lambda_queue_messages_dead_lettered_total[\(rangeText)]) > \(thresholds.deadLetters)"),
      AlertingRule(
        "LambdaScheduleMissed", .warning, .eventSources,
        summary: "A schedule did not run at its time.",
        description:
          "\(Template.count) runs of the schedule \(Template.schedule) were missed or skipped in \(rangeText).",
        """
        (
            increase(lambda_schedule_runs_missed_total[\(rangeText)])
          +
            increase(lambda_schedule_runs_skipped_total[\(rangeText)])
        ) > \(thresholds.missedRuns)
        """),
      AlertingRule(
        "LambdaScheduleLate", .info, .eventSources,
        summary: "A schedule ran late.",
        description: "A run of the schedule \(Template.schedule) came up to \(Template.duration) late.",
        "\(PromQL.quantile("1", "lambda_schedule_lateness_seconds", range)) > \(lateness)"),
    ]
  }
}
