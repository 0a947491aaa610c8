import Lifecycle

extension AlertRules {
  /// Alerts of Kelvin itself: without it, all others are silent.
  var agent: [AlertingRule] { reachability + events + store + keeping }

  private var reachability: [AlertingRule] {
    let up = "up{job=\"\(thresholds.job)\"}"
    return [
      AlertingRule(
        "KelvinDown", .critical, .kelvin, summary: "Prometheus cannot scrape Kelvin.",
        description: "No scrape of \(Template.agent) succeeded in \(rangeText).", "\(PromQL.max(up, range)) == 0"),
      // Pending, because Prometheus has no series of any target right after its own start.
      AlertingRule(
        "KelvinAbsent", .critical, .kelvin, pending: range, summary: "Prometheus has no target for Kelvin.",
        description: "There is no target with the job \(thresholds.job).", "absent(\(up))"),
    ]
  }

  private var events: [AlertingRule] {
    [
      lost(
        "KelvinEventsRejected", .warning, "kelvin_rejected_events_total", over: thresholds.rejectedEvents,
        label: "reason",
        summary: "Kelvin rejects events, because they are invalid.",
        "\(Template.agent) rejected \(Template.count) events in \(rangeText): {{ $labels.reason }}."),
      // After a day, it is one that will not come back.
      AlertingRule(
        "KelvinSourceSilent", .warning, .kelvin, summary: "A source of events has fallen silent.",
        description: "\(Template.agent) has heard nothing of the source {{ $labels.source }} for \(Template.duration).",
        """
        time() - kelvin_source_last_heard_timestamp_seconds
        > \(PromQL.seconds(thresholds.sourceSilentAfter)) < 86400
        """),
      lost(
        "KelvinEventsLate", .warning, "kelvin_late_events_total", over: thresholds.lateEvents,
        summary: "Events arrive after their window is final, and are missing in maxima.",
        "\(Template.agent) got \(Template.count) events in \(rangeText) whose window was final."),
      lost(
        "KelvinEventsDropped", .critical, "kelvin_dropped_events_total",
        summary: "Kelvin drops events, because its queue is full.",
        "\(Template.agent) dropped \(Template.count) events in \(rangeText)."),
      lost(
        "KelvinExecutionsLost", .warning, "kelvin_lost_executions_total",
        summary: "Kelvin gave up executions whose end was never reported.",
        "\(Template.agent) gave up \(Template.count) executions in \(rangeText)."),
      lost(
        "KelvinWindowsLost", .critical, "kelvin_lost_windows_total",
        summary: "Kelvin dropped windows that it could not write to its store.",
        "\(Template.agent) dropped \(Template.count) windows in \(rangeText)."),
    ]
  }

  private var store: [AlertingRule] {
    [
      lost(
        "KelvinStoreRemoved", .critical, "kelvin_store_removals_total",
        summary: "Kelvin's store was removed or replaced while Kelvin ran.",
        "The store of \(Template.agent) was removed, replaced or truncated \(Template.count) times in \(rangeText)."),
      lost(
        "KelvinCheckpointsLost", .warning, "kelvin_store_lost_checkpoints_total",
        summary: "Checkpoints are missing in Kelvin's store.",
        "\(Template.agent) missed \(Template.count) checkpoints when it opened its store."),
      lost(
        "KelvinStoreDamaged", .warning, "kelvin_store_damaged_rows_total",
        summary: "Kelvin's store has damaged rows.",
        "\(Template.agent) left out \(Template.count) damaged rows of its store."),
    ]
  }

  private func lost(
    _ name: String, _ severity: Severity, _ counter: String, over limit: Int64 = 0, label: String? = nil,
    summary: String,
    _ description: String
  ) -> AlertingRule {
    AlertingRule(
      name, severity, .kelvin, summary: summary, description: description,
      PromQL.rose(counter, range, by: limit, label: label))
  }

  private var keeping: [AlertingRule] {
    [
      // What one failed checkpoint would have kept is in the next: only when none succeeds, something can be lost. Failures before
      // the first scrape need no look of their own, because they go on while none succeeds.
      AlertingRule(
        "KelvinCheckpointsFailing", .critical, .kelvin, summary: "Kelvin cannot write to its store.",
        description:
          "\(Template.agent) failed \(Template.count) times in \(rangeText) to write to its store, and never succeeded.",
        """
        increase(kelvin_checkpoint_failures_total[\(rangeText)]) > 0
        and
          increase(kelvin_checkpoints_total[\(rangeText)]) == 0
        """),
      // Each checkpoint empties it, every second or two.
      AlertingRule(
        "KelvinJournalBehind", .critical, .kelvin,
        summary: "Kelvin's journal grows, because no checkpoint takes it over.",
        description: "The journal of \(Template.agent) has held more than 16 MiB for \(rangeText).",
        "min_over_time(kelvin_journal_bytes[\(rangeText)]) > \(16 << 20)"),
      near(
        "KelvinEventQueueNearLimit", "kelvin_event_queue_depth", "kelvin_event_queue_limit", thresholds.queueShare,
        summary: "Events arrive faster than Kelvin counts them.",
        "The event queue of \(Template.agent) is \(Template.percentage) full."),
      near(
        "KelvinFunctionsNearLimit", "kelvin_functions", "kelvin_functions_limit", thresholds.functionsShare,
        summary: "Kelvin keeps nearly as many functions as it can.",
        "\(Template.agent) keeps \(Template.percentage) of the functions that it can."),
    ]
  }

  private func near(
    _ name: String, _ gauge: String, _ limit: String, _ share: Share, summary: String, _ description: String
  ) -> AlertingRule {
    AlertingRule(
      name, .warning, .kelvin, pending: thresholds.pending, summary: summary, description: description,
      """
        \(PromQL.max(gauge, range))
      /
        \(PromQL.last(limit, range))
      > \(share.decimal)
      """)
  }
}
