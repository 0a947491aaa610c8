internal import CZlib

/// The CRC-32 of zlib and gzip.
@safe struct Checksum {
  private(set) var value: UInt32

  /// - Parameter seed: The checksum of what comes before.
  init(seed: UInt32) { value = seed }

  mutating func add(_ number: UInt64) {
    var bytes = number.littleEndian
    value = unsafe withUnsafeBytes(of: &bytes) { unsafe Self.crc(value, $0) }
  }

  mutating func add(_ bytes: UnsafeRawBufferPointer) { value = unsafe Self.crc(value, bytes) }

  mutating func add(_ bytes: [UInt8], _ range: Range<Int>) {
    value = unsafe bytes.withUnsafeBytes { unsafe Self.crc(value, UnsafeRawBufferPointer(rebasing: $0[range])) }
  }

  private static func crc(_ seed: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
    // A null pointer would mean: begin anew.
    guard let base = unsafe bytes.bindMemory(to: UInt8.self).baseAddress, unsafe !bytes.isEmpty else { return seed }
    return unsafe UInt32(truncatingIfNeeded: crc32_z(UInt(seed), base, bytes.count))
  }
}
