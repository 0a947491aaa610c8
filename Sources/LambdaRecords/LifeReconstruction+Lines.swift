package import Lifecycle

extension LifeReconstruction {
  /// Takes a line of a log in the text format.
  ///
  /// - Parameters:
  ///   - stream: As ``stream(_:of:function:)`` numbers it.
  ///   - time: The time of the event, not one inside of the line; `nil` if the container has none.
  package mutating func take(_ line: LogLine, in stream: Int, at time: Timestamp?) -> Verdict {
    switch line {
    case .event(let kind): return take(kind, in: stream, at: time)
    case .timedOut(let timeout):
      return change(timeout.request, in: stream, at: timeout.time ?? time) { life in
        let isNew = life.failure != .timeout
        life.fail(.timeout)
        life.limit = timeout.limit
        if life.endTime == nil { life.endTime = timeout.time ?? time }
        return isNew ? .understood : .repeated
      }
    case .exited(let exit):
      return change(exit.request, in: stream, at: time) { life in
        let failure: PendingLife.Failure = exit.isKilled ? .killed : .crash
        let isNew = life.failure.map { $0 < failure } ?? true
        life.fail(failure)
        if life.endTime == nil { life.endTime = time }
        return isNew ? .understood : .repeated
      }
    case .segment, .program, .lost: return .understood
    }
  }

  /// Takes an event of the platform: a record of telemetry, or a line of a log in either format.
  package mutating func take(_ kind: PlatformEvent.Kind, in stream: Int, at time: Timestamp?) -> Verdict {
    if let time { seen(stream, at: time) }
    switch kind {
    case .initStart(let start), .restoreStart(let start): environmentStarts(start, stream)
    case .initRuntimeDone(let end):
      streams[stream].initializationStatus = end.status
      if let type = end.initializationType { streams[stream].initializationType = type }
    case .initReport(let end): return initializationEnded(end, stream, time)
    case .restoreReport(let end):
      guard let duration = end.duration else { return .understood }
      return initialized(stream, time, isRestore: true, .snapStart, .initialization, end.status, duration)
    case .start(let start): return started(start, stream, time)
    case .runtimeDone(let done): return runtimeDone(done, stream, time)
    case .end(let request):
      close(request, stream, .end, time)
      return change(request, in: stream, at: time, .end) { life in
        if let time, let start = life.startTime, time < start { return .contradictory("it ends before it starts") }
        let isNew = !life.hasEnd
        life.hasEnd = true
        if life.endTime == nil { life.endTime = time }
        return isNew ? .understood : .repeated
      }
    case .report(let report): return reported(report, stream, time)
    case .fault(let sentence):
      // The text of the line that says how the process ended.
      if let line = (try? LogLine.read(sentence)) ?? nil, line.isEnding { return take(line, in: stream, at: time) }
    case .restoreRuntimeDone, .extensionState, .subscription, .logsDropped: break
    }
    return .understood
  }

  /// Takes a sign that the function reported an error, in a line that the runtime wrote.
  ///
  /// - Parameter request: The invocation; `nil` for the only one in progress in the stream. If there seems to be none, as the log is read
  ///   backwards, it is the one that was in progress at `time`, once that is known; if there are several, the sign says nothing.
  package mutating func takeError(of request: RequestID?, in stream: Int, at time: Timestamp?) {
    let open = streams[stream].open
    if request == nil, open.isEmpty, let time, streams[stream].errorTimes.count < LifeReconstruction.signsMax {
      return streams[stream].errorTimes.append(time)
    }
    guard let request = request ?? (open.count == 1 ? open[0] : nil) else { return }
    _ = change(request, in: stream, at: time) { life in
      life.fail(.error)
      return .understood
    }
  }

  // MARK: Environments

  private mutating func environmentStarts(_ start: PlatformEvent.EnvironmentStart, _ stream: Int) {
    if let type = start.initializationType { streams[stream].initializationType = type }
    streams[stream].initializationStatus = nil
    if let name = start.functionName ?? start.functionARN.flatMap(LifeReconstruction.functionName(ofARN:)) {
      streams[stream].function = name
    }
  }

  /// The name in an ARN: `arn:aws:lambda:REGION:ACCOUNT:function:NAME`, perhaps with a qualifier behind it.
  package static func functionName(ofARN arn: String) -> String? {
    let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count >= 7, parts[5] == "function", !parts[6].isEmpty else { return nil }
    return String(parts[6])
  }

