/// Amounts of memory as people write them: a number of megabytes, or `512MB`, `0.5GB`. A megabyte is 1,048,576 bytes, as in
/// AWS Lambda.
package enum MemoryText {
  /// 2^20: what AWS calls a megabyte.
  package static let bytesPerMegabyte: Int64 = 1_048_576

  /// Reads a decimal number with at most nine digits before the point and six after it, with the unit `MB` or `GB` (any case,
  /// `MiB` and `GiB` too) or none, which means megabytes.
  ///
  /// - Returns: Bytes, rounded to the nearest whole megabyte.
  /// - Throws: ``TextProblem`` for anything else.
  package static func bytes(_ text: String) throws(TextProblem) -> Int64 {
    let number = text.utf8.prefix { $0.isDigit || $0 == UInt8(ascii: ".") }
    let unit = text.utf8[number.endIndex...].drop { $0 == UInt8(ascii: " ") }
    guard let factor = megabytes(unit: Substring(unit)),
      let millionths = DecimalText.scaled(Substring(number), wholeDigitsLimit: 9, decimals: 6)
    else {
      throw TextProblem(
        "\(quoted(text)) is not an amount of memory; write a number of megabytes, or one with a unit such as 512MB or 0.5GB"
      )
    }
    return (millionths * factor + 500_000) / 1_000_000 * bytesPerMegabyte
  }

  /// The amount as ``bytes(_:)`` reads it: `512MB`, or `2GB` where that is exact. What is left under a megabyte is cut off.
  package static func text(bytes: Int64) -> String {
    let megabytes = bytes / bytesPerMegabyte
    return megabytes != 0 && megabytes % 1_024 == 0 ? "\(megabytes / 1_024)GB" : "\(megabytes)MB"
  }

  private static func megabytes(unit: Substring) -> Int64? {
    switch unit.lowercased() {
    case "", "mb", "mib": 1
    case "gb", "gib": 1_024
    default: nil
    }
  }
}
