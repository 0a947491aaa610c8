package import Lifecycle

/// Makes lives out of what a log says: invocations with start, end and outcome, and initializations.
///
/// Takes lines of any number of log streams in any order, and each as often as it comes. A line may lack its time; what no line says
/// is not known, and left out. Lives are handed on by ``drain(keeping:_:)`` once they are complete, so that a log of any length needs
/// no more memory than its requests in progress, its streams and the identities of its requests.
package struct LifeReconstruction: Sendable {
  /// What became of a line.
  package enum Verdict: Equatable, Sendable {
    /// It says something new.
    case understood
    /// It had been said before.
    case repeated
    /// It says something else than another line: a part of a sentence that says what. The other line counts.
    case contradictory(String)
  }

  /// The most streams that are told apart; lines of further ones count as those of a stream without a name.
  package static let streamsMax = 1_000_000
  /// How far apart two lines of one request are that cannot be of one attempt: AWS repeats asynchronous invocations under the same
  /// request id, after a minute at the least.
  static let attemptGap = Nanoseconds.seconds(30)
  /// The most attempts of one request that are told apart: AWS makes three.
  static let attemptsMax = 8
  /// The most requests in progress that are remembered of a stream, for lines that do not name their request.
  static let openMax = 64
  /// The most signs of errors, and of repeated initializations, of a stream that wait for their invocations.
  static let signsMax = 10_000
  /// The most requests without an end that wait while others are handed on.
  static let keptMax = 1 << 17
  /// The longest that an invocation may take.
  package static let invocationMax = Nanoseconds.seconds(900)

  var streams: [StreamRecord] = []
  private var streamIndexes: [String: Int] = [:]
  var requests: RequestLives
  var initializations: [InitializationKey: InitializationCounts] = [:]
  var initializationsTold = ToldInitializations()
  /// Those that a process before handed on, until their streams come.
  var knownInitializations: [InstanceID: [(duration: Nanoseconds, time: Timestamp)]] = [:]
  var readyLives: [Life] = []
  /// The time of the last line that has one.
  var lastTime: Timestamp?
  /// What contradicts only once all of a stream's lives are known.
  package internal(set) var overlaps: UInt64 = 0

  /// Nothing was said yet.
  ///
  /// - Parameter finishedLimit: How many of the requests whose lives were handed on are known at least, so that what is said of them again
  ///   does not count.
  package init(finishedLimit: Int = .max) { requests = RequestLives(finishedLimit: finishedLimit) }

  /// How many requests wait for more to be said of them.
  package var pendingCount: Int { requests.pending.count }

  /// The number of a stream.
  ///
  /// - Parameters:
  ///   - name: As ``LogStreamName`` or any other; `nil` for lines of which no stream is known. All with one name are one stream.
  ///   - file: Tells lines without a stream apart: those of one file are of one function, unless they say otherwise.
  ///   - function: The function that its lines are of, where the name does not say it.
  package mutating func stream(_ name: String?, of file: String, function: String? = nil) -> Int {
    let key = name ?? "\u{0}\(file)"
    if let known = streamIndexes[key] {
      if let function, streams[known].function == nil { streams[known].function = function }
      return known
    }
    if streams.count >= LifeReconstruction.streamsMax, name != nil || !file.isEmpty { return stream(nil, of: "") }
    var record = StreamRecord()
    record.name = name
    if let parsed = name.flatMap({ LogStreamName($0) }) {
      record.instance = parsed.instance
      record.function = parsed.function ?? function
    } else {
      record.function = function
    }
    streams.append(record)
    streamIndexes[key] = streams.count - 1
    if let instance = record.instance, !knownInitializations.isEmpty { recall(instance, in: streams.count - 1) }
    return streams.count - 1
  }

  private mutating func recall(_ instance: InstanceID, in stream: Int) {
    for known in knownInitializations.removeValue(forKey: instance) ?? [] {
      for isRestore in [false, true] {
        let key = InitializationKey(stream, isRestore: isRestore, known.duration)
        initializations[key, default: InitializationCounts()].told.append(known.time)
      }
    }
  }

  /// The function that the lines of a stream are of, as far as is known.
  package func function(of stream: Int) -> String? { streams[stream].function }

  /// How many streams there are; they are numbered from 0.
  package var streamCount: Int { streams.count }

  /// The name of a stream; `nil` for lines of which no stream is known.
  package func name(of stream: Int) -> String? { streams[stream].name }

  /// The time of the last line of a stream; `nil` if none has a time.
  package func lastSeen(of stream: Int) -> Timestamp? { streams[stream].lastSeen }

  /// Notes whose the lines of a stream are.
  package mutating func learn(function: String, of stream: Int) { streams[stream].function = function }

  /// Notes that a line of any kind of a stream has this time.
  package mutating func seen(_ stream: Int, at time: Timestamp) {
    lastTime = time
    if streams[stream].lastSeen.map({ $0 < time }) ?? true { streams[stream].lastSeen = time }
  }
}

