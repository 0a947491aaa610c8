import Text

/// The metadata of an EC2 instance (version 2 of the service, with a token).
struct InstanceMetadata: Sendable {
  /// Only EC2 answers there; elsewhere, the command finds out after one second.
  private static let timeout = Duration.seconds(1)

  private let base: String
  private let transport: any Transport

  /// `nil` if it is switched off.
  init?(settings: AWSSettings, transport: any Transport) {
    let variables = settings.variables
    guard variables.text("AWS_EC2_METADATA_DISABLED")?.lowercased() != "true" else { return nil }
    let mode =
      variables.text("AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE")
      ?? settings.profileText("ec2_metadata_service_endpoint_mode")
    let usual = mode?.lowercased() == "ipv6" ? "http://[fd00:ec2::254]" : "http://169.254.169.254"
    var base =
      variables.text("AWS_EC2_METADATA_SERVICE_ENDPOINT") ?? settings.profileText("ec2_metadata_service_endpoint")
      ?? usual
    while base.last == "/" { base.removeLast() }
    self.base = base
    self.transport = transport
  }

  /// - Returns: `nil` if there is no such service, or no role is attached to the machine.
  func credentials() async throws(AWSClientError) -> AWSCredentials? {
    guard let token = await token() else { return nil }
    let path = "/latest/meta-data/iam/security-credentials/"
    guard let list = await document(path, token: token) else { return nil }
    let role = String(decoding: list, as: UTF8.self).split(whereSeparator: \.isNewline).first.map(String.init)
    guard let role, let body = await document(path + PercentEncoding.encoded(role), token: token) else { return nil }
    return try CredentialDocument.credentials(body, source: "the machine's metadata (role \(role))")
  }

  /// The region that the machine is in, if it says so.
  func region() async -> String? {
    guard let token = await token() else { return nil }
    return await document("/latest/meta-data/placement/region", token: token).map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  private func token() async -> String? {
    let result = await result(
      HTTPExchange(
        method: "PUT", url: base + "/latest/api/token",
        headers: [Header("X-aws-ec2-metadata-token-ttl-seconds", "21600")], timeout: InstanceMetadata.timeout))
    return result.map { String(decoding: $0, as: UTF8.self) }
  }

  private func document(_ path: String, token: String) async -> [UInt8]? {
    await result(
      HTTPExchange(
        method: "GET", url: base + path, headers: [Header("X-aws-ec2-metadata-token", token)],
        timeout: InstanceMetadata.timeout))
  }

  /// The body of a 200. Everything else means that there is nothing to be had here, which is usual.
  private func result(_ exchange: HTTPExchange) async -> [UInt8]? {
    guard let result = try? await transport.send(exchange), result.status == 200, !result.body.isEmpty else {
      return nil
    }
    return result.body
  }
}
