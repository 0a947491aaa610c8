package import Lifecycle
package import Text

/// When something is to happen: an expression and a time zone.
package struct Schedule: Hashable, Sendable {
  private enum Kind: Hashable, Sendable {
    case cron(CronExpression)
    /// Seconds, at least 60.
    case rate(Int64)
    /// Seconds on the zone's clock.
    case at(Int64)
  }

  /// As it was written.
  package let expression: String
  /// Whose clock counts.
  package let zone: TimeZone
  private let kind: Kind

  /// Nothing happens from here on: what follows the last of ``CronExpression/years``.
  private static let end = Timestamp(seconds: 7_258_118_400)

  /// The longest expression, in bytes.
  package static let bytesMax = 256

  /// Reads an expression: `cron(0 3 * * ? *)`, `rate(5 minutes)` or `at(2026-11-30T03:00:00)` as AWS writes them, or the five fields
  /// of cron(8).
  ///
  /// - Throws: ``TextProblem`` with a sentence that says what to write.
  package init(_ expression: String, zone: TimeZone = .utc) throws(TextProblem) {
    self.expression = expression
    self.zone = zone
    let text = expression.trimmed
    guard expression.utf8.count <= Schedule.bytesMax else {
      throw TextProblem("an expression has at most \(Schedule.bytesMax) bytes")
    }
    if let fields = Schedule.inside("cron", of: text) {
      kind = .cron(try CronParser.read(fields, isAWS: true))
    } else if let rate = Schedule.inside("rate", of: text) {
      kind = .rate(try Schedule.rate(rate))
    } else if let time = Schedule.inside("at", of: text) {
      kind = .at(try Schedule.local(time))
    } else if text.contains(" "), !text.contains("(") {
      kind = .cron(try CronParser.read(text, isAWS: false))
    } else {
      throw TextProblem(
        "\(quoted(expression)) is not an expression of a schedule; write cron(0 3 * * ? *), rate(5 minutes), "
          + "at(2026-11-30T03:00:00), or five fields such as 0 3 * * *")
    }
  }

  /// Whether it happens once.
  package var isOnce: Bool { if case .at = kind { true } else { false } }

  /// The first time after an instant; `nil` if there is none up to the year 2199.
  ///
  /// Times that a zone's clock skips do not happen, and those that it shows twice happen the first time alone.
  ///
  /// - Parameter anchor: What a rate is counted from; it is a time of none itself.
  package func next(after time: Timestamp, anchor: Timestamp) -> Timestamp? {
    let seconds = time.nanoseconds.secondsFloor
    switch kind {
    case .rate(let period):
      let since = time - anchor
      let count = since.count < 0 ? 0 : since.count / (period * 1_000_000_000)
      let next = anchor + .seconds((count + 1) * period)
      return next > time && next < Schedule.end ? next : nil
    case .at(let local):
      return zone.instant(ofLocal: local).flatMap { $0 > seconds ? Timestamp(seconds: $0) : nil }
    case .cron(let cron):
      var local = seconds + zone.offset(at: seconds)
      // A zone's clock skips or repeats a day at most.
      while let candidate = cron.next(after: local) {
        if let instant = zone.instant(ofLocal: candidate), instant > seconds { return Timestamp(seconds: instant) }
        local = candidate
      }
      return nil
    }
  }

  /// The next times after an instant, at most `count`.
  package func next(_ count: Int, after time: Timestamp, anchor: Timestamp) -> [Timestamp] {
    var times: [Timestamp] = []
    var last = time
    while times.count < count, let next = next(after: last, anchor: anchor) {
      times.append(next)
      last = next
    }
    return times
  }

  /// The last time in a span, its end included; `nil` if none is in it.
  package func last(after start: Timestamp, until end: Timestamp, anchor: Timestamp) -> Timestamp? {
    guard var last = next(after: start, anchor: anchor), last <= end else { return nil }
    // From the shortest span before the end that has one, so that a year of minutes is not counted through.
    for seconds: Int64 in [3_600, 86_400, 31 * 86_400, 366 * 86_400] {
      let from = end - .seconds(seconds)
      guard from > start else { break }
      guard let next = next(after: from, anchor: anchor), next <= end else { continue }
      last = next
      break
    }
    while let next = next(after: last, anchor: anchor), next <= end { last = next }
    return last
  }

  // MARK: Parts

  private static func inside(_ name: String, of text: Substring) -> Substring? {
    guard text.hasPrefix("\(name)("), text.hasSuffix(")") else { return nil }
    return text.dropFirst(name.count + 1).dropLast()
  }

  private static func rate(_ text: Substring) throws(TextProblem) -> Int64 {
    let words = text.split(separator: " ")
    let units: [(name: String, seconds: Int64)] = [("minute", 60), ("hour", 3_600), ("day", 86_400)]
    guard words.count == 2, words[0].utf8.count <= 8, words[0].utf8.allSatisfy({ (48...57).contains($0) }),
      let count = Int64(words[0]), count >= 1,
      let unit = units.first(where: { words[1] == $0.name || words[1] == "\($0.name)s" })
    else {
      throw TextProblem(
        "the expression rate(\(text.prefix(40))) is not a rate; write a number and minutes, hours or days, such as rate(5 minutes) or rate(1 hour)"
      )
    }
    guard (count == 1) == (words[1] == unit.name) else {
      throw TextProblem("write rate(\(count) \(unit.name)\(count == 1 ? "" : "s")): the unit is singular with 1 alone")
    }
    guard count * unit.seconds <= 36_500 * 86_400 else { throw TextProblem("a rate is at most 36500 days") }
    return count * unit.seconds
  }

  private static func local(_ text: Substring) throws(TextProblem) -> Int64 {
    // No offset and no fraction: the zone is said apart.
    guard text.utf8.count == 19, let instant = RFC3339.nanoseconds("\(text)Z"), instant >= 0,
      instant < end.nanoseconds
    else {
      throw TextProblem(
        "the expression at(\(text.prefix(40))) is not a time from 1970 to 2199; write at(yyyy-mm-ddThh:mm:ss), such as at(2026-11-30T03:00:00), and the "
          + "time zone apart")
    }
    return instant / 1_000_000_000
  }
}

extension String {
  /// Without blanks at its ends.
  fileprivate var trimmed: Substring {
    var text = self[...]
    while text.first == " " { text.removeFirst() }
    while text.last == " " { text.removeLast() }
    return text
  }
}

extension Int64 {
  /// Nanoseconds as whole seconds, rounded down.
  fileprivate var secondsFloor: Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: 1_000_000_000)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
