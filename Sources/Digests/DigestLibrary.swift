internal import COpenSSL

/// The library that computes the digests.
package enum DigestLibrary {
  /// The version of OpenSSL that the process has, such as `3.0.19`.
  package static var version: String { unsafe String(cString: OpenSSL_version(OPENSSL_VERSION_STRING)) }
}
