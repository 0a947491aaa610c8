import Lifecycle
import Windows

extension Catalogue {
  /// Metrics about Kelvin itself.
  static let kelvin: [MetricFamily] = [
    .labelled(
      "kelvin_build_info", .gauge, help: "The version of Kelvin; always 1.", labels: [MetricLabel("version")]
    ) { _, statistics, samples in samples.add(.integer(1), statistics.version) },
    .single("kelvin_events_received_total", .counter, help: "Lifecycle events that arrived, whether counted or not.") {
      snapshot, _ in .unsigned(snapshot.statistics.eventsReceived)
    },
    .single(
      "kelvin_duplicate_events_total", .counter, help: "Events that were ignored because they had been counted before."
    ) {
      snapshot, _ in .unsigned(snapshot.statistics.eventsDuplicate)
    },
    .single(
      "kelvin_late_events_total", .counter,
      help: "Events that arrived after their window was final. They count in totals and sums, but not in maxima."
    ) { snapshot, _ in .unsigned(snapshot.statistics.eventsLate) },
    .labelled(
      "kelvin_rejected_events_total", .counter, help: "Events that were rejected, and not counted, by reason.",
      labels: [MetricLabel("reason", Rejection.allCases.map(\.name))]
    ) { snapshot, _, samples in
      for reason in Rejection.allCases {
        samples.add(.unsigned(snapshot.statistics.eventsRejected[reason]), reason.name)
      }
    },
    .single(
      "kelvin_lost_executions_total", .counter,
      help: "Executions whose end was never reported; Kelvin gave them up after the longest possible time."
    ) { snapshot, _ in .unsigned(snapshot.statistics.executionsLost) },
    .single(
      "kelvin_lost_windows_total", .counter,
      help:
        "Final windows that were dropped because the store could not be written for too long; totals still count them."
    ) { snapshot, _ in .unsigned(snapshot.statistics.windowsLost) },
    .single("kelvin_functions", .gauge, help: "Functions that Kelvin keeps.") { snapshot, _ in
      .integer(Int64(snapshot.statistics.functions))
    },
    .single(
      "kelvin_functions_limit", .gauge,
      help: "The most functions that Kelvin keeps; events of any others are counted as the function _other."
    ) { snapshot, _ in .integer(Int64(snapshot.statistics.functionsLimit)) },
    .single("kelvin_event_sources", .gauge, help: "Queues, schedules and other event sources that Kelvin knows.") {
      snapshot, _ in .integer(Int64(snapshot.statistics.eventSources))
    },
    .single(
      "kelvin_event_sources_limit", .gauge,
      help: "The most event sources that Kelvin keeps; what others count is counted as the source _other of their kind."
    ) { snapshot, _ in .integer(Int64(snapshot.statistics.eventSourcesLimit)) },
    .single("kelvin_event_queue_depth", .gauge, help: "Events that wait to be counted.") { _, statistics in
      .integer(statistics.queue.depth)
    },
    .single("kelvin_event_queue_limit", .gauge, help: "The most events that may wait to be counted.") {
      _, statistics in .integer(statistics.queue.limit)
    },
    .single("kelvin_dropped_events_total", .counter, help: "Events that were dropped because the queue was full.") {
      _, statistics in .unsigned(statistics.queue.dropped)
    },
    .single("kelvin_checkpoints_total", .counter, help: "Checkpoints written to the store. Absent without a store.") {
      _, statistics in statistics.checkpoints.map { .unsigned($0.succeeded) }
    },
    .single(
      "kelvin_checkpoint_failures_total", .counter,
      help: "Checkpoints that could not be written; their content goes into the next. Absent without a store."
    ) { _, statistics in statistics.checkpoints.map { .unsigned($0.failed) } },
    .single(
      "kelvin_last_checkpoint_timestamp_seconds", .gauge, unit: .seconds,
      help: "When the last checkpoint was written, in seconds since the Unix epoch. Absent before the first."
    ) { _, statistics in statistics.checkpoints?.last.map { .instant($0) } },
    .single(
      "kelvin_last_checkpoint_duration_seconds", .gauge, unit: .seconds,
      help: "How long the last checkpoint took. Absent before the first."
    ) { _, statistics in
      guard let checkpoints = statistics.checkpoints, checkpoints.last != nil else { return nil }
      return .duration(checkpoints.lastDuration)
    },
    .single(
      "kelvin_store_removals_total", .counter,
      help:
        "How often the store's directory or a file in it was removed, replaced or truncated. Absent without a store."
    ) { _, statistics in statistics.store.map { .unsigned($0.removals) } },
    .single(
      "kelvin_store_lost_checkpoints_total", .counter,
      help: "Checkpoints that had been written and were missing when the store was opened. Absent without a store."
    ) { _, statistics in statistics.store.map { .unsigned($0.checkpointsLost) } },
    .single(
      "kelvin_store_damaged_rows_total", .counter,
      help: "Rows of the store that were left out because they were damaged. Absent without a store."
    ) { _, statistics in statistics.store.map { .unsigned($0.damagedRows) } },
  ]

