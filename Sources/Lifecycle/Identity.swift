/// A deployed unit: its name, and the version or alias that was called (AWS: the qualifier).
public struct FunctionID: Hashable, Comparable, Sendable {
  /// The version of functions that have none other.
  public static let latest = "$LATEST"

  /// The longest name or version that is taken, in UTF-8 bytes (the bound of AWS for an unqualified name).
  public static let nameBytesLimit = 140

  /// The name without account, Region or version, in any characters; sources check its length against
  /// ``nameBytesLimit``.
  public var name: String
  /// A version's number, an alias, or ``latest``.
  public var version: String

  /// Makes an identity of any texts: nothing is checked here, as what arrives from outside is checked where it is
  /// counted.
  public init(_ name: String, version: String = FunctionID.latest) {
    self.name = name
    self.version = version
  }

  /// Orders by name and then by version; by Unicode, not by the rules of a language.
  public static func < (left: FunctionID, right: FunctionID) -> Bool {
    left.name == right.name ? left.version < right.version : left.name < right.name
  }
}

/// Sixteen bytes that name something once and for all, as a UUID does.
public struct Identifier128: Hashable, Comparable, Sendable {
  /// The first eight bytes, read as a big-endian number.
  public var high: UInt64
  /// The last eight bytes, read as a big-endian number.
  public var low: UInt64

  /// Makes an identifier of its two halves; any bits are valid.
  @inlinable public init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// All bits zero; ``random(using:)`` never makes it.
  @inlinable public static var zero: Identifier128 { Identifier128(high: 0, low: 0) }

  /// A random identifier in the layout of a version 4 UUID (RFC 9562).
  public static func random(using generator: inout some RandomNumberGenerator) -> Identifier128 {
    let high = generator.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000
    let low = generator.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
    return Identifier128(high: high, low: low)
  }

  /// Orders as the bytes do, and as the hexadecimal texts do.
  @inlinable public static func < (left: Identifier128, right: Identifier128) -> Bool {
    left.high == right.high ? left.low < right.low : left.high < right.high
  }

  /// Reads 32 hexadecimal digits; hyphens between them are skipped, as in the text of a UUID.
  public init?(text: some StringProtocol) {
    // Text from a wire is contiguous; what is not is copied once.
    guard let words = text.utf8.withContiguousStorageIfAvailable({ unsafe Identifier128.words($0) }) else {
      self.init(text: String(text).utf8.map { $0 })
      return
    }
    guard let words else { return nil }
    self = words
  }

  private init?(text: [UInt8]) {
    guard let words = unsafe text.withUnsafeBufferPointer({ unsafe Identifier128.words($0) }) else { return nil }
    self = words
  }

  private static func words(_ text: UnsafeBufferPointer<UInt8>) -> Identifier128? {
    var high: UInt64 = 0
    var low: UInt64 = 0
    var digits = 0
    for index in 0..<text.count {
      let byte = unsafe text[index]
      if byte == UInt8(ascii: "-") { continue }
      guard digits < 32, let digit = hexadecimalDigit(byte) else { return nil }
      if digits < 16 { high = high << 4 | digit } else { low = low << 4 | digit }
      digits += 1
    }
    return digits == 32 ? Identifier128(high: high, low: low) : nil
  }

  private static func hexadecimalDigit(_ byte: UInt8) -> UInt64? {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
    case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
    case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
    default: nil
    }
  }

  /// The 32 lower-case hexadecimal digits.
  public var hexadecimalText: String { text(hyphens: 0) }

  /// The text of a UUID: 8-4-4-4-12 lower-case hexadecimal digits.
  public var uuidText: String { text(hyphens: 1 << 8 | 1 << 12 | 1 << 16 | 1 << 20) }

  /// With a hyphen before each digit whose bit is set.
  private func text(hyphens: UInt32) -> String {
    let count = 32 + hyphens.nonzeroBitCount
    return unsafe String(unsafeUninitializedCapacity: count) { bytes in
      var position = 0
      for digit in 0..<32 {
        if hyphens >> UInt32(digit) & 1 == 1 {
          unsafe bytes[position] = UInt8(ascii: "-")
          position += 1
        }
        let value = UInt8(truncatingIfNeeded: (digit < 16 ? high : low) >> UInt64(60 - 4 * (digit & 15))) & 15
        unsafe bytes[position] = value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") - 10 + value
        position += 1
      }
      return position
    }
  }
}

/// The identity of an invocation: what AWS calls the request id.
public struct RequestID: Hashable, Comparable, Sendable {
  /// The sixteen bytes of AWS's request id, which is written as a UUID.
  public var value: Identifier128
  /// Makes an identity of any bytes.
  @inlinable public init(_ value: Identifier128) { self.value = value }
  /// Orders by the bytes, which says nothing of time.
  @inlinable public static func < (left: RequestID, right: RequestID) -> Bool { left.value < right.value }
}

/// The identity of an instance: one execution environment, one process.
public struct InstanceID: Hashable, Comparable, Sendable {
  /// The sixteen bytes; shown as the text of a UUID.
  public var value: Identifier128
  /// Makes an identity of any bytes.
  @inlinable public init(_ value: Identifier128) { self.value = value }
  /// Orders by the bytes, which says nothing of time.
  @inlinable public static func < (left: InstanceID, right: InstanceID) -> Bool { left.value < right.value }
}

/// The identity of a source of events: random, one for each process that sends.
public struct SourceID: Hashable, Sendable {
  /// The sixteen bytes.
  public var value: Identifier128
  /// The source of batches whose sender does not say who it is: their sequence says nothing, and what they tell twice is told apart by
  /// requests alone. Sixteen zeros, which no sender may use.
  public static let anonymous = SourceID(.zero)
  /// Whether this is ``anonymous``.
  @inlinable public var isAnonymous: Bool { value == .zero }
  /// Makes an identity of bytes that no other process sends with.
  @inlinable public init(_ value: Identifier128) { self.value = value }
}
