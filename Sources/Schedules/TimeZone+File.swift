import Text

// The files of /usr/share/zoneinfo (RFC 9636), with bounds on everything.
extension TimeZone {
  /// The largest file, in bytes; the largest that there is has 4 kB.
  package static let fileBytesMax = 256 << 10
  private static let changesMax = 20_000

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - file: Version 1 to 4. Files that count leap seconds are refused.
  ///   - name: What the zone is called.
  /// - Returns: `nil` if it is no such file.
  package init?(file: [UInt8], name: String) {
    guard file.count <= TimeZone.fileBytesMax else { return nil }
    var reader = ZoneFileReader(bytes: file)
    guard let first = reader.header() else { return nil }
    var header = first
    var width = 4
    if first.version != 0 {
      // The second block has the same in 64 bits.
      guard reader.skip(first.blockBytes(width: 4)), let second = reader.header() else { return nil }
      (header, width) = (second, 8)
    }
    guard header.leapCount == 0, header.timeCount <= TimeZone.changesMax, (1...256).contains(header.typeCount),
      (1...2_048).contains(header.characterCount), let block = reader.block(header, width: width)
    else { return nil }
    var rule: ZoneRule?
    if width == 8 {
      guard let footer = reader.footer() else { return nil }
      if !footer.isEmpty {
        guard let read = ZoneRule(posix: footer) else { return nil }
        rule = read
      }
    }
    self.init(name: name, changes: block.changes, offsets: block.offsets, rule: rule)
  }

  /// Whether a text may name a zone: names between slashes, and no step up.
  package static func isName(_ text: String) -> Bool {
    (1...64).contains(text.utf8.count)
      && text.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
          UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "+"), UInt8(ascii: "-"),
          UInt8(ascii: "/"):
          true
        default: false
        }
      } && text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { !$0.isEmpty }
  }
}

private struct ZoneFileReader {
  struct Header {
    var version: UInt8
    var isUTCCount = 0
    var isStandardCount = 0
    var leapCount = 0
    var timeCount = 0
    var typeCount = 0
    var characterCount = 0

    /// The length of what follows.
    func blockBytes(width: Int) -> Int {
      timeCount * (width + 1) + typeCount * 6 + characterCount + leapCount * (width + 4) + isStandardCount + isUTCCount
    }
  }

  let bytes: [UInt8]
  var position = 0

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(_ count: Int) -> Bool {
    guard count >= 0, count <= bytes.count - position else { return false }
    position += count
    return true
  }

  mutating func number(width: Int) -> Int64? {
    guard width <= bytes.count - position else { return nil }
    var value: UInt64 = 0
    for byte in bytes[position..<position + width] { value = value << 8 | UInt64(byte) }
    position += width
    return width == 8 ? Int64(bitPattern: value) : Int64(Int32(truncatingIfNeeded: value))
  }

  mutating func header() -> Header? {
    guard bytes.count - position >= 44, bytes[position..<position + 4].elementsEqual("TZif".utf8) else { return nil }
    var header = Header(version: bytes[position + 4])
    position += 20
    let paths: [WritableKeyPath<Header, Int>] = [
      \.isUTCCount, \.isStandardCount, \.leapCount, \.timeCount, \.typeCount, \.characterCount,
    ]
    for path in paths {
      // Each stands for some bytes that are there.
      guard let count = number(width: 4), count >= 0, count <= Int64(bytes.count) else { return nil }
      header[keyPath: path] = Int(count)
    }
    return header
  }

  mutating func block(_ header: Header, width: Int) -> (changes: [Int64], offsets: [Int64])? {
    let end = position + header.blockBytes(width: width)
    guard end <= bytes.count else { return nil }
    var changes: [Int64] = []
    for _ in 0..<header.timeCount {
      guard let time = number(width: width), changes.last.map({ $0 < time }) ?? true else { return nil }
      // From long before there were clocks to long behind what schedules have.
      changes.append(min(max(time, -1 << 40), 1 << 40))
    }
    let indices = bytes[position..<position + header.timeCount]
    position += header.timeCount
    var types: [(offset: Int64, isSummer: Bool)] = []
    for _ in 0..<header.typeCount {
      guard let offset = number(width: 4), (-93_599...93_599).contains(offset), skip(2) else { return nil }
      types.append((offset, bytes[position - 2] != 0))
    }
    guard indices.allSatisfy({ Int($0) < types.count }), let first = types.first else { return nil }
    position = end
    return (changes, [first.offset] + indices.map { types[Int($0)].offset })
  }

