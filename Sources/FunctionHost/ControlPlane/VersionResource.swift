import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOHTTP1

/// PublishVersion and ListVersionsByFunction.
extension HostCore {
  func publishVersion(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try wholeFunction(of: call)
    let description = try body.string("Description")
    let revision = try body.string("RevisionId")
    let code = try body.string("CodeSha256")
    try body.finish(call.operation)
    var violations = Violations()
    violations.check(description, at: "description", length: 0...ConfigurationChange.descriptionLengthMax)
    try violations.finish()
    let current = FunctionDocument.fingerprint(of: self[target.index].configuration)
    if let code, code != current {
      throw .invalidParameter(
        "CodeSHA256 (\(code)) is different from current CodeSHA256 in $LATEST (\(current)). Please try again with the "
          + "CodeSHA256 in $LATEST.")
    }
    let version: FunctionVersion
    do {
      version = try self[target.index].deployment.publish(
        description: description, ifRevision: revision, at: clock.now(), using: &generator)
    } catch {
      throw AWSError(error, of: target)
    }
    let document = FunctionDocument(self[target.index], version, qualifier: version.text)
    return .document(.created) { document.write(into: &$0) }
  }

  func listVersions(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    let state = self[target.index]
    let page = try call.page(of: state.deployment.versions, key: \.pageKey)
    return .document {
      $0.page("Versions", page) { writer, version in
        FunctionDocument(state, version, qualifier: version.text).writeListed(into: &writer)
      }
    }
  }
}
