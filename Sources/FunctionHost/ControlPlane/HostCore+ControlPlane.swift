import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// AWS's Lambda API beside `Invoke`: one file for each resource.
extension HostCore {
  /// Answers a request that is not for a function URL.
  func serveAPI(
    _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>
  ) throws(AWSError) {
    guard let segments = request.pathSegments, let query = request.queryItems else {
      throw .invalidParameter("The path or the query has an escape that is malformed or not UTF-8.")
    }
    let qualifier = query.first { $0.name == "Qualifier" }?.value
    switch ControlPlaneRoute(request.method, segments: segments, query: query) {
    case .operation(.invoke, let function, _):
      try serveInvoke(target(function, qualifier: qualifier), request, id, promise)
    case .operation(.invokeAsync, let function, _):
      try serveInvokeAsync(target(function, qualifier: qualifier), request, id, promise)
    case .operation(.invokeWithResponseStream, let function, _):
      try serveInvokeWithResponseStream(target(function, qualifier: qualifier), request, id, promise)
    case .operation(let operation, let function, let alias):
      let call = ControlPlaneCall(
        operation: operation, function: function, qualifier: qualifier, alias: alias, query: query, body: request.body,
        host: request.headers.first(name: "Host") ?? "")
      var response = try answer(call)
      response.headers.add(name: "x-amzn-RequestId", value: id.value.uuidText)
      promise.succeed(response)
    case .unsupported(let name): throw .notImplemented(HostCore.sentence(about: name))
    case .wrongMethod(let allowed):
      throw .notImplemented(
        "This host does not implement \(request.method) \(request.path); the path has "
          + "\(allowed.joined(separator: ", ")).")
    case .unknown:
      throw .notImplemented(
        "This host does not implement \(request.method) \(request.path); it has AWS Lambda's API for functions, such as "
          + "POST /2015-03-31/functions/{name}/invocations, and function URLs under /url/{name}/.")
    }
  }

  private func answer(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    switch call.operation {
    case .listFunctions: try listFunctions(call)
    case .getFunction: try getFunction(call)
    case .getFunctionConfiguration: try getFunctionConfiguration(call)
    case .updateFunctionConfiguration: try updateFunctionConfiguration(call)
    case .publishVersion: try publishVersion(call)
    case .listVersions: try listVersions(call)
    case .createAlias: try createAlias(call)
    case .getAlias: try getAlias(call)
    case .listAliases: try listAliases(call)
    case .updateAlias: try updateAlias(call)
    case .deleteAlias: try deleteAlias(call)
    case .putConcurrency: try putConcurrency(call)
    case .getConcurrency: try getConcurrency(call)
    case .deleteConcurrency: try deleteConcurrency(call)
    case .putProvisioned: try putProvisioned(call)
    case .getProvisioned: try getProvisioned(call)
    case .deleteProvisioned: try deleteProvisioned(call)
    case .listProvisioned: try listProvisioned(call)
    case .getAccountSettings: getAccountSettings()
    case .putEventInvokeConfig, .updateEventInvokeConfig: try putEventInvokeConfig(call)
    case .getEventInvokeConfig: try getEventInvokeConfig(call)
    case .deleteEventInvokeConfig: try deleteEventInvokeConfig(call)
    case .listEventInvokeConfigs: try listEventInvokeConfigs(call)
    case .getFunctionURL: try getFunctionURL(call)
    case .listFunctionURLs: try listFunctionURLs(call)
    // Their answers come later, from a function.
    case .invoke, .invokeAsync, .invokeWithResponseStream:
      throw .notImplemented(HostCore.sentence(about: call.operation.rawValue))
    }
  }

  private static func sentence(about operation: String) -> String {
    switch operation {
    case "CreateFunction", "DeleteFunction", "UpdateFunctionCode":
      "This host does not implement \(operation): its functions and their code are those of kelvin.yaml."
    case "CreateFunctionUrlConfig", "UpdateFunctionUrlConfig", "DeleteFunctionUrlConfig":
      "This host does not implement \(operation): every function has a function URL at its alias "
        + "\(Deployment.currentAlias), and its settings are those of functions.NAME.cors in kelvin.yaml."
    default: "This host does not implement \(operation)."
    }
  }
}
