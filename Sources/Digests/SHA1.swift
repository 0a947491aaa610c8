internal import COpenSSL

/// SHA-1 (FIPS 180-4), by OpenSSL's libcrypto: for protocols that are built on it and need no strength of it, such as the handshake of
/// WebSocket.
package enum SHA1 {
  /// The length of a digest, in bytes.
  package static let byteCount = 20

  /// The 20 bytes of a message's digest.
  ///
  /// - Complexity: O(`message.count`).
  package static func digest(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var count = 0
    let result = unsafe EVP_Q_digest(DigestLibrary.context, "SHA1", nil, message, message.count, &digest, &count)
    // As for SHA-256.
    guard result == 1, count == byteCount else { fatalError("libcrypto computes no SHA-1") }
    return digest
  }
}
