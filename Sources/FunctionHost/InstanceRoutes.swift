import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// A request to the APIs of an instance, with what answers it.
struct InstanceCall {
  var request: HTTPRequest
  var promise: EventLoopPromise<HTTPResponse>
  var instance: Instance

  /// The attempt that path and header name. What is no identifier is nobody's: the zero one is never given out.
  var attempt: RequestID {
    instance.attempt(at: InstanceRoutes.invocation(request), marked: request.headers.first(name: AttemptID.field))
  }
}

/// What distinguishes the attempts at one event, which have one request id.
enum AttemptID {
  /// A header of `next`, which a runtime may send back with its answer.
  static let field = "Lambda-Runtime-Invocation-Id"
}

/// What the processes of an instance ask it for: the Runtime API, the Extensions API, and Kelvin's own paths beside them.
enum InstanceRoutes {
  typealias Handler = @Sendable (isolated HostCore, InstanceCall) -> Void

  static let table = RouteTable<Handler>(runtime + extensions + own)

  private static let answerName = "runtime-response"

  /// The Runtime API, version 2018-06-01.
  private static let runtime: [Route<Handler>] = [
    route("runtime-next", .GET, "/2018-06-01/runtime/invocation/next", InstanceLimits.none) { core, call in
      core.runtimes.take(.next, call, in: core)
    },
    route(
      answerName, .POST, "/2018-06-01/runtime/invocation/{id}/response", InstanceLimits.answer, .membersAndGone
    ) { core, call in
      if let stream = call.request.stream { return core.runtimes.takeStream(stream, call, in: core) }
      core.runtimes.take(.response(call.attempt), call, in: core)
    },
    route(
      "runtime-error", .POST, "/2018-06-01/runtime/invocation/{id}/error", InstanceLimits.error, .membersAndGone
    ) { core, call in
      let type = call.request.headers.first(name: "Lambda-Runtime-Function-Error-Type")
      core.runtimes.take(
        .error(call.attempt, isHandlerTimeout: type == "Function.HandlerTimeout"), call, in: core)
    },
    route("runtime-init-error", .POST, "/2018-06-01/runtime/init/error", InstanceLimits.error) { core, call in
      core.runtimes.take(.initializationError, call, in: core)
    },
    route("ping", .GET, "/ping", InstanceLimits.none) { _, call in call.promise.succeed(.text(.ok, "pong")) },
    route("ping", .GET, "/2018-06-01/ping", InstanceLimits.none) { _, call in
      call.promise.succeed(.text(.ok, "pong"))
    },
  ]

  /// The Extensions API, version 2020-01-01, and the two by which an extension subscribes to telemetry.
  private static let extensions: [Route<Handler>] = [
    route("extension-register", .POST, "/2020-01-01/extension/register") { core, call in
      core.extensions.answer(call) {
        call.promise.succeed(try core.extensions.register(call.request, in: call.instance, in: core))
      }
    },
    route("extension-next", .GET, "/2020-01-01/extension/event/next", InstanceLimits.none) { core, call in
      core.extensions.answer(call) {
        try core.extensions.extensionNext(
          ExtensionsAPI.identifier(call.request), ParkedCall(call.request, call.promise), in: call.instance, in: core)
      }
    },
    route("extension-init-error", .POST, "/2020-01-01/extension/init/error", InstanceLimits.error) { core, call in
      core.extensions.answer(call) {
        call.promise.succeed(
          try core.extensions.extensionFailed(call.request, .initializationError, in: call.instance, in: core))
      }
    },
    route("extension-exit-error", .POST, "/2020-01-01/extension/exit/error", InstanceLimits.error) { core, call in
      core.extensions.answer(call) {
        call.promise.succeed(
          try core.extensions.extensionFailed(call.request, .exitError, in: call.instance, in: core))
      }
    },
    route("telemetry", .PUT, "/2022-07-01/telemetry") { core, call in
      call.promise.succeed(core.reporter.subscribe(call.request, isLogs: false, in: call.instance, in: core))
    },
    route("logs", .PUT, "/2020-08-15/logs") { core, call in
      call.promise.succeed(core.reporter.subscribe(call.request, isLogs: true, in: call.instance, in: core))
    },
  ]

  /// What only this host has.
  private static let own: [Route<Handler>] = [
    route("warm-up", .PUT, "/kelvin/v1/warmup") { core, call in
      call.promise.succeed(core.runtimes.takeWarmUp(call.request.body, from: call.instance, in: core))
    },
    route("configuration", .PUT, "/kelvin/v1/configuration") { core, call in
      call.promise.succeed(core.runtimes.takeConfiguration(call.request.body, from: call.instance, in: core))
    },
    route("overlap-ended", .PUT, "/kelvin/v1/overlap-ended/{id}", InstanceLimits.small, .membersAndGone) {
      core, call in core.runtimes.take(.overlapEnded(call.attempt), call, in: core)
    },
  ]

  private static func route(
    _ name: String, _ method: HTTPMethod, _ path: String, _ limits: RouteLimits = InstanceLimits.small,
    _ access: RouteAccess = .members, _ handler: @escaping Handler
  ) -> Route<Handler> {
    Route(name, [method], path, limits: limits, access: access, handler: handler)
  }

  static func invocation(_ request: HTTPRequest) -> RequestID { invocation(request.route) }

  private static func invocation(_ route: RouteMatch) -> RequestID {
    RequestID(route.parameters.first.flatMap { Identifier128(text: $0) } ?? .zero)
  }

  /// The invocation whose answer a request is; `nil` if it is something else.
  static func answered(_ request: HTTPRequest) -> RequestID? {
    answered(request.route)
  }

  /// The invocation whose answer a request of a route is; `nil` if it is something else.
  static func answered(_ route: RouteMatch) -> RequestID? {
    route.position.map { table[$0].name } == answerName ? invocation(route) : nil
  }
}
