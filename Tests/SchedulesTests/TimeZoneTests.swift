import Lifecycle
import Testing
import Text

@testable import Schedules

private func seconds(_ text: String) throws -> Int64 { try #require(RFC3339.nanoseconds(text)) / 1_000_000_000 }

@Suite struct `A time zone` {
  private static let rules: [(String, String, Int64)] = [
    ("UTC0", "2026-07-01T00:00:00Z", 0), ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-07-01T00:00:00Z", 7_200),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T00:59:59Z", 3_600),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7_200),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T00:59:59Z", 7_200),
    ("CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3_600),
    // South of the equator summer spans New Year.
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-12-31T23:59:59Z", 39_600),
    ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-01T00:00:00Z", 36_000),
    // Ireland's winter time is the one that is set back.
    ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-01-01T00:00:00Z", 0),
    ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00:00Z", 3_600),
    // An hour before the last Sunday.
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59:59Z", -7_200),
    ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00:00Z", -3_600),
    // Always summer.
    ("XXX3EDT4,0/0,J365/23", "2026-01-01T03:30:00Z", -14_400),
    ("<+0330>-3:30", "2026-07-01T00:00:00Z", 12_600),
    ("EET-2EEST,J60/0,J300/0", "2028-02-29T21:59:59Z", 7_200),
    ("EET-2EEST,J60/0,J300/0", "2028-02-29T22:00:00Z", 10_800),
    // The day after the fourth Thursday, at 2.
    ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-27T00:00:00Z", 10_800),
    ("IST-2IDT,M3.4.4/26,M10.5.0", "2026-03-26T23:59:59Z", 7_200),
  ]

  @Test(arguments: rules) func `follows its rule`(_ rule: String, _ time: String, _ offset: Int64) throws {
    #expect(try #require(ZoneRule(posix: Array(rule.utf8))).offset(at: try seconds(time)) == offset)
  }

  @Test(arguments: [
    "", "CE-1", "CET", "CET-", "CET-1CEST", "CET-1CEST,", "CET-1CEST,M3.5.0", "CET-1CEST,M3.5.0,M10.5.0,",
    "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-1CEST,M3.5.7,M10.5.0", "CET-1CEST,J0,J1",
    "CET-1CEST,J1,J366", "CET-1CEST,366,1", "CET-168", "<CET-1", "CET-1CEST,M3.5.0/168,M10.5.0", "CET-1:60",
    "CET-1 CEST,M3.5.0,M10.5.0", "CET-1111111111111111111",
  ])
  func `has no other rule`(_ rule: String) {
    #expect(ZoneRule(posix: Array(rule.utf8)) == nil)
  }

  /// A file of version 2 with the zone's only change in 64 bits.
  private func file(
    change: Int64 = 1_000, first: Int32 = 3_600, second: Int32 = 7_200, footer: String = "\n<+02>-2\n"
  ) -> [UInt8] {
    func number(_ value: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: value >> UInt32(24 - 8 * $0)) } }
    func header(_ counts: [UInt32]) -> [UInt8] {
      Array("TZif2".utf8) + [UInt8](repeating: 0, count: 15) + counts.flatMap(number)
    }
    let types = number(UInt32(bitPattern: first)) + [0, 0] + number(UInt32(bitPattern: second)) + [1, 0]
    let word = UInt64(bitPattern: change)
    let old = header([0, 0, 0, 0, 1, 1]) + number(0) + [0, 0, 0]
    let changes = (0..<8).map { UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * $0)) } + [1]
    return old + header([0, 0, 0, 1, 2, 4]) + changes + types + Array("AAA\0".utf8) + Array(footer.utf8)
  }

  @Test func `is read from a file`() throws {
    let zone = try #require(TimeZone(file: file(), name: "Own/Zone"))
    #expect(zone.offset(at: 999) == 3_600 && zone.offset(at: 1_000) == 7_200 && zone.offset(at: 1 << 40) == 7_200)
    let southern = try #require(TimeZone(file: file(footer: "\nAEST-10AEDT,M10.1.0,M4.1.0/3\n"), name: "Own/Zone"))
    #expect(southern.offset(at: 1_000) == 39_600, "The rule holds from the last change on.")
  }

  @Test func `is not read from what is none`() {
    let whole = file()
    for count in 0..<whole.count { #expect(TimeZone(file: Array(whole[..<count]), name: "x") == nil, "\(count) bytes") }
    #expect(TimeZone(file: file(footer: "\nCET\n"), name: "x") == nil)
    #expect(TimeZone(file: file(first: 100_000), name: "x") == nil)
    var huge = whole
    huge.replaceSubrange(32..<36, with: [0x7F, 0xFF, 0xFF, 0xFF])
    #expect(TimeZone(file: huge, name: "x") == nil)
    #expect(TimeZone(file: whole + [UInt8](repeating: 0, count: TimeZone.fileBytesMax), name: "x") == nil)
  }

  @Test(arguments: [
    ("Europe/Berlin", true), ("UTC", true), ("Etc/GMT+5", true), ("America/Argentina/Buenos_Aires", true), ("", false),
    ("/etc/passwd", false), ("../../etc/passwd", false), ("Europe/", false), ("Europe//Berlin", false),
    ("Europe/Bérlin", false), (".", false), (String(repeating: "a", count: 65), false),
  ])
  func `has a name that leads nowhere else`(_ name: String, _ isName: Bool) {
    #expect(TimeZone.isName(name) == isName)
  }

  @Test func `gives each local time the first instant that shows it`() throws {
    let rule = try #require(ZoneRule(posix: Array("CET-1CEST,M3.5.0,M10.5.0/3".utf8)))
    let zone = TimeZone(name: "x", changes: [], offsets: [3_600], rule: rule)
    #expect(zone.instant(ofLocal: try seconds("2026-03-29T02:30:00Z")) == nil)
    #expect(zone.instant(ofLocal: try seconds("2026-03-29T03:00:00Z")) == (try seconds("2026-03-29T01:00:00Z")))
    #expect(zone.instant(ofLocal: try seconds("2026-10-25T02:30:00Z")) == (try seconds("2026-10-25T00:30:00Z")))
    #expect(zone.instant(ofLocal: try seconds("2026-10-25T03:00:00Z")) == (try seconds("2026-10-25T02:00:00Z")))
    // A clock that leaves out a whole day, as Samoa's did.
    let samoa = TimeZone(name: "x", changes: [1_000_000], offsets: [-36_000, 50_400], rule: nil)
    #expect(samoa.instant(ofLocal: 1_000_000) == nil)
    #expect(samoa.instant(ofLocal: 1_000_000 - 36_001) == 999_999 && samoa.instant(ofLocal: 1_050_400) == 1_000_000)
  }
}
