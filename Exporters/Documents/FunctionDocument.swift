public import Lifecycle
public import Windows

/// One function in a ``StatusDocument``.
public struct FunctionDocument: Sendable, Equatable {
  /// The function's name, without account, Region or version.
  public var function: String
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  /// The time of the first event that Kelvin counted of the function; before restarts, too.
  public var firstSeen: Timestamp
  /// Whether its source has it no more; only then there is such a member.
  public var isGone = false
  /// `nil` until a source reported them; then there is no such member.
  public var limits: Limits?
  /// Instances that are initializing now.
  public var initializing: Int64
  /// Instances that wait for an event now.
  public var idle: Int64
  /// Instances with an execution in progress now.
  public var busy: Int64
  /// Executions in progress now; those that wait for an initialization count.
  public var concurrentExecutions: Int64
  /// Handlers that timed out and still run now beside another invocation.
  public var overlappingExecutions: Int64
  /// The counts since ``firstSeen``, across restarts.
  public var totals: Totals
  /// `nil` (and no such member) unless its newest initialization failed.
  public var startFailure: StartFailure?

  /// Why the newest initialization of a function failed.
  public struct StartFailure: Sendable, Equatable {
    /// When it failed.
    public var time: Timestamp
    /// How it ended, without a full stop.
    public var reason: String
    /// The last lines that the instance wrote, oldest first.
    public var lines: [String]

    /// Makes what is known of a failed start. The host keeps the last 5 `lines`.
    public init(time: Timestamp, reason: String, lines: [String]) {
      self.time = time
      self.reason = reason
      self.lines = lines
    }
  }

  /// The limits of a function as a source reported them last.
  public struct Limits: Sendable, Equatable {
    /// The memory of each instance, in bytes.
    public var memoryLimitBytes: Int64
    /// How long an invocation may run.
    public var timeout: Nanoseconds
    /// The size of each instance's `/tmp`, in bytes.
    public var temporaryStorageLimitBytes: Int64
    /// `nil` (in JSON `null`): no reserve. 0: paused.
    public var reserved: Int64?
    /// `nil` (in JSON `null`): none configured.
    public var provisioned: Provisioned?
  }

  /// Provisioned concurrency in instances: of a function, or of one version or alias.
  public struct Provisioned: Sendable, Equatable {
    /// As many as are configured.
    public var requested: Int64
    /// As many as have been started.
    public var allocated: Int64
    /// As many as are ready for an invocation.
    public var available: Int64
    /// `READY` with all that was requested available, else `IN_PROGRESS` (the words of AWS).
    public var status: String
  }

  /// Counts since Kelvin first saw the function.
  public struct Totals: Sendable, Equatable {
    /// Invocations that have finished, however they did.
    public var invocations: UInt64
    /// Invocations that failed, including timeouts and crashes.
    public var errors: UInt64
    /// Invocations that were refused; not part of ``invocations`` or ``errors``.
    public var throttles: UInt64
    /// Invocations whose caller saw a 504, whatever its source.
    public var timeouts: UInt64
    /// Invocations that waited for an on-demand initialization.
    public var coldStarts: UInt64
  }

  /// Converts what the aggregator knows. It knows of no failed start: ``startFailure`` is for its caller to fill in.
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
  /// Converts the limits of a function that is there; `FunctionLimitsChanged.isGone` is not looked at.
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
