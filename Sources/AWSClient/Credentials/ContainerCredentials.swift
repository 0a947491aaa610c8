/// The endpoint that AWS gives containers (ECS, EKS): the environment has its address.
struct ContainerCredentials: Sendable {
  let settings: AWSSettings
  let transport: any Transport
  /// Where paths begin that `AWS_CONTAINER_CREDENTIALS_RELATIVE_URI` names.
  var relativeBase = "http://169.254.170.2"

  /// An endpoint that is not on this machine could be anybody's, and would be handed the token; these are AWS's own.
  private static let hosts: Set<String> = ["169.254.170.2", "169.254.170.23", "fd00:ec2::23"]

  /// - Returns: `nil` if the environment names no endpoint.
  func credentials() async throws(AWSClientError) -> AWSCredentials? {
    guard let url = try url() else { return nil }
    let headers = try token().map { [Header("Authorization", $0)] } ?? []
    let exchange = HTTPExchange(
      method: "GET", url: url, headers: headers + [Header("Accept", "application/json")], timeout: .seconds(5))
    let source = "the container's endpoint"
    let result: HTTPResult
    do {
      result = try await transport.send(exchange)
    } catch {
      throw AWSClientError(.credentials, "The container's endpoint for credentials does not answer: \(error.message)")
    }
    guard result.status == 200 else {
      throw AWSClientError(.credentials, "The container's endpoint for credentials answered \(result.status).")
    }
    return try CredentialDocument.credentials(result.body, source: source)
  }

  private func url() throws(AWSClientError) -> String? {
    if let path = settings.variables.text("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") {
      guard path.first == "/" else {
        throw AWSClientError(.settings, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI must begin with a slash.")
      }
      return relativeBase + path
    }
    guard let text = settings.variables.text("AWS_CONTAINER_CREDENTIALS_FULL_URI") else { return nil }
    // The query is part of what is asked, not of where.
    let endpoint = try EndpointURL(String(text.prefix { $0 != "?" }))
    guard endpoint.isLoopback || ContainerCredentials.hosts.contains(endpoint.host.lowercased()) else {
      throw AWSClientError(
        .credentials,
        "AWS_CONTAINER_CREDENTIALS_FULL_URI names \(endpoint.host), which is neither this machine nor AWS's own endpoint; it is not asked."
      )
    }
    return text
  }

  private func token() throws(AWSClientError) -> String? {
    var token = settings.variables.text("AWS_CONTAINER_AUTHORIZATION_TOKEN")
    if let path = settings.variables.text("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
      guard let bytes = settings.readFile(path) else {
        throw AWSClientError(
          .credentials, "\(path), which AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE names, cannot be read.")
      }
      token = String(decoding: bytes, as: UTF8.self)
    }
    guard var token else { return nil }
    while token.last?.isNewline == true { token.removeLast() }
    guard token.unicodeScalars.allSatisfy({ $0.value >= 0x20 && $0.value < 0x7F }) else {
      throw AWSClientError(
        .credentials, "The authorization token for the container's endpoint has characters that no header may have.")
    }
    return token
  }
}
