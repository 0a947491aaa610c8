import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes

/// Sends events to the telemetry of instances. Without a subscriber and a log, no record is made.
extension HostCore {
  func tell(_ instance: Instance, at now: Timestamp, _ kind: @autoclosure () -> PlatformEvent.Kind) {
    guard instance.telemetry != nil || logs != nil || instance.tail != nil else { return }
    let event = PlatformEvent(time: now, kind: kind())
    instance.telemetry?.take(.platform(event))
    let format = self[instance.function].configuration.logFormat
    logs?.append(instance.function.position) { LogLine.append(event, format, to: &$0) }
    guard let tail = instance.tail else { return }
    tail.take(event, format)
    tails.advance(tail)
  }

  /// A line of a program.
  func tell(_ instance: Instance, at now: Timestamp, line: String, of program: InstanceProgram) {
    let format = self[instance.function].configuration.logFormat
    logs?.append(instance.function.position) { LogLine.append(line, of: program, format, at: now, to: &$0) }
    instance.tail?.take(line: line)
    guard let telemetry = instance.telemetry else { return }
    telemetry.take(.line(program.telemetryType, line, isJSON: format == .json, at: now))
  }

  // MARK: Subscriptions

  /// `PUT /2022-07-01/telemetry`, and of the old Logs API.
  func subscribe(_ request: HTTPRequest, isLogs: Bool, in instance: Instance) -> HTTPResponse {
    let identifier: Identifier128
    do throws(ExtensionsAPI.Refusal) {
      identifier = try ExtensionsAPI.identifier(request)
    } catch {
      return error.response
    }
    guard let name = instance.extensions?.machine.member(identifier)?.name else {
      return ExtensionMachine.Refusal.unknown(identifier).response
    }
    let api = isLogs ? "Logs" : "Telemetry"
    guard let telemetry = instance.telemetry, telemetry.isOpen, instance.machine.isInitializing else {
      return RuntimeAPI.error(
        .forbidden, "\(api).SubscriptionClosed", "\(api) API subscription is closed already")
    }
    guard telemetry.subscribers.allSatisfy({ $0.subscription.schema.isLogs == isLogs }) else {
      return RuntimeAPI.error(
        .badRequest, "ValidationError", "An instance cannot use the Logs API and the Telemetry API at once")
    }
    let subscription: Subscription
    do throws(Subscription.Problem) {
      subscription = try Subscription(request.body, isLogs: isLogs, runtimePort: instance.server?.port)
    } catch {
      return RuntimeAPI.error(.badRequest, "ValidationError", error.message)
    }
    let now = clock.now()
    telemetry.add(TelemetrySubscriber(name: name, subscription, on: loop, clock: clock), at: now)
    tell(instance, at: now, .subscription(name: name, types: subscription.types.map(\.rawValue)))
    return .json(.ok, "\"OK\"")
  }

  // MARK: Initialization

  func tellInitStart(of instance: Instance, at now: Timestamp) {
    let function = self[instance.function]
    tell(
      instance, at: now,
      .initStart(
        PlatformEvent.InitStart(
          initializationType: instance.initializationType, phase: instance.phase, functionName: function.id.name,
          functionVersion: instance.version.text, instanceID: instance.logStream,
          memoryLimitBytes: function.memoryBytes(of: instance.version), runtimeARN: identity.runtimeARN)))
  }

  /// The runtime's own initialization is over, one way or the other.
  func tellRuntimeInitialized(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp
  ) {
    tell(instance, at: now, .initRuntimeDone(initEnd(of: instance, status, errorType)))
  }

  /// The initialization is over; no more subscriptions.
  func tellInitialized(_ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp) {
    if status != .success {
      for member in instance.extensions?.machine.members ?? []
      where member.state == .started || member.state == .registered { tellState(of: member, in: instance, at: now) }
    }
    if instance.machine.isRuntimeInitializing { tellRuntimeInitialized(instance, status, errorType, at: now) }
    tell(
      instance, at: now,
      .initReport(initEnd(of: instance, status, errorType), duration: now - (instance.machine.startedAt ?? now)))
    instance.telemetry?.endSubscriptions()
    if instance.telemetry?.subscribers.isEmpty == true { instance.telemetry = nil }
  }

  private func initEnd(
    of instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?
  ) -> PlatformEvent.InitEnd {
    PlatformEvent.InitEnd(
      initializationType: instance.initializationType, phase: instance.phase, status: status, errorType: errorType)
  }

  func tellState(
    of member: ExtensionMachine.Member, _ state: String? = nil, errorType: String? = nil, in instance: Instance,
    at now: Timestamp
  ) {
    tell(
      instance, at: now,
      .extensionState(
        name: member.name, state: state ?? member.state.rawValue, events: member.events.map(\.rawValue),
        errorType: errorType))
  }

  // MARK: Invocations

  func tellStart(of invocation: Invocation, in instance: Instance, at now: Timestamp) {
    instance.progress = InvocationProgress(
      request: invocation.request, trace: invocation.submission.trace, startedAt: now, timeout: invocation.timeout)
    tellStart(of: instance)
  }

