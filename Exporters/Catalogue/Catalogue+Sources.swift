import Lifecycle
import Windows

extension Catalogue {
  /// What came from sources of events in other processes.
  static let sources: [MetricFamily] = [
    .single(
      "kelvin_batches_total", .counter, help: "Batches of events of other processes that were accepted."
    ) { _, statistics in statistics.batches.map { .unsigned($0.accepted) } },
    .single(
      "kelvin_duplicate_batches_total", .counter,
      help: "Batches that came again after they had been accepted, and count once."
    ) { _, statistics in statistics.batches.map { .unsigned($0.duplicates) } },
    .single(
      "kelvin_refused_batches_total", .counter,
      help: "Batches that were refused, because Kelvin could not keep them; their sources send them again."
    ) { _, statistics in statistics.batches.map { .unsigned($0.refused) } },
    ofSources(
      "kelvin_source_events_total", .counter, help: "Events of a source in another process, rejected ones left out."
    ) {
      .unsigned($0.events)
    },
    ofSources("kelvin_source_rejected_events_total", .counter, help: "Events of a source that were rejected.") {
      .unsigned($0.rejected)
    },
    ofSources(
      "kelvin_source_duplicate_batches_total", .counter,
      help: "Batches of a source that came again after they had been accepted."
    ) { .unsigned($0.duplicateBatches) },
    ofSources(
      "kelvin_source_missing_batches_total", .counter,
      help: "Batches of a source that never came although later ones did. A source that gives up batches does that."
    ) { .unsigned($0.missingBatches) },
    ofSources(
      "kelvin_source_last_heard_timestamp_seconds", .gauge, unit: .seconds,
      help: "When a source was heard last, in seconds since the Unix epoch."
    ) { .instant($0.lastHeard) },
    ofSources(
      "kelvin_source_lag_seconds", .gauge, unit: .seconds,
      help: "How long after its newest event the last batch of a source was acknowledged."
    ) { .duration($0.lag) },
  ]

  private static func ofSources(
    _ name: String, _ kind: MetricFamily.Kind, unit: MetricFamily.Unit = .none, help: String,
    _ value: @escaping @Sendable (SourceCounts) -> MetricValue
  ) -> MetricFamily {
    .labelled(name, kind, unit: unit, help: help, labels: [MetricLabel("source")]) { _, statistics, samples in
      for source in statistics.sources { samples.add(value(source), source.name) }
    }
  }
}
