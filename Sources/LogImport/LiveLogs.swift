import LambdaRecords
package import Lifecycle
import LogContainers
package import Windows

/// Makes events of log lines and telemetry as they are pushed, piece by piece, by any number of senders.
///
/// An invocation is an event as soon as its report was read, and one that runs as soon as its start was. Lines that come again are
/// known by their requests and times, those of at least the last ``finishedLimit`` invocations, also of a process before (see `know`).
package struct LiveLogs {
  /// What a push brought.
  package struct Reading {
    /// In the order in which they are known.
    package var events: [LifecycleEvent] = []
    /// Lines and records of the platform that say something new.
    package var understood = 0
    /// Those that had been read before.
    package var repeated = 0
    /// Those that contradict others, and lives that belong nowhere.
    package var rejected: [RejectedEvent] = []

    /// Nothing was read.
    package init() {}
  }

  /// How many invocations are known at least after they ended.
  package static let finishedLimit = ToldLife.limit
  /// How many lines one generation takes before the next begins, so that what is remembered of streams has a bound.
  private static let generationLines = 1_000_000
  /// What a push may stand for, in bytes, whatever it is packed in.
  private static let inflatedMax = 64 << 20
  /// How long a request may wait for its report: the longest invocation, and what a delivery may be late.
  private static let patience = Nanoseconds.seconds(3_600)
  /// How far ahead the clock of a sender may be. What whoever counts does not take is refused there.
  private static let lead = Nanoseconds.seconds(86_400)

  private var lives = LifeReconstruction(finishedLimit: LiveLogs.finishedLimit)
  private var lines = 0
  /// Of the requests that run: which were told.
  private var told: Set<RequestID> = []

  /// Nothing was pushed yet.
  package init() {}

  /// Notes what a process before told.
  package mutating func know(_ told: [ToldLife]) {
    for life in told {
      switch life.kind {
      case .invocation: lives.know(RequestID(life.identity), from: life.start, to: life.end)
      case .initialization:
        lives.know(initializationOf: InstanceID(life.identity), life.end - life.start, at: life.end)
      }
    }
  }

  /// Takes a push: any of the containers that files have, gzip included.
  ///
  /// - Parameters:
  ///   - function: Whose the lines are that name nobody.
  ///   - stream: Of which log stream, or instance, the lines are that name none.
  ///   - now: The clock.
  /// - Complexity: O(bytes + requests in progress).
  package mutating func take(
    _ bytes: Span<UInt8>, function: String?, stream: String?, now: Timestamp
  ) -> Reading {
    if lines >= LiveLogs.generationLines {
      // What waits is told again by its report, which stands alone.
      lives.beginAnew()
      (lines, told) = (0, [])
    }
    let collector = Collector()
    let intake = LogIntake(pendingMax: LiveLogs.generationLines, latest: now + LiveLogs.lead) {
      collector.lives.append($0)
    }
    swap(&intake.lives, &lives)
    // An instance's id stands for the stream that has it in its name.
    let stream = stream.map { name in
      Identifier128(text: name).map {
        LogStreamName(of: InstanceID($0), version: FunctionID.latest, at: Timestamp(nanoseconds: 0)).text
      } ?? name
    }
    intake.begin(stream ?? function ?? "", function: function, stream: stream)
    let content = FileContent(intake, budget: InflationBudget(bytes: LiveLogs.inflatedMax))
    content.append(bytes)
    content.finish()
    intake.lives.drainComplete(before: now - LiveLogs.patience) { collector.lives.append($0) }
    swap(&intake.lives, &lives)
    lines += Int(intake.understood.count)
    var reading = Reading()
    reading.repeated = Int(intake.repeated)
    reading.understood = Int(intake.understood.count) - reading.repeated
    for example in intake.contradictory.examples {
      reject(&reading, .malformed, "\(example.text): \(example.reason ?? "it contradicts another line")")
    }
    for example in intake.passedOver.examples {
      if let reason = example.reason { reject(&reading, .malformed, "\(example.text): \(reason)") }
    }
    if let problem = content.problem { reject(&reading, .malformed, problem) }
    for life in collector.lives { add(life, to: &reading) }
    tellRunning(&reading)
    return reading
  }

  private final class Collector {
    var lives: [Life] = []
  }

  private func reject(_ reading: inout Reading, _ reason: Rejection, _ sentence: String) {
    reading.rejected.append(RejectedEvent(index: reading.rejected.count, reason: reason, sentence: sentence))
  }

  private func subject(
    _ function: String?, _ stream: Int, _ reading: inout Reading
  ) -> LifecycleEvent.Subject? {
    guard let function else {
      reject(&reading, .functionName, "no line says whose it is: name the function in the address, ?function=NAME")
      return nil
    }
    let id = FunctionID(function)
    return lives.instance(of: stream).map { .instance($0, of: id) } ?? .function(id)
  }

  private mutating func add(_ life: Life, to reading: inout Reading) {
    switch life {
    case .invocation(let invocation):
      told.remove(invocation.finished.request)
      guard invocation.isTimed else {
        lives.forget(invocation.finished.request)
        return reject(&reading, .malformed, "the lines of request \(invocation.finished.request) carry no time")
      }
      guard let subject = subject(invocation.function, invocation.stream, &reading) else {
        return lives.forget(invocation.finished.request)
      }
      reading.events.append(LifecycleEvent(subject, .invocationFinished(invocation.finished)))
    case .initialization(let initialization):
      guard initialization.isTimed,
        let subject = subject(initialization.function, initialization.stream, &reading)
      else { return }
      reading.events.append(LifecycleEvent(LiveLogs.ofInstance(subject), .instanceReady(initialization.ready)))
    case .unended(let unended):
      // Its report may come after all, and stands alone.
      told.remove(unended.request)
      lives.forget(unended.request)
    }
  }

  /// The same for what only an instance can do: one that nothing names gets an id of its own, lest two functions share one.
  private static func ofInstance(_ subject: LifecycleEvent.Subject) -> LifecycleEvent.Subject {
    guard case .function(let function) = subject else { return subject }
    var random = SystemRandomNumberGenerator()
    return .instance(InstanceID(.random(using: &random)), of: function)
  }

  private mutating func tellRunning(_ reading: inout Reading) {
    for running in lives.running where !told.contains(running.request) {
      // Its function may be named later.
      guard let function = running.function else { continue }
      told.insert(running.request)
      let id = FunctionID(function)
      let subject: LifecycleEvent.Subject =
        lives.instance(of: running.stream).map { .instance($0, of: id) } ?? .function(id)
      let started = InvocationStarted(
        request: running.request, time: running.start, trigger: .direct, pool: .unreserved)
      reading.events.append(LifecycleEvent(subject, .invocationStarted(started)))
    }
  }
}
