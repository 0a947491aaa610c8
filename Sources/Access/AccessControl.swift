package import Digests
internal import Synchronization
internal import Text

/// Decides who may ask a listener for what, by the field `Authorization` of requests.
///
/// Two kinds of credentials: a token (`Bearer`, or as the password of `Basic`, so that a browser can be given one), and a user with a password
/// (`Basic`), who may do everything.
package final class AccessControl: Sendable {
  /// What is decided about a request.
  package enum Verdict: Hashable, Sendable {
    /// It may; `subject` is the name of the token or of the user.
    case granted(subject: String)
    /// It may not.
    case refused(Refusal)
    /// A password has to be compared, which takes some 50 ms: ask again from a thread that may wait.
    case needsTime
  }

  /// Why a request is refused.
  package enum Refusal: Hashable, Sendable {
    /// It has no credentials, or none of a known kind.
    case missing
    /// Nobody has these.
    case wrong
    /// The token of this name is for other things.
    case lacksRole(subject: String)
    /// Too many passwords are being compared.
    case busy
  }

  /// Says what tokens there are now.
  package typealias Tokens = @Sendable () -> [AccessToken]
  /// Says what users there are now, with their passwords.
  package typealias Users = @Sendable () -> [String: PasswordHash]

  private let tokens: Tokens
  private let users: Users
  /// Nobody can tell from the memory of a process which passwords were right.
  private let key: [UInt8]
  private let state = Mutex(State())

  private struct State {
    /// Codes of credentials that were right, and of the hash that they were compared with.
    var known: Set<[UInt8]> = []
    var comparing = 0
  }

  /// How many passwords are compared at once; more are refused, because each costs a processor tens of milliseconds.
  static let comparisonsMax = 2
  private static let knownMax = 1_000

  /// Decides by tokens, users, or both; asked for each request.
  package init(tokens: @escaping Tokens = { [] }, users: @escaping Users = { [:] }) {
    self.tokens = tokens
    self.users = users
    var generator = SystemRandomNumberGenerator()
    key = (0..<32).map { _ in UInt8.random(in: 0...255, using: &generator) }
  }

  /// Decides about a request.
  ///
  /// - Parameters:
  ///   - authorization: The value of its field `Authorization`; `nil` if there is none, or more than one.
  ///   - role: What the request needs.
  ///   - mayWait: Whether this thread may take the time that comparing a password costs.
  /// - Complexity: O(number of tokens), whichever is given, if any.
  package func verdict(_ authorization: String?, needs role: AccessRole, mayWait: Bool = false) -> Verdict {
    guard let authorization, let credentials = Credentials(authorization) else { return .refused(.missing) }
    if let token = token(credentials.secret) {
      return token.roles.contains(role) ? .granted(subject: token.name) : .refused(.lacksRole(subject: token.name))
    }
    guard let user = credentials.user else { return .refused(.wrong) }
    return verdict(user, credentials.secret, users(), mayWait)
  }

  private func token(_ secret: String) -> AccessToken? {
    let tokens = tokens()
    guard !tokens.isEmpty else { return nil }
    let digest = SHA256.digest(Array(secret.utf8))
    var found: AccessToken?
    // All of them, so that the time tells nothing.
    for token in tokens where ConstantTime.areEqual(token.digest, digest) { found = token }
    return found
  }

  private func verdict(
    _ user: String, _ password: String, _ users: [String: PasswordHash], _ mayWait: Bool
  ) -> Verdict {
    // For a name that nobody has, another hash takes the same time.
    guard let hash = users[user] ?? users.first?.value else { return .refused(.wrong) }
    let code = SHA256.authenticationCode(for: Array("\(user)\u{0}\(hash.text)\u{0}\(password)".utf8), key: key)
    if state.withLock({ $0.known.contains(code) }) { return .granted(subject: user) }
    guard mayWait else { return .needsTime }
    let isFree = state.withLock { state in
      guard state.comparing < Self.comparisonsMax else { return false }
      state.comparing += 1
      return true
    }
    guard isFree else { return .refused(.busy) }
    let isRight = hash.matches(password) && users[user] != nil
    state.withLock { state in
      state.comparing -= 1
      guard isRight else { return }
      if state.known.count >= Self.knownMax { state.known.removeAll() }
      state.known.insert(code)
    }
    return isRight ? .granted(subject: user) : .refused(.wrong)
  }
}

/// What a field `Authorization` says (RFC 7617, RFC 6750).
struct Credentials: Equatable {
  /// With `Basic`.
  var user: String?
  /// The token or the password.
  var secret: String

  /// `nil` if it is of another kind, or malformed.
  init?(_ field: String) {
    let trimmed = field.trimmingPrefix { $0 == " " }
    guard let blank = trimmed.firstIndex(of: " ") else { return nil }
    let rest = trimmed[trimmed.index(after: blank)...].trimmingPrefix { $0 == " " }
    switch trimmed[..<blank].lowercased() {
    case "bearer":
      guard !rest.isEmpty else { return nil }
      secret = String(rest)
    case "basic":
      guard let bytes = Base64.decode(String(rest)), let text = String(validating: bytes, as: UTF8.self),
        let colon = text.firstIndex(of: ":")
      else { return nil }
      user = String(text[..<colon])
      secret = String(text[text.index(after: colon)...])
    default: return nil
    }
  }
}
