/// Something that happened in the life of a function's instances.
public struct LifecycleEvent: Hashable, Sendable {
  /// What it happened to.
  public var subject: Subject
  /// What happened, and when.
  public var kind: Kind

  /// Makes an event of any subject and kind. Those that do not go together are rejected where events are counted.
  public init(_ subject: Subject, _ kind: Kind) {
    self.subject = subject
    self.kind = kind
  }

  /// What an event happened to. ``Kind`` says which kinds may have which subject.
  public enum Subject: Hashable, Sendable {
    /// The account as a whole.
    case account
    /// A function, where no instance is known or concerned.
    case function(FunctionID)
    /// An instance, and the function that it serves.
    case instance(InstanceID, of: FunctionID)
    /// A queue, a schedule or another event source.
    case source(EventSourceID)
  }

  /// What happened. Every kind is complete by itself: a source that reports only ends works as well as one that
  /// reports every step.
  public enum Kind: Hashable, Sendable {
    /// Of an instance.
    case instanceStarted(InstanceStarted)
    /// Of an instance.
    case warmedUp(WarmedUp)
    /// Of an instance.
    case instanceReady(InstanceReady)
    /// Of an instance, or of a function if it has to wait for one.
    case invocationStarted(InvocationStarted)
    /// Of an instance.
    case invocationHandedOver(InvocationHandedOver)
    /// Of an instance, or of a function if none was ever found for it.
    case invocationFinished(InvocationFinished)
    /// Of an instance.
    case overlapStarted(OverlapStarted)
    /// Of an instance.
    case overlapEnded(OverlapEnded)
    /// Of a function.
    case throttled(Throttled)
    /// Of an instance.
    case instanceStopped(InstanceStopped)
    /// Of a function.
    case limitsChanged(FunctionLimitsChanged)
    /// Of the account.
    case accountLimitsChanged(AccountLimitsChanged)
    /// Of the account.
    case functionsListed(FunctionsListed)
    /// Of an event source.
    case sourceChanged(EventSourceActivity)
  }
}

/// The process of an instance was started.
public struct InstanceStarted: Hashable, Sendable {
  /// When its process was started.
  public var time: Timestamp
  /// Why it was started.
  public var initializationType: InitializationType
  /// The memory limit in bytes.
  public var memoryLimitBytes: Int64

  /// Makes the event of an instance whose process was started at `time`.
  public init(time: Timestamp, initializationType: InitializationType, memoryLimitBytes: Int64) {
    self.time = time
    self.initializationType = initializationType
    self.memoryLimitBytes = memoryLimitBytes
  }
}

/// The user's warm-up hook ended.
public struct WarmedUp: Hashable, Sendable {
  /// When it ended.
  public var time: Timestamp
  /// From the call of the hook until its end.
  public var duration: Nanoseconds
  /// Whether the hook returned without an error. If not, it counts as a failed warm-up; the instance may serve all the
  /// same.
  public var succeeded: Bool

  /// Makes the event of a hook that ended at `time`, and so began `duration` before.
  public init(time: Timestamp, duration: Nanoseconds, succeeded: Bool) {
    self.time = time
    self.duration = duration
    self.succeeded = succeeded
  }
}

/// An initialization ended: the instance asked for its first event, or failed to.
public struct InstanceReady: Hashable, Sendable {
  /// When it ended.
  public var time: Timestamp
  /// Process start until the first request for an event, warm-up included.
  public var duration: Nanoseconds
  /// Why the instance was initialized; the same as in its ``InstanceStarted``.
  public var initializationType: InitializationType
  /// Whether an invocation was bound to the instance already.
  public var phase: InitializationPhase
  /// How it ended. Everything but `success` counts as a failed initialization.
  public var status: InitializationStatus

  /// Makes the event of an initialization that ended at `time`, and so began `duration` before.
  public init(
    time: Timestamp, duration: Nanoseconds, initializationType: InitializationType, phase: InitializationPhase,
    status: InitializationStatus
  ) {
    self.time = time
    self.duration = duration
    self.initializationType = initializationType
    self.phase = phase
    self.status = status
  }
}

/// An invocation was admitted: it holds a slot of concurrency from here until it has finished.
public struct InvocationStarted: Hashable, Sendable {
  /// Which invocation it is.
  public var request: RequestID
  /// When it was admitted. An event whose instance still has to initialize waits from here.
  public var time: Timestamp
  /// What caused it.
  public var trigger: Trigger
  /// Whose slot it holds.
  public var pool: ConcurrencyPool

