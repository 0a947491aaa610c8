/// The credentials that sign requests to AWS. Printing one never shows a secret.
package struct AWSCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// No secret: it is sent with every request.
  package var accessKeyID: String
  /// Never shown, and never sent.
  package var secretAccessKey: String
  /// Only of temporary credentials.
  package var sessionToken: String?
  /// Where they were found, for people: `the environment`, `profile "default"`.
  package var source: String

  /// Makes credentials of parts that somebody found; nothing is checked.
  package init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.source = source
  }

  /// A placeholder for servers on this machine, if there are none: they need a signature, but do not check it.
  static let local = AWSCredentials(
    accessKeyID: "kelvin", secretAccessKey: "kelvin", source: "made up for this machine")

  /// The identifier and the source, without secrets.
  package var description: String { "credentials \(accessKeyID) from \(source)" }
  /// The same as ``description``, so that a debugger shows no secret either.
  package var debugDescription: String { description }
}
