package import HTTPServer
package import HostRules
package import Lifecycle
package import NIOCore

/// One call of the control plane, not yet parsed.
package struct ControlPlaneCall {
  /// What is asked for.
  package var operation: ControlPlaneOperation
  /// As the path names it: a name, with or without qualifier, or an ARN.
  package var function: String
  /// As the query names it.
  package var qualifier: String?
  /// The alias in the path; empty if it has none.
  package var alias: String
  /// The parameters of the query, decoded.
  package var query: [HTTPQueryItem]
  /// The body as sent.
  package var body: ByteBuffer
  /// Where the client reached the host, as it says.
  package var host: String

  /// Makes a call of its parts.
  package init(
    operation: ControlPlaneOperation, function: String, qualifier: String?, alias: String, query: [HTTPQueryItem],
    body: ByteBuffer, host: String
  ) {
    self.operation = operation
    self.function = function
    self.qualifier = qualifier
    self.alias = alias
    self.query = query
    self.body = body
    self.host = host
  }

  /// The value of the first parameter of that name.
  package func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

  /// Reads the body; see `RequestBody.init(_:of:)`.
  package func read() throws(AWSError) -> RequestBody { try RequestBody(body, of: operation) }

  /// The page that is asked for.
  package func page<Item>(
    of items: [Item], itemsMax: Int64 = 10_000, key: (Item) -> String
  ) throws(AWSError) -> Page<Item> {
    var count: Int64?
    if let text = query("MaxItems") {
      guard let number = Int64(text) else {
        throw .serialization("'\(text)' can not be converted to an Integer (at MaxItems).")
      }
      var violations = Violations()
      violations.check(number, at: "maxItems", in: 1...itemsMax)
      try violations.finish()
      count = number
    }
    return try Page(of: items, after: query("Marker"), count: count, key: key)
  }
}

/// A function, and what of it a call is for.
package struct FunctionTarget {
  /// Its place in the host.
  package var index: FunctionIndex
  /// Its name.
  package var name: String
  /// As the caller named it.
  package var qualifier: String?
  /// The version that the qualifier stands for.
  package var version: FunctionVersion
  /// The region and account in its ARN.
  package var identity: HostIdentity

  /// Makes a target of its parts.
  package init(
    index: FunctionIndex, name: String, qualifier: String?, version: FunctionVersion,
    identity: HostIdentity = HostIdentity()
  ) {
    self.index = index
    self.name = name
    self.qualifier = qualifier
    self.version = version
    self.identity = identity
  }

  /// The ARN as the caller named it.
  package var arn: String { arn(qualifier: qualifier) }
  /// The ARN of the function as a whole.
  package var unqualifiedARN: String { arn(qualifier: nil) }

  /// The ARN of the function with another qualifier.
  package func arn(qualifier: String?) -> String { identity.arn(name, qualifier: qualifier) }
}

extension FunctionReference {
  /// What AWS says a function's name must look like.
  package static let namePattern =
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"#
    + #"([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"#
  /// What AWS says a qualifier must look like.
  package static let qualifierPattern = "(|[a-zA-Z0-9$_-]+)"

  /// Reads a function's name of a request, and says in AWS's words what is wrong with it.
  ///
  /// An empty qualifier is none, as on AWS.
  package static func read(_ text: String, qualifier: String?) throws(AWSError) -> FunctionReference {
    let qualifier = qualifier?.isEmpty ?? true ? nil : qualifier
    do {
      return try FunctionReference(text, queryQualifier: qualifier)
    } catch .qualifiersDiffer {
      throw .invalidParameter(
        "The derived qualifier from the function name does not match the specified qualifier.")
    } catch {
      var violations = Violations()
      violations.check(text, at: "functionName", length: 1...bytesMax)
      violations.check(text, at: "functionName", pattern: namePattern) { isReadable($0, nil) }
      violations.check(qualifier, at: "qualifier", length: 1...128)
      violations.check(qualifier, at: "qualifier", pattern: qualifierPattern) { isReadable("f", $0) }
      throw violations.error
    }
  }

  private static func isReadable(_ text: String, _ qualifier: String?) -> Bool {
    do {
      _ = try FunctionReference(text, queryQualifier: qualifier)
      return true
    } catch {
      return error == .qualifiersDiffer
    }
  }
}
