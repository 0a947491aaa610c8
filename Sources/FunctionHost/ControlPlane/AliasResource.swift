import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOHTTP1

/// CreateAlias, GetAlias, ListAliases, UpdateAlias and DeleteAlias.
extension HostCore {
  func createAlias(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try wholeFunction(of: call)
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
      let alias = try self[target.index].deployment.createAlias(
        name, of: version, description: description ?? "", using: &generator)
      return .document(.created) { alias.write(of: target, into: &$0) }
    } catch {
      throw AWSError(error, of: target, alias: name)
    }
  }

  func getAlias(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    guard let alias = self[target.index].deployment.alias(call.alias) else {
      throw .aliasNotFound(target.arn(qualifier: call.alias))
    }
    return .document { alias.write(of: target, into: &$0) }
  }

  func listAliases(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    var aliases = self[target.index].deployment.aliases
    if let text = call.query("FunctionVersion") {
      guard let version = self[target.index].deployment.version(named: text) else {
        throw .functionNotFound(target.name, qualifier: text, of: target.identity)
      }
      aliases.removeAll { $0.version != version }
    }
    let page = try call.page(of: aliases, key: \.name)
    return .document {
      $0.page("Aliases", page) { writer, alias in alias.write(of: target, into: &writer) }
    }
  }

  func updateAlias(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let target = try wholeFunction(of: call)
    let version = try AliasRules.version(&body)
    let description = try AliasRules.description(&body)
    let revision = try body.string("RevisionId")
    try AliasRules.checkRouting(&body, call.operation)
    try checkProvisioned(of: target, call.alias, movedTo: version)
    do {
      let alias = try self[target.index].deployment.updateAlias(
        call.alias, to: version, description: description, ifRevision: revision, using: &generator)
      dispatcher.aliasesChanged(target.index, in: self)
      return .document { alias.write(of: target, into: &$0) }
    } catch {
      throw AWSError(error, of: target, alias: call.alias)
    }
  }

  /// The provisioned concurrency of an alias moves with it, and not every version can have it.
  private func checkProvisioned(
    of target: FunctionTarget, _ alias: String, movedTo version: FunctionVersion?
  ) throws(AWSError) {
    let configurations = dispatcher.provisioned(of: target.index, in: self)
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
  func deleteAlias(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    guard call.alias != Deployment.currentAlias else {
      throw .conflict(
        "The alias \(Deployment.currentAlias) cannot be deleted: the function URL of \(target.name) belongs to it.")
    }
    if self[target.index].deployment.deleteAlias(call.alias) {
      self[target.index].eventLimits[call.alias] = nil
      dispatcher.aliasesChanged(target.index, in: self)
    }
    return HTTPResponse(status: .noContent)
  }
}

/// What the members of an alias have to look like.
enum AliasRules {
  static func version(_ body: inout RequestBody) throws(AWSError) -> FunctionVersion? {
    guard let text = try body.string("FunctionVersion") else { return nil }
    guard let version = FunctionVersion(text: text) else {
      var violations = Violations()
      violations.add(
        text, at: "functionVersion",
        #"Member must satisfy regular expression pattern: (\$LATEST(\.PUBLISHED)?|[0-9]+)"#)
      throw violations.error
    }
    return version
  }

  static func description(_ body: inout RequestBody) throws(AWSError) -> String? {
    let text = try body.string("Description")
    var violations = Violations()
    violations.check(text, at: "description", length: 0...ConfigurationChange.descriptionLengthMax)
    try violations.finish()
    return text
  }

  static func check(_ name: String?, _ violations: inout Violations) {
    violations.check(name, at: "name", length: 1...128)
    violations.check(name, at: "name", pattern: "(?!^[0-9]+$)([a-zA-Z0-9-_]+)") { name in
      FunctionReference.isName(name) && !name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
  }

  /// An alias of this host is a name for one version: nothing else may be wanted of it.
  static func checkRouting(_ body: inout RequestBody, _ operation: ControlPlaneOperation) throws(AWSError) {
    if var routing = try body.object("RoutingConfig") {
      guard try routing.object("AdditionalVersionWeights")?.unread.isEmpty ?? true else {
        throw .notImplemented("This host does not implement aliases of more than one version.")
      }
      try routing.finish(operation)
    }
    try body.finish(operation)
  }
}

extension Deployment {
  /// The version of that name, which is not an alias.
  func version(named text: String) -> FunctionVersion? {
    FunctionVersion(text: text).flatMap { self[$0] == nil ? nil : $0 }
  }
}

extension Deployment.Alias {
  func write(of target: FunctionTarget, into writer: inout JSONWriter) {
    writer.object {
      $0.member("AliasArn", target.arn(qualifier: name))
      $0.member("Name", name)
      $0.member("FunctionVersion", version.text)
      $0.member("Description", description)
      $0.member("RevisionId", revision.uuidText)
    }
  }
}
