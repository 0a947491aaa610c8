import TestSupport
import Testing
import Text

@Suite struct `An instant as text` {
  @Test(
    arguments: [
      ("1970-01-01T00:00:00Z", 0), ("1969-12-31T23:59:59.999999999Z", -1),
      ("2000-02-29T12:34:56.5Z", 951_827_696_500_000_000), ("2026-11-23T10:00:00Z", 1_795_428_000_000_000_000),
      ("2100-03-01T00:00:00Z", 4_107_542_400_000_000_000), ("1678-01-01T00:00:00Z", -9_214_560_000_000_000_000),
      ("2261-12-31T23:59:59.999999999Z", 9_214_646_399_999_999_999),
    ] as [(String, Int64)])
  func `is written and read alike`(_ text: String, _ nanoseconds: Int64) {
    #expect(RFC3339.text(nanoseconds: nanoseconds) == text)
    #expect(RFC3339.nanoseconds(text) == nanoseconds)
  }

  @Test func `reads back on every day of six centuries`() {
    for day in Int64(-106_000)...106_000 {
      let nanoseconds = (day * 86_400 + 86_399) * 1_000_000_000
      #expect(RFC3339.nanoseconds(RFC3339.text(nanoseconds: nanoseconds)) == nanoseconds)
      #expect(CalendarFields(seconds: day * 86_400).weekday == Int(((day + 4) % 7 + 7) % 7))
    }
  }

  @Test func `reads back at any time`() {
    var random = SplitMix(seed: 4)
    for _ in 0..<4_000 {
      let nanoseconds = Int64.random(in: -9_214_560_000_000_000_000...9_214_646_399_999_999_999, using: &random)
      #expect(RFC3339.nanoseconds(RFC3339.text(nanoseconds: nanoseconds)) == nanoseconds)
    }
    for nanoseconds in [Int64.min, .max] { #expect(!RFC3339.text(nanoseconds: nanoseconds).isEmpty) }
  }

  @Test func `may have an offset, lower case, a leap second and more digits than count`() {
    let morning: Int64 = 1_795_428_000_000_000_000
    #expect(RFC3339.nanoseconds("2026-11-23t11:30:00+01:30") == morning)
    #expect(RFC3339.nanoseconds("2026-11-23T05:00:00.0000000009-05:00") == morning)
    #expect(RFC3339.nanoseconds("2026-11-23T09:59:60z") == morning)
  }

  @Test(arguments: [
    "", "2026-11-23", "2026-11-23T10:00:00", "2026-11-23 10:00:00Z", "2026-13-01T00:00:00Z", "2026-00-01T00:00:00Z",
    "2026-02-29T00:00:00Z", "2100-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-01-00T00:00:00Z",
    "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z", "2026-01-01T00:00:00.Z",
    "2026-01-01T00:00:00Zx", "2026-01-01T00:00:00+1:00", "1500-01-01T00:00:00Z", "2300-01-01T00:00:00Z",
    "２026-01-01T00:00:00Z",
  ])
  func `is refused if it is none`(_ text: String) { #expect(RFC3339.nanoseconds(text) == nil) }

  @Test func `never traps, whatever it is made of`() {
    var random = SplitMix(seed: 5)
    let alphabet = Array("0123456789-:TZ+.tz ".utf8)
    for _ in 0..<8_000 {
      var bytes = Array("2026-11-23T10:00:00.5+01:00".utf8)
      for _ in 0..<Int.random(in: 1...6, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = alphabet.randomElement(using: &random) ?? 0
      }
      let text = String(decoding: bytes, as: UTF8.self)
      guard let nanoseconds = RFC3339.nanoseconds(text) else { continue }
      #expect(RFC3339.nanoseconds(RFC3339.text(nanoseconds: nanoseconds)) == nanoseconds)
    }
  }

  @Test(
    arguments: [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"),
      (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"), (4_107_542_399, "Sun, 28 Feb 2100 23:59:59 GMT"),
    ] as [(Int64, String)])
  func `has the form of HTTP`(_ seconds: Int64, _ text: String) { #expect(CalendarText.http(seconds: seconds) == text) }

  @Test func `has the forms of AWS`() {
    let time: Int64 = 1_795_428_000_007_900_000
    #expect(CalendarText.basic(nanoseconds: time) == "20261123T100000Z")
    #expect(CalendarText.request(nanoseconds: time) == "23/Nov/2026:10:00:00 +0000")
    #expect(CalendarText.logStreamDate(nanoseconds: time) == "2026/11/23")
    #expect(RFC3339.milliseconds(nanoseconds: time) == "2026-11-23T10:00:00.007Z")
    #expect(RFC3339.milliseconds(nanoseconds: time, offset: "+0000") == "2026-11-23T10:00:00.007+0000")
    #expect(RFC3339.seconds(nanoseconds: time, offset: "+0000") == "2026-11-23T10:00:00+0000")
    #expect(RFC3339.milliseconds(nanoseconds: -1) == "1969-12-31T23:59:59.999Z")
  }
}
