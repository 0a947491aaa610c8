import Lifecycle

/// Appends the parts of a fact.
struct FactWriter {
  private(set) var bytes: [UInt8]

  init(capacity: Int = 48) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  mutating func byte(_ byte: UInt8) { bytes.append(byte) }

  /// Zigzag, then seven bits a byte, the lowest first.
  mutating func number(_ value: Int64) { unsigned(UInt64(bitPattern: (value << 1) ^ (value >> 63))) }

  /// Seven bits a byte, the lowest first.
  mutating func unsigned(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// Eight bytes, the highest first.
  mutating func time(_ time: Timestamp) {
    let value = UInt64(bitPattern: time.nanoseconds)
    for shift in stride(from: 56, through: 0, by: -8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
    }
  }

  mutating func append(_ other: [UInt8]) { bytes += other }

  mutating func request(_ request: RequestID) {
    for half in [request.value.high, request.value.low] {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: half >> UInt64(shift)))
      }
    }
  }

  /// The length in bytes, then UTF-8.
  ///
  /// - Parameter max: Of what is longer than that many bytes only the beginning is written.
  mutating func text(_ text: String, max: Int) {
    let part = text.utf8.count <= max ? Array(text.utf8) : Array(String(text.unicodeScalars.prefix(max / 4)).utf8)
    unsigned(UInt64(part.count))
    bytes += part
  }

  mutating func optional<Value>(_ value: Value?, _ write: (inout FactWriter, Value) -> Void) {
    bytes.append(value == nil ? 0 : 1)
    if let value { write(&self, value) }
  }
}

/// Takes the parts of a fact one after the other; `nil` if the next one is none of its kind, or not as a writer writes it.
struct FactReader: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool { position == bytes.count }
  /// How many bytes are left.
  var left: Int { bytes.count - position }

  mutating func byte() -> UInt8? {
    guard position < bytes.count else { return nil }
    position += 1
    return bytes[position - 1]
  }

  mutating func flag() -> Bool? { byte().flatMap { $0 <= 1 ? $0 == 1 : nil } }

  private mutating func unsigned() -> UInt64? {
    var value: UInt64 = 0
    for shift in stride(from: 0, to: 64, by: 7) {
      guard let byte = byte() else { return nil }
      let part = UInt64(byte & 0x7F)
      // Neither beyond 64 bits, nor with bytes that add nothing: one number has one form.
      guard shift < 63 || part <= 1, byte != 0 || shift == 0 else { return nil }
      value |= part << UInt64(shift)
      if byte < 0x80 { return value }
    }
    return nil
  }

  /// A number that is not above `max`.
  mutating func count(max: Int) -> Int? {
    guard let value = unsigned(), max >= 0, value <= UInt64(max) else { return nil }
    return Int(value)
  }

  mutating func time() -> Timestamp? {
    guard left >= 8 else { return nil }
    var value: UInt64 = 0
    for index in 0..<8 { value = value << 8 | UInt64(bytes[position + index]) }
    position += 8
    return Timestamp(nanoseconds: Int64(bitPattern: value))
  }

  /// Bytes behind their number.
  @_lifetime(copy self)
  mutating func bytesWithCount() -> Span<UInt8>? {
    guard let count = count(max: .max), count <= left else { return nil }
    position += count
    return bytes.extracting(position - count..<position)
  }

  mutating func number() -> Int64? {
    unsigned().map { Int64(bitPattern: $0 >> 1) ^ -Int64(bitPattern: $0 & 1) }
  }

  mutating func request() -> RequestID? {
    var halves: (UInt64, UInt64) = (0, 0)
    guard bytes.count - position >= 16 else { return nil }
    for index in 0..<8 {
      halves.0 = halves.0 << 8 | UInt64(bytes[position + index])
      halves.1 = halves.1 << 8 | UInt64(bytes[position + 8 + index])
    }
    position += 16
    return RequestID(Identifier128(high: halves.0, low: halves.1))
  }

  /// A text of at most so many bytes.
  mutating func text(max: Int) -> String? {
    guard let count = count(max: max), count <= left else { return nil }
    var part: [UInt8] = []
    for index in position..<position + count { part.append(bytes[index]) }
    position += count
    return String(validating: part, as: UTF8.self)
  }

  mutating func word<W: Word>(_ type: W.Type) -> W? { byte().flatMap(W.init(rawValue:)) }

  mutating func status() -> PlatformEvent.Status? {
    byte().flatMap { code in PlatformEvent.Status.allCases.first { $0.code == code } }
  }

  /// - Returns: `nil` if it cannot be read; a value that is `nil` if there is none.
  mutating func optional<Value>(_ read: (inout FactReader) -> Value?) -> Value?? {
    guard let isThere = flag() else { return nil }
    guard isThere else { return .some(nil) }
    guard let value = read(&self) else { return nil }
    return .some(value)
  }
}
