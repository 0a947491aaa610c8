import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// AWS's Lambda API beside `Invoke`: one file for each resource. Used on the host's loop.
final class ControlPlane {
  /// How events for versions and aliases are repeated, by function and qualifier; `$LATEST` for those without one.
  var configuredEventLimits: [[String: ConfiguredEventLimits]]

  init(functions: Int) { configuredEventLimits = Array(repeating: [:], count: functions) }

  /// Answers a request that is not for a function URL.
  func serveAPI(
    _ request: HTTPRequest, _ id: RequestID, _ promise: EventLoopPromise<HTTPResponse>, in host: isolated HostCore
  ) throws(AWSError) {
    guard let segments = request.pathSegments, let query = request.queryItems else {
      throw .invalidParameter("The path or the query has an escape that is malformed or not UTF-8.")
    }
    let qualifier = query.first { $0.name == "Qualifier" }?.value
    switch ControlPlaneRoute(request.method, segments: segments, query: query) {
    case .operation(.invoke, let function, _):
      try host.front.serveInvoke(host.target(function, qualifier: qualifier), request, id, promise, in: host)
    case .operation(.invokeAsync, let function, _):
      try host.front.serveInvokeAsync(host.target(function, qualifier: qualifier), request, id, promise, in: host)
    case .operation(.invokeWithResponseStream, let function, _):
      try host.front.serveInvokeWithResponseStream(
        host.target(function, qualifier: qualifier), request, id, promise, in: host)
    case .operation(let operation, let function, let alias):
      let call = ControlPlaneCall(
        operation: operation, function: function, qualifier: qualifier, alias: alias, query: query, body: request.body,
        host: request.headers.first(name: "Host") ?? "")
      var response = try answer(call, in: host)
      response.headers.add(name: "x-amzn-RequestId", value: id.value.uuidText)
      promise.succeed(response)
    case .unsupported(let name): throw .notImplemented(ControlPlane.sentence(about: name))
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

  private func answer(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    switch call.operation {
    case .listFunctions: try listFunctions(call, in: host)
    case .getFunction: try getFunction(call, in: host)
    case .getFunctionConfiguration: try getFunctionConfiguration(call, in: host)
    case .updateFunctionConfiguration: try updateFunctionConfiguration(call, in: host)
    case .publishVersion: try publishVersion(call, in: host)
    case .listVersions: try listVersions(call, in: host)
    case .createAlias: try createAlias(call, in: host)
    case .getAlias: try getAlias(call, in: host)
    case .listAliases: try listAliases(call, in: host)
    case .updateAlias: try updateAlias(call, in: host)
    case .deleteAlias: try deleteAlias(call, in: host)
    case .putConcurrency: try putConcurrency(call, in: host)
    case .getConcurrency: try getConcurrency(call, in: host)
    case .deleteConcurrency: try deleteConcurrency(call, in: host)
    case .putProvisioned: try putProvisioned(call, in: host)
    case .getProvisioned: try getProvisioned(call, in: host)
    case .deleteProvisioned: try deleteProvisioned(call, in: host)
    case .listProvisioned: try listProvisioned(call, in: host)
    case .getAccountSettings: getAccountSettings(in: host)
    case .putEventInvokeConfig, .updateEventInvokeConfig: try putEventInvokeConfig(call, in: host)
    case .getEventInvokeConfig: try getEventInvokeConfig(call, in: host)
    case .deleteEventInvokeConfig: try deleteEventInvokeConfig(call, in: host)
    case .listEventInvokeConfigs: try listEventInvokeConfigs(call, in: host)
    case .getFunctionURL: try getFunctionURL(call, in: host)
    case .listFunctionURLs: try listFunctionURLs(call, in: host)
    // Their answers come later, from a function.
    case .invoke, .invokeAsync, .invokeWithResponseStream:
      throw .notImplemented(ControlPlane.sentence(about: call.operation.rawValue))
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