  /// Makes the event of an invocation that was admitted at `time`.
  public init(request: RequestID, time: Timestamp, trigger: Trigger, pool: ConcurrencyPool) {
    self.request = request
    self.time = time
    self.trigger = trigger
    self.pool = pool
  }
}

/// An invocation that had to wait was handed to an instance. Repeats all of its start, so that it stands alone.
public struct InvocationHandedOver: Hashable, Sendable {
  /// The invocation.
  public var request: RequestID
  /// When the instance had the event, or when the initialization inside of the invocation began.
  public var time: Timestamp
  /// When it was admitted.
  public var start: Timestamp
  /// What brought its event.
  public var trigger: Trigger
  /// The part of the concurrency that its slot is of.
  public var pool: ConcurrencyPool

  /// Makes the event of an invocation that was admitted at `start` and handed over at `time`.
  public init(
    request: RequestID, time: Timestamp, start: Timestamp, trigger: Trigger, pool: ConcurrencyPool
  ) {
    self.request = request
    self.time = time
    self.start = start
    self.trigger = trigger
    self.pool = pool
  }

  /// Its start, as it was told before or would have been.
  public var started: InvocationStarted {
    InvocationStarted(request: request, time: start, trigger: trigger, pool: pool)
  }
}

/// An invocation ended. Repeats all of its start, so that it stands alone.
public struct InvocationFinished: Hashable, Sendable {
  /// Which invocation it is: the same as in its ``InvocationStarted``, if there was one.
  public var request: RequestID
  /// When it was admitted. Decides the window of its counts and of its duration.
  public var start: Timestamp
  /// From admission until the event was handed to an instance; zero for a warm invocation.
  public var wait: Nanoseconds
  /// From the hand-over until the answer, the timeout or the end of the process.
  public var duration: Nanoseconds
  /// What caused it.
  public var trigger: Trigger
  /// Whose slot it held.
  public var pool: ConcurrencyPool
  /// Whether it had to wait for an on-demand initialization.
  public var isColdStart: Bool
  /// Whether it ran on demand because the provisioned pool was full.
  public var isSpillover: Bool
  /// How it ended.
  public var outcome: Outcome
  /// Whose deadline it was. Only with the outcome `timeout`.
  public var timeoutSource: TimeoutSource?
  /// The HTTP status that the caller saw; 0 where there is none.
  public var responseStatus: UInt16
  /// Billed time: initialization and duration, rounded up to a millisecond (AWS since 2025-08-01).
  public var billed: Nanoseconds
  /// The most memory that the instance has used so far, in bytes; 0 where it is not known.
  public var memoryUsedBytes: Int64
  /// The size of the answer's body in bytes; 0 where it is not known.
  public var responseBytes: Int64

  /// Makes the event of an invocation that ended at `start` + `wait` + `duration`.
  ///
  /// Give `timeoutSource` with the outcome `timeout` and with no other. What has a default is what a source may not
  /// know.
  public init(
    request: RequestID, start: Timestamp, wait: Nanoseconds = .zero, duration: Nanoseconds, trigger: Trigger,
    pool: ConcurrencyPool, isColdStart: Bool = false, isSpillover: Bool = false, outcome: Outcome,
    timeoutSource: TimeoutSource? = nil, responseStatus: UInt16 = 0, billed: Nanoseconds = .zero,
    memoryUsedBytes: Int64 = 0, responseBytes: Int64 = 0
  ) {
    self.request = request
    self.start = start
    self.wait = wait
    self.duration = duration
    self.trigger = trigger
    self.pool = pool
    self.isColdStart = isColdStart
    self.isSpillover = isSpillover
    self.outcome = outcome
    self.timeoutSource = timeoutSource
    self.responseStatus = responseStatus
    self.billed = billed
    self.memoryUsedBytes = memoryUsedBytes
    self.responseBytes = responseBytes
  }

  /// When the invocation gave its slot back. Never before ``start``.
  @inlinable public var end: Timestamp {
    let end = start + Nanoseconds(max(0, wait.count)) + Nanoseconds(max(0, duration.count))
    return max(start, end)
  }
}

/// An instance took its next event while a handler of it whose caller had its 504 already still ran.
public struct OverlapStarted: Hashable, Sendable {
  /// The invocation that timed out.
  public var request: RequestID
  /// When the instance took its next event.
  public var time: Timestamp

  /// Makes the event of the invocation `request`, which had timed out and still ran at `time`.
  public init(request: RequestID, time: Timestamp) {
    self.request = request
    self.time = time
  }
}

