/// A closed set of words that a reader meets in labels, JSON and logs.
///
/// Raw values are dense from 0, so that counters by word are arrays; they are never renumbered, because stores keep them.
public protocol Word: CaseIterable, RawRepresentable, Hashable, Sendable where RawValue == UInt8 {
  /// The word as it is written in labels, JSON and logs.
  var name: String { get }
}

extension Word {
  /// The word whose name is exactly `name`.
  public init?(name: some StringProtocol) {
    guard let match = Self.allCases.first(where: { $0.name == name }) else { return nil }
    self = match
  }
}

/// Why an instance was initialized (AWS: `AWS_LAMBDA_INITIALIZATION_TYPE`).
public enum InitializationType: UInt8, Word {
  /// An invocation needed an instance and none was free.
  case onDemand
  /// The pool of provisioned concurrency was to be filled, ahead of any invocation.
  case provisionedConcurrency
  /// A snapshot was restored (AWS only).
  case snapStart
  /// An instance of Lambda Managed Instances, which may serve several invocations at once (AWS only).
  case managedInstances

  /// The words of AWS's `AWS_LAMBDA_INITIALIZATION_TYPE`.
  public var name: String {
    switch self {
    case .onDemand: "on-demand"
    case .provisionedConcurrency: "provisioned-concurrency"
    case .snapStart: "snap-start"
    case .managedInstances: "lambda-managed-instances"
    }
  }
}

/// When an initialization ran: before any invocation, or repeated inside one (AWS: suppressed init).
public enum InitializationPhase: UInt8, Word {
  /// Before any invocation was bound to the instance.
  case initialization
  /// Inside an invocation that waits for it.
  case invocation

  /// The words of the `phase` in AWS's telemetry: `init` or `invoke`.
  public var name: String {
    switch self {
    case .initialization: "init"
    case .invocation: "invoke"
    }
  }
}

/// How an initialization ended.
public enum InitializationStatus: UInt8, Word {
  /// The instance asked for its first event.
  case success
  /// The process ended, or reported an error, before it asked for an event.
  case error
  /// The time for it ran out.
  case timeout

  /// The words of the `status` in AWS's telemetry.
  public var name: String {
    switch self {
    case .success: "success"
    case .error: "error"
    case .timeout: "timeout"
    }
  }
}

/// The trigger of an invocation: what caused it.
public enum Trigger: UInt8, Word {
  /// A request to a function URL.
  case http
  /// A message of a WebSocket connection.
  case websocket
  /// A batch of messages of a queue.
  case queue
  /// A time of a schedule came.
  case schedule
  /// A call of AWS's Invoke API, whether its caller waits for the answer or not.
  case direct

  /// Kelvin's own word, the same as the case.
  public var name: String {
    switch self {
    case .http: "http"
    case .websocket: "websocket"
    case .queue: "queue"
    case .schedule: "schedule"
    case .direct: "direct"
    }
  }
}

/// How an invocation ended. Everything but `success` is an error in the sense of CloudWatch.
public enum Outcome: UInt8, Word {
  /// The function answered.
  case success
  /// The function reported an error.
  case error
  /// A deadline passed; ``TimeoutSource`` says whose.
  case timeout
  /// The process ended.
  case crash
  /// The process was ended because it broke its memory limit.
  case outOfMemory

  /// Kelvin's own word; of two words with a hyphen: `out-of-memory`.
  public var name: String {
    switch self {
    case .success: "success"
    case .error: "error"
    case .timeout: "timeout"
    case .crash: "crash"
    case .outOfMemory: "out-of-memory"
    }
  }
}

/// Whose deadline made the caller see a 504.
public enum TimeoutSource: UInt8, Word {
  /// The initialization that the invocation waited for ran over.
  case initialization
  /// The runtime gave up at the handler's own deadline.
  case handler
  /// The host ended the instance at the function's timeout.
  case platform
  /// A front end stopped waiting.
  case gateway

  /// Kelvin's own word; `init` for an initialization.
  public var name: String {
    switch self {
    case .initialization: "init"
    case .handler: "handler"
    case .platform: "platform"
    case .gateway: "gateway"
    }
  }
}

/// Why an invocation was refused (the `Reason` of AWS's `TooManyRequestsException`).
public enum ThrottleReason: UInt8, Word {
  /// The account's concurrency, or what reserves leave of it, is used up.
  case concurrentInvocationLimit
  /// The function's reserved concurrency is used up.
  case reservedFunctionConcurrentInvocationLimit
  /// More requests a second than the slots of the account, or of provisioned concurrency, allow.
  case functionInvocationRateLimit
  /// More requests a second than the slots of the function's reserve allow.
  case reservedFunctionInvocationRateLimit
  /// The caller sends too much. A host of Kelvin's answers with it when its queue of asynchronous events is full.
  case callerRateLimit
  /// Too many snapshots are made at once (AWS only).
  case concurrentSnapshotCreateLimit

  /// The `Reason` of AWS's answer, letter for letter; all end in `Exceeded`.
  public var name: String {
    switch self {
    case .concurrentInvocationLimit: "ConcurrentInvocationLimitExceeded"
    case .reservedFunctionConcurrentInvocationLimit: "ReservedFunctionConcurrentInvocationLimitExceeded"
    case .functionInvocationRateLimit: "FunctionInvocationRateLimitExceeded"
    case .reservedFunctionInvocationRateLimit: "ReservedFunctionInvocationRateLimitExceeded"
    case .callerRateLimit: "CallerRateLimitExceeded"
    case .concurrentSnapshotCreateLimit: "ConcurrentSnapshotCreateLimitExceeded"
    }
  }
}

/// Why an instance stopped.
public enum StopReason: UInt8, Word {
  /// It had been idle for longer than the host keeps idle instances.
  case idle
  /// An invocation ran into its timeout, and the host ended the instance with it.
  case timeout
  /// Its process or one of its extensions ended or failed, or its initialization did.
  case failure
  /// Limits, code or configuration changed, so that it is not wanted any more.
  case scaleIn
  /// The host stops.
  case shutdown

  /// Kelvin's own word; of two words with a hyphen: `scale-in`.
  public var name: String {
    switch self {
    case .idle: "idle"
    case .timeout: "timeout"
    case .failure: "failure"
    case .scaleIn: "scale-in"
    case .shutdown: "shutdown"
    }
  }
}

/// The pool of concurrency that an invocation took its slot from.
public enum ConcurrencyPool: UInt8, Word {
  /// The provisioned concurrency of a version or alias.
  case provisioned
  /// The function's own reserve.
  case reserved
  /// What the reserves and the provisioned concurrency of all functions leave of the account's.
  case unreserved

  /// Kelvin's own word, the same as the case.
  public var name: String {
    switch self {
    case .provisioned: "provisioned"
    case .reserved: "reserved"
    case .unreserved: "unreserved"
    }
  }
}

/// What an instance is doing now.
public enum InstanceState: UInt8, Word {
  /// Its process was started and has not asked for its first event yet.
  case initializing
  /// It waits for an event.
  case idle
  /// It has at least one execution in progress, be it one that waits for the initialization.
  case busy

  /// Kelvin's own word, the same as the case.
  public var name: String {
    switch self {
    case .initializing: "initializing"
    case .idle: "idle"
    case .busy: "busy"
    }
  }
}
