package import NIOCore

extension ByteBuffer {
  /// Calls `body` with the readable bytes, which are not copied.
  package func withReadableSpan<Result>(_ body: (Span<UInt8>) -> Result) -> Result {
    unsafe withUnsafeReadableBytes { bytes in
      // SAFETY: bytes are trivial, and the span does not leave the closure in which the memory is valid.
      unsafe body(bytes.assumingMemoryBound(to: UInt8.self).span)
    }
  }
}
