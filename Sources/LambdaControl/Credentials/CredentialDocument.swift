import FoundationEssentials

/// What the endpoints of containers and of machines answer.
struct CredentialDocument: Decodable {
  var accessKeyID: String?
  var secretAccessKey: String?
  var token: String?
  /// Of machines: `Success`, or why there are none.
  var code: String?
  var message: String?

  private enum CodingKeys: String, CodingKey {
    case accessKeyID = "AccessKeyId"
    case secretAccessKey = "SecretAccessKey"
    case token = "Token"
    case code = "Code"
    case message = "Message"
  }

  /// - Throws: ``LambdaError`` with ``LambdaError/Code/credentials`` if there are none in `body`.
  static func credentials(_ body: [UInt8], source: String) throws(LambdaError) -> AWSCredentials {
    let document: CredentialDocument
    do {
      document = try JSONDecoder().decode(CredentialDocument.self, from: Data(body))
    } catch {
      throw LambdaError(.credentials, "The credentials of \(source) cannot be read: they are not the JSON of AWS.")
    }
    guard document.code == nil || document.code == "Success", let id = document.accessKeyID,
      let secret = document.secretAccessKey
    else {
      let reason = [document.code, document.message].compactMap { $0 }.joined(separator: ": ")
      throw LambdaError(
        .credentials, "There are no credentials in what \(source) answered\(reason.isEmpty ? "" : " (\(reason))").")
    }
    return AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: document.token, source: source)
  }
}
