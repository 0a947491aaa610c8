/// The credentials that sign requests to AWS. Printing one never shows a secret.
public struct AWSCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  /// No secret: it is sent with every request.
  public var accessKeyID: String
  /// Never shown, and never sent.
  public var secretAccessKey: String
  /// Only of temporary credentials.
  public var sessionToken: String?
  /// Where they were found, for people: `the environment`, `profile "default"`.
  public var source: String

  /// Makes credentials of parts that somebody found; nothing is checked.
  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.source = source
  }

  /// A placeholder for servers on this machine, if there are none: they need a signature, but do not check it.
  static let local = AWSCredentials(
    accessKeyID: "kelvin", secretAccessKey: "kelvin", source: "made up for this machine")

  /// The identifier and the source, without secrets.
  public var description: String { "credentials \(accessKeyID) from \(source)" }
  /// The same as ``description``, so that a debugger shows no secret either.
  public var debugDescription: String { description }
}
