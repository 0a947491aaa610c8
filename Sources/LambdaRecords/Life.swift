package import Lifecycle

/// A part of an instance's life that a log tells of.
package enum Life: Equatable, Sendable {
  /// An invocation that has ended.
  case invocation(Invocation)
  /// An invocation of which no line says that it has ended.
  case unended(Unended)
  /// An initialization, or a restore from a snapshot.
  case initialization(Initialization)

  /// An invocation that has ended.
  package struct Invocation: Equatable, Sendable {
    /// The function's name; `nil` if nothing says it.
    package var function: String?
    /// The number of its stream.
    package var stream: Int
    /// What happened. Start and end mean nothing unless ``isTimed``.
    package var finished: InvocationFinished
    /// Whether its lines say when it was.
    package var isTimed: Bool
    /// Whether its start was computed from its end, which is exact to about 3 ms; else it is that of its line START, to 1 ms.
    package var isStartInferred: Bool
  }

  /// An invocation of which no line says that it has ended.
  package struct Unended: Equatable, Sendable {
    /// The function's name; `nil` if nothing says it.
    package var function: String?
    /// The number of its stream.
    package var stream: Int
    /// The invocation.
    package var request: RequestID
    /// When it began; `nil` if its line does not say.
    package var start: Timestamp?
    /// The last instant at which it is known to have run: the last line of its stream, or the start.
    package var lastSeen: Timestamp?
  }

  /// An initialization, or a restore from a snapshot.
  package struct Initialization: Equatable, Sendable {
    /// The function's name; `nil` if nothing says it.
    package var function: String?
    /// The number of its stream.
    package var stream: Int
    /// The instance, where the stream's name says it.
    package var instance: InstanceID?
    /// What happened. The time means nothing unless ``isTimed``.
    package var ready: InstanceReady
    /// Whether its lines say when it was.
    package var isTimed: Bool
  }
}
