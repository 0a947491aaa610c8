import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// Invoke, InvokeAsync and InvokeWithResponseStream.
extension Front {
  private enum InvocationType: String, CaseIterable {
    case event = "Event"
    case requestResponse = "RequestResponse"
    case dryRun = "DryRun"
  }

  func serveInvoke(_ target: FunctionTarget, _ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (request, id, promise) = (call.request, call.id, call.promise)
    let type = try invocationType(request, oneOf: InvocationType.allCases)
    let payload = try payload(request.body, isAsynchronous: type == .event)
    let context = try clientContext(request)
    let trace = trace(of: request, id, in: host)
    switch type {
    case .dryRun: promise.succeed(InvokeAnswer.dryRun(id, target.version))
    case .event:
      let event = QueuedEvent(
        function: target.index, version: target.version, payload: payload, clientContext: context, arn: target.arn,
        qualifier: target.qualifier ?? "", trace: trace, settings: host.controlPlane.eventSettings(of: target))
      accept(event, as: id, in: host) { promise.succeed($0) }
    case .requestResponse:
      host.submit(
        Submission(
          request: id, function: target.index, version: target.version, trigger: .direct, payload: payload,
          clientContext: context, arn: target.arn, trace: trace,
          wantsLog: wantsLog(request), completion: InvokeCompletion(promise: promise)))
    }
  }

  /// The operation that `Event` took the place of.
  func serveInvokeAsync(_ target: FunctionTarget, _ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (request, id, promise) = (call.request, call.id, call.promise)
    let event = QueuedEvent(
      function: target.index, version: target.version,
      payload: try payload(request.body, isAsynchronous: true),
      clientContext: nil, arn: target.arn, qualifier: target.qualifier ?? "", trace: trace(of: request, id, in: host),
      settings: host.controlPlane.eventSettings(of: target))
    accept(event, as: id, in: host) { answer in
      var response = answer
      if response.status == .accepted {
        response.headers.add(name: "Content-Type", value: "application/json")
        response.body = ByteBuffer(string: #"{"Status":202}"#)
      }
      promise.succeed(response)
    }
  }

  /// The answer is sent as it comes, or when it is complete if the function does not stream.
  func serveInvokeWithResponseStream(_ target: FunctionTarget, _ call: FrontCall, in host: isolated HostCore)
    throws(AWSError)
  {
    let (request, id, promise) = (call.request, call.id, call.promise)
    let type = try invocationType(request, oneOf: [.requestResponse, .dryRun])
    let payload = try payload(request.body, isAsynchronous: false)
    let context = try clientContext(request)
    guard type == .requestResponse else {
      promise.succeed(InvokeAnswer.dryRun(id, target.version))
      return
    }
    host.submit(
      Submission(
        request: id, function: target.index, version: target.version, trigger: .direct, payload: payload,
        clientContext: context, arn: target.arn, trace: trace(of: request, id, in: host),
        wantsLog: wantsLog(request), completion: InvokeStreamCompletion(promise: promise)))
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

  private func wantsLog(_ request: HTTPRequest) -> Bool {
    request.headers.first(name: "X-Amz-Log-Type") == "Tail"
  }
}
