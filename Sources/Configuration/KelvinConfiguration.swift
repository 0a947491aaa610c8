package import AlertRules
package import Lifecycle

/// The settings in a `kelvin.yaml`, with Kelvin's defaults for those that it does not set.
package struct KelvinConfiguration: Hashable, Sendable {
  /// The section `agent`.
  package var agent = AgentSettings()
  /// The section `host`.
  package var host = HostSettings()
  /// The section `alerts`.
  package var alerts = AlertThresholds()
  /// In the order of the file; names are unique. At most ``functionsLimit``.
  package var functions: [FunctionSettings] = []

  /// The section `websockets`, in the order of the file; names are unique.
  package var webSockets: [WebSocketSettings] = []
  /// The section `schedules`, in the order of the file; names are unique. At most ``schedulesLimit``.
  package var schedules: [ScheduleSettings] = []

  /// The most schedules that a file may have.
  package static let schedulesLimit = 10_000
  /// In the order of the file; names are unique. At most ``queuesLimit``.
  package var queues: [QueueConfiguration] = []

  /// The most queues that a file may have.
  package static let queuesLimit = 1_000
  /// The most functions that a file may have.
  package static let functionsLimit = 10_000

  /// The settings of an empty file: no functions, and defaults for the rest.
  package init() {}
}

/// The section `agent`.
package struct AgentSettings: Hashable, Sendable {
  /// Where the agent listens.
  package var listen = ListenAddress(host: "127.0.0.1", port: 27315)
  /// A socket in the file system where the agent answers, too; absolute as ``dataDirectory``. `nil`: none.
  package var socket: String?
  /// Absolute, if it was read from a file whose folder is.
  package var dataDirectory = ".kelvin"
  /// A file of tokens that requests need; absolute like ``dataDirectory``. `nil`: no token is known.
  package var tokenFile: String?
  /// A file with certificates and users, in the form of Prometheus' `web.config.file`. `nil`: neither TLS nor users.
  package var webConfigFile: String?
  /// How many requests of one sender are taken in a second, from 1 to 1,000,000.
  package var requestsPerSecond: Int64 = 1_000
  /// The length of a window, a whole number of seconds from 1 s to 1 h that divides an hour.
  package var window = Nanoseconds.seconds(60)

  /// The defaults.
  package init() {}
}

/// The section `host`.
package struct HostSettings: Hashable, Sendable {
  /// Where the host listens.
  package var listen = ListenAddress(host: "127.0.0.1", port: 27316)
  /// The most executions at once, over all functions; at least 1.
  package var accountConcurrency: Int64 = 1000
  /// What reserved and provisioned concurrency must leave of ``accountConcurrency``; at least 0.
  package var unreservedMinimum: Int64 = 100
  /// Whether requests are limited to 10 a second for each slot of concurrency.
  package var requestRateLimit = false
  /// The most instances that one function starts on demand within 10 s, at least 1; `nil`: any number.
  package var scaleOutRate: Int64?
  /// Whether instances are isolated.
  package var isolation = IsolationMode.auto
  /// Names and addresses beside those of loopback by which agent and host may be asked, without a port.
  package var allowedHosts: [String] = []
  /// The region and account that the host claims to be.
  package var identity = HostIdentity()

  /// The defaults.
  package init() {}
}

/// Whether instances are kept apart from each other and from the machine.
package enum IsolationMode: String, CaseIterable, Hashable, Sendable {
  /// As far as the machine allows.
  case auto
  /// By nothing that needs rights: for debugging.
  case none
}

/// What happens to an instance whose handler exceeded the function's timeout.
package enum TimeoutPolicy: String, CaseIterable, Hashable, Sendable {
  /// The instance is ended, as AWS does.
  case restart
  /// The instance is told to abort and may take the next request meanwhile.
  case `continue`
}

/// The signals that can tell a program to abort; raw values are their names.
package enum AbortSignalName: String, CaseIterable, Hashable, Sendable {
  case hangup = "SIGHUP"
  case interrupt = "SIGINT"
  case quit = "SIGQUIT"
  case user1 = "SIGUSR1"
  case user2 = "SIGUSR2"
  case alarm = "SIGALRM"
  case terminate = "SIGTERM"
}

/// The form of a function's log.
package enum LogFormatSetting: String, CaseIterable, Hashable, Sendable {
  /// Lines of text.
  case text
  /// One object a line.
  case json
}

