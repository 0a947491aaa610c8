import CPrometheusProto
import CProtobufC
import Glibc
import Lifecycle

/// A growing byte buffer that keeps its memory, so that filling it again allocates nothing.
@safe struct OutputBuffer: ~Copyable {
  private(set) var count = 0
  private var capacity: Int
  private var bytes: UnsafeMutablePointer<UInt8>

  init(capacity: Int = 4_096) {
    self.capacity = capacity
    unsafe bytes = .allocate(capacity: capacity)
  }

  // SAFETY: the memory comes from `allocate`, which is `malloc` for bytes; nobody else has the pointer, and `self` cannot be copied.
  deinit { unsafe bytes.deallocate() }

  /// Forgets the bytes, not the room for them, unless that is far more than was used.
  mutating func removeAll() {
    if capacity > 1 << 20 && count < capacity / 8 {
      unsafe bytes.deallocate()
      capacity = max(4_096, count)
      unsafe bytes = .allocate(capacity: capacity)
    }
    count = 0
  }

  /// Forgets the bytes from `count` on.
  mutating func removeAll(behind count: Int) { self.count = min(self.count, max(0, count)) }

  @inline(__always) mutating func append(_ byte: UInt8) {
    makeRoom(1)
    unsafe bytes[count] = byte
    count += 1
  }

  @inline(__always) mutating func append(_ span: Span<UInt8>) {
    makeRoom(span.count)
    // SAFETY: there is room for `span.count` bytes behind `count`, and a span of others never lies in our memory.
    unsafe span.withUnsafeBufferPointer { source in
      guard let start = source.baseAddress else { return }
      unsafe memcpy(bytes + count, start, source.count)
    }
    count += span.count
  }

  @inline(__always) mutating func append(unsigned value: UInt64) {
    makeRoom(20)
    // SAFETY: a number of 64 bits has at most 20 digits.
    count += unsafe OutputBuffer.write(value, to: bytes + count)
  }

  mutating func append(integer value: Int64) {
    if value < 0 { append(UInt8(ascii: "-")) }
    append(unsigned: value.magnitude)
  }

  /// A number with nine decimals, without the zeros at its end: `1.5`, `12`, `0.000000001`.
  mutating func append(billionths value: Int128) {
    if value < 0 { append(UInt8(ascii: "-")) }
    let magnitude = value.magnitude
    guard magnitude <= UInt128(UInt64.max) else { return append(large: magnitude) }
    let (whole, fraction) = UInt64(magnitude).quotientAndRemainder(dividingBy: 1_000_000_000)
    append(unsigned: whole)
    append(fraction: UInt32(fraction))
  }

  private mutating func append(large magnitude: UInt128) {
    let (whole, fraction) = magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    let (high, low) = whole.quotientAndRemainder(dividingBy: 1_000_000_000_000_000_000)
    if high > 0 {
      // At most 2^127 / 10^27, twelve digits.
      append(unsigned: UInt64(high))
      var unit: UInt64 = 100_000_000_000_000_000
      while unit > 0 {
        append(UInt8(ascii: "0") + UInt8(UInt64(low) / unit % 10))
        unit /= 10
      }
    } else {
      append(unsigned: UInt64(low))
    }
    append(fraction: UInt32(fraction))
  }

