import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1

/// Invoke, InvokeAsync and InvokeWithResponseStream.
extension HostCore {
  private enum InvocationType: String, CaseIterable {
    case event = "Event"
    case requestResponse = "RequestResponse"
    case dryRun = "DryRun"
  }

  func serveInvoke(
    _ target: FunctionTarget, _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    let type = try invocationType(request, oneOf: InvocationType.allCases)
    let payload = try payload(request.body, isAsynchronous: type == .event)
    let context = try clientContext(request)
    let trace = trace(of: request, id)
    switch type {
    case .dryRun: promise.succeed(InvokeAnswer.dryRun(id, target.version))
    case .event:
      let event = QueuedEvent(
        function: target.index, version: target.version, payload: payload, clientContext: context, arn: target.arn,
        trace: trace, limits: eventLimits(of: target))
      promise.succeed(accept(event, as: id))
    case .requestResponse:
      submit(
        Submission(
          request: id, function: target.index, version: target.version, trigger: .direct, payload: payload,
          clientContext: context, arn: target.arn, trace: trace,
          wantsLog: wantsLog(request), completion: InvokeCompletion(promise: promise)))
    }
  }

  /// The operation that `Event` took the place of.
  func serveInvokeAsync(
    _ target: FunctionTarget, _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    let event = QueuedEvent(
      function: target.index, version: target.version, payload: try payload(request.body, isAsynchronous: true),
      clientContext: nil, arn: target.arn, trace: trace(of: request, id), limits: eventLimits(of: target))
    var response = accept(event, as: id)
    if response.status == .accepted {
      response.headers.add(name: "Content-Type", value: "application/json")
      response.body = ByteBuffer(string: #"{"Status":202}"#)
    }
    promise.succeed(response)
  }

  /// The answer is sent when it is complete, in the form of a stream.
  func serveInvokeWithResponseStream(
    _ target: FunctionTarget, _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    let type = try invocationType(request, oneOf: [.requestResponse, .dryRun])
    let payload = try payload(request.body, isAsynchronous: false)
    let context = try clientContext(request)
    guard type == .requestResponse else {
      promise.succeed(InvokeAnswer.dryRun(id, target.version))
      return
    }
    let whole = loop.makePromise(of: HTTPResponse.self)
    promise.completeWith(whole.futureResult.map { InvokeStreamAnswer.stream($0) })
    submit(
      Submission(
        request: id, function: target.index, version: target.version, trigger: .direct, payload: payload,
        clientContext: context, arn: target.arn, trace: trace(of: request, id),
        wantsLog: wantsLog(request), completion: InvokeCompletion(promise: whole)))
  }

  private func invocationType(
    _ request: HTTPRequest, oneOf types: [InvocationType]
  ) throws(AWSError) -> InvocationType {
    let name = request.headers.first(name: "X-Amz-Invocation-Type")
    let logType = request.headers.first(name: "X-Amz-Log-Type")
    if name == nil, logType == nil { return .requestResponse }
    var violations = Violations()
    violations.check(name, at: "invocationType", oneOf: types.map(\.rawValue))
    violations.check(logType, at: "logType", oneOf: ["Tail", "None"])
    try violations.finish()
    return name.flatMap(InvocationType.init(rawValue:)) ?? .requestResponse
  }

  private func wantsLog(_ request: HTTPRequest) -> Bool { request.headers.first(name: "X-Amz-Log-Type") == "Tail" }
}

/// The answer of `Invoke` as that of `InvokeWithResponseStream`.
enum InvokeStreamAnswer {
  /// The most of a payload that one message carries; clients take up to 16 MiB.
  static let chunkBytesMax = 1 << 20

  /// The headers of an answer that are messages of a stream, or make no sense there.
  private static let replaced = [
    "Content-Type", "X-Amz-Function-Error", "X-Amz-Log-Result", "x-amzn-Remapped-Content-Length",
  ]

  /// What the function answered, as a stream; what the host answered in its place is left as it is.
  static func stream(_ answer: HTTPResponse) -> HTTPResponse {
    guard answer.status == .ok else { return answer }
    var stream = HTTPResponse(status: .ok, headers: answer.headers)
    for name in replaced { stream.headers.remove(name: name) }
    stream.headers.add(name: "Content-Type", value: "application/vnd.amazon.eventstream")
    let error = answer.headers.first(name: "X-Amz-Function-Error")
    if error == nil { writeChunks(of: answer.body, into: &stream.body) }
    var complete = JSONWriter()
    complete.object {
      if let error {
        $0.member("ErrorCode", error)
        $0.member("ErrorDetails", String(buffer: answer.body))
      }
      if let log = answer.headers.first(name: "X-Amz-Log-Result") { $0.member("LogResult", log) }
    }
    EventStreamMessage(eventType: "InvokeComplete", contentType: "application/json", payload: complete.buffer)
      .write(into: &stream.body)
    return stream
  }

  private static func writeChunks(of payload: ByteBuffer, into stream: inout ByteBuffer) {
    var rest = payload
    while let chunk = rest.readSlice(length: min(chunkBytesMax, rest.readableBytes)), chunk.readableBytes > 0 {
      EventStreamMessage(eventType: "PayloadChunk", contentType: "application/octet-stream", payload: chunk)
        .write(into: &stream)
    }
  }
}