/// What is known of a log stream.
struct StreamRecord: Sendable {
  var instance: InstanceID?
  var name: String?
  /// Only a stream with a name is that of one instance.
  var isNamed: Bool { name != nil }
  var function: String?
  /// The requests that have begun and not ended, as far as was read.
  var open: [RequestID] = []
  /// When functions reported errors in invocations that were not known yet.
  var errorTimes: [Timestamp] = []
  /// When initializations ended that failed, or were inside of an invocation.
  var repeatTimes: [Timestamp] = []
  /// The time of the last of its lines.
  var lastSeen: Timestamp?
  /// When the instance served, as far as invocations were handed on.
  var served = ServedTimes()
  var initializationType: InitializationType?
  /// How the runtime's part of the last initialization went; reports of the first schema do not say it.
  var initializationStatus: PlatformEvent.Status?
  /// An initialization without a time failed, or was inside of an invocation that has not begun yet, as far as was read.
  var repeatsInitialization = false
  /// Whether the instance serves several invocations at once.
  var isManaged: Bool { initializationType == .managedInstances }
}

/// What was said of a request so far.
struct PendingLife: Sendable {
  var stream: Int
  var function: String?
  var startTime: Timestamp?
  /// Of the line REPORT.
  var reportTime: Timestamp?
  /// Of END, of the end of the runtime's work, or of the line that says how it ended.
  var endTime: Timestamp?
  var hasStart = false
  var hasEnd = false
  var hasRuntimeDone = false
  var report: PlatformEvent.Report?
  var runtimeDuration: Nanoseconds?
  var responseBytes: Int64?
  /// What was said beside the report.
  var failure: Failure?
  /// The function's timeout, where only that is known of the duration.
  var limit: Nanoseconds?
  var waitedForInitialization = false
  /// It was passed over once when lives were handed on, as its end was missing.
  var wasKept = false
  /// Its line was that of another attempt.
  var isDropped = false

  /// How it failed, as far as a line says it.
  enum Failure: Int, Comparable, Sendable {
    case error, crash, killed, outOfMemory, timeout
    static func < (left: Failure, right: Failure) -> Bool { left.rawValue < right.rawValue }
  }

  init(stream: Int) { self.stream = stream }

  /// Whether lines that say how it ended may be among those that come next.
  ///
  /// - Parameter lastTime: Of the last line that has one.
  func mayEndSoon(after lastTime: Timestamp?) -> Bool {
    guard wasKept else { return true }
    guard let startTime, let lastTime else { return false }
    let longest = LifeReconstruction.invocationMax + LifeReconstruction.attemptGap
    return (lastTime - startTime).count.magnitude <= longest.count.magnitude
  }

  /// Whether all that is known is when it ended.
  var isEndAlone: Bool { hasEnd && !hasStart && !hasRuntimeDone && report == nil && failure == nil }

  /// Whether something says that it has ended.
  var isEnded: Bool { hasEnd || hasRuntimeDone || report != nil || failure.map { $0 != .error } ?? false }

  /// How long it took, as far as a line says it.
  var duration: Nanoseconds? { report?.duration ?? runtimeDuration ?? limit }

  mutating func fail(_ other: Failure) { failure = max(failure ?? other, other) }
}
