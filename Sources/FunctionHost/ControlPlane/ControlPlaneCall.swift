import HTTPServer
import HostRules
import Lifecycle
import NIOCore

/// One call of the control plane, not yet parsed.
struct ControlPlaneCall {
  var operation: ControlPlaneOperation
  /// As the path names it: a name, with or without qualifier, or an ARN.
  var function: String
  /// As the query names it.
  var qualifier: String?
  /// The alias in the path; empty if it has none.
  var alias: String
  var query: [HTTPQueryItem]
  var body: ByteBuffer
  /// Where the client reached the host, as it says.
  var host: String

  func query(_ name: String) -> String? { query.first { $0.name == name }?.value }

  func read() throws(AWSError) -> RequestBody { try RequestBody(body, of: operation) }

  /// The page that is asked for.
  func page<Item>(
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
struct FunctionTarget {
  var index: FunctionIndex
  var name: String
  /// As the caller named it.
  var qualifier: String?
  var version: FunctionVersion
  /// The region and account in its ARN.
  var identity = HostIdentity()

  var arn: String { arn(qualifier: qualifier) }
  var unqualifiedARN: String { arn(qualifier: nil) }

  /// The ARN of the function with another qualifier.
  func arn(qualifier: String?) -> String { identity.arn(name, qualifier: qualifier) }
}

extension FunctionReference {
  /// What AWS says a function's name must look like.
  static let namePattern =
    #"(arn:(aws[a-zA-Z-]*)?:lambda:)?([a-z]{2}((-gov)|(-iso([a-z]?)))?-[a-z]+-\d{1}:)?(\d{12}:)?(function:)?"#
    + #"([a-zA-Z0-9-_\.]+)(:(\$LATEST|[a-zA-Z0-9-_]+))?"#
  static let qualifierPattern = "(|[a-zA-Z0-9$_-]+)"

  /// Reads a function's name of a request, and says in AWS's words what is wrong with it.
  ///
  /// An empty qualifier is none, as on AWS.
  static func read(_ text: String, qualifier: String?) throws(AWSError) -> FunctionReference {
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

extension HostCore {
  /// The function that a call names, and the version that its qualifier stands for.
  func target(of call: ControlPlaneCall) throws(AWSError) -> FunctionTarget {
    try target(call.function, qualifier: call.qualifier)
  }

  /// The function that a request names, and the version that its qualifier stands for.
  func target(_ name: String, qualifier: String?) throws(AWSError) -> FunctionTarget {
    let reference = try FunctionReference.read(name, qualifier: qualifier)
    guard let index = indices[reference.name],
      let version = self[index].deployment.resolve(qualifier: reference.qualifier)
    else { throw .functionNotFound(reference.name, qualifier: reference.qualifier, of: identity) }
    return FunctionTarget(
      index: index, name: reference.name, qualifier: reference.qualifier, version: version, identity: identity)
  }

  /// The function that a call names which must not name a part of it.
  ///
  /// - Parameter allowsLatest: Whether `$LATEST` may be named all the same, because it is what the call is for.
  func wholeFunction(of call: ControlPlaneCall, allowsLatest: Bool = false) throws(AWSError) -> FunctionTarget {
    let reference = try FunctionReference.read(call.function, qualifier: call.qualifier)
    guard let index = indices[reference.name] else {
      throw .functionNotFound(reference.name, qualifier: nil, of: identity)
    }
    guard reference.qualifier == nil || allowsLatest && reference.qualifier == FunctionID.latest else {
      throw .invalidParameter(
        "This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. "
          + "Please specify either a function name or an unqualified function ARN.")
    }
    return FunctionTarget(index: index, name: reference.name, qualifier: nil, version: .latest, identity: identity)
  }
}
