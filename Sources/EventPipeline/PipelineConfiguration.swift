package import Lifecycle
package import Windows

/// How a pipeline folds, its limits, and how often it saves.
package struct PipelineConfiguration: Sendable {
  /// How the aggregator cuts time, and its bounds.
  package var aggregator: AggregatorConfiguration
  /// How many events of the source in this process may wait to be folded; further ones are dropped and counted. At least 1.
  package var eventsLimit = 1_000_000
  /// How many events of batches may wait for the journal; further batches are refused. A batch of more never finds room.
  package var batchEventsLimit = 100_000
  /// How many sources of batches are told apart.
  package var sourcesLimit = 1_000
  /// How long changes gather before they are saved.
  package var checkpointInterval = Nanoseconds.milliseconds(1_500)
  /// How often the store is looked after while nothing is saved.
  package var lookInterval = Nanoseconds.seconds(4)
  /// How long events gather before they are folded, so that a busy source is not folded event by event. Readers do not wait
  /// for it: they fold what is there.
  package var gatheringInterval = Nanoseconds.milliseconds(20)

  /// The default bounds and intervals.
  package init(aggregator: AggregatorConfiguration) { self.aggregator = aggregator }
}
