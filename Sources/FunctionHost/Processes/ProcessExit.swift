public import Lifecycle

/// How a process ended and what it used.
public struct ProcessExit: Equatable, Sendable {
  /// How the process ended.
  public enum Status: Equatable, Sendable {
    /// By itself, with this status (0 to 255).
    case exited(Int32)
    /// By this signal.
    case signaled(Int32)
  }

  /// How it ended.
  public var status: Status
  /// The most memory it and the children it waited for held at once, in bytes. Nil where the kernel's figure tells
  /// nothing: it starts at the host's own peak, because the process was spawned from it, so that only what lies above
  /// is the process's. ``ProcessKeeper/memoryHighWater(_:)`` is exact as long as the process lives.
  public var residentBytesMax: Int64?
  /// Processor time, user and system, of the process and the children it waited for.
  public var processorTime: Nanoseconds

  /// An end.
  public init(status: Status, residentBytesMax: Int64?, processorTime: Nanoseconds) {
    self.status = status
    self.residentBytesMax = residentBytesMax
    self.processorTime = processorTime
  }
}
