internal import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
package enum SHA256 {
  /// The length of a digest, in bytes.
  package static let byteCount = 32

  /// The 32 bytes of a message's digest.
  ///
  /// - Complexity: O(`message.count`).
  package static func digest(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var count = 0
    let result = unsafe EVP_Q_digest(DigestLibrary.context, "SHA256", nil, message, message.count, &digest, &count)
    // What is left is that memory is exhausted, or a libcrypto that was built without it.
    guard result == 1, count == byteCount else { fatalError("libcrypto computes no SHA-256") }
    return digest
  }

  /// The 32 bytes of a message's authentication code with this key (HMAC, RFC 2104).
  ///
  /// - Complexity: O(`message.count` + `key.count`).
  package static func authenticationCode(for message: [UInt8], key: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: byteCount)
    var count = 0
    // An empty array has no address, and without one HMAC has no key.
    let bytes = key.isEmpty ? [0] : key
    let result = unsafe EVP_Q_mac(
      DigestLibrary.context, "HMAC", nil, "SHA256", nil, bytes, key.count, message, message.count, &code, byteCount,
      &count)
    guard unsafe result != nil, count == byteCount else { fatalError("libcrypto computes no HMAC") }
    return code
  }
}
