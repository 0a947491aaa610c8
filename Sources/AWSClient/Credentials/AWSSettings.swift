/// The settings in the environment and in the shared files of AWS's tools: variables, and the profile in use.
package struct AWSSettings: Sendable {
  /// The variables of the environment.
  let variables: [String: String]
  /// The name of the profile in use.
  let profileName: String
  /// Whether the command line named it; then variables with keys do not count (as with AWS's command line).
  let isProfileNamed: Bool
  /// What both files say about the profile; the credentials file goes before the config file.
  let profile: [String: SharedFile.Value]
  /// The section of the config file that the profile's `services` names.
  private let services: [String: SharedFile.Value]
  let readFile: @Sendable (String) -> [UInt8]?

  /// Reads the environment and the files.
  ///
  /// - Parameters:
  ///   - named: The profile that the command line says; else `AWS_PROFILE`, else `default`.
  ///   - readFile: The bytes of a file, `nil` if there is none or it cannot be read. At most 1 MiB of it are asked for.
  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/settings`` if a profile is named that neither file has.
  package init(
    variables: [String: String], profile named: String? = nil, readFile: @escaping @Sendable (String) -> [UInt8]?
  ) throws(AWSClientError) {
    self.variables = variables
    self.readFile = readFile
    let wanted = named ?? variables.text("AWS_PROFILE") ?? variables.text("AWS_DEFAULT_PROFILE")
    isProfileNamed = named != nil
    profileName = wanted ?? "default"
    let home = variables.text("HOME") ?? ""
    let configPath = AWSSettings.path(variables.text("AWS_CONFIG_FILE") ?? "~/.aws/config", home: home)
    let keysPath = AWSSettings.path(variables.text("AWS_SHARED_CREDENTIALS_FILE") ?? "~/.aws/credentials", home: home)
    let files = [configPath, keysPath].map { path in
      readFile(path).map { SharedFile(String(decoding: $0, as: UTF8.self)) } ?? SharedFile("")
    }
    let configured =
      files[0].sections["profile \(profileName)"] ?? (profileName == "default" ? files[0].sections["default"] : nil)
    let keys = files[1].sections[profileName]
    if let wanted, configured == nil, keys == nil {
      throw AWSClientError(
        .settings, "There is no profile \"\(wanted)\" in \(configPath) or \(keysPath).")
    }
    let profile = (configured ?? [:]).merging(keys ?? [:]) { $1 }
    self.profile = profile
    services = profile["services"].flatMap { files[0].sections["services \($0.text)"] } ?? [:]
  }

  /// The region in use, if any is said: of the environment, else of the profile.
  package var region: String? {
    variables.text("AWS_REGION") ?? variables.text("AWS_DEFAULT_REGION") ?? profileText("region")
  }

  /// The endpoint that is configured for a service in AWS's tools instead of AWS's own, if any.
  package func endpoint(of service: AWSService) -> String? {
    if isTrue(variables.text("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") ?? profileText("ignore_configured_endpoint_urls")) {
      return nil
    }
    return variables.text("AWS_ENDPOINT_URL_\(service.settingsName.uppercased())") ?? variables.text("AWS_ENDPOINT_URL")
      ?? services[service.settingsName]?.nested.text("endpoint_url") ?? profileText("endpoint_url")
  }

  /// A file with the authorities to trust, in place of the system's.
  package var certificates: String? { variables.text("AWS_CA_BUNDLE") ?? profileText("ca_bundle") }

  /// How often a call is tried in all; at least 1.
  var attemptsLimit: Int {
    let text = variables.text("AWS_MAX_ATTEMPTS") ?? profileText("max_attempts")
    return text.flatMap { Int($0) }.map { min(max($0, 1), 20) } ?? RetryPolicy.attemptsUsual
  }

  func profileText(_ key: String) -> String? { profile[key].flatMap { $0.text.isEmpty ? nil : $0.text } }

  private func isTrue(_ text: String?) -> Bool { text?.lowercased() == "true" }

  private static func path(_ path: String, home: String) -> String {
    path.hasPrefix("~/") ? home + path.dropFirst() : path
  }
}

extension [String: String] {
  /// The value, unless it is empty: an empty variable is as good as none.
  func text(_ name: String) -> String? { self[name].flatMap { $0.isEmpty ? nil : $0 } }
}
