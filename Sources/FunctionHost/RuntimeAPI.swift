import Text
import HTTPServer
import HostRules
import LambdaAPI
import LambdaRecords
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes

/// The Runtime API of AWS Lambda, version 2018-06-01, as one instance sees it on a loopback port of its own, and Kelvin's
/// own paths beside it.
enum RuntimeAPI {
  /// Listens on a free port of an address of loopback, or of 127.0.0.1 if the machine has not the whole of it; every call comes to
  /// the host's loop. Connections of processes that are certain not to be the instance's are refused.
  static func bind(
    _ address: String, for function: FunctionIndex, _ key: InstanceKey, of core: isolated HostCore
  ) -> EventLoopFuture<HTTPServer> {
    let limits = InstanceLimits.limits(core.bodies.instances(of: function))
    var answers = InstanceLimits.answers()
    answers.bodyTooLarge = { request in
      core.assumeIsolated { $0.runtimes.runtimeSentTooMuch(request, function, key, in: $0) }
    }
    answers.bodyTruncated = { request in
      core.assumeIsolated { $0.runtimes.runtimeSentTooLittle(request, function, key, in: $0) }
    }
    answers.streamsBody = { head, match in
      core.assumeIsolated { $0.runtimes.streams(head, match, function, key, in: $0) }
    }
    answers.stranger = { peer in core.assumeIsolated { $0.runtimes.visited(by: peer, function, key, in: $0) } }
    let bind = { @Sendable [limits, answers] (address: String) -> EventLoopFuture<HTTPServer> in
      HTTPServer.bind(
        host: address, port: 0, on: core.loop, limits: limits, answers: answers,
        routes: InstanceRoutes.table, statistics: core.statistics.instances, logger: core.logger
      ) { request, loop in
        let promise = loop.makePromise(of: HTTPResponse.self)
        core.assumeIsolated { $0.runtimes.runtimeCalled(request, promise, function, key, in: $0) }
        return promise.futureResult
      }
    }
    return bind(address).flatMapError { _ in bind("127.0.0.1") }
  }

  static let accepted = HTTPResponse.json(.accepted, "{\"status\":\"OK\"}\n")
  static let ended = error(.forbidden, "InvalidStateTransition", "This instance has ended.")
  static let tooLarge = tooLarge(limit: PayloadLimits.answerBytesMax)
  static let truncated = error(.badRequest, "TruncatedHTTPRequest", "HTTP request detected as truncated")
  static let unknownPath = error(.notFound, "NotFound", "This path is not part of the Runtime API.")

  static func tooLarge(limit: Int) -> HTTPResponse {
    error(.payloadTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (\(limit) bytes).")
  }

  static func wrongMethod(_ allowed: [HTTPMethod]) -> HTTPResponse {
    let names = allowed.map(\.rawValue).joined(separator: ", ")
    return error(.methodNotAllowed, "MethodNotAllowed", "This path takes only \(names).").allowing(allowed)
  }

  /// The error document of AWS's Runtime API.
  static func error(_ status: HTTPResponseStatus, _ type: String, _ message: String) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("errorMessage", message)
      $0.member("errorType", type)
    }
    return .json(status, writer.buffer)
  }
}

/// The answer to `next`: an event and its headers. Those without a value are left out.
enum RuntimeEvent {
  static func response(_ invocation: Invocation, deadline: Timestamp) -> HTTPResponse {
    let submission = invocation.submission
    let request = submission.request.value
    var headers = HTTPHeaders()
    headers.reserveCapacity(7)
    // Exactly this: awslambdaric parses the event only if there is no charset beside it.
    headers.add(name: "Content-Type", value: "application/json")
    headers.add(name: "Lambda-Runtime-Aws-Request-Id", value: request.uuidText)
    headers.add(name: AttemptID.field, value: invocation.eventID.value.uuidText)
    headers.add(name: "Lambda-Runtime-Deadline-Ms", value: String(deadline.nanoseconds / 1_000_000))
    headers.add(name: "Lambda-Runtime-Invoked-Function-Arn", value: submission.arn)
    headers.add(name: "Lambda-Runtime-Trace-Id", value: submission.trace.text)
    if let context = submission.clientContext {
      headers.add(name: "Lambda-Runtime-Client-Context", value: context)
    }
    return HTTPResponse(status: .ok, headers: headers, body: submission.payload)
  }
}
