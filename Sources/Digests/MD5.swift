internal import COpenSSL

/// MD5 (RFC 1321), by OpenSSL's libcrypto: for checksums of protocols that ask for it, and for nothing that has to be secure.
package enum MD5 {
  /// The length of a digest, in bytes.
  package static let byteCount = 16

  /// The 16 bytes of a message's digest.
  ///
  /// - Returns: `nil` if this libcrypto computes none, as one in FIPS mode does.
  /// - Complexity: O(`message.count`).
  package static func digest(_ message: [UInt8]) -> [UInt8]? {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var count = 0
    let result = unsafe EVP_Q_digest(DigestLibrary.context, "MD5", nil, message, message.count, &digest, &count)
    return result == 1 && count == byteCount ? digest : nil
  }
}
