/// Numbers as decimal text: exact, without exponent, without allocation beyond the bytes they are appended to.
public enum DecimalText {
  /// Nanoseconds as seconds: `4.1`, `12`, `0.000000001`.
  public static func seconds(nanoseconds: Int128) -> String {
    var bytes: [UInt8] = []
    append(nanoseconds: nanoseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  static func append(_ value: Int128, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(magnitude: value.magnitude, to: &bytes)
  }

  /// As seconds, without trailing zeros and without a point where nothing follows it.
  static func append(nanoseconds: Int128, to bytes: inout [UInt8]) {
    if nanoseconds < 0 { bytes.append(UInt8(ascii: "-")) }
    let (whole, fraction) = nanoseconds.magnitude.quotientAndRemainder(dividingBy: 1_000_000_000)
    append(magnitude: whole, to: &bytes)
    guard fraction > 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var rest = UInt64(fraction)
    var unit: UInt64 = 100_000_000
    while rest > 0 {
      bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  private static func append(magnitude: UInt128, to bytes: inout [UInt8]) {
    let chunk: UInt128 = 10_000_000_000_000_000_000
    guard magnitude >= chunk else {
      append(digitsOf: UInt64(magnitude), atLeast: 1, to: &bytes)
      return
    }
    append(magnitude: magnitude / chunk, to: &bytes)
    append(digitsOf: UInt64(magnitude % chunk), atLeast: 19, to: &bytes)
  }

  /// - Parameter least: The fewest digits, filled with zeros; at most 20.
  static func append(digitsOf value: UInt64, atLeast least: Int, to bytes: inout [UInt8]) {
    var digits = InlineArray<20, UInt8>(repeating: UInt8(ascii: "0"))
    var rest = value
    var first = 20
    while rest > 0 {
      first -= 1
      digits[first] = UInt8(ascii: "0") + UInt8(rest % 10)
      rest /= 10
    }
    for position in min(first, 20 - least)..<20 { bytes.append(digits[position]) }
  }
}
