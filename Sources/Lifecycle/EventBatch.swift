/// Events that a source sends together, and that are acknowledged together.
public struct EventBatch: Sendable, Equatable {
  /// Who sends it. Sequences of different sources have nothing to do with each other.
  public var source: SourceID
  /// 1, 2, 3 … A source sends a batch again until it is acknowledged, and only then the next one: one whose number is not
  /// higher than the highest that was accepted of its source is a duplicate.
  public var sequence: UInt64
  /// In any order; none may be missing, as the batch is acknowledged as a whole.
  public var events: [LifecycleEvent]

  /// Makes a batch. `sequence` is at least 1, and one more than that of the source's previous batch.
  public init(source: SourceID, sequence: UInt64, events: [LifecycleEvent]) {
    self.source = source
    self.sequence = sequence
    self.events = events
  }

  /// Makes a batch of a sender that does not say who it is: it is never a duplicate as a whole.
  public init(anonymous events: [LifecycleEvent]) { self.init(source: .anonymous, sequence: 1, events: events) }
}
