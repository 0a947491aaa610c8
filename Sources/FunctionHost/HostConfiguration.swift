public import Lifecycle

/// What a function host is told when it starts: where it listens, its limits, and its functions.
public struct HostConfiguration: Hashable, Sendable {
  /// The port of a host unless configured.
  public static let defaultPort = 27316

  /// The address to listen on.
  public var address: String
  /// The port to listen on; 0 takes a free one.
  public var port: Int
  /// The most executions at once, over all functions.
  public var accountConcurrency: Int
  /// What of the account's concurrency must stay for functions without a reserved one.
  public var unreservedMinimum: Int
  /// Whether requests are limited to 10 a second for each slot of concurrency, as AWS does.
  public var limitsRequestRate: Bool
  /// The most instances that one function starts on demand within 10 s, if there is such a limit; 1000 on AWS.
  public var scaleOutRate: Int?
  /// The functions; their names differ.
  public var functions: [FunctionConfiguration]
  /// How asynchronous invocations are kept and repeated.
  public var asynchronous: AsynchronousPolicy
  /// How long a graceful stop waits for invocations in progress.
  public var stopLimit: Nanoseconds
  /// Whether instances are isolated as far as the machine allows.
  public var isolation: Isolation.Mode
  /// The environment that `PATH`, `HOME` and the like of instances are taken from: the host's own.
  public var baseEnvironment: [String: String]
  /// Where the logs of functions are written, one file each; absolute. `nil`: nowhere.
  public var logDirectory: String?
  /// Names and addresses beside those of loopback by which callers may ask for the host, without a port.
  public var allowedHosts: [String] = []
  /// The region and account that the host claims to be.
  public var identity = HostIdentity()

  public init(
    address: String = "127.0.0.1", port: Int = HostConfiguration.defaultPort, accountConcurrency: Int = 1000,
    unreservedMinimum: Int = 100, limitsRequestRate: Bool = false, scaleOutRate: Int? = nil,
    functions: [FunctionConfiguration], asynchronous: AsynchronousPolicy = .init(),
    stopLimit: Nanoseconds = .seconds(10), isolation: Isolation.Mode = .auto, baseEnvironment: [String: String] = [:],
    logDirectory: String? = nil
  ) {
    self.address = address
    self.port = port
    self.accountConcurrency = accountConcurrency
    self.unreservedMinimum = unreservedMinimum
    self.limitsRequestRate = limitsRequestRate
    self.scaleOutRate = scaleOutRate
    self.functions = functions
    self.asynchronous = asynchronous
    self.stopLimit = stopLimit
    self.isolation = isolation
    self.baseEnvironment = baseEnvironment
    self.logDirectory = logDirectory
  }
}

/// What is configured for one function. What is `nil` may be configured by the function's code, else has a default.
public struct FunctionConfiguration: Hashable, Sendable {
  /// What the host does with an instance whose handler ran over the function's timeout.
  public enum TimeoutAction: Hashable, Sendable {
    /// Ends it, as AWS does.
    case restart
    /// Answers the caller, and lets the instance take the next request while the old handler still runs.
    case `continue`
  }

  /// The memory of a function that configures none: 128 MiB.
  public static let defaultMemoryBytes: Int64 = 128 << 20
  /// The temporary storage of a function that configures none: 512 MiB.
  public static let defaultTemporaryStorageBytes: Int64 = 512 << 20
  /// How long an HTTP request may take in a function that configures no timeout.
  public static let defaultHTTPTimeout = Nanoseconds.seconds(10)
  /// How long everything else may take there: nobody sits and waits for it.
  public static let defaultTimeout = Nanoseconds.seconds(300)
  static func defaultTimeout(for trigger: Trigger) -> Nanoseconds {
    trigger == .http ? defaultHTTPTimeout : defaultTimeout
  }
  /// The longest timeout that is taken.
  public static let timeoutMax = Nanoseconds.seconds(900)
  /// The largest memory that is taken: 10 GiB.
  public static let memoryBytesMax: Int64 = 10 << 30

