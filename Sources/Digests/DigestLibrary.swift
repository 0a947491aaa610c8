internal import COpenSSL

/// The library that computes the digests.
package enum DigestLibrary {
  /// The version of OpenSSL that the process has, such as `3.0.19`.
  package static var version: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }

  /// Of our own, so that no `openssl.cnf` and no `OPENSSL_CONF` decides what is there: one that asks for a provider which is
  /// missing would leave nothing to sign with. It is used from any thread, as its manual allows, and never freed.
  nonisolated(unsafe) static let context = unsafe OSSL_LIB_CTX_new()
}
