/// What a ``JSONReader`` accepts beyond the grammar of RFC 8259, and how deep values may be nested.
package struct JSONRules: Sendable, Hashable {
  /// What happens to text that Unicode has no characters for.
  package enum Repair: Sendable, Hashable {
    /// It is an error.
    case refused
    /// It becomes U+FFFD, the replacement character.
    case replaced
  }

  /// The deepest nesting that any reader takes.
  package static let depthMax = 1_024

  /// Of what other servers answer.
  package static let answer = JSONRules(depthLimit: 128, loneSurrogates: .replaced)

  /// How deep arrays and objects may be nested; 0 to ``depthMax``.
  package let depthLimit: Int
  /// Bytes of a string that are not UTF-8 (RFC 3629: no overlong form, no surrogate, nothing above U+10FFFF).
  package let invalidUTF8: Repair
  /// An escaped half of a surrogate pair without the other half.
  package let loneSurrogates: Repair

  /// Makes rules; what is not named otherwise is refused.
  ///
  /// - Parameter depthLimit: Taken into the bounds of ``depthLimit-swift.property``.
  package init(depthLimit: Int, invalidUTF8: Repair = .refused, loneSurrogates: Repair = .refused) {
    self.depthLimit = min(max(0, depthLimit), JSONRules.depthMax)
    self.invalidUTF8 = invalidUTF8
    self.loneSurrogates = loneSurrogates
  }
}
