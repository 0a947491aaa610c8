package import HostRules
package import LambdaAPI
package import LambdaRecords
package import Lifecycle
package import Sandboxes

/// The configuration of a function host: where it listens, its limits, and its functions.
package struct HostConfiguration: Hashable, Sendable {
  /// The port of a host unless configured.
  package static let defaultPort = 27316

  /// The address to listen on.
  package var address: String
  /// The port to listen on; 0 takes a free one.
  package var port: Int
  /// The most executions at once, over all functions.
  package var accountConcurrency: Int
  /// How much of the account's concurrency must stay for functions without reserved concurrency.
  package var unreservedMinimum: Int
  /// Whether requests are limited to 10 a second for each slot of concurrency, as AWS does.
  package var limitsRequestRate: Bool
  /// The most instances that one function starts on demand within 10 s, if there is such a limit; 1000 on AWS.
  package var scaleOutRate: Int?
  /// The functions; their names differ.
  package var functions: [FunctionSpecification]
  /// How asynchronous invocations are kept and repeated.
  package var asynchronous: AsynchronousPolicy
  /// How long a graceful stop waits for invocations in progress.
  package var stopLimit: Nanoseconds
  /// Whether instances are isolated as far as the machine allows.
  package var isolation: Isolation.Mode
  /// The environment that `PATH`, `HOME` and the like of instances are taken from: the host's own.
  package var baseEnvironment: [String: String]
  /// Where the logs of functions are written, one file each; absolute. `nil`: nowhere.
  package var logDirectory: String?
  /// Where queues and asynchronous events are kept; absolute. `nil`: in memory.
  package var dataDirectory: String?
  /// The queues; their names differ. Those of an earlier start that are not among them are kept.
  package var queues: [QueueSpecification] = []
  /// Names and addresses beside those of loopback by which callers may ask for the host, without a port.
  package var allowedHosts: [String] = []
  /// The region and account that the host claims to be.
  package var identity = HostIdentity()
  /// The WebSocket APIs; their names differ.
  package var webSockets: [WebSocketSpecification] = []
  /// The schedules; their names differ.
  package var schedules: [ScheduleSpecification] = []
  /// The file that keeps how far schedules have come; absolute. `nil`: nothing is kept over restarts.
  package var scheduleFile: String?

  /// Makes a configuration; nothing is checked before the host is made.
  package init(
    address: String = "127.0.0.1", port: Int = HostConfiguration.defaultPort, accountConcurrency: Int = 1000,
    unreservedMinimum: Int = 100, limitsRequestRate: Bool = false, scaleOutRate: Int? = nil,
    functions: [FunctionSpecification], asynchronous: AsynchronousPolicy = .init(),
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

/// The configuration of one function. A value that is `nil` may come from the function's code, else there is a default.
package struct FunctionSpecification: Hashable, Sendable {
  /// What the host does with an instance whose handler exceeded the function's timeout.
  package enum TimeoutAction: Hashable, Sendable {
    /// Ends it, as AWS does.
    case restart
    /// Answers the caller, and lets the instance take the next request while the old handler still runs.
    case `continue`
  }

  /// How callers of the function's URL are answered, in AWS's words.
  package enum InvokeMode: String, Hashable, Sendable {
    /// When the answer is whole; it has at most 6 MiB.
    case buffered = "BUFFERED"
    /// As the answer comes, if the function sends it piece by piece.
    case responseStream = "RESPONSE_STREAM"
  }

  /// The memory of a function that configures none: 128 MiB.
  package static let defaultMemoryBytes: Int64 = 128 << 20
  /// The temporary storage of a function that configures none: 512 MiB.
  package static let defaultTemporaryStorageBytes: Int64 = 512 << 20
  /// How long an HTTP request or an event of a WebSocket may take in a function that configures no timeout.
  package static let defaultHTTPTimeout = Nanoseconds.seconds(10)
  /// How long everything else may take there: nobody sits and waits for it.
  package static let defaultTimeout = Nanoseconds.seconds(300)
  static func defaultTimeout(for trigger: Trigger) -> Nanoseconds {
    trigger == .http || trigger == .websocket ? defaultHTTPTimeout : defaultTimeout
  }
  /// The longest timeout that is taken.
  package static let timeoutMax = Nanoseconds.seconds(900)
  /// The largest memory that is taken: 10 GiB.
  package static let memoryBytesMax: Int64 = 10 << 30

  /// The name, 1 to 140 bytes of letters, digits, `-` and `_`.
  package var name: String
  /// The program and its arguments; at least the program. A program without a slash is looked up in `PATH`.
  package var command: [String]
  /// The working directory, absolute; also `LAMBDA_TASK_ROOT`.
  package var directory: String
  /// Variables of the function; none of the names that AWS reserves but `_HANDLER` and credentials.
  package var environment: [String: String]
  /// The memory of each instance, in bytes; at most ``memoryBytesMax``.
  package var memoryBytes: Int64?
  /// The size of each instance's `/tmp`, in bytes.
  package var temporaryStorageBytes: Int64?
  /// How long an invocation may run; at most ``timeoutMax``.
  package var timeout: Nanoseconds?
  /// Reserved concurrency. `nil`: none. 0: paused.
  package var reserved: Int?
  /// Provisioned concurrency of the alias `current`. `nil` and 0: none. At most ``reserved`` if there is one.
  package var provisioned: Int?
  /// What happens to an instance whose handler has exceeded the timeout.
  package var onTimeout: TimeoutAction
  /// The signal that the host sends to the function's program when a handler has exceeded the timeout. `nil`: none.
  package var abortSignal: AbortSignal?
  /// How long an instance may take from there until it asks for the next event (``TimeoutAction/continue``) or ends by
  /// itself (``TimeoutAction/restart`` with an ``abortSignal``); then it is ended. `nil`: as long as the timeout, at least
  /// 2 s, or 2 s.
  package var abortLimit: Nanoseconds?
  /// How long an instance may be idle before it is ended.
  package var idleLimit: Nanoseconds
  /// How long an initialization may take before it is ended and repeated inside the invocation.
  package var initializationLimit: Nanoseconds
  /// How long the initialization of a provisioned instance may take, if the function's timeout is not longer.
  package var provisionedInitializationLimit: Nanoseconds
  /// The directory of external extensions, absolute: every executable file directly in it is one. `nil`: none.
  package var extensions: String?
  /// The directories of its layers, absolute: what they hold is seen at `/opt`, where a later one covers an earlier one. At most 5.
  package var layers: [String] = []
  /// Whether the host stops the processes of an instance between invocations.
  package var freezes = false
  /// Which pages of other origins may call its function URL. `nil`: none.
  package var cors: FunctionURLCORS?
  /// Whether an instance is started with the host, so that its code can say its limits before the first request.
  package var startsAhead = false
  /// How callers of its function URL are answered.
  package var invokeMode = InvokeMode.buffered
  /// The form of its log, and of the lines that extensions get.
  package var logFormat = LogFormat.text

  /// Makes a configuration; nothing is checked before the host is made.
  package init(
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

extension FunctionSpecification {
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

/// Why a host cannot start.
package struct HostError: Error, Sendable, CustomStringConvertible {
  /// The kind of error, to branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind { case configuration, address, launcher, store }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The configuration contradicts itself or a limit.
    package static let configuration = Code(.configuration)
    /// The address or port cannot be listened on.
    package static let address = Code(.address)
    /// The program that starts instances cannot be found or run.
    package static let launcher = Code(.launcher)
    /// The store of queues and asynchronous events cannot be opened or read.
    package static let store = Code(.store)
  }

  /// Which kind of problem it is.
  package var code: Code
  /// A sentence for people that says what to do.
  package var message: String
  /// The error of a lower room that led to it; `nil` if the host found the problem itself.
  package var cause: (any Error)?
  /// The sentence, with the cause in brackets.
  package var description: String { cause.map { "\(message) (\($0))" } ?? message }

  /// Makes an error of its parts.
  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }
}
