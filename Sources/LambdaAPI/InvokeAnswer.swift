package import HTTPServer
package import HostRules
package import Lifecycle
package import NIOHTTP1
import Text

/// When the stages of an invocation were, as the answer tells its caller.
package struct InvocationTimes: Equatable, Sendable {
  /// When the request was admitted.
  package var start: Timestamp
  /// When an instance was given the event.
  package var handover: Timestamp
  /// When the answer had arrived.
  package var end: Timestamp
  /// Whether it waited for an initialization.
  package var isCold: Bool

  /// Makes times of their parts.
  package init(
    start: Timestamp, handover: Timestamp, end: Timestamp, isCold: Bool
  ) {
    self.start = start
    self.handover = handover
    self.end = end
    self.isCold = isCold
  }

  /// The fields that `add(to:)` adds.
  package static let fieldNames = ["X-Kelvin-Start", "X-Kelvin-Handover", "X-Kelvin-End", "X-Kelvin-Cold"]

  /// Adds the fields ``fieldNames`` to an answer.
  package func add(to headers: inout HTTPHeaders) {
    addBeginning(to: &headers)
    headers.add(name: "X-Kelvin-End", value: String(end.nanoseconds))
  }

  /// Adds what is known of them before the end to an answer that is sent while the function runs.
  package func addBeginning(to headers: inout HTTPHeaders) {
    headers.add(name: "X-Kelvin-Start", value: String(start.nanoseconds))
    headers.add(name: "X-Kelvin-Handover", value: String(handover.nanoseconds))
    headers.add(name: "X-Kelvin-Cold", value: isCold ? "1" : "0")
  }
}

/// The answers of the `Invoke` operation.
package enum InvokeAnswer {
  /// What a function, or the host in its name, answered.
  package static func finished(
    _ request: RequestID, _ trace: TraceID, _ version: FunctionVersion, _ result: InvocationResult,
    times: InvocationTimes
  ) -> HTTPResponse {
    var headers = HTTPHeaders()
    headers.reserveCapacity(12)
    headers.add(name: "Content-Type", value: "application/json")
    headers.add(name: "x-amzn-RequestId", value: request.value.uuidText)
    headers.add(name: "x-amzn-Remapped-Content-Length", value: "0")
    headers.add(name: "X-Amz-Executed-Version", value: version.text)
    headers.add(name: "X-Amzn-Trace-Id", value: trace.answer)
    times.add(to: &headers)
    switch result {
    case .success(let payload): return HTTPResponse(status: .ok, headers: headers, body: payload)
    case .failure(let fault) where fault.isHostsOwn:
      var response = AWSError.internalFailure(fault.message).response(request)
      if !trace.answer.isEmpty { response.headers.add(name: "X-Amzn-Trace-Id", value: trace.answer) }
      times.add(to: &response.headers)
      return response
    case .failure(let fault):
      headers.add(name: "X-Amz-Function-Error", value: "Unhandled")
      return HTTPResponse(status: .ok, headers: headers, body: fault.document)
    }
  }

  /// An event was accepted for later.
  package static func accepted(_ request: RequestID, _ trace: TraceID, at time: Timestamp) -> HTTPResponse {
    var headers = HTTPHeaders([
      ("x-amzn-RequestId", request.value.uuidText), ("x-amzn-Remapped-Content-Length", "0"),
      ("X-Kelvin-Start", String(time.nanoseconds)),
    ])
    headers.add(name: "X-Amzn-Trace-Id", value: trace.answer)
    return HTTPResponse(status: .accepted, headers: headers)
  }

  /// The invocation would be allowed.
  package static func dryRun(_ request: RequestID, _ version: FunctionVersion) -> HTTPResponse {
    HTTPResponse(
      status: .noContent,
      headers: HTTPHeaders([
        ("x-amzn-RequestId", request.value.uuidText), ("X-Amz-Executed-Version", version.text),
      ]))
  }
}
