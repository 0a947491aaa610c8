import HTTPServer
import HostRules
import LambdaAPI
import LambdaRecords
import Lifecycle
import Logging
import NIOCore
import NIOHTTP1
import Sandboxes

/// Sends what happens to instances to their telemetry, to the logs of their functions, and to the sources of invocations
/// that want the end of a log. Without any of these, no record is made. Used on the host's loop.
///
/// What has been told of an instance is in its ``InstanceReports``, which nobody else changes.
final class Reporter {
  /// `nil` if none are kept.
  let logs: HostLogs?
  /// The ends of logs that sources of invocations wait for.
  let tails = LogTails()

  init(logs: HostLogs?) { self.logs = logs }

  /// An instance is about to be started.
  ///
  /// - Parameter hasExtensions: Whether some are known before it starts: those that subscribe are told all of it.
  func starting(_ instance: Instance, hasExtensions: Bool) {
    if hasExtensions { instance.reports.telemetry = InstanceTelemetry() }
  }

  /// An internal extension is the first that is heard of: what happened to its instance so far is told after the fact.
  func openTelemetry(of instance: Instance, in host: isolated HostCore) {
    guard instance.reports.telemetry == nil, instance.machine.isInitializing else { return }
    instance.reports.telemetry = InstanceTelemetry()
    tellStart(of: instance, in: host)
    tellInitStart(of: instance, at: instance.machine.startedAt ?? host.clock.now(), in: host)
  }

  /// The runtime is about to be given the event.
  func handedOver(to instance: Instance, at now: Timestamp) { instance.reports.progress?.handedAt = now }

  /// The instance is gone.
  func ended(_ instance: Instance) {
    instance.reports.telemetry?.close()
    outputEnded(of: instance)
  }

  // MARK: Output

  /// A program of the instance wrote these lines.
  func wrote(_ lines: [String], _ program: InstanceProgram, of instance: Instance, in host: isolated HostCore) {
    let now = host.clock.now()
    for line in lines {
      if instance.machine.readyAt == nil { instance.reports.startOutput.append(line) }
      tell(instance, at: now, line: line, of: program, in: host)
      host.logger.debug("\(line)", metadata: host.metadata(of: instance))
    }
  }

  /// Lines of a program came faster than they could be taken, and are lost.
  ///
  /// - Parameter instance: `nil` if it is gone.
  func dropped(
    _ lines: Int, _ bytes: Int, _ function: FunctionIndex, of instance: Instance?, in host: isolated HostCore
  ) {
    host.statistics.count(.unreadLine, lines)
    logs?.lose(lines, bytes, "they came faster than the host could read them", of: function.position)
    guard let instance else { return }
    if instance.reports.linesDropped == 0 {
      host.logger.warning(
        "An instance prints faster than the host can read; lines are dropped.", metadata: host.metadata(of: instance))
    }
    instance.reports.linesDropped += lines
    instance.reports.bytesDropped += bytes
    tell(
      instance, at: host.clock.now(), in: host,
      .logsDropped(TelemetryBuffer.Dropped(records: lines, bytes: bytes).record))
  }

  /// Says how much was lost of the output of an instance that is gone.
  func reportDropped(of instance: Instance, in host: isolated HostCore) {
    guard instance.reports.linesDropped > 0 else { return }
    var metadata = host.metadata(of: instance)
    metadata["lines"] = "\(instance.reports.linesDropped)"
    metadata["bytes"] = "\(instance.reports.bytesDropped)"
    host.logger.warning("Output of an instance was dropped.", metadata: metadata)
  }

  /// The program is gone whose output the tail of an invocation waits for.
  func outputEnded(of instance: Instance) {
    if let tail = instance.reports.tail { tails.outputEnded(tail) }
  }

  // MARK: What is told

  private func tell(
    _ instance: Instance, at now: Timestamp, in host: isolated HostCore,
    _ kind: @autoclosure () -> PlatformEvent.Kind
  ) {
    guard instance.reports.telemetry != nil || logs != nil || instance.reports.tail != nil else { return }
    let event = PlatformEvent(time: now, kind: kind())
    instance.reports.telemetry?.take(.platform(event))
    let format = host[instance.function].configuration.logFormat
    logs?.append(LogLine.bytes(of: event, format), of: instance.function.position)
    guard let tail = instance.reports.tail else { return }
    tail.take(event, format)
    tails.advance(tail)
  }

  /// A line of a program.
  private func tell(
    _ instance: Instance, at now: Timestamp, line: String, of program: InstanceProgram, in host: isolated HostCore
  ) {
    let format = host[instance.function].configuration.logFormat
    let source = program.lineSource
    logs?.append(LogLine.bytes(of: line, from: source, format, at: now), of: instance.function.position)
    instance.reports.tail?.take(line: line)
    guard let telemetry = instance.reports.telemetry else { return }
    telemetry.take(.line(.init(time: now, type: source.type, text: line, isJSON: format == .json)))
  }

