import Text
import ArgumentParser
import Configuration
import Documents
import Lifecycle
import Terminal

/// Texts that all live views share.
enum LiveText {
  /// `12:30:45Z`.
  static func clock(_ time: Timestamp) -> String {
    // RFC 3339: the time of day begins behind the T, and has decimals that nobody needs here.
    let text = RFC3339.text(time)
    guard let mark = text.firstIndex(of: "T") else { return text }
    return String(text[text.index(after: mark)...].prefix(8)) + "Z"
  }

  /// A rate per second in at most five characters: `0`, `0.04`, `0.5`, `12.3`, `1234`, `12k`.
  static func rate(_ rate: Double?) -> String {
    guard let rate, rate.isFinite else { return "" }
    switch rate {
    case ..<0.005: return rate > 0 ? "<0.01" : "0"
    case ..<0.1: return decimal(rate, 100)
    case ..<99.95: return decimal(rate, 10)
    case ..<9_999.5: return String(Int(rate.rounded()))
    case ..<9_999_500: return "\(Int((rate / 1_000).rounded()))k"
    default: return "\(Int(min(rate / 1_000_000, 1e9).rounded()))M"
    }
  }

  /// A count in at most six characters: `123456`, `1235k`, `12M`.
  static func count(_ count: UInt64) -> String {
    switch count {
    case ..<1_000_000: String(count)
    case ..<10_000_000: "\(count / 1_000)k"
    default: "\(count / 1_000_000)M"
    }
  }

  private static func decimal(_ value: Double, _ factor: Int) -> String {
    let scaled = Int((value * Double(factor)).rounded())
    let (whole, rest) = scaled.quotientAndRemainder(dividingBy: factor)
    guard rest > 0 else { return String(whole) }
    let digits = String(rest)
    return "\(whole)." + (factor == 100 && rest < 10 ? "0" : "") + digits
  }

  /// How near a limit is: at it, or four fifths of it.
  static func nearness(_ value: Int64, of limit: Int64?) -> Style {
    guard let limit, value > 0 else { return .plain }
    if value >= limit { return .alarm }
    // In this order it cannot overflow.
    return value >= limit - limit / 5 ? .warning : .plain
  }

  /// A count that is a warning or an alarm unless it is 0.
  static func style(_ count: UInt64, _ style: Style) -> Style { count > 0 ? style : .plain }

  /// What is said while nobody answers.
  static func failure(_ failure: CommandFailure, since time: Timestamp) -> StyledLine {
    var line = StyledLine("Trying again. ", .alarm)
    line.append("The values are from \(clock(time)). \(failure.message)", .warning)
    return line
  }
}

/// How often a live view asks.
enum LiveInterval {
  static let standard = Nanoseconds.seconds(2)
  private static let limits = Nanoseconds.milliseconds(200)...Nanoseconds.seconds(3_600)

  @Sendable static func parse(_ text: String) throws -> Nanoseconds {
    let interval: Nanoseconds
    do {
      interval = try DurationText.parse(text)
    } catch {
      throw ValidationError(error.message)
    }
    guard limits.contains(interval) else {
      throw ValidationError("The interval must be from 200ms to 1h, but is \(text).")
    }
    return interval
  }
}
