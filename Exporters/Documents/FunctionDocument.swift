public import Lifecycle
public import Windows

/// One function in a ``StatusDocument``.
public struct FunctionDocument: Sendable, Equatable {
  public var function: String
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  public var firstSeen: Timestamp
  /// Whether its source has it no more; only then there is such a member.
  public var isGone = false
  /// `nil` until a source reported them; then there is no such member.
  public var limits: Limits?
  public var initializing: Int64
  public var idle: Int64
  public var busy: Int64
  public var concurrentExecutions: Int64
  public var overlappingExecutions: Int64
  public var totals: Totals
  /// `nil` (and no such member) unless its newest initialization failed.
  public var startFailure: StartFailure?

  /// Why the newest initialization of a function failed.
  public struct StartFailure: Sendable, Equatable {
    public var time: Timestamp
    /// How it ended, without a full stop.
    public var reason: String
    /// What the instance wrote last, oldest first.
    public var lines: [String]

    public init(time: Timestamp, reason: String, lines: [String]) {
      self.time = time
      self.reason = reason
      self.lines = lines
    }
  }

  public struct Limits: Sendable, Equatable {
    public var memoryLimitBytes: Int64
    public var timeout: Nanoseconds
    public var temporaryStorageLimitBytes: Int64
    /// `nil` (in JSON `null`): no reserve. 0: paused.
    public var reserved: Int64?
    /// `nil` (in JSON `null`): none configured.
    public var provisioned: Provisioned?
  }

  public struct Provisioned: Sendable, Equatable {
    public var requested: Int64
    public var allocated: Int64
    public var available: Int64
    /// `READY` with all that was requested available, else `IN_PROGRESS` (the words of AWS).
    public var status: String
  }

  /// Counts since Kelvin first saw the function.
  public struct Totals: Sendable, Equatable {
    public var invocations: UInt64
    public var errors: UInt64
    public var throttles: UInt64
    public var timeouts: UInt64
    public var coldStarts: UInt64
  }

  public init(_ snapshot: FunctionSnapshot) {
    function = snapshot.function.name
    version = snapshot.function.version == FunctionID.latest ? nil : snapshot.function.version
    firstSeen = snapshot.firstSeen
    isGone = snapshot.isGone
    limits = snapshot.limits.map { Limits($0) }
    initializing = Int64(clamping: snapshot.instances[.initializing])
    idle = Int64(clamping: snapshot.instances[.idle])
    busy = Int64(clamping: snapshot.instances[.busy])
    concurrentExecutions = snapshot.concurrentExecutions
    overlappingExecutions = snapshot.overlappingExecutions
    totals = Totals(
      invocations: snapshot.totals.invocations.total, errors: snapshot.totals.errors,
      throttles: snapshot.totals.throttles.total, timeouts: snapshot.totals.timeouts.total,
      coldStarts: snapshot.totals.coldStarts)
  }
}

extension FunctionDocument.Limits {
  public init(_ limits: FunctionLimitsChanged) {
    memoryLimitBytes = limits.memoryLimitBytes
    timeout = limits.timeout
    temporaryStorageLimitBytes = limits.temporaryStorageLimitBytes
    reserved = limits.reserved
    provisioned = limits.provisioned.map { provisioned in
      FunctionDocument.Provisioned(
        requested: provisioned.requested, allocated: provisioned.allocated, available: provisioned.available,
        status: provisioned.available >= provisioned.requested ? "READY" : "IN_PROGRESS")
    }
  }
}
