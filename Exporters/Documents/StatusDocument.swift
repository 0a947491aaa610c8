public import Lifecycle
public import Windows

/// The answer of `GET /api/v1/status`: settings of agent and host, and what they are doing now.
public struct StatusDocument: Sendable, Equatable {
  /// The version of Kelvin that answers.
  public var version: String
  /// When the agent was started.
  public var started: Timestamp
  /// The instant that all of it is of.
  public var time: Timestamp
  /// How the agent is set.
  public var agent: AgentDocument
  /// `nil` where nothing is kept.
  public var store: StoreDocument?
  /// `nil` where no host runs in the agent's process.
  public var host: HostDocument?
  /// The sources of events in other processes that were heard since the agent started, the last one first.
  public var sources: [SourceDocument] = []
  /// Queues, schedules and other event sources that are there, in ascending order.
  public var eventSources: [EventSourceDocument] = []
  /// All functions together.
  public var account: AccountDocument
  /// The functions whose sources have them; those that are gone are left out. In ascending order of name and version.
  public var functions: [FunctionDocument]

  /// Makes a status of what was so at `time`.
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

  /// How the agent is set.
  public struct AgentDocument: Sendable, Equatable {
    /// Address and port, such as `127.0.0.1:27315`.
    public var listen: String
    /// The length of the windows that events are counted in.
    public var window: Nanoseconds
    /// How many functions get counts of their own; what comes after that is counted together.
    public var functionsLimit: Int64

    /// Makes the settings of an agent.
    public init(listen: String, window: Nanoseconds, functionsLimit: Int64) {
      self.listen = listen
      self.window = window
      self.functionsLimit = functionsLimit
    }
  }

  /// What keeps the agent's windows and totals, and how it does.
  public struct StoreDocument: Sendable, Equatable {
    /// The data directory, as it was configured.
    public var path: String
    /// `ok`; `failing` while it cannot be written; `restored` if it was removed and written again; `incomplete` if it
    /// lacked something when it was opened.
    public var state: String
    /// A sentence about what failed, or what happened.
    public var problem: String?
    /// `nil` before the first.
    public var lastCheckpoint: Timestamp?
    /// The size of the database and its log on disk; `nil` while it is not known.
    public var sizeBytes: Int64?
    /// What of the journal no checkpoint contains, in bytes on the disk; `nil` without one.
    public var journalBytes: Int64?

    /// Makes the state of a store. `problem` goes with every state but `ok`.
    public init(
      path: String, state: String, problem: String? = nil, lastCheckpoint: Timestamp? = nil, sizeBytes: Int64? = nil,
      journalBytes: Int64? = nil
    ) {
      self.journalBytes = journalBytes
      self.path = path
      self.state = state
      self.problem = problem
      self.lastCheckpoint = lastCheckpoint
      self.sizeBytes = sizeBytes
    }
  }

  /// The function host that runs in the agent's process.
  public struct HostDocument: Sendable, Equatable {
    /// Address and port, such as `127.0.0.1:27316`.
    public var listen: String
    /// How many functions it has.
    public var functions: Int64
    /// How instances are isolated; `nil` if the host did not say.
    public var isolation: IsolationDocument?

    /// Makes what a host says of itself.
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

    /// Makes the report of a host on its isolation.
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

  /// All functions together.
  public struct AccountDocument: Sendable, Equatable {
    /// Executions in progress now, over all functions.
    public var concurrentExecutions: Int64
    /// `nil` until a source reported it.
    public var concurrencyLimit: Int64?

    /// Makes what is so at one instant.
    public init(concurrentExecutions: Int64, concurrencyLimit: Int64?) {
      self.concurrentExecutions = concurrentExecutions
      self.concurrencyLimit = concurrencyLimit
    }

    /// Converts what the aggregator knows.
    public init(_ snapshot: AccountSnapshot) {
      self.init(concurrentExecutions: snapshot.concurrentExecutions, concurrencyLimit: snapshot.concurrencyLimit)
    }
  }
}