  /// Metrics about the journal; absent without one.
  static let journal: [MetricFamily] = [
    .single(
      "kelvin_journal_bytes", .gauge, unit: .bytes,
      help: "What the journal holds that no checkpoint contains, in bytes on the disk."
    ) { _, statistics in statistics.journal.map { .integer($0.bytes) } },
    .single("kelvin_journal_batches", .gauge, help: "Batches in the journal that no checkpoint contains.") {
      _, statistics in statistics.journal.map { .integer($0.batches) }
    },
    .single(
      "kelvin_journal_entries", .gauge,
      help: "Entries of the agent's own process in the journal that no checkpoint contains."
    ) { _, statistics in statistics.journal.map { .integer($0.entries) } },
    .single(
      "kelvin_journal_commits_total", .counter, help: "How often batches were brought to the disk, some together."
    ) { _, statistics in statistics.journal.map { .unsigned($0.commits) } },
    .single(
      "kelvin_journal_commit_seconds_total", .counter, unit: .seconds,
      help: "How long the disk took to bring batches to the journal, all together."
    ) { _, statistics in statistics.journal.map { .duration($0.commitTime) } },
    .single(
      "kelvin_journal_replayed_records", .gauge, help: "Records of the journal that were replayed at the start."
    ) { _, statistics in statistics.journal.map { .unsigned($0.replayed) } },
    .single(
      "kelvin_journal_damaged_records_total", .counter,
      help: "Records of the journal that could not be read, and were passed over."
    ) { _, statistics in statistics.journal.map { .unsigned($0.damaged) } },
    .single(
      "kelvin_journal_skipped_events_total", .counter,
      help: "Events for which the journal had no room: they count, and a kill before the next checkpoint loses them."
    ) { _, statistics in statistics.journal.map { .unsigned($0.skipped) } },
  ]

  /// Metrics about the clock.
  static let clock: [MetricFamily] = [
    .single(
      "kelvin_clock_offset_seconds", .gauge, unit: .seconds,
      help:
        "How far the system's clock is ahead of Kelvin's own; 0 until the system's clock is set while Kelvin runs."
    ) { _, statistics in statistics.clock.map { .duration($0.offset) } },
    .single(
      "kelvin_clock_steps_total", .counter,
      help: "How often the system's clock was set by a second or more while Kelvin ran."
    ) { _, statistics in statistics.clock.map { .unsigned($0.steps) } },
  ]

  /// The agent's process, under the names that all Prometheus clients use.
  static let process: [MetricFamily] = [
    .single("process_cpu_seconds_total", .counter, unit: .seconds, help: "User and system time of the process.") {
      _, statistics in statistics.process.map { .duration($0.cpu) }
    },
    .single("process_resident_memory_bytes", .gauge, unit: .bytes, help: "Resident memory of the process.") {
      _, statistics in statistics.process.map { .integer($0.residentBytes) }
    },
    .single("process_virtual_memory_bytes", .gauge, unit: .bytes, help: "Virtual memory of the process.") {
      _, statistics in statistics.process.map { .integer($0.virtualBytes) }
    },
    .single("process_open_fds", .gauge, help: "Open file descriptors of the process.") { _, statistics in
      statistics.process.map { .integer($0.openFiles) }
    },
    .single("process_max_fds", .gauge, help: "The most file descriptors that the process may open.") {
      _, statistics in statistics.process.flatMap { $0.openFilesLimit }.map { .integer($0) }
    },
    .single("process_threads", .gauge, help: "Threads of the process.") { _, statistics in
      statistics.process.map { .integer($0.threads) }
    },
    .single(
      "process_start_time_seconds", .gauge, unit: .seconds,
      help: "When the process started, in seconds since the Unix epoch."
    ) { _, statistics in statistics.process.map { .instant($0.started) } },
  ]
}
