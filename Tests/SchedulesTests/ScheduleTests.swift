import Lifecycle
import Testing
import Text

@testable import Schedules

private func time(_ text: String) throws -> Timestamp {
  Timestamp(nanoseconds: try #require(RFC3339.nanoseconds(text)))
}

private func texts(_ times: [Timestamp]) -> [String] { times.map { RFC3339.text(nanoseconds: $0.nanoseconds) } }

/// Zones as files have them, without files.
private func zone(_ posix: String) throws -> TimeZone {
  let rule = try #require(ZoneRule(posix: Array(posix.utf8)))
  return TimeZone(name: posix, changes: [], offsets: [rule.standard], rule: rule)
}

@Suite struct `A schedule` {
  private static let berlin = "CET-1CEST,M3.5.0,M10.5.0/3"

  /// The next three times after 2026-11-30T10:00:30Z, a Monday.
  @Test(arguments: [
    ("cron(0 3 * * ? *)", ["2026-12-01T03:00:00Z", "2026-12-02T03:00:00Z", "2026-12-03T03:00:00Z"]),
    ("0 3 * * *", ["2026-12-01T03:00:00Z", "2026-12-02T03:00:00Z", "2026-12-03T03:00:00Z"]),
    ("cron(* * * * ? *)", ["2026-11-30T10:01:00Z", "2026-11-30T10:02:00Z", "2026-11-30T10:03:00Z"]),
    ("cron(0/15 * * * ? *)", ["2026-11-30T10:15:00Z", "2026-11-30T10:30:00Z", "2026-11-30T10:45:00Z"]),
    ("cron(50/5 23 * * ? *)", ["2026-11-30T23:50:00Z", "2026-11-30T23:55:00Z", "2026-12-01T23:50:00Z"]),
    ("*/40 * * * *", ["2026-11-30T10:40:00Z", "2026-11-30T11:00:00Z", "2026-11-30T11:40:00Z"]),
    ("cron(0 0 L * ? *)", ["2026-12-31T00:00:00Z", "2027-01-31T00:00:00Z", "2027-02-28T00:00:00Z"]),
    ("cron(0 0 LW * ? *)", ["2026-12-31T00:00:00Z", "2027-01-29T00:00:00Z", "2027-02-26T00:00:00Z"]),
    ("cron(0 0 1W * ? *)", ["2026-12-01T00:00:00Z", "2027-01-01T00:00:00Z", "2027-02-01T00:00:00Z"]),
    ("cron(0 0 1W MAY ? *)", ["2027-05-03T00:00:00Z", "2028-05-01T00:00:00Z", "2029-05-01T00:00:00Z"]),
    ("cron(0 0 31W * ? *)", ["2026-12-31T00:00:00Z", "2027-01-29T00:00:00Z", "2027-03-31T00:00:00Z"]),
    ("cron(0 0 ? * 2 *)", ["2026-12-07T00:00:00Z", "2026-12-14T00:00:00Z", "2026-12-21T00:00:00Z"]),
    ("0 0 * * 1", ["2026-12-07T00:00:00Z", "2026-12-14T00:00:00Z", "2026-12-21T00:00:00Z"]),
    ("0 0 * * 0", ["2026-12-06T00:00:00Z", "2026-12-13T00:00:00Z", "2026-12-20T00:00:00Z"]),
    ("0 0 * * 7", ["2026-12-06T00:00:00Z", "2026-12-13T00:00:00Z", "2026-12-20T00:00:00Z"]),
    ("0 0 * * fri-sun", ["2026-12-04T00:00:00Z", "2026-12-05T00:00:00Z", "2026-12-06T00:00:00Z"]),
    ("cron(0 0 ? * MON-FRI *)", ["2026-12-01T00:00:00Z", "2026-12-02T00:00:00Z", "2026-12-03T00:00:00Z"]),
    ("cron(0 0 ? * 6L *)", ["2026-12-25T00:00:00Z", "2027-01-29T00:00:00Z", "2027-02-26T00:00:00Z"]),
    ("cron(0 0 ? * friL *)", ["2026-12-25T00:00:00Z", "2027-01-29T00:00:00Z", "2027-02-26T00:00:00Z"]),
    ("cron(0 0 ? * L *)", ["2026-12-05T00:00:00Z", "2026-12-12T00:00:00Z", "2026-12-19T00:00:00Z"]),
    ("cron(0 0 ? * TUE#1 *)", ["2026-12-01T00:00:00Z", "2027-01-05T00:00:00Z", "2027-02-02T00:00:00Z"]),
    ("cron(0 0 ? * 3#5 *)", ["2026-12-29T00:00:00Z", "2027-03-30T00:00:00Z", "2027-06-29T00:00:00Z"]),
    ("cron(0 12 29 FEB ? *)", ["2028-02-29T12:00:00Z", "2032-02-29T12:00:00Z", "2036-02-29T12:00:00Z"]),
    ("cron(0 12 1 JAN ? 2027-2028)", ["2027-01-01T12:00:00Z", "2028-01-01T12:00:00Z"]),
    ("cron(30 10 30 11 ? 2026)", ["2026-11-30T10:30:00Z"]),
    ("cron(0 12 30 2 ? *)", []), ("cron(0 12 1 1 ? 2020)", []),
    ("rate(1 minute)", ["2026-11-30T10:01:30Z", "2026-11-30T10:02:30Z", "2026-11-30T10:03:30Z"]),
    ("rate(7 days)", ["2026-12-07T10:00:30Z", "2026-12-14T10:00:30Z", "2026-12-21T10:00:30Z"]),
    ("at(2026-11-30T10:00:31)", ["2026-11-30T10:00:31Z"]), ("at(2026-11-30T10:00:30)", []),
  ])
  func `comes at its times`(_ expression: String, _ expected: [String]) throws {
    let now = try time("2026-11-30T10:00:30Z")
    let schedule = try Schedule(expression)
    #expect(texts(schedule.next(3, after: now, anchor: now)) == expected)
  }

  @Test(arguments: [
    ("", "is not an expression of a schedule"), ("cron()", "write six"), ("cron(0 3 * * ?)", "has 5 fields; write six"),
    ("0 3 * * * *", "five fields, not 6"), ("cron(0 3 * * * *)", "must be ?"), ("cron(0 3 ? * ? *)", "both ?"),
    ("cron(0 3 1 * MON *)", "must be ?"), ("0 3 1 * 1", "cannot be given together"), ("0 0 L * *", "day-of-month"),
    ("cron(60 3 * * ? *)", "minute \"60\": it may have numbers from 0 to 59"), ("cron(0 24 * * ? *)", "hour \"24\""),
    ("cron(0 0 32 * ? *)", "day-of-month \"32\""), ("cron(0 0 * 13 ? *)", "month \"13\""),
    ("cron(0 0 * FOO ? *)", "such as JAN"), ("cron(0 0 ? * 0 *)", "day-of-week \"0\": it may have numbers from 1 to 7"),
    ("cron(0 0 ? * 8 *)", "day-of-week"), ("0 0 * * 8", "numbers from 0 to 7"),
    ("cron(0 0 ? * 3#6 *)", "# takes one day"),
    ("cron(0 0 ? * 3#1,4 *)", "# takes one day"), ("cron(0 0 ? * FRI-MON *)", "ends before it begins"),
    ("cron(30-10 0 * * ? *)", "ends before it begins"), ("cron(0 0 * * ? 1969)", "year \"1969\""),
    ("cron(0 0 * * ? 2200)", "year"), ("cron(0/0 0 * * ? *)", "a step must be"),
    ("cron(0/60 0 * * ? *)", "a step must be"),
    ("5/10 * * * *", "a step needs a range"), ("cron(1,,2 0 * * ? *)", "minute"),
    ("cron(0 0 L-3 * ? *)", "day-of-month"),
    ("rate(0 minutes)", "is not a rate"), ("rate(5 minute)", "write rate(5 minutes)"),
    ("rate(1 minutes)", "write rate(1 minute)"), ("rate(5 seconds)", "is not a rate"), ("rate(5)", "is not a rate"),
    ("rate(-5 minutes)", "is not a rate"), ("rate(99999999 days)", "at most 36500 days"),
    ("rate(1.5 hours)", "is not a rate"), ("at(2262-01-01T00:00:00)", "is not a time from 1970 to 2199"),
    ("at(2200-01-01T00:00:00)", "is not a time from 1970 to 2199"),
    ("at(2026-11-30)", "write at(yyyy"), ("at(2026-02-30T00:00:00)", "write at(yyyy"),
    ("at(2026-11-30T03:00:00Z)", "write at(yyyy"), ("every minute", "fields"),
    ("cron(0 3 * * ? *", "is not an expression"), ("@daily", "is not an expression"),
    (String(repeating: "* ", count: 200), "at most 256 bytes"),
  ])
  func `says what to write if it is malformed`(_ expression: String, _ sentence: String) {
    let problem = #expect(throws: TextProblem.self) { try Schedule(expression) }
    #expect(problem?.message.contains(sentence) == true, "\(problem?.message ?? "")")
  }

  @Test func `leaves out what a clock skips, and runs once what it shows twice`() throws {
    let berlin = try zone(Self.berlin)
    // On 29 March 2026, 02:00 to 03:00 is not there; on 25 October it is there twice.
    let spring = try Schedule("cron(30 2 * * ? *)", zone: berlin)
    let march = try time("2026-03-28T00:00:00Z")
    #expect(
      texts(spring.next(3, after: march, anchor: march)) == [
        "2026-03-28T01:30:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z",
      ])
    let autumn = try Schedule("30 2,3 * * *", zone: berlin)
    let october = try time("2026-10-24T12:00:00Z")
    #expect(
      texts(autumn.next(3, after: october, anchor: october)) == [
        "2026-10-25T00:30:00Z", "2026-10-25T02:30:00Z", "2026-10-26T01:30:00Z",
      ])
    // Inside of the hour that comes again.
    let inside = try time("2026-10-25T01:10:00Z")
    #expect(texts(autumn.next(1, after: inside, anchor: inside)) == ["2026-10-25T02:30:00Z"])
    #expect(try Schedule("at(2026-03-29T02:30:00)", zone: berlin).next(after: march, anchor: march) == nil)
    let twice = try Schedule("at(2026-10-25T02:30:00)", zone: berlin)
    #expect(texts(twice.next(3, after: march, anchor: march)) == ["2026-10-25T00:30:00Z"])
    let never = try Schedule("cron(30 2 29 3 ? 2026)", zone: berlin)
    #expect(never.next(after: march, anchor: march) == nil)
  }

  @Test(arguments: [
    ("* * * * *", "2026-11-30T10:00:00Z"), ("0 3 * * *", "2026-11-30T03:00:00Z"), ("0 3 1 * *", "2026-11-01T03:00:00Z"),
    ("0 3 1 1 *", "2026-01-01T03:00:00Z"), ("cron(0 3 1 1 ? 2025)", "2025-01-01T03:00:00Z"),
    ("rate(1 hour)", "2026-11-30T10:00:00Z"), ("at(2026-11-30T10:00:30)", "2026-11-30T10:00:30Z"),
    ("at(2026-11-30T10:00:31)", nil),
  ])
  func `knows the last time of a span`(_ expression: String, _ last: String?) throws {
    let start = try time("2025-01-01T00:00:00Z")
    let end = try time("2026-11-30T10:00:30Z")
    let found = try Schedule(expression).last(after: start, until: end, anchor: start)
    #expect(found.map { RFC3339.text(nanoseconds: $0.nanoseconds) } == last)
    #expect(try Schedule(expression).last(after: end, until: end, anchor: start) == nil)
  }

  @Test(arguments: [
    ("2026-11-30T12:00:06Z", "2026-11-30T12:00:07Z"), ("2026-11-30T12:00:07Z", "2026-11-30T12:05:07Z"),
    ("2026-11-30T09:00:00Z", "2026-11-30T10:05:07Z"),
  ])
  func `counts a rate from its anchor, whatever lies between`(_ now: String, _ next: String) throws {
    let anchor = try time("2026-11-30T10:00:07Z")
    let found = try Schedule("rate(5 minutes)").next(1, after: try time(now), anchor: anchor)
    #expect(texts(found) == [next])
  }

  @Test(arguments: [
    "UTC0", berlin, "EST5EDT,M3.2.0,M11.1.0", "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0", "IST-1GMT0,M10.5.0,M3.5.0/1",
  ])
  func `agrees with a model that looks at every minute`(_ posix: String) throws {
    let zone = try zone(posix)
    var random = SplitMix(state: UInt64(posix.utf8.count))
    let start = try time("2026-03-01T00:00:00Z").nanoseconds / 1_000_000_000
    for _ in 0..<40 {
      let minute = Int.random(in: 0...59, using: &random)
      let hour = ["*", "2", "1-3", "*/5"].randomElement(using: &random) ?? "*"
      let day = ["* * *", "* * 0", "29 3 *", "25 10 *", "1 * *", "* * 1-5"].randomElement(using: &random) ?? "* * *"
      let text = "\(minute) \(hour) \(day)"
      let schedule = try Schedule(text, zone: zone)
      let cron = try CronParser.read(text[...], isAWS: false)
      // A span in which clocks may change; each local minute counts when it first comes.
      let from = (start + Int64.random(in: 0..<(250 * 86_400), using: &random)).minutesFloor
      let end = from + 3 * 86_400
      var seen: Set<Int64> = []
      var expected: [Int64] = []
      for instant in stride(from: from - 3 * 3_600, to: end, by: 60) {
        let local = instant + zone.offset(at: instant)
        guard seen.insert(local).inserted, cron.next(after: local - 60) == local, instant > from else { continue }
        expected.append(instant)
      }
      var found: [Int64] = []
      var last = Timestamp(seconds: from)
      while let next = schedule.next(after: last, anchor: last), next < Timestamp(seconds: end) {
        found.append(next.nanoseconds / 1_000_000_000)
        last = next
      }
      #expect(found == expected, "\(text) in \(posix) from \(from)")
    }
  }
}

private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var word = state
    word = (word ^ word >> 30) &* 0xBF58_476D_1CE4_E5B9
    word = (word ^ word >> 27) &* 0x94D0_49BB_1331_11EB
    return word ^ word >> 31
  }
}
