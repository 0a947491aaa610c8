import CZlib

/// Undoes gzip piece by piece (RFC 1952); several members one after the other are one content.
///
/// SAFETY: `stream` belongs to this object alone.
@safe final class Gunzip {
  private static let windowBits: Int32 = 15 + 16
  private static let partBytes = 256 << 10

  private let stream: UnsafeMutablePointer<z_stream>
  private var isBetweenMembers = true
  private var part = [UInt8](repeating: 0, count: Gunzip.partBytes)
  /// Whether something was wrong with what came.
  private(set) var isDamaged = false

  /// Whether all members that have begun have ended.
  var isWhole: Bool { isBetweenMembers && !isDamaged }

  /// - Returns: `nil` if there is no memory for it.
  init?() {
    // One address for all calls: zlib remembers that of its stream and refuses another.
    unsafe stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(stream, Gunzip.windowBits, ZLIB_VERSION, size) == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
  }

  // SAFETY: nobody else has the stream, and it was made by `inflateInit2_`.
  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Takes what came, and hands on what it stands for, in parts.
  ///
  /// - Parameter take: Returns whether to go on.
  func append(_ input: Span<UInt8>, _ take: (Span<UInt8>) -> Bool) {
    guard !isDamaged, !input.isEmpty else { return }
    // SAFETY: zlib reads the input and writes into `part`, which live through the call; it does not write through the input
    // pointer, which is mutable only for want of const in its interface.
    unsafe input.withUnsafeBufferPointer { bytes in
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: bytes.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
      defer { unsafe stream.pointee.next_in = nil }
      while !isDamaged, unsafe stream.pointee.avail_in > 0, step(take) {}
    }
  }

  private func step(_ take: (Span<UInt8>) -> Bool) -> Bool {
    if isBetweenMembers {
      guard unsafe inflateReset(stream) == Z_OK else { return false }
      isBetweenMembers = false
    }
    while true {
      var result: Int32 = Z_OK
      let count = unsafe part.withUnsafeMutableBufferPointer { room in
        unsafe stream.pointee.next_out = room.baseAddress
        unsafe stream.pointee.avail_out = UInt32(clamping: room.count)
        result = unsafe inflate(stream, Z_NO_FLUSH)
        return unsafe room.count - Int(stream.pointee.avail_out)
      }
      if count > 0, !take(part.span.extracting(0..<count)) { return false }
      switch result {
      case Z_STREAM_END:
        isBetweenMembers = true
        return true
      case Z_OK where count == part.count: continue
      case Z_OK, Z_BUF_ERROR: return true
      default:
        isDamaged = true
        return false
      }
    }
  }

  /// Undoes gzip of a document in one piece.
  ///
  /// - Parameters:
  ///   - bytesMax: The most bytes that it may stand for.
  ///   - budget: What it may stand for together with others; takes what was inflated, also of a document that is too long.
  /// - Returns: `nil` if it is damaged, or too long.
  static func all(_ bytes: [UInt8], bytesMax: Int, _ budget: InflationBudget) -> [UInt8]? {
    guard budget.left > 0, let gunzip = Gunzip() else { return nil }
    var whole: [UInt8] = []
    gunzip.append(bytes.span) { part in
      // SAFETY: the pointer does not leave the closure.
      unsafe part.withUnsafeBufferPointer { unsafe whole.append(contentsOf: $0) }
      budget.take(part.count)
      return whole.count <= bytesMax && budget.left > 0
    }
    return gunzip.isWhole && whole.count <= bytesMax && budget.left > 0 ? whole : nil
  }
}
