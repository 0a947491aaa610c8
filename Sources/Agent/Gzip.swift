internal import CZlib
internal import NIOCore

/// Compresses a stream of pieces at level 1: higher levels take more than twice the time to save a tenth of the size.
@safe package final class Gzip {
  /// A window of 32 KiB, and a header and trailer of gzip about it.
  private static let windowBits: Int32 = 15 + 16
  private static let outputBytes = 65_536

  private let stream: UnsafeMutablePointer<z_stream>
  private var output = ByteBuffer()
  private var hasFailed = false

  private init(adopting stream: UnsafeMutablePointer<z_stream>) { unsafe self.stream = stream }

  /// - Returns: `nil` if there is no memory for it.
  static func begin() -> Gzip? {
    // One address for all calls: zlib remembers that of its stream and refuses another.
    let stream = UnsafeMutablePointer<z_stream>.allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let result = unsafe deflateInit2_(stream, 1, Z_DEFLATED, windowBits, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size)
    guard result == Z_OK else {
      unsafe stream.deallocate()
      return nil
    }
    return unsafe Gzip(adopting: stream)
  }

  // SAFETY: nobody else has the stream, and it was made by `deflateInit2_`.
  deinit {
    unsafe deflateEnd(stream)
    unsafe stream.deallocate()
  }

  func append(_ bytes: Span<UInt8>) { deflateAll(bytes, Z_NO_FLUSH) }

  /// - Returns: All of it, compressed; `nil` if zlib failed. Nothing can be appended after it.
  func finish() -> ByteBuffer? {
    deflateAll([UInt8]().span, Z_FINISH)
    return hasFailed ? nil : output
  }

  static func compress(_ bytes: Span<UInt8>) -> ByteBuffer? {
    guard let gzip = begin() else { return nil }
    gzip.append(bytes)
    return gzip.finish()
  }

  /// Bytes as gzip; `nil` if there is no memory for it.
  package static func compressed(_ bytes: [UInt8]) -> [UInt8]? {
    compress(bytes.span).map { Array($0.readableBytesView) }
  }

  private func deflateAll(_ bytes: Span<UInt8>, _ flush: Int32) {
    guard !hasFailed, bytes.count <= Int(UInt32.max) else {
      hasFailed = true
      return
    }
    // SAFETY: zlib reads `bytes` and writes what `deflatePart` gives it, which live through the call; it does not
    // write through the input pointer, which is mutable only for want of const in its interface.
    unsafe bytes.withUnsafeBufferPointer { input in
      unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
      unsafe stream.pointee.avail_in = UInt32(input.count)
      // A part that is not filled is the last one.
      while deflatePart(flush) == 0, !hasFailed {}
      unsafe stream.pointee.next_in = nil
    }
  }

  /// - Returns: How much room was left.
  private func deflatePart(_ flush: Int32) -> UInt32 {
    var room: UInt32 = 0
    unsafe output.writeWithUnsafeMutableBytes(minimumWritableBytes: Gzip.outputBytes) { part in
      let size = min(part.count, Int(UInt32.max))
      unsafe stream.pointee.next_out = part.baseAddress?.assumingMemoryBound(to: UInt8.self)
      unsafe stream.pointee.avail_out = UInt32(size)
      // With no input and no flush there may be nothing to do, which zlib reports as a buffer error and is none.
      let result = unsafe deflate(stream, flush)
      hasFailed = result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR
      room = unsafe stream.pointee.avail_out
      return size - Int(room)
    }
    return room
  }
}
