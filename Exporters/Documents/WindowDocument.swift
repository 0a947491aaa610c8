public import Lifecycle
public import Windows

/// One window of one function, of an event source, or of the account, as readers of the API see it.
public struct WindowDocument: Sendable, Equatable {
  /// `nil` for the account, all functions together; then there is no such member.
  public var function: String?
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  /// The window's start, which is part of it.
  public var start: Timestamp
  /// Not part of the window.
  public var end: Timestamp
  /// Whether the clock has passed ``end`` by a second. A closed window still takes what comes late.
  public var closed: Bool
  /// Whether all that is known comes from logs, which say nothing of ``unknownToLogs``: these are null or blank then.
  package var isFromLogs = false
  /// Of an event source, its numbers; all others are empty then, and there are no such members.
  package var eventSource: EventSourceWindowDocument?
  /// The most executions at one instant of the window.
  public var concurrencyMax: Int64 = 0
  /// The most instances alive at one instant of the window.
  public var instancesMax: Int64 = 0
  /// The most executions at one instant that held provisioned concurrency. Always 0 for the account.
  public var provisionedConcurrencyMax: Int64 = 0
  /// From 0 to 1.
  public var provisionedUtilizationMax: Double = 0
  /// Only of the account.
  public var unreservedConcurrencyMax: Int64?
  /// Only of the account.
  public var claimedConcurrencyMax: Int64?
  /// The integral of concurrency over the window, in nanoseconds. Divided by the window's length, it is the mean.
  public var concurrencyNanoseconds: Int128 = 0
  /// The billed time of ``invocations``, in nanoseconds.
  public var overlappingMax: Int64 = 0
  /// How long each of ``invocations`` ran, from its hand-over to an instance.
  /// What was counted, by the position of a number among those of its kind.
  private var counts = TallyMembers.noCounts
  private var times = TallyMembers.noTimes
  private var distributions = TallyMembers.noDistributions

  /// A window in which nothing happened.
  public init(function: String?, version: String? = nil, start: Timestamp, end: Timestamp, closed: Bool) {
    self.function = function
    self.version = version
    self.start = start
    self.end = end
    self.closed = closed
  }

  /// Converts a rollup; words that were not counted are left out of the maps.
  ///
  /// - Parameter window: Of the account, only with the tally that is to be shown.
  public init(_ window: WindowRollup) {
    self.init(function: nil, start: window.start, end: window.end, closed: window.isClosed)
    let peaks = window.rollup.peaks
    switch window.scope {
    case .account:
      unreservedConcurrencyMax = peaks.unreservedConcurrency
      claimedConcurrencyMax = peaks.claimedConcurrency
    case .function(let identity):
      function = identity.name
      version = identity.version == FunctionID.latest ? nil : identity.version
    case .source(let source):
      eventSource = EventSourceWindowDocument(source, window.rollup.eventSource)
      return
    }
    isFromLogs = window.isFromLogs
    take(window.rollup.tally)
    concurrencyMax = peaks.concurrency
    instancesMax = peaks.instances
    provisionedConcurrencyMax = peaks.provisionedConcurrency
    provisionedUtilizationMax = peaks.provisionedUtilization
    overlappingMax = peaks.overlapping
    concurrencyNanoseconds = window.rollup.concurrencyNanoseconds
  }

  private mutating func take(_ tally: Tally) {
    for number in TallyNumber.all {
      switch number.content {
      case .count(let access, _): self[count: number.field] = access.read(tally)
      case .words(let names, let access, _):
        let words = access.read(tally)
        let place = TallyMembers.place(number.field)
        for index in names.indices where words[index] != 0 {
          counts[place].total &+= words[index]
          counts[place].parts.append(NamedCount(names[index], words[index]))
        }
      case .time(let access, _): self[time: number.field] = access.read(tally)
      case .distribution(_, let access, _):
        let distribution = access.read(tally)
        if !distribution.isEmpty { self[distribution: number.field] = DistributionDocument(distribution) }
      }
    }
  }
}