  /// The name, 1 to 140 bytes of letters, digits, `-` and `_`.
  public var name: String
  /// The program and its arguments; at least the program. A program without a slash is looked up in `PATH`.
  public var command: [String]
  /// The working directory, absolute; also `LAMBDA_TASK_ROOT`.
  public var directory: String
  /// Variables of the function; none of the names that AWS reserves but `_HANDLER` and credentials.
  public var environment: [String: String]
  public var memoryBytes: Int64?
  public var temporaryStorageBytes: Int64?
  public var timeout: Nanoseconds?
  /// Reserved concurrency. `nil`: none. 0: paused.
  public var reserved: Int?
  /// Provisioned concurrency of the alias `current`. `nil` and 0: none. At most ``reserved`` if there is one.
  public var provisioned: Int?
  public var onTimeout: TimeoutAction
  /// What the function's program is sent when a handler has run over the timeout. `nil`: nothing.
  public var abortSignal: AbortSignal?
  /// How long an instance may take from there until it asks for the next event (``TimeoutAction/continue``) or ends by
  /// itself (``TimeoutAction/restart`` with an ``abortSignal``); then it is ended. `nil`: as long as the timeout, at least
  /// 2 s, or 2 s.
  public var abortLimit: Nanoseconds?
  /// How long an instance may be idle before it is ended.
  public var idleLimit: Nanoseconds
  /// How long an initialization may take before it is ended and repeated inside the invocation.
  public var initializationLimit: Nanoseconds
  /// How long the initialization of a provisioned instance may take, if the function's timeout is not longer.
  public var provisionedInitializationLimit: Nanoseconds
  /// The directory of external extensions, absolute: every executable file directly in it is one. `nil`: none.
  public var extensions: String?
  /// The directories of its layers, absolute: what they hold is seen at `/opt`, where a later one covers an earlier one. At most 5.
  public var layers: [String] = []
  /// Whether the processes of an instance stand still between invocations.
  public var freezes = false
  /// Which pages of other origins may call its function URL. `nil`: none.
  public var cors: FunctionURLCORS?
  /// The form of its log, and of the lines that are told to extensions.
  public var logFormat = LogFormat.text

  public init(
    name: String, command: [String], directory: String, environment: [String: String] = [:], memoryBytes: Int64? = nil,
    temporaryStorageBytes: Int64? = nil, timeout: Nanoseconds? = nil, reserved: Int? = nil,
    provisioned: Int? = nil, onTimeout: TimeoutAction = .restart, abortSignal: AbortSignal? = nil,
    abortLimit: Nanoseconds? = nil, idleLimit: Nanoseconds = .seconds(600),
    initializationLimit: Nanoseconds = .seconds(10), provisionedInitializationLimit: Nanoseconds = .seconds(130),
    extensions: String? = nil
  ) {
    self.name = name
    self.command = command
    self.directory = directory
    self.environment = environment
    self.memoryBytes = memoryBytes
    self.temporaryStorageBytes = temporaryStorageBytes
    self.timeout = timeout
    self.reserved = reserved
    self.provisioned = provisioned
    self.onTimeout = onTimeout
    self.abortSignal = abortSignal
    self.abortLimit = abortLimit
    self.idleLimit = idleLimit
    self.initializationLimit = initializationLimit
    self.provisionedInitializationLimit = provisionedInitializationLimit
    self.extensions = extensions
  }
}

extension FunctionConfiguration {
  /// What AWS would say against the variables, if anything. `_HANDLER` and credentials are taken here: nothing else could
  /// set them.
  var environmentProblem: String? {
    let reserved = environment.keys.filter {
      $0 != "_HANDLER" && EnvironmentVariables.reservedNames.contains($0)
        && !EnvironmentVariables.credentialNames.contains($0)
    }
    guard reserved.isEmpty else { return EnvironmentVariables.reservedSentence(reserved) }
    let bytes = EnvironmentVariables.measuredBytes(of: environment)
    return bytes <= EnvironmentVariables.bytesMax
      ? nil : EnvironmentVariables.failure + "exceeded the 4KB limit: they are \(bytes) bytes as JSON"
  }
}

/// How asynchronous invocations are kept and repeated (AWS's numbers unless configured).
public struct AsynchronousPolicy: Hashable, Sendable {
  /// The waits before an event is given again to a function that failed on it; as many as there are repetitions.
  public var errorDelays: [Nanoseconds]
  /// The first wait after a throttle; doubles up to ``throttleDelayMax``.
  public var throttleDelayMin: Nanoseconds
  public var throttleDelayMax: Nanoseconds
  /// The age at which an event is dropped instead of being given again.
  public var ageMax: Nanoseconds
  /// The most events kept at once.
  public var countLimit: Int
  /// The most bytes of payload kept at once.
  public var bytesLimit: Int

  public init(
    errorDelays: [Nanoseconds] = [.seconds(60), .seconds(120)], throttleDelayMin: Nanoseconds = .seconds(1),
    throttleDelayMax: Nanoseconds = .seconds(300), ageMax: Nanoseconds = .seconds(6 * 3600), countLimit: Int = 10_000,
    bytesLimit: Int = 64 << 20
  ) {
    self.errorDelays = errorDelays
    self.throttleDelayMin = throttleDelayMin
    self.throttleDelayMax = throttleDelayMax
    self.ageMax = ageMax
    self.countLimit = countLimit
    self.bytesLimit = bytesLimit
  }
}

/// Why a host cannot start.
public struct HostError: Error, Sendable, CustomStringConvertible {
  /// What to branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind { case configuration, address, launcher }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The configuration contradicts itself or a limit.
    public static let configuration = Code(.configuration)
    /// The address or port cannot be listened on.
    public static let address = Code(.address)
    /// The program that starts instances cannot be found or run.
    public static let launcher = Code(.launcher)
  }

  public var code: Code
  /// A sentence for people that says what to do.
  public var message: String
  public var cause: (any Error)?
  public var description: String { cause.map { "\(message) (\($0))" } ?? message }

  public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}
