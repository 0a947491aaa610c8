internal import Lifecycle

/// Reads what ``RecordWriter`` wrote. The bytes come from a disk: whatever they contain, the result is a value or `nil`.
struct RecordReader {
  private let bytes: [UInt8]
  private var position: Int
  private let end: Int

  /// - Parameter range: The part of `bytes` to read.
  init(_ bytes: [UInt8], _ range: Range<Int>) {
    self.bytes = bytes
    position = range.lowerBound
    end = range.upperBound
  }

  var remaining: Int { end - position }

  mutating func byte() -> UInt8? {
    guard remaining >= 1 else { return nil }
    defer { position += 1 }
    return bytes[position]
  }

  private mutating func number(_ width: Int) -> UInt64? {
    guard remaining >= width else { return nil }
    defer { position += width }
    return (0..<width).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64($1 * 8) }
  }

  mutating func short() -> UInt16? { number(2).map { UInt16(truncatingIfNeeded: $0) } }
  mutating func word() -> UInt32? { number(4).map { UInt32(truncatingIfNeeded: $0) } }
  mutating func fixed() -> UInt64? { number(8) }
  mutating func signed() -> Int64? { fixed().map { Int64(bitPattern: $0) } }
  mutating func time() -> Timestamp? { signed().map { Timestamp(nanoseconds: $0) } }
  mutating func length() -> Nanoseconds? { signed().map { Nanoseconds($0) } }

  mutating func flag() -> Bool? {
    switch byte() {
    case 0: false
    case 1: true
    default: nil
    }
  }

  mutating func kind<Value: RawRepresentable<UInt8>>(_: Value.Type = Value.self) -> Value? {
    byte().flatMap { Value(rawValue: $0) }
  }

  mutating func identifier() -> Identifier128? {
    guard let high = fixed(), let low = fixed() else { return nil }
    return Identifier128(high: high, low: low)
  }

  mutating func text() -> String? {
    guard let count = short().map(Int.init), count <= remaining else { return nil }
    defer { position += count }
    // A text that was cut may end inside of a character; what a disk changed does not come here.
    return String(decoding: bytes[position..<(position + count)], as: UTF8.self)
  }
}