extension WindowDocument {
  /// The members of which logs say nothing, by their names.
  package static let unknownToLogs: Set<String> = [
    "throttles", "throttlesByReason", "warmupFailures", "warmup", "provisionedInvocations", "spillover",
    "instanceStops",
    "instanceStopsByReason", "instanceLifetime", "instancesMax", "provisionedConcurrencyMax",
    "provisionedUtilizationMax",
    "claimedConcurrencyMax", "overlappingMax",
  ]
  /// The same of columns, by the names of their fields.
  package static let columnsUnknownToLogs: Set<String> = [
    "throttles", "instances_max", "provisioned_concurrency_max", "spillover_invocations", "warmups",
  ]
}

/// What was counted in the window, by number.
extension WindowDocument {
  /// A count, or that of all words.
  package subscript(count field: TallyNumber.Field) -> UInt64 {
    get { counts[TallyMembers.place(field)].total }
    set { counts[TallyMembers.place(field)].total = newValue }
  }

  /// The words of a count that were counted at all.
  package subscript(parts field: TallyNumber.Field) -> [NamedCount] {
    get { counts[TallyMembers.place(field)].parts }
    set { counts[TallyMembers.place(field)].parts = newValue }
  }

  /// A time, in nanoseconds.
  package subscript(time field: TallyNumber.Field) -> Int128 {
    get { times[TallyMembers.place(field)] }
    set { times[TallyMembers.place(field)] = newValue }
  }

  /// What is distributed.
  package subscript(distribution field: TallyNumber.Field) -> DistributionDocument {
    get { distributions[TallyMembers.place(field)] }
    set { distributions[TallyMembers.place(field)] = newValue }
  }

  /// Whether anything was counted.
  package var hasCounts: Bool {
    counts.contains { $0.total != 0 } || distributions.contains { $0.count != 0 }
  }

  /// Finished invocations.
  public var invocations: UInt64 { self[count: .invocations] }
  /// Invocations that failed, including timeouts and crashes.
  public var errors: UInt64 { self[count: .errors] }
  /// Refused invocations.
  public var throttles: UInt64 { self[count: .throttles] }
  /// Invocations whose caller got a 504.
  public var timeouts: UInt64 { self[count: .timeouts] }
  /// Invocations that ended because the process of their instance exited.
  public var crashes: UInt64 { self[count: .crashes] }
  /// Invocations that ended because their instance exceeded its memory limit.
  public var outOfMemory: UInt64 { self[count: .outOfMemory] }
  /// Invocations that waited for an on-demand initialization.
  public var coldStarts: UInt64 { self[count: .coldStarts] }
  /// Invocations that ran on demand because the provisioned pool was full.
  public var spillover: UInt64 { self[count: .spilloverInvocations] }
  /// Time from the hand-over of an event to the end of its invocation.
  public var duration: DistributionDocument { self[distribution: .duration] }
  /// Time from the start of an instance until it asked for its first event.
  public var initialization: DistributionDocument { self[distribution: .initialization] }
  /// Time that warm-up hooks took.
  public var warmUp: DistributionDocument { self[distribution: .warmUp] }
  /// The most memory that an instance had used by the end of an invocation.
  public var memoryUsed: DistributionDocument { self[distribution: .memoryUsed] }
}

/// Where the numbers of a tally are in a document: counts, times and distributions apart, each in the order of the table.
private enum TallyMembers {
  struct Count: Equatable {
    var total: UInt64 = 0
    var parts: [NamedCount] = []
  }

  static let noCounts = TallyNumber.all.compactMap { number -> Count? in
    switch number.content {
    case .count, .words: Count()
    case .time, .distribution: nil
    }
  }

  static let noTimes = TallyNumber.all.compactMap { number -> Int128? in
    if case .time = number.content { 0 } else { nil }
  }

  static let noDistributions = TallyNumber.all.compactMap { number -> DistributionDocument? in
    if case .distribution(let measure, _, _) = number.content { DistributionDocument(measure) } else { nil }
  }

  private static let places: [Int] = {
    var places = Array(repeating: 0, count: TallyNumber.all.count)
    var (counts, times, distributions) = (0, 0, 0)
    for number in TallyNumber.all {
      switch number.content {
      case .count, .words:
        places[Int(number.field.rawValue)] = counts
        counts += 1
      case .time:
        places[Int(number.field.rawValue)] = times
        times += 1
      case .distribution:
        places[Int(number.field.rawValue)] = distributions
        distributions += 1
      }
    }
    return places
  }()

  /// The position of a number among those of its kind.
  static func place(_ field: TallyNumber.Field) -> Int { places[Int(field.rawValue)] }
}
