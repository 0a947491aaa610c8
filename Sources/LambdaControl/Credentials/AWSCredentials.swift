/// What requests to AWS are signed with. Printing one never shows a secret.
public struct AWSCredentials: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
  public var accessKeyID: String
  public var secretAccessKey: String
  /// Only of temporary credentials.
  public var sessionToken: String?
  /// Where they were found, for people: `the environment`, `profile "default"`.
  public var source: String

  public init(accessKeyID: String, secretAccessKey: String, sessionToken: String? = nil, source: String) {
    self.accessKeyID = accessKeyID
    self.secretAccessKey = secretAccessKey
    self.sessionToken = sessionToken
    self.source = source
  }

  /// What a server on this machine is sent if there are none: it needs a signature of the right form, not a right one.
  static let local = AWSCredentials(
    accessKeyID: "kelvin", secretAccessKey: "kelvin", source: "made up for this machine")

  public var description: String { "credentials \(accessKeyID) from \(source)" }
  public var debugDescription: String { description }
}
