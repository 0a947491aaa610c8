internal import COpenSSL

/// SHA-256 (FIPS 180-4), by OpenSSL's libcrypto.
public enum SHA256 {
  /// The length of a digest, in bytes.
  public static let byteCount = 32

  /// The 32 bytes of a message's digest.
  ///
  /// - Complexity: O(`message.count`).
  public static func digest(_ message: [UInt8]) -> [UInt8] {
    var digest = [UInt8](repeating: 0, count: byteCount)
    var count: UInt32 = 0
    let result = unsafe EVP_Digest(message, message.count, &digest, &count, EVP_sha256(), nil)
    // It fails where libcrypto is configured to offer no SHA-256: then nothing can be signed at all.
    guard result == 1, count == byteCount else {
      fatalError("BUG: libcrypto has no SHA-256 (\(result), \(count))")
    }
    return digest
  }

  /// The 32 bytes of a message's authentication code with this key (HMAC, RFC 2104).
  ///
  /// - Complexity: O(`message.count` + `key.count`).
  public static func authenticationCode(for message: [UInt8], key: [UInt8]) -> [UInt8] {
    var code = [UInt8](repeating: 0, count: byteCount)
    var count: UInt32 = 0
    // An empty array has no address, and without one HMAC takes the key of the call before.
    let bytes = key.isEmpty ? [0] : key
    let result = unsafe HMAC(EVP_sha256(), bytes, Int32(key.count), message, message.count, &code, &count)
    guard unsafe result != nil, count == byteCount else { fatalError("BUG: libcrypto computes no HMAC (\(count))") }
    return code
  }
}