  private mutating func initializationEnded(
    _ end: PlatformEvent.InitializationEnd, _ stream: Int, _ time: Timestamp?
  ) -> Verdict {
    guard let duration = end.duration else { return .understood }
    let known = end.initializationType ?? streams[stream].initializationType
    // In the text format a success is told only where no invocation waits for it: a version's snapshot, or provisioned concurrency.
    let isSuccess = end.status == nil || end.status == .success
    let type = known ?? (isSuccess ? end.phase == nil ? .snapStart : .provisionedConcurrency : .onDemand)
    let status = end.status ?? streams[stream].initializationStatus ?? .success
    let verdict = initialized(
      stream, time, isRestore: false, type, end.phase ?? .initialization, status, duration)
    guard verdict == .understood else { return verdict }
    // The first invocation after one that failed repeats it, and waits for that.
    guard end.phase == .invocation || status != .success else { return verdict }
    if let time {
      if streams[stream].repeatTimes.count < LifeReconstruction.signsMax { streams[stream].repeatTimes.append(time) }
    } else if end.phase == .invocation, let open = streams[stream].open.last {
      requests.pending[open]?.waitedForInitialization = true
    } else {
      streams[stream].repeatsInitialization = true
    }
    return verdict
  }

  private mutating func initialized(
    _ stream: Int, _ time: Timestamp?, isRestore: Bool, _ type: InitializationType, _ phase: InitializationPhase,
    _ status: PlatformEvent.Status, _ duration: Nanoseconds
  ) -> Verdict {
    let key = InitializationKey(stream, isRestore: isRestore, duration)
    var counts = initializations[key] ?? InitializationCounts()
    guard !counts.told.contains(time) else { return .repeated }
    counts.told.append(time)
    initializations[key] = counts
    if initializationsTold.isCopy(key, of: streams[stream], at: time) { return .repeated }
    guard counts.told.count > counts.toldByInvocations else { return .understood }
    initialize(stream, at: time, type, phase, status, duration)
    return .understood
  }

  mutating func initialize(
    _ stream: Int, at time: Timestamp?, _ type: InitializationType, _ phase: InitializationPhase,
    _ status: PlatformEvent.Status, _ duration: Nanoseconds
  ) {
    readyLives.append(
      .initialization(
        Life.Initialization(
          function: streams[stream].function, stream: stream, instance: streams[stream].instance,
          ready: InstanceReady(
            time: time ?? Timestamp(nanoseconds: 0), duration: duration, initializationType: type, phase: phase,
            status: status.ofInitialization), isTimed: time != nil)))
  }

  // MARK: Invocations

  private mutating func started(_ start: PlatformEvent.Start, _ stream: Int, _ time: Timestamp?) -> Verdict {
    let verdict = change(start.request, in: stream, at: time, .start) { life in
      if let arn = start.functionARN { life.function = LifeReconstruction.functionName(ofARN: arn) }
      if life.hasStart {
        guard let time, let before = life.startTime else {
          life.startTime = life.startTime ?? time
          return .repeated
        }
        let apart = (time - before).count.magnitude
        if apart <= 1_000_000 { return .repeated }
        // One of two containers has whole seconds.
        guard apart < 1_000_000_000, before.isWholeSecond || time.isWholeSecond else {
          return .contradictory("it starts twice")
        }
        life.startTime = max(before, time)
        return .repeated
      }
      if let time, let end = life.reportTime ?? life.endTime, end < time {
        return .contradictory("it starts after its end")
      }
      life.hasStart = true
      life.startTime = time
      return .understood
    }
    guard verdict == .understood else { return verdict }
    if let id = requests.attempt(start.request, .start, at: time), requests.isInProgress(id) {
      // One instance serves one invocation at a time; in a stream that is none, or several, most end soon.
      let isOfOneInstance = streams[stream].isNamed && !streams[stream].isManaged
      if isOfOneInstance || streams[stream].open.count >= LifeReconstruction.openMax {
        streams[stream].open.removeFirst(streams[stream].open.count)
      }
      streams[stream].open.append(id)
    }
    if streams[stream].repeatsInitialization {
      streams[stream].repeatsInitialization = false
      if let id = requests.attempt(start.request, .start, at: time) {
        requests.pending[id]?.waitedForInitialization = true
      }
    }
    return verdict
  }

