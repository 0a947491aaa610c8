internal import CZlib

/// Compresses whole documents at level 1: higher ones cost twice the time and more for a tenth of the size.
enum Gzip {
  /// - Returns: `nil` if there is no memory for it; then the document goes as it is.
  static func compress(_ bytes: Span<UInt8>) -> [UInt8]? {
    guard bytes.count <= Int(UInt32.max) else { return nil }
    var stream = unsafe z_stream()
    // One pointer for all calls: zlib remembers the address of its stream and refuses another.
    return unsafe withUnsafeMutablePointer(to: &stream) { unsafe compress(bytes, $0) }
  }

  private static func compress(_ bytes: Span<UInt8>, _ stream: UnsafeMutablePointer<z_stream>) -> [UInt8]? {
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    let gzipWindow: Int32 = 15 + 16
    guard
      unsafe deflateInit2_(stream, 1, Z_DEFLATED, gzipWindow, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, size) == Z_OK
    else { return nil }
    defer { unsafe deflateEnd(stream) }
    let bound = unsafe Int(deflateBound(stream, UInt(bytes.count)))
    var isComplete = false
    let compressed = unsafe [UInt8](unsafeUninitializedCapacity: bound) { output, count in
      // SAFETY: zlib reads `bytes` and writes at most `bound` bytes of `output`, both of which live through the call;
      // it does not write through the input pointer, which is mutable only for want of const in its interface.
      unsafe bytes.withUnsafeBufferPointer { input in
        unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: input.baseAddress)
        unsafe stream.pointee.avail_in = UInt32(input.count)
        unsafe stream.pointee.next_out = output.baseAddress
        unsafe stream.pointee.avail_out = UInt32(clamping: bound)
        isComplete = unsafe deflate(stream, Z_FINISH) == Z_STREAM_END
        unsafe count = bound - Int(stream.pointee.avail_out)
      }
    }
    return isComplete ? compressed : nil
  }
}
