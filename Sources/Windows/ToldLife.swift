public import Lifecycle

/// What was counted and may be told again by a sender that does not number what it sends: log lines, telemetry, events without a source.
///
/// Kept with a checkpoint, so that a restart does not make it new.
public struct ToldLife: Sendable, Equatable {
  /// What has ended.
  public enum Kind: UInt8, Sendable {
    /// An invocation; the identity is that of its request.
    case invocation = 1
    /// An initialization; the identity is that of its instance.
    case initialization = 2
  }

  /// What has ended.
  public var kind: Kind
  /// Of the request, or of the instance.
  public var identity: Identifier128
  /// When it began.
  public var start: Timestamp
  /// When it ended, not before ``start``.
  public var end: Timestamp

  /// Makes one of what a store kept.
  public init(kind: Kind, identity: Identifier128, start: Timestamp, end: Timestamp) {
    self.kind = kind
    self.identity = identity
    self.start = start
    self.end = end
  }

  /// What an event tells; `nil` if it is not the end of a life.
  public init?(_ event: LifecycleEvent) {
    switch (event.kind, event.subject) {
    case (.invocationFinished(let finished), _):
      self.init(kind: .invocation, identity: finished.request.value, start: finished.start, end: finished.end)
    case (.instanceReady(let ready), .instance(let instance, _)):
      self.init(
        kind: .initialization, identity: instance.value, start: min(ready.time - ready.duration, ready.time),
        end: ready.time)
    default: return nil
    }
  }

  /// How many a store keeps at least, of those that were counted last.
  public static let limit = 500_000
}
