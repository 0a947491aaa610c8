import Text

/// Reads the answers of the credential endpoints of containers and machines.
struct CredentialDocument {
  var accessKeyID: String?
  var secretAccessKey: String?
  var token: String?
  /// Of machines: `Success`, or why there are none.
  var code: String?
  var message: String?

  /// `nil` if `body` is no object of JSON, or one of these members is no text.
  private init?(_ body: [UInt8]) {
    // What is wrong with a document that holds secrets is not said in detail.
    guard let document = try? JSONValue(body.span, .answer), document.object != nil else { return nil }
    let names = ["AccessKeyId", "SecretAccessKey", "Token", "Code", "Message"]
    guard names.allSatisfy({ document[$0].map { $0.isNull || $0.string != nil } ?? true }) else { return nil }
    accessKeyID = document["AccessKeyId"]?.string
    secretAccessKey = document["SecretAccessKey"]?.string
    token = document["Token"]?.string
    code = document["Code"]?.string
    message = document["Message"]?.string
  }

  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/credentials`` if there are none in `body`.
  static func credentials(_ body: [UInt8], source: String) throws(AWSClientError) -> AWSCredentials {
    guard let document = CredentialDocument(body) else {
      throw AWSClientError(
        .credentials, "The credentials of \(source) cannot be read: they are not JSON as AWS writes it.")
    }
    guard document.code == nil || document.code == "Success", let id = document.accessKeyID,
      let secret = document.secretAccessKey
    else {
      let reason = [document.code, document.message].compactMap { $0 }.joined(separator: ": ")
      throw AWSClientError(
        .credentials, "There are no credentials in the answer of \(source)\(reason.isEmpty ? "" : " (\(reason))").")
    }
    return AWSCredentials(accessKeyID: id, secretAccessKey: secret, sessionToken: document.token, source: source)
  }
}
