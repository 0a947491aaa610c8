/// A part of a whole, in millionths, so that it is written exactly as it was read.
package struct Share: Hashable, Comparable, Sendable {
  /// From 0 to 1,000,000 in what comes from a configuration.
  package var millionths: Int64

  /// Makes a share of any number of millionths; what comes from a configuration is read with ``init(_:)``.
  package init(millionths: Int64) { self.millionths = millionths }

  /// Makes a share of whole percent.
  package init(percent: Int64) { millionths = percent * 10_000 }

  /// Whether the left share is the smaller one.
  package static func < (left: Share, right: Share) -> Bool { left.millionths < right.millionths }

  /// What is left of the whole.
  package var rest: Share { Share(millionths: 1_000_000 - millionths) }

  /// As a decimal number, such as `0.9`: exact, with no digit more than it needs.
  package var decimal: String { Share.decimal(millionths) }

  /// As a percentage, such as `99.9%`.
  package var percentage: String { Share.decimal(millionths * 100) + "%" }

  /// Reads a decimal number or a percentage: at most six digits after the point of a number, four of a percentage.
  ///
  /// - Returns: `nil` for anything else, and for what is not from 0 to 1.
  package init?(_ text: String) {
    let isPercentage = text.utf8.last == UInt8(ascii: "%")
    let parts = text.dropLast(isPercentage ? 1 : 0).split(
      separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
    let digits = isPercentage ? 4 : 6
    let whole = String(parts[0])
    let fraction = parts.count == 2 ? String(parts[1]) : ""
    guard (1...3).contains(whole.utf8.count), fraction.utf8.count <= digits, parts.count == 1 || !fraction.isEmpty,
      (whole + fraction).utf8.allSatisfy({ (48...57).contains($0) }),
      let number = Int64(whole + fraction + String(repeating: "0", count: digits - fraction.utf8.count)),
      number <= 1_000_000
    else { return nil }
    millionths = number
  }

  private static func decimal(_ millionths: Int64) -> String {
    let whole = millionths / 1_000_000
    var fraction = String(millionths % 1_000_000 + 1_000_000).dropFirst()
    while fraction.utf8.last == UInt8(ascii: "0") { fraction = fraction.dropLast() }
    return fraction.isEmpty ? "\(whole)" : "\(whole).\(fraction)"
  }
}
