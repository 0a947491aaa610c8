package import Lifecycle

/// A function as a caller of AWS names it: `name`, `name:qualifier`, `account:function:name`, or a whole ARN.
package struct FunctionReference: Equatable, Sendable {
  /// The longest reference that is read, in bytes.
  package static let bytesMax = 256

  /// Why a text is no reference.
  package enum Problem: Error, Equatable {
    /// Not one of the forms, or a part of it has characters that names do not have.
    case malformed
    /// The reference and the query name different qualifiers.
    case qualifiersDiffer
  }

  /// The function's name.
  package var name: String
  /// `nil` if the caller named none.
  package var qualifier: String?

  /// - Parameters:
  ///   - text: The path segment, percent-decoded.
  ///   - queryQualifier: The value of the `Qualifier` of the query, if any.
  package init(_ text: String, queryQualifier: String?) throws(Problem) {
    guard text.utf8.count <= FunctionReference.bytesMax else { throw .malformed }
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    let rest: ArraySlice<Substring>
    if parts.first == "arn" {
      guard parts.count >= 7, parts[2] == "lambda", parts[5] == "function" else { throw .malformed }
      rest = parts[6...]
    } else if parts.count >= 3, parts[1] == "function" {
      rest = parts[2...]
    } else {
      rest = parts[...]
    }
    guard let name = rest.first, rest.count <= 2, FunctionReference.isName(name) else { throw .malformed }
    let own = rest.dropFirst().first.map(String.init)
    for qualifier in [own, queryQualifier] {
      if let qualifier, !FunctionReference.isQualifier(qualifier) { throw .malformed }
    }
    if let own, let queryQualifier, own != queryQualifier { throw .qualifiersDiffer }
    self.name = String(name)
    self.qualifier = own ?? queryQualifier
  }

  /// The ARN, with the qualifier that the caller named.
  package func arn(of identity: HostIdentity) -> String { identity.arn(name, qualifier: qualifier) }

  /// Whether `text` may name a function: 1 to 140 letters, digits, `-` and `_`.
  package static func isName(_ text: some StringProtocol) -> Bool {
    (1...FunctionID.nameBytesLimit).contains(text.utf8.count) && text.utf8.allSatisfy(isNameByte)
  }

  private static func isQualifier(_ text: String) -> Bool {
    (1...128).contains(text.utf8.count) && text.utf8.allSatisfy { isNameByte($0) || $0 == UInt8(ascii: "$") }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
