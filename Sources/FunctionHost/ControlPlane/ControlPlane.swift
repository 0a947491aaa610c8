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

  /// Takes one more function.
  func addFunction() { configuredEventLimits.append([:]) }

  /// Answers a call of an operation that this host has, other than those that hand their body to a function.
  func serve(_ operation: ControlPlaneOperation, _ call: FrontCall, in host: isolated HostCore) throws(AWSError) {
    let (query, parameters) = (try call.query(), call.request.route.parameters)
    let controlCall = ControlPlaneCall(
      operation: operation.told(by: query), function: parameters.first ?? "",
      qualifier: query.first { $0.name == "Qualifier" }?.value, alias: parameters.count > 1 ? parameters[1] : "",
      query: query, body: call.request.body, host: call.request.headers.first(name: "Host") ?? "")
    var response = try answer(controlCall, in: host)
    response.headers.add(name: "x-amzn-RequestId", value: call.id.value.uuidText)
    call.promise.succeed(response)
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

  static func sentence(about operation: String) -> String {
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
