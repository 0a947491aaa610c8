public import AlertRules
public import Lifecycle

/// The settings in a `kelvin.yaml`, with Kelvin's defaults for those that it does not set.
public struct KelvinConfiguration: Hashable, Sendable {
  /// The section `agent`.
  public var agent = AgentSettings()
  /// The section `host`.
  public var host = HostSettings()
  /// The section `alerts`.
  public var alerts = AlertThresholds()
  /// In the order of the file; names are unique. At most ``functionsLimit``.
  public var functions: [FunctionSettings] = []

  /// The most functions that a file may have.
  public static let functionsLimit = 10_000

  /// The settings of an empty file: no functions, and defaults for the rest.
  public init() {}
}

/// The section `agent`.
public struct AgentSettings: Hashable, Sendable {
  /// Where the agent listens.
  public var listen = ListenAddress(host: "127.0.0.1", port: 27315)
  /// Absolute, if it was read from a file whose folder is.
  public var dataDirectory = ".kelvin"
  /// The length of a window, a whole number of seconds from 1 s to 1 h that divides an hour.
  public var window = Nanoseconds.seconds(60)

  /// The defaults.
  public init() {}
}

/// The section `host`.
public struct HostSettings: Hashable, Sendable {
  /// Where the host listens.
  public var listen = ListenAddress(host: "127.0.0.1", port: 27316)
  /// The most executions at once, over all functions; at least 1.
  public var accountConcurrency: Int64 = 1000
  /// What reserved and provisioned concurrency must leave of ``accountConcurrency``; at least 0.
  public var unreservedMinimum: Int64 = 100
  /// Whether requests are limited to 10 a second for each slot of concurrency.
  public var requestRateLimit = false
  /// The most instances that one function starts on demand within 10 s, at least 1; `nil`: any number.
  public var scaleOutRate: Int64?
  /// Whether instances are isolated.
  public var isolation = IsolationMode.auto
  /// Names and addresses beside those of loopback by which agent and host may be asked, without a port.
  public var allowedHosts: [String] = []
  /// The region and account that the host claims to be.
  public var identity = HostIdentity()

  /// The defaults.
  public init() {}
}

/// Whether instances are kept apart from each other and from the machine.
public enum IsolationMode: String, CaseIterable, Hashable, Sendable {
  /// As far as the machine allows.
  case auto
  /// By nothing that needs rights: for debugging.
  case none
}

/// What happens to an instance whose handler exceeded the function's timeout.
public enum TimeoutPolicy: String, CaseIterable, Hashable, Sendable {
  /// The instance is ended, as AWS does.
  case restart
  /// The instance is told to abort and may take the next request meanwhile.
  case `continue`
}

/// The signals that can tell a program to abort; raw values are their names.
public enum AbortSignalName: String, CaseIterable, Hashable, Sendable {
  case hangup = "SIGHUP"
  case interrupt = "SIGINT"
  case quit = "SIGQUIT"
  case user1 = "SIGUSR1"
  case user2 = "SIGUSR2"
  case alarm = "SIGALRM"
  case terminate = "SIGTERM"
}

/// The form of a function's log.
public enum LogFormatSetting: String, CaseIterable, Hashable, Sendable {
  /// Lines of text.
  case text
  /// One object a line.
  case json
}

/// One entry of `functions`. What the file does not say is `nil`: a function may say it in its own code, and the host has
/// defaults after that.
public struct FunctionSettings: Hashable, Sendable {
  /// 1 to 140 letters, digits, `-` and `_`; unique in a file.
  public var name: String
  /// The program and its arguments; never empty. No shell reads it.
  public var command: [String]
  /// The working directory of its instances, absolute if it was read from a file whose folder is.
  public var directory: String
  /// The variables of its own that its instances get. Names and size are as `EnvironmentVariables` says.
  public var environment: [String: String]
  /// 128 MB to 10,240 MB, in bytes.
  public var memoryBytes: Int64?
  /// 16 MB to 10,240 MB, in bytes.
  public var temporaryStorageBytes: Int64?
  /// 100 ms to 900 s.
  public var timeout: Nanoseconds?
  /// `nil`: ``TimeoutPolicy/restart``.
  public var timeoutPolicy: TimeoutPolicy?
  /// The signal that the host sends to its program when a handler has exceeded the timeout. `nil`: none.
  public var abortSignal: AbortSignalName?
  /// 100 ms to 900 s: from the abort until the instance is ended in any case.
  public var abortLimit: Nanoseconds?
  /// `nil`: none. 0 pauses the function.
  public var reserved: Int64?
  /// `nil`: none. At most ``reserved`` if there is one.
  public var provisioned: Int64?
  /// Database connections that one instance opens, for the rules of alerts.
  public var databaseConnections: Int64?
  /// The folder of its external extensions, absolute if it was read from a file whose folder is. `nil`: none.
  public var extensions: String?
  /// The folders of its layers, absolute as ``extensions`` is: what they hold is seen at `/opt`, where a later one covers an earlier one.
  public var layers: [String] = []
  /// `nil`: text.
  public var logFormat: LogFormatSetting?
  /// Whether the host stops the processes of an instance between invocations.
  public var freezes = false
  /// Which pages of other origins may call its function URL. `nil`: none.
  public var cors: CORSSettings?
  /// The line of the file where the function's name stands; 0 if it is from elsewhere.
  public var line: Int

  /// Makes an entry of which nothing is said but what is given, and that stands in no file.
  public init(name: String, command: [String], directory: String = ".", environment: [String: String] = [:]) {
    self.name = name
    self.command = command
    self.directory = directory
    self.environment = environment
    self.line = 0
  }
}

/// The section `cors` of a function: which web pages of other origins may call its function URL, in AWS's words.
public struct CORSSettings: Hashable, Sendable {
  /// Origins such as `http://localhost:5173`; `*` stands for all.
  public var allowOrigins: [String] = []
  /// GET, PUT, HEAD, POST, PATCH, DELETE; `*` stands for all.
  public var allowMethods: [String] = []
  /// Names of header fields; `*` stands for all.
  public var allowHeaders: [String] = []
  /// Names of header fields that a page may read in the answer; `*` stands for all.
  public var exposeHeaders: [String] = []
  /// Whether a browser may send cookies and the like.
  public var allowCredentials = false
  /// 0 to 86,400 s.
  public var maxAge: Int64 = 0

  /// No page of another origin may call.
  public init() {}
}
