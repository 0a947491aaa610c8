/// Durations as people write them: `500ms`, `10s`, `30m`, `12h`, `7d`, `2w`, and several in a row: `1m30s`.
///
/// They mean the same in `kelvin.yaml`, on the command line and in the agent's query parameters. Which lengths make sense is for
/// each place to say.
package enum DurationText {
  /// The longest length that is read: ten years of 365 days, in nanoseconds.
  package static let longest: Int64 = 3_650 * 86_400_000_000_000

  private static let units: [(name: StaticString, nanoseconds: Int64)] = [
    ("w", 604_800_000_000_000), ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000),
    ("s", 1_000_000_000), ("ms", 1_000_000),
  ]

  private static let advice = "write a number with a unit (ms, s, m, h, d, w), such as 30m or 1m30s"

  /// Reads whole numbers, each followed by its unit, from the larger unit to the smaller, each unit at most once.
  ///
  /// - Returns: Nanoseconds, from 0 to ``longest``.
  /// - Throws: ``TextProblem`` for anything else, and for longer lengths.
  package static func nanoseconds(_ text: String) throws(TextProblem) -> Int64 {
    var rest = text.utf8[...]
    var total: Int64 = 0
    var smallestUnit = Int64.max
    while !rest.isEmpty {
      let digits = rest.prefix { $0.isDigit }
      rest = rest[digits.endIndex...]
      let letters = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      rest = rest[letters.endIndex...]
      guard !digits.isEmpty else { throw notADuration(text) }
      guard !letters.isEmpty else { throw TextProblem("\(quoted(text)) has no unit; \(advice)") }
      guard let unit = unit(letters) else { throw notADuration(text) }
      guard unit < smallestUnit else { throw TextProblem("\(quoted(text)) has its units out of order; \(advice)") }
      smallestUnit = unit
      guard let number = Int64(Substring(digits)), let sum = sum(total, number, unit), sum <= longest else {
        throw TextProblem("\(quoted(text)) is too long; the longest is 3650d")
      }
      total = sum
    }
    guard smallestUnit != .max else { throw notADuration(text) }
    return total
  }

  /// The length as ``nanoseconds(_:)`` reads it, in the largest unit up to days that leaves no remainder, such as `90s` or
  /// `12h`; what is left under a millisecond is cut off.
  package static func text(nanoseconds: Int64) -> String {
    let unit = units.dropFirst().first { nanoseconds != 0 && nanoseconds % $0.nanoseconds == 0 }
    guard let unit else { return nanoseconds == 0 ? "0s" : "\(nanoseconds / 1_000_000)ms" }
    return "\(nanoseconds / unit.nanoseconds)\(unit.name)"
  }

  private static func unit(_ letters: Substring.UTF8View) -> Int64? {
    units.first { "\($0.name)".utf8.elementsEqual(letters) }?.nanoseconds
  }

  private static func sum(_ total: Int64, _ number: Int64, _ unit: Int64) -> Int64? {
    let (part, overflow) = number.multipliedReportingOverflow(by: unit)
    let (sum, carry) = total.addingReportingOverflow(part)
    return overflow || carry ? nil : sum
  }

  private static func notADuration(_ text: String) -> TextProblem {
    TextProblem("\(quoted(text)) is not a length of time; \(advice)")
  }
}
