import Lifecycle
import Text

/// What containers write in front of a log line: its time, its stream and its group, in any order.
struct LinePrefix {
  /// Which of them there are.
  struct Parts: OptionSet, Hashable {
    let rawValue: UInt8
    static let time = Parts(rawValue: 1)
    static let stream = Parts(rawValue: 2)
    static let group = Parts(rawValue: 4)
  }

  var parts: Parts = []
  var time: Timestamp?
  var isTimeExact = true
  var stream = 0..<0
  var group = 0..<0
  /// Where the line itself begins.
  var end: Int
  /// Where the time begins, which may be the line's own.
  var timeBegin: Int?
  /// Whether a tab follows the last part: so programs write, not containers.
  var isTabbed = false

  /// - Parameters:
  ///   - start: Where the line of the file begins.
  ///   - limit: Where it ends.
  init(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) {
    end = start
    for _ in 0..<3 {
      guard end < limit, let next = token(bytes, limit) else { return }
      guard next < limit else {
        end = next
        return
      }
      guard bytes[next] == UInt8(ascii: " ") || bytes[next] == UInt8(ascii: "\t") else { return }
      isTabbed = bytes[next] == UInt8(ascii: "\t")
      end = next + 1
    }
  }

  /// Takes a part that begins at `end`.
  ///
  /// - Returns: Where it ends.
  private mutating func token(_ bytes: Span<UInt8>, _ limit: Int) -> Int? {
    let first = bytes[end]
    if first.isDecimalDigit {
      if let instant = LineInstant.read(bytes, at: end), instant.end <= limit,
        instant.end == limit || bytes[instant.end] <= 0x20
      {
        // A second time is the line's own.
        guard !parts.contains(.time) else { return nil }
        timeBegin = end
        time = instant.time
        isTimeExact = instant.isExact
        parts.insert(.time)
        return instant.end
      }
      guard !parts.contains(.stream), let last = LinePrefix.streamEnd(bytes, end, limit) else { return nil }
      stream = end..<last
      parts.insert(.stream)
      return last
    }
    guard first == UInt8(ascii: "/"), !parts.contains(.group), parts.isEmpty || parts == [.time] else { return nil }
    var last = end
    while last < limit, bytes[last] > 0x20 { last += 1 }
    guard last < limit else { return nil }
    group = end..<last
    parts.insert(.group)
    return last
  }

  /// Where the name of a stream ends that begins at `start`: `2026/11/23/[$LATEST]` and 32 hexadecimal digits.
  private static func streamEnd(_ bytes: Span<UInt8>, _ start: Int, _ limit: Int) -> Int? {
    guard start + 12 < limit, bytes[start + 4] == UInt8(ascii: "/"), bytes[start + 7] == UInt8(ascii: "/"),
      bytes[start + 10] == UInt8(ascii: "/")
    else { return nil }
    var last = start + 11
    var hasBracket = false
    while last < limit, bytes[last] > 0x20 {
      if bytes[last] == UInt8(ascii: "]") { hasBracket = true }
      last += 1
    }
    return hasBracket ? last : nil
  }
}
