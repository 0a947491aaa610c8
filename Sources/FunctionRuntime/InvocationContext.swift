/// Facts about the invocation that a handler serves.
public struct InvocationContext: Sendable {
  /// AWS's request id: a UUID.
  public let requestID: String
  /// When the handler is aborted: its own timeout, or a little before the host's, whichever comes first.
  public let deadline: ContinuousClock.Instant?
  /// The ARN that was called, with its qualifier; empty if the host gave none.
  public let invokedFunctionARN: String
  /// As in `Root=1-…;Parent=…;Sampled=0`, if the host gave one.
  public let traceID: String?
  /// The environment of this instance: its function, its memory limit and the like.
  public let environment: FunctionEnvironment
  let abortion: Moment
  let upload: ResponseUpload

  /// How long until ``deadline``, never negative; nil without one.
  public var remainingTime: Duration? {
    deadline.map { max(.zero, ContinuousClock.now.duration(to: $0)) }
  }

  /// Whether the handler was aborted: its caller has an answer, and nobody waits for the result.
  ///
  /// The task that runs the handler is cancelled at the same moment; this also tells code outside that task.
  public var isCancelled: Bool { abortion.hasHappened }
}

/// The host's description of an instance when it starts.
public struct FunctionEnvironment: Sendable, Equatable {
  /// Empty if the host gave none.
  public var functionName: String
  /// `$LATEST` if the host gave none.
  public var functionVersion: String
  /// The limit in megabytes, if the host gave one.
  public var memoryLimitMegabytes: Int?
  /// `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`.
  public var initializationType: String

  /// Reads the variables that AWS Lambda sets.
  init(_ variable: (String) -> String?) {
    functionName = variable("AWS_LAMBDA_FUNCTION_NAME") ?? ""
    functionVersion = variable("AWS_LAMBDA_FUNCTION_VERSION") ?? "$LATEST"
    memoryLimitMegabytes = variable("AWS_LAMBDA_FUNCTION_MEMORY_SIZE").flatMap { Int($0) }
    initializationType = variable("AWS_LAMBDA_INITIALIZATION_TYPE") ?? "on-demand"
  }
}
