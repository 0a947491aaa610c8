internal import CZlib
internal import NIOCore

/// Undoes gzip piece by piece, within limits (RFC 1952; several members one after the other are one content).
///
/// SAFETY: `stream` belongs to this object alone.
@safe final class Inflater {
  enum Outcome: Equatable {
    case taken
    /// More came out than may.
    case tooLarge
    /// This is not gzip, or it is damaged.
    case damaged
    /// Whoever takes the content has said that it is enough.
    case stopped
  }

  /// A window of 32 KiB, and a header and trailer of gzip about it.
  private static let windowBits: Int32 = 15 + 16
  private static let partBytes = 64 << 10

  private let stream: UnsafeMutablePointer<z_stream>
  private let limits: InflationLimits
  private let bytesMax: Int
  private var bytesIn = 0
  private var bytesOut = 0
  /// A member has ended, and none has begun behind it.
  private var isBetweenMembers = false

  private init(adopting stream: UnsafeMutablePointer<z_stream>, _ limits: InflationLimits, bytesMax: Int) {
    unsafe self.stream = stream
    self.limits = limits
    self.bytesMax = bytesMax
  }

  /// - Returns: `nil` if there is no memory for it; it takes about 45 KiB.
  static func begin(_ limits: InflationLimits, bytesMax: Int) -> Inflater? {
    // One address for all calls: zlib remembers that of its stream and refuses another.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(stream, windowBits, ZLIB_VERSION, size) == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
    return unsafe Inflater(adopting: stream, limits, bytesMax: bytesMax)
  }

  // SAFETY: nobody else has the stream, and it was made by `inflateInit2_`.
  deinit {
    unsafe inflateEnd(stream)
    unsafe stream.deallocate()
  }

  /// Whether the content is whole.
  var isWhole: Bool { isBetweenMembers || bytesIn == 0 }

  /// Takes what came, and hands on what it stands for in parts of at most 64 KiB, until `take` says that it is enough.
  func append(_ input: ByteBuffer, _ take: (ByteBuffer) -> Bool) -> Outcome {
    bytesIn += input.readableBytes
    // SAFETY: zlib reads the input and writes the part that `inflatePart` gives it, which live through the call; it does not
    // write through the input pointer, which is mutable only for want of const in its interface.
    return unsafe input.withUnsafeReadableBytes { bytes in
      guard let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: UInt8.self) else { return .taken }
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: start)
      unsafe stream.pointee.avail_in = UInt32(clamping: bytes.count)
      defer { unsafe stream.pointee.next_in = nil }
      while true {
        let outcome = inflateStep(take)
        if let outcome { return outcome }
      }
    }
  }

  /// - Returns: `nil` if there is more to do.
  private func inflateStep(_ take: (ByteBuffer) -> Bool) -> Outcome? {
    if isBetweenMembers {
      guard unsafe stream.pointee.avail_in > 0 else { return .taken }
      guard unsafe inflateReset(stream) == Z_OK else { return .damaged }
      isBetweenMembers = false
    }
    let (result, part) = inflatePart()
    bytesOut += part.readableBytes
    guard bytesOut <= bytesMax else { return .tooLarge }
    if bytesOut > limits.bytesUnasked, bytesOut / limits.ratioMax > bytesIn { return .tooLarge }
    if part.readableBytes > 0, !take(part) { return .stopped }
    switch result {
    case Z_OK where part.readableBytes == 0 && (unsafe stream.pointee.avail_in) == 0: return .taken
    case Z_OK: return nil
    // Nothing more to do with what came.
    case Z_BUF_ERROR: return .taken
    case Z_STREAM_END:
      isBetweenMembers = true
      return nil
    default: return .damaged
    }
  }

  private func inflatePart() -> (result: Int32, part: ByteBuffer) {
    var result: Int32 = Z_OK
    let size = min(Inflater.partBytes, max(512, bytesMax - bytesOut + 1))
    var part = ByteBufferAllocator().buffer(capacity: size)
    unsafe part.writeWithUnsafeMutableBytes(minimumWritableBytes: size) { room in
      unsafe stream.pointee.next_out = room.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe stream.pointee.avail_out = UInt32(clamping: min(room.count, size))
      result = unsafe inflate(stream, Z_NO_FLUSH)
      return min(room.count, size) - Int(unsafe stream.pointee.avail_out)
    }
    return (result, part)
  }
}
