extension JSONReader {
  /// Reads a whole number; `1.0` and `10e-1` are whole, too.
  ///
  /// - Throws: ``JSONError`` with ``JSONError/Code/outOfRange`` below 0 and above what 64 bits hold, with
  ///   ``JSONError/Code/unexpectedType`` for a fraction.
  package mutating func unsigned() throws(JSONError) -> UInt64 {
    _ = next()
    let start = position
    guard let value = UInt64(exactly: try whole()) else { throw outOfRange(start) }
    return value
  }

  /// Reads a whole number, as ``unsigned()``, in the range of `Int64`.
  package mutating func signed() throws(JSONError) -> Int64 {
    _ = next()
    let start = position
    guard let value = Int64(exactly: try whole()) else { throw outOfRange(start) }
    return value
  }

  /// Reads a number of seconds in nanoseconds; what lies below a nanosecond is dropped.
  package mutating func nanoseconds() throws(JSONError) -> Int128 { try number(decimals: 9).value }

  /// Reads a number as it is written: no digit is lost.
  package mutating func numberText() throws(JSONError) -> String {
    guard let first = next(), first == UInt8(ascii: "-") || first.isDigit else { throw unexpected("a number") }
    let start = position
    try skipNumber()
    return JSONReader.text(bytes.extracting(start..<position))
  }

  /// Passes over a number; its first byte comes next.
  private mutating func skipNumber() throws(JSONError) {
    var position = position
    do throws(JSONFlaw) {
      try JSONScan.number(bytes, &position)
      self.position = position
    } catch {
      throw error.error(bytes, position, rules)
    }
  }

  private mutating func whole() throws(JSONError) -> Int128 {
    let start = position
    let (value, isExact) = try number(decimals: 0)
    guard isExact else { throw JSONError(.unexpectedType, "a whole number was expected", position: start) }
    return value
  }

  /// A number times `10^decimals`, cut off behind the point, and whether nothing was cut off.
  private mutating func number(decimals: Int) throws(JSONError) -> (value: Int128, isExact: Bool) {
    guard let first = next(), first == UInt8(ascii: "-") || first.isDigit else { throw unexpected("a number") }
    let start = position
    try skipNumber()
    var digits = DecimalDigits(exponent: decimals)
    for index in start..<position { digits.add(bytes[index]) }
    guard let scaled = digits.scaled else { throw outOfRange(start) }
    return scaled
  }

  private func outOfRange(_ start: Int) -> JSONError {
    JSONError(.outOfRange, "a number does not fit", position: start)
  }
}

/// The value of a number whose bytes are valid.
private struct DecimalDigits {
  private var mantissa: UInt64 = 0
  /// Beyond 18 digits, and up to 36; what follows those only moves the point.
  private var wideMantissa: UInt128 = 0
  private var exponent: Int
  private var isNegative = false
  private var isFraction = false
  private var writtenExponent: Int?
  private var exponentIsNegative = false

  init(exponent: Int) { self.exponent = exponent }

  mutating func add(_ byte: UInt8) {
    switch byte {
    case UInt8(ascii: "-"): if writtenExponent == nil { isNegative = true } else { exponentIsNegative = true }
    case UInt8(ascii: "+"): break
    case UInt8(ascii: "."): isFraction = true
    case UInt8(ascii: "e"), UInt8(ascii: "E"): writtenExponent = 0
    default: addDigit(byte &- 0x30)
    }
  }

  private mutating func addDigit(_ digit: UInt8) {
    if let written = writtenExponent {
      writtenExponent = min(100_000, written * 10 + Int(digit))
    } else if mantissa < 100_000_000_000_000_000, wideMantissa == 0 {
      mantissa = mantissa * 10 + UInt64(digit)
      if isFraction { exponent -= 1 }
    } else if wideMantissa < 1_000_000_000_000_000_000_000_000_000_000_000_000 {
      wideMantissa = (wideMantissa == 0 ? UInt128(mantissa) : wideMantissa) * 10 + UInt128(digit)
      if isFraction { exponent -= 1 }
    } else if !isFraction {
      exponent += 1
    }
  }

  /// The number, cut off behind the point, and whether nothing was cut off; `nil` if it does not fit.
  var scaled: (value: Int128, isExact: Bool)? {
    var exponent = exponent + (exponentIsNegative ? -1 : 1) * (writtenExponent ?? 0)
    var value = wideMantissa == 0 ? Int128(mantissa) : Int128(wideMantissa)
    var isExact = true
    while exponent < 0, value > 0 {
      let (quotient, remainder) = value.quotientAndRemainder(dividingBy: 10)
      isExact = isExact && remainder == 0
      value = quotient
      exponent += 1
    }
    while exponent > 0, value > 0 {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      value = product
      exponent -= 1
    }
    return (isNegative ? -value : value, isExact)
  }
}
