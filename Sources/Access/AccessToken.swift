internal import Digests
internal import Text

/// A secret that lets its bearer do something (RFC 6750). Kept as its digest alone.
package struct AccessToken: Hashable, Sendable {
  /// Says in logs and metrics whose it is.
  package let name: String
  /// What its bearer may do; not empty.
  package let roles: Set<AccessRole>
  /// SHA-256 of the secret.
  let digest: [UInt8]
  /// Whether the file has the secret itself, so that nobody else should read it.
  package let isWritten: Bool
}

/// Why a line of a file of tokens is not one. Never has the secret.
package struct TokenFileProblem: Error, Hashable, Sendable {
  /// The line, from 1 on.
  package let line: Int
  /// What is wrong, and what to write.
  package let message: String
}

/// A file of tokens: a line for each, with a name, its roles and the secret or its digest.
///
///     prometheus  read            zq3…            a secret of at least 16 characters
///     functions   ingest          sha256:9f86…    its digest, so that the file is of no use to a thief
///
/// Empty lines and what follows a `#` at the beginning of a word are passed over.
package enum TokenFile {
  /// The most tokens.
  package static let tokensMax = 1_000
  /// The fewest characters of a secret.
  package static let secretCharactersMin = 16
  private static let digestMark = "sha256:"

  /// Reads the text of a file.
  ///
  /// - Throws: ``TokenFileProblem`` for the first line that is none, for a name that is there twice, and for a file without tokens.
  package static func read(_ text: String) throws(TokenFileProblem) -> [AccessToken] {
    var tokens: [AccessToken] = []
    var number = 0
    for line in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline) {
      number += 1
      let words = words(line)
      guard !words.isEmpty else { continue }
      let token = try token(words, number)
      guard !tokens.contains(where: { $0.name == token.name }) else {
        throw TokenFileProblem(line: number, message: "the name \(token.name) is there twice; give each token its own")
      }
      guard tokens.count < tokensMax else {
        throw TokenFileProblem(line: number, message: "there are more than \(tokensMax) tokens; take some out")
      }
      tokens.append(token)
    }
    guard !tokens.isEmpty else {
      throw TokenFileProblem(line: 1, message: "there is no token; write a line such as: prometheus read SECRET")
    }
    return tokens
  }

  /// The first secret of a file that opens a role; `nil` if there is none, or only the digest.
  package static func secret(for role: AccessRole, in text: String) -> String? {
    for line in text.split(whereSeparator: \.isNewline) {
      let words = words(line)
      guard let token = try? token(words, 1), token.isWritten, token.roles.contains(role) else { continue }
      return words.last.map(String.init)
    }
    return nil
  }

  private static func words(_ line: Substring) -> ArraySlice<Substring> {
    line.split(whereSeparator: \.isWhitespace).prefix { !$0.hasPrefix("#") }
  }

  private static func token(
    _ words: ArraySlice<Substring>, _ line: Int
  ) throws(TokenFileProblem) -> AccessToken {
    func problem(_ message: String) -> TokenFileProblem { TokenFileProblem(line: line, message: message) }
    guard words.count == 3, let name = words.first, let secret = words.last else {
      throw problem("a token is three words: a name, its roles (such as read or read,ingest), and the secret")
    }
    guard (1...64).contains(name.utf8.count), name.utf8.allSatisfy(isNameByte) else {
      throw problem("a name has up to 64 letters, digits, dots, hyphens and underscores")
    }
    var roles: Set<AccessRole> = []
    for word in words[words.startIndex + 1].split(separator: ",", omittingEmptySubsequences: false) {
      guard let role = AccessRole(rawValue: String(word)) else {
        let known = AccessRole.allCases.map(\.rawValue).joined(separator: ", ")
        throw problem("the roles of \(name) are separated by commas, and each is one of \(known)")
      }
      roles.insert(role)
    }
    if secret.hasPrefix(digestMark) {
      guard let digest = digest(of: secret.dropFirst(digestMark.count)) else {
        throw problem("behind sha256: are the 64 hexadecimal digits that sha256sum prints")
      }
      return AccessToken(name: String(name), roles: roles, digest: digest, isWritten: false)
    }
    guard secret.utf8.count >= secretCharactersMin, secret.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
      throw problem(
        "the secret of \(name) has fewer than \(secretCharactersMin) characters, or others than ASCII; "
          + "openssl rand -hex 32 makes one")
    }
    return AccessToken(
      name: String(name), roles: roles, digest: SHA256.digest(Array(secret.utf8)), isWritten: true)
  }

  /// `nil` unless it is the hexadecimal digits of a digest.
  private static func digest(of digits: Substring) -> [UInt8]? {
    let values = digits.utf8.compactMap(Hexadecimal.value)
    guard values.count == digits.utf8.count, values.count == 2 * SHA256.byteCount else { return nil }
    return stride(from: 0, to: values.count, by: 2).map { values[$0] << 4 | values[$0 + 1] }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
      true
    default: false
    }
  }
}
