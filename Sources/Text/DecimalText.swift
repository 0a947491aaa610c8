/// Numbers as decimal text: exact, without exponent, without allocation beyond the bytes they are appended to.
package enum DecimalText {
  /// Nanoseconds as seconds, with as many decimals as it takes: `4.1`, `12`, `0.000000001`.
  package static func seconds(nanoseconds: Int128) -> String {
    var bytes: [UInt8] = []
    append(nanoseconds: nanoseconds, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Nanoseconds as milliseconds, rounded half up, as AWS writes lengths of time: `1.87`, `1000.000`.
  ///
  /// - Parameters:
  ///   - nanoseconds: What is negative is 0.
  ///   - decimals: 0 to 6.
  package static func milliseconds(nanoseconds: Int64, decimals: Int) -> String {
    var bytes: [UInt8] = []
    append(milliseconds: nanoseconds, decimals: decimals, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads digits with at most one point between them, and nothing else: no sign, no exponent, no blank.
  ///
  /// - Parameters:
  ///   - wholeDigitsLimit: The most digits before the point; up to 9, so that the result fits.
  ///   - decimals: The most digits behind the point; up to 9.
  /// - Returns: The number times `10^decimals`, exactly; `nil` if `text` is none, or has more digits.
  package static func scaled(_ text: some StringProtocol, wholeDigitsLimit: Int, decimals: Int) -> Int64? {
    guard let (whole, fraction) = parts(text), whole.count <= wholeDigitsLimit, fraction.count <= decimals else {
      return nil
    }
    var value: Int64 = 0
    for digit in whole + fraction { value = value * 10 + Int64(digit) }
    for _ in fraction.count..<decimals { value *= 10 }
    return value
  }

  /// Reads seconds, written as in ``scaled(_:wholeDigitsLimit:decimals:)``, in nanoseconds; digits past the ninth decimal are
  /// dropped.
  ///
  /// - Returns: `nil` if `text` is no number; the largest `Int64` if it is one that 64 bits of nanoseconds do not hold.
  package static func nanoseconds(ofSeconds text: some StringProtocol) -> Int64? {
    guard let (whole, fraction) = parts(text) else { return nil }
    var value: Int64 = 0
    for digit in whole + (fraction + Array(repeating: 0, count: 9)).prefix(9) {
      let (tens, overflow) = value.multipliedReportingOverflow(by: 10)
      let (next, carry) = tens.addingReportingOverflow(Int64(digit))
      if overflow || carry { return .max }
      value = next
    }
    return value
  }

  /// The digits before and behind the point, as numbers; `nil` if it is no number, or there are none on one side of a point.
  private static func parts(_ text: some StringProtocol) -> (whole: [UInt8], fraction: [UInt8])? {
    var whole: [UInt8] = []
    var fraction: [UInt8] = []
    var hasPoint = false
    for byte in text.utf8 {
      if byte == UInt8(ascii: "."), !hasPoint {
        hasPoint = true
      } else if byte.isDigit {
        if hasPoint { fraction.append(byte - .zero) } else { whole.append(byte - .zero) }
      } else {
        return nil
      }
    }
    return whole.isEmpty || (hasPoint && fraction.isEmpty) ? nil : (whole, fraction)
  }
}

// MARK: Into bytes

extension DecimalText {
  static func append(_ value: Int64, to bytes: inout [UInt8]) {
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    append(digitsOf: value.magnitude, atLeast: 1, to: &bytes)
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
    appendFraction(nanoseconds: UInt64(fraction), to: &bytes)
  }

  /// A point and as many decimals of a second as it takes; nothing for 0.
  static func appendFraction(nanoseconds: UInt64, to bytes: inout [UInt8]) {
    guard nanoseconds > 0 else { return }
    bytes.append(UInt8(ascii: "."))
    var rest = nanoseconds
    var unit: UInt64 = 100_000_000
    while rest > 0 {
      bytes.append(.zero + UInt8(rest / unit))
      rest %= unit
      unit /= 10
    }
  }

  static func append(milliseconds nanoseconds: Int64, decimals: Int, to bytes: inout [UInt8]) {
    var perMillisecond: UInt64 = 1
    for _ in 0..<decimals { perMillisecond *= 10 }
    let unit = 1_000_000 / perMillisecond
    let count = UInt64(max(0, nanoseconds))
    let rounded = count / unit + (count % unit >= (unit + 1) / 2 ? 1 : 0)
    append(digitsOf: rounded / perMillisecond, atLeast: 1, to: &bytes)
    guard decimals > 0 else { return }
    bytes.append(UInt8(ascii: "."))
    append(digitsOf: rounded % perMillisecond, atLeast: decimals, to: &bytes)
  }

  private static func append(magnitude: UInt128, to bytes: inout [UInt8]) {
    if let small = UInt64(exactly: magnitude) { return append(digitsOf: small, atLeast: 1, to: &bytes) }
    let chunk: UInt128 = 10_000_000_000_000_000_000
    append(magnitude: magnitude / chunk, to: &bytes)
    append(digitsOf: UInt64(magnitude % chunk), atLeast: 19, to: &bytes)
  }

  /// - Parameter least: The fewest digits, filled with zeros; at most 20.
  static func append(digitsOf value: UInt64, atLeast least: Int, to bytes: inout [UInt8]) {
    var digits = InlineArray<20, UInt8>(repeating: .zero)
    var rest = value
    var first = 20
    while rest > 0 {
      first -= 1
      digits[first] = .zero + UInt8(rest % 10)
      rest /= 10
    }
    let start = min(first, 20 - least)
    bytes.append(addingCapacity: 20 - start) { output in
      for position in start..<20 { output.append(digits[position]) }
    }
  }
}
