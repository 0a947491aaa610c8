import HTTPServer
import HostRules
import LambdaAPI
import LambdaRecords
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes
import Text

/// Answers the calls of runtimes, gives them events, and follows what they do. Used on the host's loop.
///
/// What there is of an instance's runtime is in its ``RuntimeLink``.
final class RuntimeCalls {
  /// Gives the event of an invocation to the runtime's call that waits.
  func give(_ invocation: Invocation, deadline: Timestamp, to instance: Instance) {
    instance.runtime.give(RuntimeEvent.response(invocation, deadline: deadline))
  }

  /// Somebody connected to an instance's APIs.
  ///
  /// - Returns: The answer to a process that may not connect; `nil` lets it in.
  func visited(by peer: SocketAddress?, _ function: FunctionIndex, _ key: InstanceKey, in host: isolated HostCore)
    -> HTTPResponse?
  {
    guard host.configuration.isolation != .none, let instance = host[function].instances[key],
      let server = instance.server
    else { return nil }
    let port = peer?.port ?? 0
    switch InstanceVisitors.standing(of: peer, at: server.localAddress, in: instance.lodging.sandbox) {
    case .admitted: instance.runtime.gonePorts.remove(port)
    case .gone where instance.runtime.gonePorts.count < InstanceVisitors.gonePortsMax:
      instance.runtime.gonePorts.insert(port)
    case .gone, .stranger: return InstanceVisitors.refusal
    }
    return nil
  }

  /// A call of an instance's runtime.
  func runtimeCalled(
    _ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>, _ function: FunctionIndex, _ key: InstanceKey,
    in host: isolated HostCore
  ) {
    guard let instance = host[function].instances[key] else {
      return promise.succeed(RuntimeAPI.ended)
    }
    let route = request.route.position.map { InstanceRoutes.table[$0] }
    if !instance.runtime.gonePorts.isEmpty, instance.runtime.gonePorts.contains(request.remoteAddress?.port ?? 0),
      route?.access != .membersAndGone
    {
      host.statistics.instances.count(.stranger)
      return promise.succeed(InstanceVisitors.refusal)
    }
    switch request.route.outcome {
    case .found(let position):
      InstanceRoutes.table[position].handler(
        host, InstanceCall(request: request, promise: promise, instance: instance))
    case .wrongMethod(let allowed): promise.succeed(RuntimeAPI.wrongMethod(allowed))
    case .notFound, .malformed: promise.succeed(RuntimeAPI.unknownPath)
    }
  }

  /// A body over what is read at all: told by its head.
  func runtimeSentTooMuch(
    _ request: HTTPRequest, _ function: FunctionIndex, _ key: InstanceKey, in host: isolated HostCore
  ) -> HTTPResponse {
    guard let instance = host[function].instances[key] else { return RuntimeAPI.tooLarge }
    if let id = InstanceRoutes.answered(request) {
      let attempt = instance.attempt(at: id, marked: request.headers.first(name: AttemptID.field))
      let step = instance.machine.take(.response(attempt), at: host.clock.now())
      follow(step, with: .failure(.answerTooLarge()), from: instance, in: host)
    }
    return InstanceLimits.tooLarge(request)
  }

  /// The runtime closed its connection in the middle of what it sent.
  func runtimeSentTooLittle(
    _ request: HTTPRequest, _ function: FunctionIndex, _ key: InstanceKey, in host: isolated HostCore
  ) -> HTTPResponse {
    guard let instance = host[function].instances[key] else { return RuntimeAPI.truncated }
    if let id = InstanceRoutes.answered(request) {
      let attempt = instance.attempt(at: id, marked: request.headers.first(name: AttemptID.field))
      let step = instance.machine.take(.response(attempt), at: host.clock.now())
      follow(step, with: .failure(.truncated(id)), from: instance, in: host)
    }
    return RuntimeAPI.truncated
  }

  /// Does what a call of a runtime asks for, and answers it.
  func take(_ call: InstanceMachine.Call, _ visit: InstanceCall, in host: isolated HostCore) {
    let (request, promise, instance) = (visit.request, visit.promise, visit.instance)
    let isTooLarge = request.body.readableBytes > PayloadLimits.answerBytesMax
    let result = result(of: call, request, isTooLarge: isTooLarge)
    let step = instance.machine.take(call, at: host.clock.now())
    if case .answered = step.effect { host.reporter.noteAnswer(request, result, from: instance, at: host.clock.now()) }
    switch step.reply {
    case .accepted: promise.succeed(isTooLarge ? RuntimeAPI.tooLarge : answer(to: call, request))
    case .wait: instance.runtime.park(ParkedCall(request, promise))
    case .waitsAlready: park(request, promise, in: instance)
    case .sameEvent: promise.succeed(instance.runtime.event ?? refusal(from: "RuntimeRunning", to: "RuntimeReady"))
    case .invalidRequestID, .invalidState: promise.succeed(refusal(of: step))
    }
    follow(step, with: result, from: instance, in: host)
  }

