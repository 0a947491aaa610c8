/// Reads what ``ByteWriter`` wrote. The bytes come from a disk: whatever they contain, the result is a value or an
/// error.
struct ByteReader {
  private let bytes: [UInt8]
  private var position = 0
  /// What is read, for the error's sentence.
  private let what: String

  init(_ bytes: [UInt8], what: String) {
    self.bytes = bytes
    self.what = what
  }

  var remaining: Int { bytes.count - position }

  var damage: StoreError { .corrupt(what) }

  mutating func byte() throws(StoreError) -> UInt8 {
    guard position < bytes.count else { throw damage }
    defer { position += 1 }
    return bytes[position]
  }

  mutating func unsigned() throws(StoreError) -> UInt64 {
    var value: UInt64 = 0
    for shift in stride(from: UInt64(0), to: 64, by: 7) {
      let byte = try byte()
      guard shift < 63 || byte <= 1 else { throw damage }
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
    }
    throw damage
  }

  mutating func signed() throws(StoreError) -> Int64 {
    let value = try unsigned()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  mutating func wide() throws(StoreError) -> Int128 {
    var value: UInt128 = 0
    for shift in stride(from: UInt128(0), to: 128, by: 7) {
      let byte = try byte()
      guard shift < 126 || byte <= 3 else { throw damage }
      value |= UInt128(byte & 0x7F) << shift
      if byte < 0x80 { return Int128(bitPattern: value >> 1) ^ -Int128(bitPattern: value & 1) }
    }
    throw damage
  }

  mutating func fixed() throws(StoreError) -> UInt64 {
    guard remaining >= 8 else { throw damage }
    defer { position += 8 }
    return (0..<8).reduce(0) { $0 | UInt64(bytes[position + $1]) << UInt64($1 * 8) }
  }

  mutating func double() throws(StoreError) -> Double { Double(bitPattern: try fixed()) }

  /// The number of elements that follow, each of which takes at least `size` bytes.
  mutating func count(ofSize size: Int = 1) throws(StoreError) -> Int {
    let count = try unsigned()
    guard count <= UInt64(remaining / size) else { throw damage }
    return Int(count)
  }

  mutating func text() throws(StoreError) -> String {
    let length = try count()
    defer { position += length }
    guard let text = String(validating: bytes[position..<(position + length)], as: UTF8.self) else { throw damage }
    return text
  }

  mutating func optional<Value>(
    _ read: (inout ByteReader) throws(StoreError) -> Value
  ) throws(StoreError) -> Value? {
    switch try byte() {
    case 0: return nil
    case 1: return try read(&self)
    default: throw damage
    }
  }

  mutating func list<Element>(
    _ read: (inout ByteReader) throws(StoreError) -> Element
  ) throws(StoreError) -> [Element] {
    let count = try count()
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try read(&self)) }
    return elements
  }

  mutating func word<Value: RawRepresentable<UInt8>>(_: Value.Type = Value.self) throws(StoreError) -> Value {
    guard let value = Value(rawValue: try byte()) else { throw damage }
    return value
  }

  /// The first byte of a blob.
  mutating func expectVersion(_ version: UInt8) throws(StoreError) {
    guard try byte() == version else { throw damage }
  }

  /// The first byte of a blob that is read in every form that it ever had: from 1 through `newest`.
  mutating func version(through newest: UInt8) throws(StoreError) -> UInt8 {
    let version = try byte()
    guard version >= 1, version <= newest else { throw damage }
    return version
  }

  /// Checks that nothing follows a value.
  func expectEnd() throws(StoreError) {
    guard remaining == 0 else { throw damage }
  }
}
