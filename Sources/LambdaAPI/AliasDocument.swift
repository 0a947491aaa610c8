package import HostRules
import Lifecycle
package import Text

/// What the members of an alias have to look like.
package enum AliasRules {
  /// Reads the version that an alias shall stand for; `nil` if the body names none.
  package static func version(_ body: inout RequestBody) throws(AWSError) -> FunctionVersion? {
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

  /// Reads and checks the description; `nil` if there is none.
  package static func description(_ body: inout RequestBody) throws(AWSError) -> String? {
    let text = try body.string("Description")
    var violations = Violations()
    violations.check(text, at: "description", length: 0...ConfigurationChange.descriptionLengthMax)
    try violations.finish()
    return text
  }

  /// Checks the name of a new alias.
  package static func check(_ name: String?, _ violations: inout Violations) {
    violations.check(name, at: "name", length: 1...128)
    violations.check(name, at: "name", pattern: "(?!^[0-9]+$)([a-zA-Z0-9-_]+)") { name in
      FunctionReference.isName(name) && !name.utf8.allSatisfy { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
    }
  }

  /// An alias of this host is a name for one version: nothing else may be wanted of it.
  package static func checkRouting(_ body: inout RequestBody, _ operation: ControlPlaneOperation) throws(AWSError) {
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
  package func version(named text: String) -> FunctionVersion? {
    FunctionVersion(text: text).flatMap { self[$0] == nil ? nil : $0 }
  }
}

extension Deployment.Alias {
  /// Writes the document of an alias of `target`.
  package func write(of target: FunctionTarget, into writer: inout JSONWriter) {
    writer.object {
      $0.member("AliasArn", target.arn(qualifier: name))
      $0.member("Name", name)
      $0.member("FunctionVersion", version.text)
      $0.member("Description", description)
      $0.member("RevisionId", revision.uuidText)
    }
  }
}