  /// A runtime that lost its connection asks again; any other call beside the one that waits changes nothing.
  private func park(
    _ request: HTTPRequest, _ promise: EventLoopPromise<HTTPResponse>, in instance: Instance
  ) {
    let refused = refusal(from: "RuntimeReady", to: "RuntimeReady")
    if let parked = instance.runtime.parked {
      guard InstanceVisitors.isGone(parked.peer, from: instance.server?.localAddress) else {
        return promise.succeed(refused)
      }
      parked.succeed(refused)
    }
    instance.runtime.park(ParkedCall(request, promise))
  }

  private func result(of call: InstanceMachine.Call, _ request: HTTPRequest, isTooLarge: Bool) -> InvocationResult {
    if isTooLarge { return .failure(.answerTooLarge()) }
    switch call {
    case .response:
      if let mode = request.headers.first(name: ResponseMode.field), mode != ResponseMode.streaming {
        return .failure(.invalidResponseMode(mode))
      }
      return FunctionFault.reported(in: request.trailers).map(InvocationResult.failure) ?? .success(request.body)
    case .error(_, isHandlerTimeout: true): return .failure(.handlerTimeout(request.body))
    case .initializationError:
      let type = request.headers.first(name: "Lambda-Runtime-Function-Error-Type")
      return .failure(.reported(request.body, errorType: FunctionFault.normalizedErrorType(type)))
    case .error, .next, .overlapEnded: return .failure(.reported(request.body))
    }
  }

  private func answer(to call: InstanceMachine.Call, _ request: HTTPRequest) -> HTTPResponse {
    if case .response = call, let mode = request.headers.first(name: ResponseMode.field), mode != ResponseMode.streaming
    {
      return RuntimeAPI.error(.badRequest, "InvalidFunctionResponseMode", "Invalid function response mode \(mode)")
    }
    return RuntimeAPI.accepted
  }

  func refusal(of step: InstanceMachine.Step) -> HTTPResponse {
    guard case .invalidState(let from, let to) = step.reply else {
      return RuntimeAPI.error(.badRequest, "InvalidRequestID", "Invalid request ID")
    }
    return refusal(from: from, to: to)
  }

  private func refusal(from: String, to: String) -> HTTPResponse {
    RuntimeAPI.error(
      .forbidden, "InvalidStateTransition",
      "State transition from \(from) to \(to) failed for runtime. Error: State transition is not allowed")
  }

  /// Does what the state machine said follows from a call.
  func follow(
    _ step: InstanceMachine.Step, with result: InvocationResult, from instance: Instance, in host: isolated HostCore
  ) {
    let now = host.clock.now()
    // The invocation's end before the end of its overlap: a reader of the events meets them in the order of their causes.
    switch step.effect {
    case .nothing: break
    case .initialized:
      host.reporter.tellRuntimeInitialized(instance, .success, nil, at: now, in: host)
      if !host.extensions.awaitExtensions(of: instance) {
        host.starts.initialized(instance, at: now, in: host)
      }
    case .available:
      host.reporter.tellRuntimeDone(instance, .success, nil, at: now, in: host)
      if !host.extensions.awaitExtensions(of: instance) { settled(instance, at: now, in: host) }
    case .answered:
      instance.runtime.forgetEvent()
      if let invocation = instance.invocation { host.finish(invocation, in: instance, result, at: now) }
      host.dispatcher.answered(instance, at: now)
    case .initializationFailed:
      // It ends by itself; the grace lets it write why.
      host.starts.initializationFailed(instance, .error, at: now, killAfter: .milliseconds(500), in: host) { _ in
        guard case .failure(let fault) = result else { return .reported(ByteBuffer()) }
        return fault
      }
    }
    if let request = step.overlapEnded { host.overlapEnded(request, in: instance, at: now) }
  }

  /// Runtime and extensions are done with an invocation.
  func settled(_ instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    instance.machine.settle()
    instance.restartTimer(nil)
    host.reporter.tellReport(instance, .success, nil, at: now, in: host)
    host.extensions.releaseHeldSlot(of: instance, in: host)
    instance.forgetAttempts()
    host.becameAvailable(instance, at: now)
  }

  func takeWarmUp(_ body: ByteBuffer, from instance: Instance, in host: isolated HostCore) -> HTTPResponse {
    var duration: Int64?
    var succeeded = true
    let isObject = body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "durationNanoseconds": duration = try reader.integerOrOther()
      case "error":
        succeeded = try reader.kind() == .null
        try reader.skip()
      default: try reader.skip()
      }
    }
    guard isObject, let duration, duration >= 0 else {
      return RuntimeAPI.error(.badRequest, "InvalidWarmUp", "durationNanoseconds must be a whole number of at least 0.")
    }
    let now = host.clock.now()
    guard let began = instance.machine.warmUpPossibleSince else {
      return RuntimeAPI.error(
        .forbidden, "InvalidStateTransition",
        "A warm-up is a part of the initialization: report it once, before the first call of next.")
    }
    let passed = now - began
    guard Nanoseconds(duration) <= passed else {
      return RuntimeAPI.error(
        .badRequest, "InvalidWarmUp",
        "A warm-up of \(duration) ns is longer than the initialization that it is a part of, which began \(passed.count) ns ago."
      )
    }
    instance.machine.warmUp()
    host.emit(instance, .warmedUp(WarmedUp(time: now, duration: Nanoseconds(duration), succeeded: succeeded)))
    return RuntimeAPI.accepted
  }
}