  // MARK: Subscriptions

  /// `PUT /2022-07-01/telemetry`, and of the old Logs API.
  func subscribe(_ request: HTTPRequest, isLogs: Bool, in instance: Instance, in host: isolated HostCore)
    -> HTTPResponse
  {
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
    guard let telemetry = instance.reports.telemetry, telemetry.isOpen, instance.machine.isInitializing else {
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
    let now = host.clock.now()
    telemetry.add(
      TelemetrySubscriber(
        name: name, subscription, on: host.loop, clock: host.clock, counters: host.statistics), at: now)
    tell(instance, at: now, in: host, .subscription(.init(name: name, types: subscription.types.map(\.rawValue))))
    return .json(.ok, "\"OK\"")
  }

  // MARK: Initialization

  func tellInitStart(of instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    let function = host[instance.function]
    tell(
      instance, at: now, in: host,
      .initStart(
        PlatformEvent.EnvironmentStart(
          initializationType: instance.initializationType, phase: instance.phase, functionName: function.id.name,
          functionVersion: instance.version.text, instanceID: instance.reports.logStream,
          memoryLimitBytes: function.memoryBytes(of: instance.version), runtimeVersion: HostRuntime.version,
          runtimeVersionARN: host.identity.runtimeARN)))
  }

  /// The runtime's own initialization is over, one way or the other.
  func tellRuntimeInitialized(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp,
    in host: isolated HostCore
  ) {
    tell(instance, at: now, in: host, .initRuntimeDone(initEnd(of: instance, status, errorType)))
  }

  /// The initialization is over; no more subscriptions.
  func tellInitialized(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp,
    in host: isolated HostCore
  ) {
    if status != .success {
      for member in instance.extensions?.machine.members ?? []
      where member.state == .started || member.state == .registered {
        tellState(of: member, in: instance, at: now, in: host)
      }
    }
    if instance.machine.isRuntimeInitializing { tellRuntimeInitialized(instance, status, errorType, at: now, in: host) }
    var end = initEnd(of: instance, status, errorType)
    end.duration = now - (instance.machine.startedAt ?? now)
    tell(instance, at: now, in: host, .initReport(end))
    instance.reports.telemetry?.endSubscriptions()
    if instance.reports.telemetry?.subscribers.isEmpty == true { instance.reports.telemetry = nil }
  }

  private func initEnd(
    of instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?
  ) -> PlatformEvent.InitializationEnd {
    PlatformEvent.InitializationEnd(
      initializationType: instance.initializationType, phase: instance.phase, status: status, errorType: errorType)
  }

  func tellState(
    of member: ExtensionMachine.Member, _ state: String? = nil, errorType: String? = nil, in instance: Instance,
    at now: Timestamp, in host: isolated HostCore
  ) {
    tell(
      instance, at: now, in: host,
      .extensionState(
        .init(
          name: member.name, state: state ?? member.state.rawValue, events: member.events.map(\.rawValue),
          errorType: errorType)))
  }

  // MARK: Invocations

  func tellStart(of invocation: Invocation, in instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    instance.reports.tail = invocation.tail
    instance.reports.progress = InvocationProgress(
      request: invocation.request, trace: invocation.submission.trace, startedAt: now, timeout: invocation.timeout)
    tellStart(of: instance, in: host)
  }

  /// Tells the start of what an instance works on.
  func tellStart(of instance: Instance, in host: isolated HostCore) {
    guard let progress = instance.reports.progress else { return }
    let version = instance.version.text
    tell(
      instance, at: progress.startedAt, in: host,
      .start(PlatformEvent.Start(request: progress.request, version: version, tracing: progress.trace.tracing)))
  }

  /// The answer has arrived.
  func noteAnswer(_ request: HTTPRequest, _ result: InvocationResult, from instance: Instance, at now: Timestamp) {
    guard instance.reports.telemetry != nil else { return }
    var bytes = 0
    if case .success(let answer) = result { bytes = answer.readableBytes }
    let took = request.begunAt.map { (NIODeadline.now() - $0).nanoseconds } ?? 0
    instance.reports.progress?.answered(began: now - Nanoseconds(max(0, took)), at: now, bytes: bytes)
  }

  /// The last of an answer has arrived that came piece by piece.
  func noteAnswer(began: Timestamp, bytes: Int, from instance: Instance, at now: Timestamp) {
    guard instance.reports.telemetry != nil else { return }
    instance.reports.progress?.answered(began: began, at: now, bytes: bytes)
  }

  /// The runtime is done with the invocation: it asked for the next event, or will not.
  func tellRuntimeDone(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, at now: Timestamp,
    in host: isolated HostCore
  ) {
    guard let progress = instance.reports.progress, progress.runtimeDoneAt == nil else { return }
    instance.reports.progress?.runtimeDoneAt = now
    tell(
      instance, at: now, in: host,
      .runtimeDone(
        PlatformEvent.RuntimeDone(
          request: progress.request, status: status, errorType: errorType,
          duration: now - (progress.handedAt ?? progress.startedAt), producedBytes: progress.answerBytes,
          spans: status == .success ? progress.spans(until: now) : [], tracing: progress.trace.tracing)))
  }

  /// The invocation is over for the instance, extensions included.
  func tellReport(
    _ instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?, fault: String? = nil,
    at now: Timestamp, in host: isolated HostCore
  ) {
    tellRuntimeDone(instance, status, errorType, at: now, in: host)
    guard let progress = instance.reports.progress else { return }
    instance.reports.progress = nil
    defer { instance.machine.report() }
    tell(
      instance, at: now, in: host,
      .report(report(of: progress, in: instance, status, errorType, fault, at: now, in: host)))
  }

  /// What an instance works on ends with it, for this reason.
  func tellReport(_ instance: Instance, endingIn fault: FunctionFault, at now: Timestamp, in host: isolated HostCore) {
    // A function that reports its own error has not failed its instance, but here it has.
    let (status, type) = fault.interruption ?? (.error, fault.errorType ?? "Runtime.Unknown")
    tellReport(instance, status, type, fault: fault.message.isEmpty ? nil : fault.message, at: now, in: host)
  }

  private func report(
    of progress: InvocationProgress, in instance: Instance, _ status: PlatformEvent.Status, _ errorType: String?,
    _ fault: String?, at now: Timestamp, in host: isolated HostCore
  ) -> PlatformEvent.Report {
    let passed = now - progress.startedAt
    let duration = status == .timeout ? min(passed, progress.timeout) : passed
    let isFirst = instance.machine.isBeforeFirstReport && !instance.isBound && !instance.isProvisioned
    var spans: [PlatformEvent.Span] = []
    if let done = progress.runtimeDoneAt, instance.extensions != nil, status == .success {
      spans = [PlatformEvent.Span(name: "extensionOverhead", start: done, duration: now - done)]
    }
    let initialization = isFirst ? instance.machine.initializationDuration : nil
    return PlatformEvent.Report(
      request: progress.request, status: status, errorType: errorType, duration: duration,
      billedMilliseconds: (duration + (initialization ?? .zero)).billedMilliseconds,
      memorySizeMegabytes: host[instance.function].memoryBytes(of: instance.version) >> 20,
      memoryUsedMegabytes: PlatformEvent.Report.megabytes(instance.memoryUsedBytes(at: now)),
      initializationDuration: initialization, spans: spans, tracing: progress.trace.tracing, fault: fault)
  }

  /// Tells a tail what is known so far of an invocation that its instance has not done with.
  func reportProvisionally(_ tail: LogTail, of instance: Instance, in host: isolated HostCore) {
    guard let progress = instance.reports.progress, progress.request == tail.request else { return }
    let now = host.clock.now()
    let report = report(of: progress, in: instance, .success, nil, nil, at: now, in: host)
    tail.take(PlatformEvent(time: now, kind: .report(report)), host[instance.function].configuration.logFormat)
  }

  /// The instance is ended while it works on something that has its answer.
  func tellReport(_ instance: Instance, endingFor reason: StopReason, at now: Timestamp, in host: isolated HostCore) {
    switch reason {
    case .timeout: tellReport(instance, .timeout, nil, at: now, in: host)
    case .failure: tellReport(instance, .error, "Runtime.ExitError", at: now, in: host)
    // It has its answer, and only the next call of its runtime is missing.
    case .idle, .scaleIn, .shutdown: tellReport(instance, .success, nil, at: now, in: host)
    }
  }
}

/// What has been told of an instance, and what is needed to tell more.
struct InstanceReports {
  /// `nil` if nobody can subscribe, or nobody did.
  var telemetry: InstanceTelemetry?
  /// What it works on, until runtime and extensions are done with it.
  var progress: InvocationProgress?
  /// What the source of the invocation in progress, or of the last one, wants of the log; `nil` if it wants nothing.
  var tail: LogTail?
  /// The name of its log stream; what telemetry calls it.
  var logStream = ""
  /// What it wrote last before it was ready.
  var startOutput = StartOutput()
  /// Of its output, what was lost because it came too fast.
  var linesDropped = 0
  var bytesDropped = 0
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
