/// Amounts of memory as people write them: a number of megabytes, or `512MB`, `0.5GB`. A megabyte is 1,048,576 bytes, as in
/// AWS Lambda.
public enum MemoryText {
  public static let bytesPerMegabyte: Int64 = 1_048_576

  /// Reads a decimal number with at most nine digits before the point and six after it, with the unit `MB` or `GB` (any case,
  /// `MiB` and `GiB` too) or none, which means megabytes.
  ///
  /// - Returns: Bytes, rounded to the nearest whole megabyte.
  /// - Throws: ``TextProblem`` for anything else.
  public static func parse(_ text: String) throws(TextProblem) -> Int64 {
    let isNumeric: (UInt8) -> Bool = { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: ".") }
    let number = text.utf8.prefix(while: isNumeric)
    let unit = text.utf8[number.endIndex...].drop { $0 == UInt8(ascii: " ") }
    guard let factor = megabytes(unit: String(unit) ?? ""), let millionths = millionths(String(number) ?? "") else {
      throw TextProblem(
        "\(quoted(text)) is not an amount of memory; write a number of megabytes, or one with a unit such as 512MB or 0.5GB"
      )
    }
    return (millionths * factor + 500_000) / 1_000_000 * bytesPerMegabyte
  }

  /// The amount as ``parse(_:)`` reads it: `512MB`, or `2GB` where that is exact. What is left under a megabyte is cut off.
  public static func text(bytes: Int64) -> String {
    let megabytes = bytes / bytesPerMegabyte
    return megabytes != 0 && megabytes % 1024 == 0 ? "\(megabytes / 1024)GB" : "\(megabytes)MB"
  }

  private static func megabytes(unit: String) -> Int64? {
    switch unit.lowercased() {
    case "", "mb", "mib": 1
    case "gb", "gib": 1024
    default: nil
    }
  }

  /// A decimal number times a million; `nil` if `text` is not one, or has more digits than stay exact.
  private static func millionths(_ text: String) -> Int64? {
    let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    guard let whole = parts.first, !whole.isEmpty, whole.count <= 9, let wholeNumber = Int64(whole) else { return nil }
    guard parts.count == 2 else { return wholeNumber * 1_000_000 }
    let fraction = parts[1]
    guard !fraction.isEmpty, fraction.count <= 6 else { return nil }
    guard let fractionNumber = Int64(fraction + String(repeating: "0", count: 6 - fraction.count)) else { return nil }
    return wholeNumber * 1_000_000 + fractionNumber
  }
}
