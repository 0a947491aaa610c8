public import Lifecycle
public import Windows

/// The answer of `GET /api/v1/status`: how the agent and its host are set, and what they are doing now.
public struct StatusDocument: Sendable, Equatable {
  public var version: String
  public var started: Timestamp
  /// The instant that all of it is of.
  public var time: Timestamp
  public var agent: AgentDocument
  /// `nil` where nothing is kept.
  public var store: StoreDocument?
  /// `nil` where no host runs in the agent's process.
  public var host: HostDocument?
  public var account: AccountDocument
  public var functions: [FunctionDocument]

  public init(
    version: String, started: Timestamp, time: Timestamp, agent: AgentDocument, store: StoreDocument?,
    host: HostDocument?, account: AccountDocument, functions: [FunctionDocument]
  ) {
    self.version = version
    self.started = started
    self.time = time
    self.agent = agent
    self.store = store
    self.host = host
    self.account = account
    self.functions = functions
  }

  /// How long the agent has run.
  public var uptime: Nanoseconds { Nanoseconds(max(0, (time - started).count)) }

  public struct AgentDocument: Sendable, Equatable {
    /// Address and port, such as `127.0.0.1:27315`.
    public var listen: String
    public var window: Nanoseconds
    public var functionsLimit: Int64

    public init(listen: String, window: Nanoseconds, functionsLimit: Int64) {
      self.listen = listen
      self.window = window
      self.functionsLimit = functionsLimit
    }
  }

  public struct StoreDocument: Sendable, Equatable {
    public var path: String
    /// `ok`; `failing` while it cannot be written; `restored` if it was taken away and written again; `incomplete` if it
    /// lacked something when it was opened.
    public var state: String
    /// A sentence about what failed, or what happened.
    public var problem: String?
    /// `nil` before the first.
    public var lastCheckpoint: Timestamp?
    public var sizeBytes: Int64?

    public init(
      path: String, state: String, problem: String? = nil, lastCheckpoint: Timestamp? = nil, sizeBytes: Int64? = nil
    ) {
      self.path = path
      self.state = state
      self.problem = problem
      self.lastCheckpoint = lastCheckpoint
      self.sizeBytes = sizeBytes
    }
  }

  public struct HostDocument: Sendable, Equatable {
    /// Address and port, such as `127.0.0.1:27316`.
    public var listen: String
    public var functions: Int64
    /// What instances are surrounded with; `nil` if the host did not say.
    public var isolation: IsolationDocument?

    public init(listen: String, functions: Int64, isolation: IsolationDocument? = nil) {
      self.listen = listen
      self.functions = functions
      self.isolation = isolation
    }
  }

  /// Which limits of instances are enforced, and how.
  public struct IsolationDocument: Sendable, Equatable {
    /// All of it in one line, for people.
    public var summary: String
    /// `control-group-v1`, `control-group-v2` or `sampling`.
    public var memory: String
    /// `file-system` or `folder`.
    public var temporaryStorage: String
    /// `namespace` or `groups`.
    public var processes: String
    /// A sentence for each limit that is kept in a weaker way, and why.
    public var shortcomings: [String]

    public init(
      summary: String, memory: String, temporaryStorage: String, processes: String, shortcomings: [String]
    ) {
      self.summary = summary
      self.memory = memory
      self.temporaryStorage = temporaryStorage
      self.processes = processes
      self.shortcomings = shortcomings
    }
  }

  public struct AccountDocument: Sendable, Equatable {
    public var concurrentExecutions: Int64
    /// `nil` until a source reported it.
    public var concurrencyLimit: Int64?

    public init(concurrentExecutions: Int64, concurrencyLimit: Int64?) {
      self.concurrentExecutions = concurrentExecutions
      self.concurrencyLimit = concurrencyLimit
    }

    public init(_ snapshot: AccountSnapshot) {
      self.init(concurrentExecutions: snapshot.concurrentExecutions, concurrencyLimit: snapshot.concurrencyLimit)
    }
  }
}