/// One entry of `functions`. What the file does not say is `nil`: a function may say it in its own code, and the host has
/// defaults after that.
package struct FunctionSettings: Hashable, Sendable {
  /// 1 to 140 letters, digits, `-` and `_`; unique in a file.
  package var name: String
  /// The program and its arguments; empty with a ``runtime`` alone. No shell reads it.
  package var command: [String]
  /// The runtime of Kelvin's that runs it, in place of a command. `nil`: none.
  package var runtime: RuntimeSettings?
  /// The working directory of its instances, absolute if it was read from a file whose folder is.
  package var directory: String
  /// The variables of its own that its instances get. Names and size are as `EnvironmentVariables` says.
  package var environment: [String: String]
  /// 128 MB to 10,240 MB, in bytes.
  package var memoryBytes: Int64?
  /// 16 MB to 10,240 MB, in bytes.
  package var temporaryStorageBytes: Int64?
  /// 100 ms to 900 s.
  package var timeout: Nanoseconds?
  /// `nil`: ``TimeoutPolicy/restart``.
  package var timeoutPolicy: TimeoutPolicy?
  /// The signal that the host sends to its program when a handler has exceeded the timeout. `nil`: none.
  package var abortSignal: AbortSignalName?
  /// 100 ms to 900 s: from the abort until the instance is ended in any case.
  package var abortLimit: Nanoseconds?
  /// `nil`: none. 0 pauses the function.
  package var reserved: Int64?
  /// `nil`: none. At most ``reserved`` if there is one.
  package var provisioned: Int64?
  /// Database connections that one instance opens, for the rules of alerts.
  package var databaseConnections: Int64?
  /// The folder of its external extensions, absolute if it was read from a file whose folder is. `nil`: none.
  package var extensions: String?
  /// The folders of its layers, absolute as ``extensions`` is: what they hold is seen at `/opt`, where a later one covers an earlier one.
  package var layers: [String] = []
  /// `nil`: text.
  package var logFormat: LogFormatSetting?
  /// How callers of its function URL are answered. `nil`: ``ResponseModeSetting/buffered``.
  package var responseMode: ResponseModeSetting?
  /// Whether the host stops the processes of an instance between invocations.
  package var freezes = false
  /// Which pages of other origins may call its function URL. `nil`: none.
  package var cors: CORSSettings?
  /// The line of the file where the function's name stands; 0 if it is from elsewhere.
  package var line: Int

  /// Makes an entry of which nothing is said but what is given, and that stands in no file.
  package init(name: String, command: [String], directory: String = ".", environment: [String: String] = [:]) {
    self.name = name
    self.command = command
    self.directory = directory
    self.environment = environment
    self.line = 0
  }
}

/// A function that is a module for one of Kelvin's own runtimes.
package struct RuntimeSettings: Hashable, Sendable {
  /// The language of a module.
  package enum Language: String, CaseIterable, Sendable {
    /// JavaScript in Node.
    case node
    /// Python.
    case python

    /// The program that runs it unless another is named.
    package var interpreter: String { self == .node ? "node" : "python3" }

    var sampleHandler: String { self == .node ? "index.handler" : "app.handler" }
  }

  /// The runtime's language.
  package var language: Language
  /// The module and the name in it, such as `index.handler`; at most 128 bytes.
  package var handler: String
  /// A program, which begins at the function's directory if it is a path, or is looked up in `PATH`.
  package var interpreter: String
}

/// How callers of a function URL are answered.
package enum ResponseModeSetting: String, CaseIterable, Sendable {
  /// As the answer comes, if the function sends it piece by piece.
  case stream
  /// When the answer is whole.
  case buffered

  /// AWS's word for it.
  package var invokeMode: String {
    switch self {
    case .stream: "RESPONSE_STREAM"
    case .buffered: "BUFFERED"
    }
  }
}

/// The section `cors` of a function: which web pages of other origins may call its function URL, in AWS's words.
package struct CORSSettings: Hashable, Sendable {
  /// Origins such as `http://localhost:5173`; `*` stands for all.
  package var allowOrigins: [String] = []
  /// GET, PUT, HEAD, POST, PATCH, DELETE; `*` stands for all.
  package var allowMethods: [String] = []
  /// Names of header fields; `*` stands for all.
  package var allowHeaders: [String] = []
  /// Names of header fields that a page may read in the answer; `*` stands for all.
  package var exposeHeaders: [String] = []
  /// Whether a browser may send cookies and the like.
  package var allowCredentials = false
  /// 0 to 86,400 s.
  package var maxAge: Int64 = 0

  /// No page of another origin may call.
  package init() {}
}
