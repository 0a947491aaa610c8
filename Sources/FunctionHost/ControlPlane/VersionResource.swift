import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOHTTP1

/// PublishVersion and ListVersionsByFunction.
extension ControlPlane {
  func publishVersion(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try host.wholeFunction(of: call)
    let description = try body.string("Description")
    let revision = try body.string("RevisionId")
    let code = try body.string("CodeSha256")
    try body.finish(call.operation)
    var violations = Violations()
    violations.check(description, at: "description", length: 0...ConfigurationChange.descriptionLengthMax)
    try violations.finish()
    let current = FunctionConfigurationDocument.fingerprint(of: host[target.index].configuration)
    if let code, code != current {
      throw .invalidParameter(
        "CodeSHA256 (\(code)) is different from current CodeSHA256 in $LATEST (\(current)). Please try again with the "
          + "CodeSHA256 in $LATEST.")
    }
    let version: FunctionVersion
    do {
      version = try host[target.index].deployment.publish(
        description: description, ifRevision: revision, at: host.clock.now(), using: &host.generator)
    } catch {
      throw AWSError(error, of: target)
    }
    let document = FunctionConfigurationDocument(host[target.index], version, qualifier: version.text)
    return .document(.created) { document.write(into: &$0) }
  }

  func listVersions(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    let state = host[target.index]
    let page = try call.page(of: state.deployment.versions, key: \.pageKey)
    return .document {
      $0.page("Versions", page) { writer, version in
        FunctionConfigurationDocument(state, version, qualifier: version.text).writeListed(into: &writer)
      }
    }
  }
}
