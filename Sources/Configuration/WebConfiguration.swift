import Glibc

/// Certificates and users of a listener, as Prometheus' `web.config.file` has them.
///
/// The form is that of <https://prometheus.io/docs/prometheus/latest/configuration/https/>.
package struct WebConfiguration: Hashable, Sendable {
  /// Absolute; `nil` without TLS.
  package var certificateFile: String?
  /// Absolute; with ``certificateFile``.
  package var keyFile: String?
  /// What `client_auth_type` says.
  package var clientCertificates = ClientCertificates.none
  /// Absolute; needed where certificates of clients are checked.
  package var clientAuthoritiesFile: String?
  /// Whether TLS 1.2 is spoken, beside or in place of 1.3.
  package var takesTLS12 = true
  /// Whether TLS 1.3 is spoken.
  package var takesTLS13 = true
  /// The bcrypt hash of each user's password.
  package var users: [String: String] = [:]

  /// What is asked of clients.
  package enum ClientCertificates: String, CaseIterable, Hashable, Sendable {
    /// Nothing.
    case none = "NoClientCert"
    /// A certificate is checked if there is one.
    case checkedIfGiven = "VerifyClientCertIfGiven"
    /// A certificate of a known authority.
    case required = "RequireAndVerifyClientCert"
  }

  /// Neither TLS nor users.
  package init() {}

  /// Whether nobody is answered who has not shown something.
  package var asksForCredentials: Bool { !users.isEmpty || certificateFile != nil && clientCertificates == .required }
}

extension ConfigurationFile {
  /// Reads a file of certificates and users. Paths in it begin at its folder. Blocks on the file system.
  ///
  /// - Throws: ``ConfigurationError`` if there is no such file, or anything in it cannot be used: then with its first problem.
  package static func webConfiguration(path: String) throws(ConfigurationError) -> WebConfiguration {
    let bytes = try contents(path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw ConfigurationError(message: "\(path) is not UTF-8; save the file as UTF-8.")
    }
    var reader = WebConfigurationReader(folder: folder(of: path))
    reader.read(text)
    if let problem = reader.nodes.problems.sorted().first {
      throw ConfigurationError(message: "\(path), line \(problem.line): \(problem.message)")
    }
    return reader.configuration
  }
}

/// Reads the form, of which Kelvin has no use for all.
private struct WebConfigurationReader {
  var nodes: NodeReader
  var configuration = WebConfiguration()

  init(folder: String) { nodes = NodeReader(folder: folder, folderExists: { _ in true }) }

  mutating func read(_ text: String) {
    guard let root = YAMLDocument.read(text, problems: &nodes.problems) else { return }
    let keys = nodes.entries(
      of: root, name: "the file", keys: ["tls_server_config", "basic_auth_users", "http_server_config", "rate_limit"])
    if let section = keys["tls_server_config"] { readTLS(section.value) }
    if let section = keys["http_server_config"] {
      let entries = nodes.entries(of: section.value, name: "http_server_config", keys: ["http2", "headers"])
      // Kelvin speaks HTTP/1.1, whatever is allowed.
      _ = nodes.boolean(entries["http2"])
      refuse(entries["headers"])
    }
    if let section = keys["rate_limit"] {
      nodes.add(section.value, "rate_limit: write agent.requestsPerSecond in kelvin.yaml in place of it.")
    }
    if let section = keys["basic_auth_users"] { readUsers(section.value) }
  }

  private mutating func refuse(_ entry: YAMLNode.Entry?) {
    guard let entry else { return }
    nodes.add(entry.value, "\(entry.key) is not supported; take it out.")
  }

  private mutating func readTLS(_ node: YAMLNode) {
    let refused = ["client_allowed_sans", "cipher_suites", "curve_preferences", "cert", "key", "client_ca"]
    let keys = nodes.entries(
      of: node, name: "tls_server_config",
      keys: [
        "cert_file", "key_file", "client_ca_file", "client_auth_type", "min_version", "max_version",
        "prefer_server_cipher_suites",
      ] + refused)
    for key in refused { refuse(keys[key]) }
    _ = nodes.boolean(keys["prefer_server_cipher_suites"])
    configuration.certificateFile = nodes.path(keys["cert_file"])
    configuration.keyFile = nodes.path(keys["key_file"])
    configuration.clientAuthoritiesFile = nodes.path(keys["client_ca_file"])
    if configuration.certificateFile == nil || configuration.keyFile == nil {
      nodes.add(node, "tls_server_config needs both cert_file and key_file.")
    }
    readClients(keys["client_auth_type"], node)
    let versions = ["TLS12", "TLS13"]
    func version(_ entry: YAMLNode.Entry?, _ nodes: inout NodeReader) -> Int? {
      guard let entry, let text = nodes.text(entry) else { return nil }
      if let index = versions.firstIndex(of: text) { return index }
      nodes.add(entry.value, "\(entry.key) must be TLS12 or TLS13; older versions of TLS are broken.")
      return nil
    }
    let least = version(keys["min_version"], &nodes) ?? 0
    let most = version(keys["max_version"], &nodes) ?? 1
    if least > most, let entry = keys["max_version"] { nodes.add(entry.value, "max_version is below min_version.") }
    (configuration.takesTLS12, configuration.takesTLS13) = (least == 0, most == 1)
  }

  private mutating func readClients(_ entry: YAMLNode.Entry?, _ section: YAMLNode) {
    guard let entry, let text = nodes.text(entry) else { return }
    guard let type = WebConfiguration.ClientCertificates(rawValue: text) else {
      let known = WebConfiguration.ClientCertificates.allCases.map(\.rawValue).joined(separator: ", ")
      nodes.add(
        entry.value, "client_auth_type must be one of \(known): a certificate that nobody checks says nothing.")
      return
    }
    configuration.clientCertificates = type
    if type != .none, configuration.clientAuthoritiesFile == nil {
      nodes.add(entry.value, "client_auth_type: \(text) needs client_ca_file, with the authorities to trust.")
    }
  }

  private mutating func readUsers(_ node: YAMLNode) {
    for entry in nodes.uniqueEntries(of: node, name: "basic_auth_users") {
      guard let hash = nodes.text(entry) else { continue }
      guard !entry.key.isEmpty, !entry.key.contains(":") else {
        nodes.add(entry.value, "A user's name has no colon and is not empty.")
        continue
      }
      configuration.users[entry.key] = hash
    }
  }
}
