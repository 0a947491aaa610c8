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
  case onDemand, provisionedConcurrency, snapStart, managedInstances

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
  case initialization, invocation

  public var name: String {
    switch self {
    case .initialization: "init"
    case .invocation: "invoke"
    }
  }
}

/// How an initialization ended.
public enum InitializationStatus: UInt8, Word {
  case success, error, timeout

  public var name: String {
    switch self {
    case .success: "success"
    case .error: "error"
    case .timeout: "timeout"
    }
  }
}

/// What brought an invocation.
public enum Trigger: UInt8, Word {
  case http, websocket, queue, schedule, direct

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
  case concurrentInvocationLimit, reservedFunctionConcurrentInvocationLimit, functionInvocationRateLimit
  case reservedFunctionInvocationRateLimit, callerRateLimit, concurrentSnapshotCreateLimit

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
  case idle, timeout, failure, scaleIn, shutdown

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
  case provisioned, reserved, unreserved

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
  case initializing, idle, busy

  public var name: String {
    switch self {
    case .initializing: "initializing"
    case .idle: "idle"
    case .busy: "busy"
    }
  }
}