  /// What stands between the line ends behind the last block.
  mutating func footer() -> [UInt8]? {
    guard position < bytes.count, bytes[position] == 0x0A,
      let end = bytes[(position + 1)...].firstIndex(of: 0x0A), end - position <= 256
    else { return nil }
    return Array(bytes[(position + 1)..<end])
  }
}

extension ZoneRule {
  /// Reads the POSIX form, with the hours beyond a day that RFC 9636 adds; `nil` if it is another.
  init?(posix bytes: [UInt8]) {
    var scanner = RuleScanner(rest: bytes[...])
    guard scanner.name(), let standard = scanner.time(signed: true) else { return nil }
    // POSIX counts to the west.
    self.standard = -standard
    guard !scanner.rest.isEmpty else { return }
    guard scanner.name() else { return nil }
    var offset = -standard + 3_600
    if scanner.rest.first != UInt8(ascii: ",") {
      guard let summer = scanner.time(signed: true) else { return nil }
      offset = -summer
    }
    guard scanner.take(","), let start = scanner.day(), scanner.take(","), let end = scanner.day(), scanner.rest.isEmpty
    else { return nil }
    summer = Summer(offset: offset, start: start, end: end)
  }
}

private struct RuleScanner {
  var rest: ArraySlice<UInt8>

  mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard rest.first == UInt8(ascii: character) else { return false }
    rest.removeFirst()
    return true
  }

  /// An abbreviation: at least three letters, or anything in angle brackets.
  mutating func name() -> Bool {
    if take("<") {
      guard let end = rest.firstIndex(of: UInt8(ascii: ">")) else { return false }
      rest = rest[(end + 1)...]
      return true
    }
    let letters = rest.prefix { (0x41...0x5A).contains($0 & 0xDF) }
    rest = rest[letters.endIndex...]
    return letters.count >= 3
  }

  mutating func number(_ range: ClosedRange<Int>) -> Int? {
    let digits = rest.prefix { (48...57).contains($0) }
    guard (1...3).contains(digits.count) else { return nil }
    let value = digits.reduce(0) { $0 * 10 + Int($1 - 48) }
    rest = rest[digits.endIndex...]
    return range.contains(value) ? value : nil
  }

  /// `h`, `h:m` or `h:m:s`, in seconds; up to a week.
  mutating func time(signed: Bool) -> Int64? {
    var isNegative = false
    if signed, take("-") { isNegative = true } else if signed { _ = take("+") }
    guard let hours = number(0...167) else { return nil }
    var seconds = Int64(hours) * 3_600
    for factor: Int64 in [60, 1] {
      guard take(":") else { break }
      guard let part = number(0...59) else { return nil }
      seconds += Int64(part) * factor
    }
    return isNegative ? -seconds : seconds
  }

  mutating func day() -> ZoneRule.Day? {
    let kind: ZoneRule.Day.Kind
    if take("M") {
      guard let month = number(1...12), take("."), let week = number(1...5), take("."), let weekday = number(0...6)
      else {
        return nil
      }
      kind = .named(month: month, week: week, weekday: weekday)
    } else if take("J") {
      guard let number = number(1...365) else { return nil }
      kind = .ordinal(number)
    } else {
      guard let number = number(0...365) else { return nil }
      kind = .counted(number)
    }
    guard take("/") else { return ZoneRule.Day(kind: kind, time: 7_200) }
    guard let time = time(signed: true) else { return nil }
    return ZoneRule.Day(kind: kind, time: time)
  }
}
