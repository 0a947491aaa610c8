import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOHTTP1

/// CreateAlias, GetAlias, ListAliases, UpdateAlias and DeleteAlias.
extension ControlPlane {
  func createAlias(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try host.wholeFunction(of: call)
    let name = try body.string("Name")
    let version = try AliasRules.version(&body)
    let description = try AliasRules.description(&body)
    try AliasRules.checkRouting(&body, call.operation)
    var violations = Violations()
    if name == nil { violations.addMissing("name") }
    if version == nil { violations.addMissing("functionVersion") }
    AliasRules.check(name, &violations)
    guard violations.isEmpty, let name, let version else { throw violations.error }
    do {
      let alias = try host[target.index].deployment.createAlias(
        name, of: version, description: description ?? "", using: &host.generator)
      return .document(.created) { alias.write(of: target, into: &$0) }
    } catch {
      throw AWSError(error, of: target, alias: name)
    }
  }

  func getAlias(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    guard let alias = host[target.index].deployment.alias(call.alias) else {
      throw .aliasNotFound(target.arn(qualifier: call.alias))
    }
    return .document { alias.write(of: target, into: &$0) }
  }

  func listAliases(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    var aliases = host[target.index].deployment.aliases
    if let text = call.query("FunctionVersion") {
      guard let version = host[target.index].deployment.version(named: text) else {
        throw .functionNotFound(target.name, qualifier: text, of: target.identity)
      }
      aliases.removeAll { $0.version != version }
    }
    let page = try call.page(of: aliases, key: \.name)
    return .document {
      $0.page("Aliases", page) { writer, alias in alias.write(of: target, into: &writer) }
    }
  }

  func updateAlias(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try host.wholeFunction(of: call)
    let version = try AliasRules.version(&body)
    let description = try AliasRules.description(&body)
    let revision = try body.string("RevisionId")
    try AliasRules.checkRouting(&body, call.operation)
    try checkProvisioned(of: target, call.alias, movedTo: version, in: host)
    do {
      let alias = try host[target.index].deployment.updateAlias(
        call.alias, to: version, description: description, ifRevision: revision, using: &host.generator)
      host.dispatcher.aliasesChanged(target.index, in: host)
      return .document { alias.write(of: target, into: &$0) }
    } catch {
      throw AWSError(error, of: target, alias: call.alias)
    }
  }

  /// The provisioned concurrency of an alias moves with it, and not every version can have it.
  private func checkProvisioned(
    of target: FunctionTarget, _ alias: String, movedTo version: FunctionVersion?, in host: isolated HostCore
  ) throws(AWSError) {
    let configurations = host.dispatcher.provisioned(of: target.index, in: host)
    guard let version, configurations.contains(where: { $0.qualifier == alias && $0.version != version }) else {
      return
    }
    guard version != .latest else {
      throw .invalidParameter(
        "Provisioned Concurrency Configs cannot be applied to unpublished function versions.")
    }
    if configurations.contains(where: { $0.qualifier != alias && $0.version == version }) {
      throw AWSError(.aliasOfCoveredVersion)
    }
  }

  /// As on AWS, there need not have been one.
  func deleteAlias(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    guard call.alias != Deployment.currentAlias else {
      throw .conflict(
        "The alias \(Deployment.currentAlias) cannot be deleted: the function URL of \(target.name) belongs to it.")
    }
    if host[target.index].deployment.deleteAlias(call.alias) {
      configuredEventLimits[target.index.position][call.alias] = nil
      host.dispatcher.aliasesChanged(target.index, in: host)
    }
    return HTTPResponse(status: .noContent)
  }
}