  private mutating func append(fraction: UInt32) {
    guard fraction > 0 else { return }
    append(UInt8(ascii: "."))
    var rest = fraction
    var unit: UInt32 = 100_000_000
    while rest > 0 {
      append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  /// The text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
  mutating func append(uuid identifier: Identifier128) {
    makeRoom(UUIDText.count)
    // SAFETY: there is room for it.
    unsafe UUIDText.write(identifier, to: bytes + count)
    count += UUIDText.count
  }

  // MARK: Protobuf

  /// The bytes from `start` to before `end`, for a message of protobuf-c.
  ///
  /// SAFETY: they are there until this buffer changes or ends.
  @unsafe borrowing func binaryData(_ start: Int, _ end: Int) -> ProtobufCBinaryData {
    precondition(start >= 0 && start <= end && end <= count, "BUG: bytes \(start)..<\(end) of \(count)")
    return unsafe ProtobufCBinaryData(len: end - start, data: bytes + start)
  }

  /// Appends a packed message.
  ///
  /// - Parameters:
  ///   - room: No fewer bytes than the message takes.
  ///   - message: Begins with the base of every message of protobuf-c, and all that it points to lives.
  /// - Returns: How many bytes it took.
  @unsafe @discardableResult
  mutating func append(room: Int, message: UnsafePointer<ProtobufCMessage>) -> Int {
    makeRoom(room)
    unsafe assert(protobuf_c_message_get_packed_size(message) <= room, "BUG: a message does not fit \(room) bytes")
    // SAFETY: there is room for it.
    let size = unsafe protobuf_c_message_pack(message, bytes + count)
    count += size
    return size
  }

  /// Leaves room for the length of what is appended next.
  ///
  /// - Parameter bytes: How many bytes the length is thought to take; if it takes another number, what follows is moved.
  /// - Returns: Where the length will stand.
  mutating func beginLength(bytes: Int) -> Int {
    makeRoom(bytes)
    count += bytes
    return count - bytes
  }

  /// Writes the length of what was appended since ``beginLength(bytes:)``, which gave `start`.
  mutating func endLength(at start: Int, bytes reserved: Int) {
    let length = count - start - reserved
    var needed = 1
    while needed < 10, length >> (7 * needed) > 0 { needed += 1 }
    if needed != reserved {
      makeRoom(max(0, needed - reserved))
      // SAFETY: both ranges lie in the buffer, which has room for the longer length.
      unsafe memmove(bytes + start + needed, bytes + start + reserved, length)
      count += needed - reserved
    }
    var rest = UInt64(length)
    for position in 0..<needed {
      let more: UInt8 = position + 1 < needed ? 0x80 : 0
      unsafe bytes[start + position] = UInt8(truncatingIfNeeded: rest & 0x7F) | more
      rest >>= 7
    }
  }

  /// Calls `body` with the bytes from `start` to before `end`.
  @inline(__always) borrowing func withSpan<Result>(_ start: Int, _ end: Int, _ body: (Span<UInt8>) -> Result) -> Result
  {
    precondition(start >= 0 && start <= end && end <= count, "BUG: bytes \(start)..<\(end) of \(count)")
    // SAFETY: the range was checked, and `self` is borrowed, so nothing changes the bytes meanwhile.
    return body(unsafe Span(_unsafeStart: bytes + start, count: end - start))
  }

  @inline(__always) private mutating func makeRoom(_ additional: Int) {
    if capacity - count < additional { grow(additional) }
  }

  @inline(never) private mutating func grow(_ additional: Int) {
    let wanted = max(capacity * 2, count + additional)
    // A large block is moved by its pages, without a copy. `allocate` is `malloc` for bytes, so `realloc` may have it.
    guard let grown = unsafe realloc(bytes, wanted) else { fatalError("no memory for a scrape of \(wanted) bytes") }
    unsafe bytes = grown.assumingMemoryBound(to: UInt8.self)
    capacity = wanted
  }

  /// Writes the decimal digits of a value and returns how many.
  ///
  /// SAFETY: the caller has room for 20 bytes.
  @inline(__always)
  private static func write(_ value: UInt64, to start: UnsafeMutablePointer<UInt8>) -> Int {
    if value < 10 {
      unsafe start[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value)
      return 1
    }
    let length = digits(value)
    var position = length
    var rest = value
    while rest >= 100 {
      let (quotient, pair) = rest.quotientAndRemainder(dividingBy: 100)
      position -= 2
      unsafe writePair(pair, to: start + position)
      rest = quotient
    }
    if rest >= 10 {
      unsafe writePair(rest, to: start)
    } else {
      unsafe start[0] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest)
    }
    return length
  }

  @inline(__always) private static func writePair(_ value: UInt64, to start: UnsafeMutablePointer<UInt8>) {
    let pair = UInt8(truncatingIfNeeded: value)
    unsafe start[0] = UInt8(ascii: "0") + pair / 10
    unsafe start[1] = UInt8(ascii: "0") + pair % 10
  }

  @inline(__always) private static func digits(_ value: UInt64) -> Int {
    var bound: UInt64 = 100
    var count = 2
    while count < 20 && value >= bound {
      count += 1
      let (next, overflow) = bound.multipliedReportingOverflow(by: 10)
      if overflow { return value >= bound ? 20 : 19 }
      bound = next
    }
    return count
  }
}

/// The text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
enum UUIDText {
  static let count = 36

  /// SAFETY: the caller has room for ``count`` bytes.
  @unsafe static func write(_ identifier: Identifier128, to start: UnsafeMutablePointer<UInt8>) {
    var position = 0
    for digit in 0..<32 {
      if digit == 8 || digit == 12 || digit == 16 || digit == 20 {
        unsafe start[position] = UInt8(ascii: "-")
        position += 1
      }
      let word = digit < 16 ? identifier.high : identifier.low
      let value = UInt8(truncatingIfNeeded: word >> UInt64(60 - 4 * (digit & 15))) & 15
      unsafe start[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
      position += 1
    }
  }
}
