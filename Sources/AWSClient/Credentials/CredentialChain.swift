/// Finds credentials where AWS's own tools look, in their order: the environment, the profile, the container's
/// endpoint, the machine's metadata. The first place that has some decides; a key pair with only one of its two parts
/// is an error, not a reason to look further.
struct CredentialChain: Sendable {
  let settings: AWSSettings
  let transport: any Transport

  /// - Parameter asksNetwork: Whether the endpoints of containers and machines are asked, too.
  /// - Returns: `nil` if no place has any.
  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/credentials`` if a place has what cannot be used.
  func credentials(asksNetwork: Bool) async throws(AWSClientError) -> AWSCredentials? {
    if !settings.isProfileNamed, let found = try environment() { return found }
    if let found = try profile() { return found }
    guard asksNetwork else { return nil }
    if let found = try await ContainerCredentials(settings: settings, transport: transport).credentials() {
      return found
    }
    return try await InstanceMetadata(settings: settings, transport: transport)?.credentials()
  }

  private func environment() throws(AWSClientError) -> AWSCredentials? {
    let variables = settings.variables
    if let id = variables.text("AWS_ACCESS_KEY_ID") {
      guard let secret = variables.text("AWS_SECRET_ACCESS_KEY") else {
        throw AWSClientError(.credentials, "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not; set both.")
      }
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: variables.text("AWS_SESSION_TOKEN"),
        source: "the environment")
    }
    // A secret alone is passed over by AWS's tools, too: the id is what they look for.
    if variables.text("AWS_WEB_IDENTITY_TOKEN_FILE") != nil, variables.text("AWS_ROLE_ARN") != nil {
      throw CredentialChain.unsupported(
        "AWS_WEB_IDENTITY_TOKEN_FILE names a web identity", profile: settings.profileName)
    }
    return nil
  }

  private func profile() throws(AWSClientError) -> AWSCredentials? {
    let name = settings.profileName
    if settings.profileText("role_arn") != nil {
      let how = ["source_profile", "credential_source", "web_identity_token_file"].first { settings.profile[$0] != nil }
      throw CredentialChain.unsupported(
        "Profile \"\(name)\" assumes a role (role_arn\(how.map { " with \($0)" } ?? ""))", profile: name)
    }
    let hasSession = ["sso_session", "sso_start_url", "login_session"].first { settings.profile[$0] != nil }
    if let hasSession, settings.profile["aws_access_key_id"] == nil {
      throw CredentialChain.unsupported("Profile \"\(name)\" signs in through a browser (\(hasSession))", profile: name)
    }
    if let id = settings.profileText("aws_access_key_id") {
      guard let secret = settings.profileText("aws_secret_access_key") else {
        throw AWSClientError(
          .credentials, "Profile \"\(name)\" has aws_access_key_id and no aws_secret_access_key; it needs both.")
      }
      return AWSCredentials(
        accessKeyID: id, secretAccessKey: secret, sessionToken: settings.profileText("aws_session_token"),
        source: "profile \"\(name)\"")
    }
    if settings.profileText("credential_process") != nil {
      throw CredentialChain.unsupported("Profile \"\(name)\" asks a program (credential_process)", profile: name)
    }
    return nil
  }

  private static func unsupported(_ what: String, profile: String) -> AWSClientError {
    AWSClientError(
      .credentials,
      "\(what), which Kelvin does not support. Get the credentials with AWS's command line instead: "
        + "eval \"$(aws configure export-credentials --profile \(profile) --format env)\"")
  }
}
