import LambdaRecords
import Lifecycle
import LifecycleWire
import Text

// Kelvin's own events as lines of JSON (docs/formats/events.md), as what the platform says of the same.
extension LogIntake {
  /// Takes an object that is an event of ours, or the line in front of a batch that says who sent it.
  ///
  /// - Returns: Whether it is; not if a program may have written it.
  func lifecycle(_ members: JSONMembers, _ value: Span<UInt8>) -> Bool {
    let isKnown = recognised.contains { $0.container == .lifecycle }
    guard members[.event] != nil else {
      guard members[.source] != nil, members[.sequence] != nil, members.count == 2 else { return false }
      recognise(.lifecycle)
      return true
    }
    guard let batch = try? EventLines.read(value, defaults: EventLines.Defaults(function: functionOfEvents)) else {
      return false
    }
    if let event = batch.events.first {
      recognise(.lifecycle)
      take(event, value)
      return true
    }
    guard isKnown, let rejected = batch.rejected.first else { return false }
    own(value, at: Place(stream: unnamed, time: nil), reason: rejected.sentence)
    return true
  }

  private func take(_ event: LifecycleEvent, _ value: Span<UInt8>) {
    let stream: Int
    switch event.subject {
    case .account, .source: return leftOut(value)
    case .function(let function):
      stream = lives.stream(nil, of: "\(file)\u{0}\(function.name)", function: function.name)
    case .instance(let instance, let function):
      let name = LogStreamName(of: instance, version: function.version, at: Timestamp(nanoseconds: 0))
      stream = lives.stream(name.text, of: file, function: function.name)
    }
    let place = Place(stream: stream, time: nil)
    func say(_ kind: PlatformEvent.Kind, _ time: Timestamp) {
      platform(PlatformEvent(time: time, kind: kind), value, at: place)
    }
    switch event.kind {
    case .instanceStarted(let started):
      say(.initStart(PlatformEvent.EnvironmentStart(initializationType: started.initializationType)), started.time)
    case .instanceReady(let ready):
      say(
        .initReport(
          PlatformEvent.InitializationEnd(
            initializationType: ready.initializationType, phase: ready.phase,
            status: PlatformEvent.Status(ready.status), duration: ready.duration)), ready.time)
    case .invocationStarted(let started): say(.start(PlatformEvent.Start(request: started.request)), started.time)
    case .invocationHandedOver(let handed): say(.start(PlatformEvent.Start(request: handed.request)), handed.start)
    case .invocationFinished(let finished):
      let report = PlatformEvent.Kind.report(PlatformEvent.Report(finished))
      if isPossible(report), isPossible(finished.end) { begin(finished, stream) }
      say(report, finished.end)
    default: leftOut(value)
    }
  }

  /// The start that an end repeats; the line counts as one.
  private func begin(_ finished: InvocationFinished, _ stream: Int) {
    guard isPossible(finished.start) else { return }
    let start = PlatformEvent.Kind.start(PlatformEvent.Start(request: finished.request))
    if let takeFact, let fact = LogFact(start, at: finished.start) { takeFact(fact, stream) }
    _ = lives.take(start, in: stream, at: finished.start)
  }

  /// What no log of the platform tells: throttles, limits, warm-ups, overlaps, ends of instances.
  private func leftOut(_ value: Span<UInt8>) {
    own(
      value, at: Place(stream: unnamed, time: nil),
      reason: "an import does not take this kind of event; POST /v1/events does")
  }
}

extension PlatformEvent.Status {
  fileprivate init(_ status: InitializationStatus) {
    switch status {
    case .success: self = .success
    case .timeout: self = .timeout
    case .error: self = .error
    }
  }
}

extension PlatformEvent.Report {
  fileprivate init(_ finished: InvocationFinished) {
    let (status, error): (PlatformEvent.Status, String?) =
      switch finished.outcome {
      case .success: (.success, nil)
      case .timeout: (.timeout, nil)
      case .outOfMemory: (.error, "Runtime.OutOfMemory")
      case .crash: (.error, "Runtime.ExitError")
      case .error: (.error, nil)
      }
    // The same event always says the same: how long the initialization took, another event may say.
    self.init(
      request: finished.request, status: status, errorType: error, duration: finished.duration,
      billedMilliseconds: finished.billed.count / 1_000_000,
      memoryUsedMegabytes: finished.memoryUsedBytes > 0 ? (finished.memoryUsedBytes + (1 << 20) - 1) >> 20 : nil,
      initializationDuration: finished.isColdStart ? .zero : nil)
  }
}
