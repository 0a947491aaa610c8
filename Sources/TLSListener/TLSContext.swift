internal import COpenSSL
internal import Glibc

/// Certificates and rules for the connections of a listener, by OpenSSL.
@safe package final class TLSContext: Sendable {
  /// Of our own, so that no `openssl.cnf` and no `OPENSSL_CONF` decides what is there.
  private nonisolated(unsafe) static let library = unsafe OSSL_LIB_CTX_new()

  /// OpenSSL counts references to it, and uses it from any thread.
  nonisolated(unsafe) let pointer: OpaquePointer

  /// What a listener offers and asks for. Paths are absolute, or relative to the working directory.
  package struct Settings: Hashable, Sendable {
    /// The certificate and those that lead to its authority, in PEM.
    package var certificateFile: String
    /// The certificate's private key, in PEM, without a password.
    package var keyFile: String
    /// What is asked of clients.
    package var clientCertificates: ClientCertificates
    /// The authorities of clients' certificates, in PEM; needed where they are checked.
    package var clientAuthoritiesFile: String?
    /// The oldest version of TLS that is spoken.
    package var versionMin: Version
    /// The newest.
    package var versionMax: Version

    /// Settings; by default clients need no certificate, and TLS 1.2 and 1.3 are spoken.
    package init(
      certificateFile: String, keyFile: String, clientCertificates: ClientCertificates = .none,
      clientAuthoritiesFile: String? = nil, versionMin: Version = .tls12, versionMax: Version = .tls13
    ) {
      self.certificateFile = certificateFile
      self.keyFile = keyFile
      self.clientCertificates = clientCertificates
      self.clientAuthoritiesFile = clientAuthoritiesFile
      self.versionMin = versionMin
      self.versionMax = versionMax
    }
  }

  /// Whether clients show certificates.
  package enum ClientCertificates: Hashable, Sendable {
    /// They are not asked for one.
    case none
    /// They may; if they do, it must be of a known authority.
    case checkedIfGiven
    /// They must, and it must be of a known authority.
    case required
  }

  /// A version of TLS. Older ones are broken (RFC 8996).
  package enum Version: Int, Comparable, Sendable {
    /// TLS 1.2 (RFC 5246).
    case tls12 = 0x0303
    /// TLS 1.3 (RFC 8446).
    case tls13 = 0x0304

    /// Whether one is older than another.
    package static func < (one: Version, other: Version) -> Bool { one.rawValue < other.rawValue }
  }

  /// Reads certificates and keys. Blocks.
  ///
  /// - Throws: ``TLSError`` if a file is not what it has to be, or the key is another certificate's.
  package init(_ settings: Settings) throws(TLSError) {
    guard let context = unsafe SSL_CTX_new_ex(Self.library, nil, TLS_server_method()) else {
      throw TLSError("OpenSSL has no memory for TLS")
    }
    unsafe pointer = context
    // From here on, a throw frees it.
    _ = unsafe copenssl_set_min_version(context, Int32(settings.versionMin.rawValue))
    _ = unsafe copenssl_set_max_version(context, Int32(settings.versionMax.rawValue))
    unsafe copenssl_set_options(context)
    unsafe copenssl_take_http(context)
    try use(settings)
  }

  deinit { unsafe SSL_CTX_free(pointer) }

  private func use(_ settings: Settings) throws(TLSError) {
    let context = unsafe pointer
    ERR_clear_error()
    guard unsafe SSL_CTX_use_certificate_chain_file(context, settings.certificateFile) == 1 else {
      throw .file(settings.certificateFile, "has no certificate in PEM")
    }
    guard unsafe SSL_CTX_use_PrivateKey_file(context, settings.keyFile, SSL_FILETYPE_PEM) == 1,
      unsafe SSL_CTX_check_private_key(context) == 1
    else {
      throw .file(settings.keyFile, "has no private key in PEM for the certificate in \(settings.certificateFile)")
    }
    guard settings.clientCertificates != .none else { return }
    guard let file = settings.clientAuthoritiesFile else {
      throw TLSError("certificates of clients are checked, but no file with their authorities is named")
    }
    guard unsafe SSL_CTX_load_verify_file(context, file) == 1, let names = unsafe SSL_load_client_CA_file(file) else {
      throw .file(file, "has no certificates in PEM")
    }
    unsafe SSL_CTX_set_client_CA_list(context, names)
    let isRequired = settings.clientCertificates == .required
    unsafe SSL_CTX_set_verify(
      context, SSL_VERIFY_PEER | (isRequired ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), nil)
    // Sessions that are resumed belong to this listener alone.
    _ = unsafe SSL_CTX_set_session_id_context(context, "kelvin", 6)
  }
}

/// Why TLS cannot be spoken.
package struct TLSError: Error, Hashable, Sendable, CustomStringConvertible {
  /// One sentence.
  package let message: String

  /// An error of its sentence.
  init(_ message: String) { self.message = message }

  /// The same as ``message``.
  package var description: String { message }

  /// What is wrong with a file, in OpenSSL's words where it has some.
  static func file(_ path: String, _ sentence: String) -> TLSError {
    if unsafe access(path, R_OK) != 0 {
      return unsafe TLSError("\(path) cannot be read: \(String(cString: strerror(errno)))")
    }
    return TLSError("\(path) \(sentence) (\(reason()))")
  }

  /// The last thing that OpenSSL was unhappy with on this thread; forgets it.
  static func reason() -> String {
    let code = ERR_peek_last_error()
    ERR_clear_error()
    guard code != 0, let text = unsafe ERR_reason_error_string(code) else { return "no reason given" }
    return unsafe String(cString: text)
  }
}
