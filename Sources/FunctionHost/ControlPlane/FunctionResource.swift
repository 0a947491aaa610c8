import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle

/// ListFunctions and GetFunction.
extension ControlPlane {
  func listFunctions(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var violations = Violations()
    violations.check(call.query("FunctionVersion"), at: "functionVersion", oneOf: ["ALL"])
    try violations.finish()
    let listsAll = call.query("FunctionVersion") == "ALL"
    let positions = host.indices.sorted { $0.key < $1.key }.map(\.value.position)
    let items = positions.flatMap { position -> [(position: Int, version: FunctionVersion)] in
      listsAll ? host.functions[position].deployment.versions.map { (position, $0) } : [(position, .latest)]
    }
    // A blank comes before everything that a name may have.
    let page = try call.page(of: items) { "\(host.functions[$0.position].id.name) \($0.version.pageKey)" }
    return .document {
      $0.page("Functions", page) { writer, item in
        FunctionConfigurationDocument(
          host.functions[item.position], item.version, qualifier: listsAll ? item.version.text : nil
        )
        .writeListed(into: &writer)
      }
    }
  }

  func getFunction(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.target(of: call)
    let state = host[target.index]
    let reserved = host.dispatcher.reserved(of: target.index)
    return .document {
      $0.object { writer in
        writer.key("Configuration")
        FunctionConfigurationDocument(state, target.version, qualifier: target.qualifier).write(into: &writer)
        writer.key("Code")
        writer.object {
          $0.member("RepositoryType", "Directory")
          $0.member("Location", "file://\(state.configuration.directory)")
        }
        guard let reserved else { return }
        writer.key("Concurrency")
        writer.object { $0.member("ReservedConcurrentExecutions", Int64(reserved)) }
      }
    }
  }
}
