/// Events that a source sends together, and that are acknowledged together.
public struct EventBatch: Sendable, Equatable {
  public var source: SourceID
  /// 1, 2, 3 … A source sends a batch again until it is acknowledged, and only then the next one: one whose number is not
  /// higher than the highest that was accepted of its source is a duplicate.
  public var sequence: UInt64
  public var events: [LifecycleEvent]

  public init(source: SourceID, sequence: UInt64, events: [LifecycleEvent]) {
    self.source = source
    self.sequence = sequence
    self.events = events
  }
}
