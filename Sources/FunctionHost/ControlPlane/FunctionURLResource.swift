import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle

/// GetFunctionUrlConfig and ListFunctionUrlConfigs: every function has one, of the alias `current`.
extension ControlPlane {
  func getFunctionURL(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.target(of: call)
    guard target.qualifier == Deployment.currentAlias else {
      throw .notFound("The resource you requested does not exist.")
    }
    return .document { writeURL(of: target, call, into: &$0, in: host) }
  }

  func listFunctionURLs(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    let page = try call.page(of: [target], itemsMax: 50, key: \.name)
    return .document { $0.page("FunctionUrlConfigs", page) { writeURL(of: $1, call, into: &$0, in: host) } }
  }

  private func writeURL(
    of target: FunctionTarget, _ call: ControlPlaneCall, into writer: inout JSONWriter, in host: isolated HostCore
  ) {
    let startedAt = RFC3339.milliseconds(
      nanoseconds: (host[target.index].deployment[.published(1)]?.modifiedAt ?? host.clock.now()).nanoseconds,
      offset: "+0000")
    writer.object {
      $0.member("FunctionUrl", "http://\(call.host)/url/\(target.name)/")
      $0.member("FunctionArn", target.arn(qualifier: Deployment.currentAlias))
      $0.member("AuthType", "NONE")
      $0.member("CreationTime", startedAt)
      $0.member("LastModifiedTime", startedAt)
      if let cors = host.front.door.cors(of: target.name) {
        $0.key("Cors")
        cors.write(into: &$0)
      }
      $0.member("InvokeMode", host[target.index].configuration.invokeMode.rawValue)
    }
  }
}
