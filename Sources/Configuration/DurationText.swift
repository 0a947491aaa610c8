public import Lifecycle

/// Why a text could not be read, as a sentence that says what to write instead.
public struct TextProblem: Error, Hashable, Sendable, CustomStringConvertible {
  public var message: String

  public init(_ message: String) { self.message = message }

  public var description: String { message }
}

/// Lengths of time as people write them: `500ms`, `10s`, `30m`, `12h`, `7d`, and in a row `1m30s`.
public enum DurationText {
  /// The longest length that is read: ten years of 365 days.
  public static let longest = Nanoseconds.seconds(3650 * 86_400)

  private static let units: [(name: String, nanoseconds: Int64)] = [
    ("d", 86_400_000_000_000), ("h", 3_600_000_000_000), ("m", 60_000_000_000), ("s", 1_000_000_000),
    ("ms", 1_000_000),
  ]

  private static let advice = "write a number with a unit (ms, s, m, h, d), such as 30m or 1m30s"

  /// Reads whole numbers, each followed by its unit, from the larger unit to the smaller, each unit at most once.
  ///
  /// - Throws: ``TextProblem`` for anything else, and for lengths over ``longest``. The sentence does not begin with the
  ///   name of the setting, so that callers can put it before.
  public static func parse(_ text: String) throws(TextProblem) -> Nanoseconds {
    var rest = text.utf8[...]
    var total: Int64 = 0
    var smallestUnit = Int64.max
    while !rest.isEmpty {
      let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
      rest = rest[digits.endIndex...]
      let letters = rest.prefix { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains($0) }
      rest = rest[letters.endIndex...]
      guard let number = Int64(String(digits) ?? "") else { throw notADuration(text) }
      guard !letters.isEmpty else { throw TextProblem("\(quoted(text)) has no unit; \(advice)") }
      guard let unit = units.first(where: { $0.name.utf8.elementsEqual(letters) }) else { throw notADuration(text) }
      guard unit.nanoseconds < smallestUnit else {
        throw TextProblem("\(quoted(text)) has its units out of order; \(advice)")
      }
      smallestUnit = unit.nanoseconds
      let (part, overflow) = number.multipliedReportingOverflow(by: unit.nanoseconds)
      let (sum, sumOverflow) = total.addingReportingOverflow(part)
      guard !overflow, !sumOverflow, sum <= longest.count else {
        throw TextProblem("\(quoted(text)) is too long; the longest is 3650d")
      }
      total = sum
    }
    guard smallestUnit != .max else { throw notADuration(text) }
    return Nanoseconds(total)
  }

  /// The length as ``parse(_:)`` reads it, in the largest unit that leaves no remainder, such as `90s` or `12h`;
  /// what is left under a millisecond is cut off.
  public static func text(_ length: Nanoseconds) -> String {
    let unit = units.first { length.count != 0 && length.count % $0.nanoseconds == 0 }
    guard let unit else { return length.count == 0 ? "0s" : "\(length.count / 1_000_000)ms" }
    return "\(length.count / unit.nanoseconds)\(unit.name)"
  }

  private static func notADuration(_ text: String) -> TextProblem {
    TextProblem("\(quoted(text)) is not a length of time; \(advice)")
  }
}

/// A text from outside for a message: in quotes, control characters escaped, cut after 60 characters.
func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars.prefix(60) {
    let isPrintable = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
    if isPrintable { result.unicodeScalars.append(scalar) } else { result += "\\u{\(String(scalar.value, radix: 16))}" }
  }
  if text.unicodeScalars.count > 60 { result += "…" }
  return result + "\""
}