/// A handler whose caller had its 504 already stopped at last.
///
/// Also reported where no overlap had started, because the instance took no event meanwhile; then it says nothing.
public struct OverlapEnded: Hashable, Sendable {
  /// The invocation that had timed out.
  public var request: RequestID
  /// When its handler stopped.
  public var time: Timestamp

  /// Makes the event of the invocation `request`, whose handler stopped at `time`.
  public init(request: RequestID, time: Timestamp) {
    self.request = request
    self.time = time
  }
}

/// An invocation was refused for lack of concurrency.
public struct Throttled: Hashable, Sendable {
  /// When it was refused.
  public var time: Timestamp
  /// Which limit refused it.
  public var reason: ThrottleReason
  /// What would have caused it.
  public var trigger: Trigger

  /// Makes the event of an invocation that was refused at `time`.
  public init(time: Timestamp, reason: ThrottleReason, trigger: Trigger) {
    self.time = time
    self.reason = reason
    self.trigger = trigger
  }
}

/// The process of an instance is gone.
public struct InstanceStopped: Hashable, Sendable {
  /// When it was killed, or when its last process was gone if it ended by itself.
  public var time: Timestamp
  /// Why it ended.
  public var reason: StopReason
  /// From the start of its process.
  public var lifetime: Nanoseconds
  /// The invocations that it served and that have ended, however they did.
  public var invocationsServed: Int64

  /// Makes the event of an instance that stopped at `time`, and so was started `lifetime` before.
  public init(time: Timestamp, reason: StopReason, lifetime: Nanoseconds, invocationsServed: Int64) {
    self.time = time
    self.reason = reason
    self.lifetime = lifetime
    self.invocationsServed = invocationsServed
  }
}

/// Provisioned concurrency of a function, in instances.
public struct ProvisionedConcurrency: Hashable, Sendable {
  /// As many as the configuration asks for, be they allocated or not.
  public var requested: Int64
  /// Started.
  public var allocated: Int64
  /// Ready for an invocation.
  public var available: Int64

  /// Makes counts in instances. Usually `available` ≤ `allocated` ≤ `requested`, though nobody checks it.
  public init(requested: Int64, allocated: Int64, available: Int64) {
    self.requested = requested
    self.allocated = allocated
    self.available = available
  }
}

/// The limits of a function as they are from `time` on; all of them, not only what changed.
public struct FunctionLimitsChanged: Hashable, Sendable {
  /// From when on they hold.
  public var time: Timestamp
  /// `nil`: no reserved concurrency. 0: paused.
  public var reserved: Int64?
  /// `nil`: none configured.
  public var provisioned: ProvisionedConcurrency?
  /// The memory of each instance, in bytes.
  public var memoryLimitBytes: Int64
  /// How long an invocation may run.
  public var timeout: Nanoseconds
  /// The size of each instance's `/tmp`, in bytes.
  public var temporaryStorageLimitBytes: Int64
  /// Whether the function was taken out: from `time` on it has no limits, and none of the others here counts.
  public var isGone = false

  /// A function is taken out.
  public static func gone(at time: Timestamp) -> FunctionLimitsChanged {
    var limits = FunctionLimitsChanged(
      time: time, reserved: nil, memoryLimitBytes: 0, timeout: .zero, temporaryStorageLimitBytes: 0)
    limits.isGone = true
    return limits
  }

  /// Makes all limits of a function that is there; ``gone(at:)`` makes those of one that was taken out.
  public init(
    time: Timestamp, reserved: Int64?, provisioned: ProvisionedConcurrency? = nil, memoryLimitBytes: Int64,
    timeout: Nanoseconds, temporaryStorageLimitBytes: Int64
  ) {
    self.time = time
    self.reserved = reserved
    self.provisioned = provisioned
    self.memoryLimitBytes = memoryLimitBytes
    self.timeout = timeout
    self.temporaryStorageLimitBytes = temporaryStorageLimitBytes
  }
}

/// A source says which functions it has: every other one that is known is gone, until its limits are reported again.
public struct FunctionsListed: Hashable, Sendable {
  /// When the list was true.
  public var time: Timestamp
  /// Their names, in any order.
  public var names: [String]

  /// Makes a list of all functions that the source has at `time`.
  public init(time: Timestamp, names: [String]) {
    self.time = time
    self.names = names
  }
}

/// The limits of the account as they are from `time` on.
public struct AccountLimitsChanged: Hashable, Sendable {
  /// From when on they hold.
  public var time: Timestamp
  /// The most executions at once, over all functions.
  public var concurrency: Int64

  /// Makes the limits of an account.
  public init(time: Timestamp, concurrency: Int64) {
    self.time = time
    self.concurrency = concurrency
  }
}