  private mutating func close(
    _ request: RequestID, _ stream: Int, _ kind: PendingLife.LineKind, _ time: Timestamp?
  ) {
    guard !streams[stream].open.isEmpty else { return }
    let id = requests.hasAttempts ? requests.attempt(request, kind, at: time) : request
    streams[stream].open.removeAll { $0 == id }
  }

  private mutating func runtimeDone(
    _ done: PlatformEvent.RuntimeDone, _ stream: Int, _ time: Timestamp?
  ) -> Verdict {
    change(done.request, in: stream, at: time) { life in
      let isNew = !life.hasRuntimeDone
      life.hasRuntimeDone = true
      life.runtimeDuration = done.duration
      life.responseBytes = done.producedBytes
      if life.endTime == nil { life.endTime = time }
      if let failure = PendingLife.Failure(done.status, done.errorType) { life.fail(failure) }
      return isNew ? .understood : .repeated
    }
  }

  private mutating func reported(_ report: PlatformEvent.Report, _ stream: Int, _ time: Timestamp?) -> Verdict {
    close(report.request, stream, .report(report.duration), time)
    if report.billedMilliseconds == nil, !report.spans.isEmpty, streams[stream].initializationType == nil {
      streams[stream].initializationType = .managedInstances
    }
    let waited = streams[stream].repeatsInitialization && requests.pending[report.request]?.hasStart != true
    if waited { streams[stream].repeatsInitialization = false }
    return change(report.request, in: stream, at: time, .report(report.duration)) { life in
      if waited { life.waitedForInitialization = true }
      if let before = life.report {
        if life.reportTime == nil { life.reportTime = time }
        // Imitations round to milliseconds, and lines to hundredths of one.
        guard (before.duration.count &- report.duration.count).magnitude <= 1_000_000 else {
          return .contradictory("another report says another duration")
        }
        if before.status == .success, report.status != .success { life.report?.status = report.status }
        return .repeated
      }
      if let time, let start = life.startTime, time < start { return .contradictory("it ends before it starts") }
      life.report = report
      life.reportTime = time
      return .understood
    }
  }

  /// Changes what is known of a request. One whose life was handed on already is known.
  private mutating func change(
    _ request: RequestID, in stream: Int, at time: Timestamp?, _ kind: PendingLife.LineKind = .other,
    _ change: (inout PendingLife) -> Verdict
  ) -> Verdict {
    if let time { seen(stream, at: time) }
    guard let id = requests.attempt(request, kind, at: time) else { return .repeated }
    if let index = requests.pending.index(forKey: id) {
      let start = requests.pending.values[index].takeOtherStart(kind, at: time)
      let verdict = change(&requests.pending.values[index])
      if let start { requests.addAttempt(request, start) }
      if requests.hasAttempts, case .report = kind { requests.dropEnds(of: request, beside: id, at: time) }
      return verdict
    }
    if requests.finished.contains(id) { return .repeated }
    if id != request { requests.hasAttempts = true }
    var life = PendingLife(stream: stream)
    let verdict = change(&life)
    requests.pending[id] = life
    requests.order.append(id)
    return verdict
  }
}

extension Timestamp {
  /// Whether nothing is left over: so are times that a container has cut.
  fileprivate var isWholeSecond: Bool { nanoseconds % 1_000_000_000 == 0 }
}

extension PlatformEvent.Status {
  /// How an initialization ended.
  fileprivate var ofInitialization: InitializationStatus {
    switch self {
    case .success: .success
    case .timeout: .timeout
    case .error, .failure: .error
    }
  }

  /// Error types of a process that ended, or never ran.
  fileprivate static let crashes: Set<String> = [
    "Runtime.ExitError", "Runtime.InvalidEntrypoint", "Runtime.InvalidWorkingDir", "Extension.Crash",
    "Extension.ExitError",
  ]
}

extension PendingLife.Failure {
  /// How an invocation failed by its status; `nil` if it did not.
  init?(_ status: PlatformEvent.Status, _ errorType: String?) {
    switch status {
    case .success: return nil
    case .timeout: self = .timeout
    case .error, .failure:
      if errorType == "Runtime.OutOfMemory" {
        self = .outOfMemory
      } else {
        self = errorType.map(PlatformEvent.Status.crashes.contains) ?? false ? .crash : .error
      }
    }
  }
}
