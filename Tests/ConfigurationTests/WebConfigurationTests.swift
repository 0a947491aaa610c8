import Configuration
import Foundation
import Testing

@Suite struct `A file of certificates and users` {
  private func read(_ text: String) throws -> WebConfiguration {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("web-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appendingPathComponent("web.yml").path
    try text.write(toFile: path, atomically: true, encoding: .utf8)
    return try ConfigurationFile.webConfiguration(path: path)
  }

  @Test func `is read in Prometheus' form`() throws {
    let web = try read(
      """
      tls_server_config:
        cert_file: server.crt
        key_file: /etc/server.key
        client_auth_type: RequireAndVerifyClientCert
        client_ca_file: ca.crt
        min_version: TLS13
        prefer_server_cipher_suites: true
      http_server_config: {http2: true}
      basic_auth_users:
        ann: $2y$10$x
      """)
    #expect(web.certificateFile?.hasSuffix("/server.crt") == true)
    #expect(web.certificateFile?.hasPrefix("/") == true)
    #expect(web.keyFile == "/etc/server.key")
    #expect(web.clientCertificates == .required)
    #expect(web.clientAuthoritiesFile?.hasSuffix("/ca.crt") == true)
    #expect(!web.takesTLS12 && web.takesTLS13)
    #expect(web.users == ["ann": "$2y$10$x"])
    #expect(web.asksForCredentials)
    #expect(try !read("basic_auth_users:\n").asksForCredentials)
  }

  @Test(arguments: [
    ("tls_server_config: {cert_file: a}", "line 1: tls_server_config needs both"),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  cipher_suites: [x]",
      "line 4: cipher_suites is not supported"
    ),
    ("tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS10", "line 4: min_version must be TLS12"),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  min_version: TLS13\n  max_version: TLS12",
      "line 5: max_version is below"
    ),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: RequireAnyClientCert",
      "line 4: client_auth_type must be one of"
    ),
    (
      "tls_server_config:\n  cert_file: a\n  key_file: b\n  client_auth_type: RequireAndVerifyClientCert",
      "needs client_ca_file"
    ),
    ("rate_limit: {burst: 1}", "requestsPerSecond"),
    ("http_server_config: {headers: {}}", "headers is not supported"),
    ("basic_auth_users: {\"a:b\": x}", "no colon"),
    ("basic_auth_user: {}", "did you mean basic_auth_users?"),
  ])
  func `says what cannot be used, and where`(_ text: String, _ words: String) {
    let error = #expect(throws: ConfigurationError.self) { try read(text) }
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }
}