  /// Tells the start of what an instance works on.
  func tellStart(of instance: Instance) {
    guard let progress = instance.progress else { return }
    let version = instance.version.text
    tell(
      instance, at: progress.startedAt,
      .start(PlatformEvent.Start(request: progress.request, version: version, trace: progress.trace)))
  }

  /// The answer has arrived.
  func noteAnswer(_ request: HTTPRequest, _ result: InvocationResult, from instance: Instance, at now: Timestamp) {
    guard instance.telemetry != nil else { return }
    var bytes = 0
    if case .success(let answer) = result { bytes = answer.readableBytes }
    let took = request.begunAt.map { (NIODeadline.now() - $0).nanoseconds } ?? 0
    instance.progress?.answered(began: now - Nanoseconds(max(0, took)), at: now, bytes: bytes)
  }

  /// The runtime is done with the invocation: it asked for the next event, or will not.
  func tellRuntimeDone(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp
  ) {
    guard let progress = instance.progress, progress.runtimeDoneAt == nil else { return }
    instance.progress?.runtimeDoneAt = now
    tell(
      instance, at: now,
      .runtimeDone(
        PlatformEvent.RuntimeDone(
          request: progress.request, status: status, errorType: errorType,
          duration: now - (progress.handedAt ?? progress.startedAt), producedBytes: progress.answerBytes,
          spans: status == .success ? progress.spans(until: now) : [], trace: progress.trace)))
  }

  /// The invocation is over for the instance, extensions included.
  func tellReport(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, fault: String? = nil,
    at now: Timestamp
  ) {
    tellRuntimeDone(instance, status, errorType, at: now)
    guard let progress = instance.progress else { return }
    instance.progress = nil
    defer { instance.machine.report() }
    tell(instance, at: now, .report(report(of: progress, in: instance, status, errorType, fault, at: now)))
  }

  /// What an instance works on ends with it, for this reason.
  func tellReport(_ instance: Instance, endingIn fault: FunctionFault, at now: Timestamp) {
    // A function that reports its own error has not failed its instance, but here it has.
    let (status, type) = fault.interruption ?? (.error, fault.errorType ?? "Runtime.Unknown")
    tellReport(instance, status, type, fault: fault.message.isEmpty ? nil : fault.message, at: now)
  }

  private func report(
    of progress: InvocationProgress, in instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?,
    _ fault: String?, at now: Timestamp
  ) -> PlatformEvent.Report {
    let passed = now - progress.startedAt
    let isFirst = instance.machine.isBeforeFirstReport && !instance.isBound && !instance.isProvisioned
    var spans: [PlatformEvent.Span] = []
    if let done = progress.runtimeDoneAt, instance.extensions != nil, status == .success {
      spans = [PlatformEvent.Span(name: "extensionOverhead", start: done, duration: now - done)]
    }
    return PlatformEvent.Report(
      request: progress.request, status: status, errorType: errorType,
      duration: status == .timeout ? min(passed, progress.timeout) : passed,
      memorySizeBytes: self[instance.function].memoryBytes(of: instance.version),
      memoryUsedBytes: instance.memoryUsedBytes(at: now),
      initializationDuration: isFirst ? instance.machine.initializationDuration : nil, spans: spans,
      trace: progress.trace,
      fault: fault)
  }

  /// Tells a tail what is known so far of an invocation that its instance has not done with.
  func reportProvisionally(_ tail: LogTail, of instance: Instance) {
    guard let progress = instance.progress, progress.request == tail.request else { return }
    let now = clock.now()
    let report = report(of: progress, in: instance, .success, nil, nil, at: now)
    tail.take(PlatformEvent(time: now, kind: .report(report)), self[instance.function].configuration.logFormat)
  }

  /// The instance is ended while it works on something that has its answer.
  func tellReport(_ instance: Instance, endingFor reason: StopReason, at now: Timestamp) {
    switch reason {
    case .timeout: tellReport(instance, .timeout, nil, at: now)
    case .failure: tellReport(instance, .error, "Runtime.ExitError", at: now)
    // It has its answer, and only the next call of its runtime is missing.
    case .idle, .scaleIn, .shutdown: tellReport(instance, .success, nil, at: now)
    }
  }
}

extension FunctionFault {
  /// What telemetry says of an invocation that ended in it; `nil` if the function reported it itself, which is no
  /// failure of its instance.
  var interruption: (status: PlatformEvent.Status, errorType: String?)? {
    switch outcome {
    case .timeout: timeoutSource == .handler ? nil : (.timeout, nil)
    case .crash, .outOfMemory:
      (errorType?.hasPrefix("Sandbox.") == true ? .failure : .error, errorType ?? "Runtime.Unknown")
    case .success, .error: isHostsOwn ? (.failure, errorType) : nil
    }
  }

  /// A function's own error type in the form in which telemetry shows it: two families of names, and nothing else.
  static func normalizedErrorType(_ type: String?) -> String {
    guard let type else { return "Runtime.Unknown" }
    let parts = type.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard parts.count == 2, parts[0] == "Runtime" || parts[0] == "Function" else { return "Runtime.Unknown" }
    let name = parts[1].utf8
    let isName =
      name.count >= 2 && (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(name.first ?? 0)
      && name.allSatisfy {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) || (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0)
      }
    return isName ? type : "\(parts[0]).Unknown"
  }
}
