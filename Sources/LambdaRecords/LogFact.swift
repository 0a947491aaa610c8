package import Lifecycle

/// What one line of a log says that matters to lives, as imports keep it.
///
/// Facts say no more than ``LifeReconstruction`` asks for, so that lines of different containers that say the same are equal facts.
package struct LogFact: Equatable, Sendable {
  /// What a line says. In the order in which lines of one instant follow each other.
  package enum Kind: Equatable, Sendable {
    /// An event of the platform.
    case event(PlatformEvent.Kind)
    /// The platform ended an invocation that took too long.
    case timedOut(RequestID, limit: Nanoseconds)
    /// The function's process ended in an invocation.
    case exited(RequestID, isKilled: Bool)
    /// The function reported an error: in this invocation, or in the one that was in progress in the stream.
    case functionError(RequestID?)
  }

  /// When it was.
  package var time: Timestamp
  /// What happened.
  package var kind: Kind

  /// Makes a fact of its parts.
  package init(time: Timestamp, kind: Kind) {
    self.time = time
    self.kind = kind
  }

  /// The longest duration in a fact.
  private static let durationMax = Nanoseconds.seconds(86_400)
  /// The largest number of anything else in a fact.
  private static let numberMax: Int64 = 1 << 50

  /// What an event of the platform says of lives.
  ///
  /// - Returns: `nil` if that is nothing, or cannot be: a negative number, or a duration of more than a day.
  package init?(_ kind: PlatformEvent.Kind, at time: Timestamp) {
    var durations: [Nanoseconds?] = []
    var numbers: [Int64?] = []
    switch kind {
    case .initStart, .initRuntimeDone, .restoreStart, .start, .end: break
    case .runtimeDone(let done): (durations, numbers) = ([done.duration], [done.producedBytes])
    case .report(let report):
      durations = [report.duration, report.initializationDuration, report.restoreDuration]
      numbers = [report.billedMilliseconds, report.memorySizeMegabytes, report.memoryUsedMegabytes]
    case .initReport(let end) where end.duration != nil: durations = [end.duration]
    case .restoreReport(let end) where end.duration != nil: durations = [end.duration]
    case .fault(let sentence):
      guard let line = (try? LogLine.read(sentence)) ?? nil, line.isEnding else { return nil }
      self.init(line, at: time)
      return
    case .initReport, .restoreReport, .restoreRuntimeDone, .extensionState, .subscription, .logsDropped: return nil
    }
    guard durations.allSatisfy({ $0.map(LogFact.isPossible) ?? true }),
      numbers.allSatisfy({ $0.map { $0 >= 0 && $0 <= LogFact.numberMax } ?? true })
    else { return nil }
    self.init(time: time, kind: .event(kind))
  }

  /// Whether something can have taken so long.
  static func isPossible(_ duration: Nanoseconds) -> Bool { duration >= .zero && duration <= durationMax }

  /// What a line of a log in the text format says of lives.
  ///
  /// - Parameter time: That of the event; one inside of the line comes before it.
  /// - Returns: `nil` if the line says nothing of lives, or no time is known.
  package init?(_ line: LogLine, at time: Timestamp?) {
    guard let time = line.ownTime ?? time else { return nil }
    switch line {
    case .event(let kind): self.init(kind, at: time)
    case .timedOut(let timeout):
      guard LogFact.isPossible(timeout.limit) else { return nil }
      self.init(time: time, kind: .timedOut(timeout.request, limit: timeout.limit))
    case .exited(let exit): self.init(time: time, kind: .exited(exit.request, isKilled: exit.isKilled))
    case .segment, .program, .lost: return nil
    }
  }

  /// Whether it is about the instance, and so bears on what comes later in its stream.
  package var isOfInstance: Bool {
    switch kind {
    case .event(.initStart), .event(.initRuntimeDone), .event(.initReport), .event(.restoreStart),
      .event(.restoreReport):
      true
    case .event, .timedOut, .exited, .functionError: false
    }
  }
}

extension LogFact {
  /// Tells a reconstruction what it says of a stream.
  package func tell(_ lives: inout LifeReconstruction, of stream: Int) {
    switch kind {
    case .event(let event): _ = lives.take(event, in: stream, at: time)
    case .timedOut(let request, let limit):
      let timeout = LogLine.TaskTimeout(time: time, request: request, limit: limit)
      _ = lives.take(.timedOut(timeout), in: stream, at: time)
    case .exited(let request, let isKilled):
      let exit = LogLine.RuntimeExit(request: request, sentence: isKilled ? "signal: killed" : "")
      _ = lives.take(.exited(exit), in: stream, at: time)
    case .functionError(let request): lives.takeError(of: request, in: stream, at: time)
    }
  }
}
