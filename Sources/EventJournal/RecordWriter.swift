internal import Lifecycle

/// Writes numbers and text into memory that somebody else owns, in the form of docs/formats/journal.md: fixed widths, the
/// lowest byte first. What does not fit is a bug of the caller's, who asked for the room.
@safe struct RecordWriter {
  private let memory: UnsafeMutableRawBufferPointer
  /// How many bytes were written.
  private(set) var count = 0

  /// - Parameter memory: Outlives the writer.
  init(_ memory: UnsafeMutableRawBufferPointer) { unsafe self.memory = memory }

  private mutating func advance(_ bytes: Int) -> Int {
    let start = count
    count += bytes
    let room = unsafe memory.count
    precondition(count <= room, "BUG: \(count) bytes of a record in a room of \(room)")
    return start
  }

  mutating func byte(_ value: UInt8) {
    let start = advance(1)
    unsafe memory[start] = value
  }

  mutating func short(_ value: UInt16) {
    let start = advance(2)
    unsafe memory.storeBytes(of: value.littleEndian, toByteOffset: start, as: UInt16.self)
  }

  mutating func word(_ value: UInt32) {
    let start = advance(4)
    unsafe memory.storeBytes(of: value.littleEndian, toByteOffset: start, as: UInt32.self)
  }

  mutating func fixed(_ value: UInt64) {
    let start = advance(8)
    unsafe memory.storeBytes(of: value.littleEndian, toByteOffset: start, as: UInt64.self)
  }

  mutating func signed(_ value: Int64) { fixed(UInt64(bitPattern: value)) }
  mutating func time(_ value: Timestamp) { signed(value.nanoseconds) }
  mutating func length(_ value: Nanoseconds) { signed(value.count) }
  mutating func flag(_ value: Bool) { byte(value ? 1 : 0) }

  mutating func bytes(_ bytes: [UInt8]) {
    let start = advance(bytes.count)
    unsafe bytes.withUnsafeBytes { source in
      guard let base = source.baseAddress else { return }
      unsafe memory.baseAddress?.advanced(by: start).copyMemory(from: base, byteCount: source.count)
    }
  }

  mutating func identifier(_ value: Identifier128) {
    fixed(value.high)
    fixed(value.low)
  }

  /// The first ``EventCodec/textBytesLimit`` bytes of a text, behind their number. Names that are longer are refused where
  /// events are counted, and so they are when they come from here.
  mutating func text(_ text: String) {
    let bytes = min(text.utf8.count, EventCodec.textBytesLimit)
    short(UInt16(bytes))
    let start = advance(bytes)
    let isCopied: Void? = unsafe text.utf8.withContiguousStorageIfAvailable { source in
      guard let base = source.baseAddress else { return }
      unsafe memory.baseAddress?.advanced(by: start).copyMemory(from: base, byteCount: bytes)
    }
    guard isCopied == nil else { return }
    for (offset, byte) in text.utf8.prefix(bytes).enumerated() { unsafe memory[start + offset] = byte }
  }
}
