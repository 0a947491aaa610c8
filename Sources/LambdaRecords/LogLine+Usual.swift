import Lifecycle
import Text

extension LogLine {
  /// Reads a line as ``read(_:)`` does a text; the lines of nearly all invocations without a copy.
  ///
  /// - Complexity: O(`line`); for START, END and the REPORT of a success, as AWS writes them, without an allocation.
  package static func read(line: Span<UInt8>) throws(RecordError) -> LogLine? {
    if let line = usual(line) { return line }
    // SAFETY: the pointer does not leave the closure.
    return try read(bytes: unsafe line.withUnsafeBufferPointer { unsafe Array($0) })
  }

  /// A line START, END or REPORT as AWS writes it, with tabs; `nil` for all others, whatever they are.
  private static func usual(_ line: Span<UInt8>) -> LogLine? {
    var line = UsualLine(line)
    if line.take("REPORT RequestId: ") { return line.report() }
    if line.take("START RequestId: ") {
      guard let request = line.request(), line.take(" Version: "), let version = line.word(),
        line.isAtEnd
      else { return nil }
      return .event(.start(.init(request: request, version: version)))
    }
    guard line.take("END RequestId: "), let request = line.request(), line.isAtEnd else { return nil }
    return .event(.end(request))
  }
}

/// Reads the parts of a line from left to right.
private struct UsualLine: ~Escapable {
  private let bytes: Span<UInt8>
  private var position = 0

  @_lifetime(copy bytes)
  init(_ bytes: Span<UInt8>) { self.bytes = bytes }

  var isAtEnd: Bool {
    var index = position
    while index < bytes.count, bytes[index] <= 0x20 { index += 1 }
    return index == bytes.count
  }

  mutating func take(_ text: StaticString) -> Bool {
    let count = text.utf8CodeUnitCount
    guard position + count <= bytes.count else { return false }
    let isThere = text.withUTF8Buffer { text in
      for index in 0..<count where unsafe bytes[position + index] != text[index] { return false }
      return true
    }
    if isThere { position += count }
    return isThere
  }

  /// A request id of the usual form, with a blank, a tab or nothing behind it.
  mutating func request() -> RequestID? {
    guard position + 36 <= bytes.count else { return nil }
    var value = Identifier128.zero
    for index in 0..<36 {
      let byte = bytes[position + index]
      if index == 8 || index == 13 || index == 18 || index == 23 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      guard let digit = UsualLine.digit(byte) else { return nil }
      value.high = value.high << 4 | value.low >> 60
      value.low = value.low << 4 | UInt64(digit)
    }
    position += 36
    guard position == bytes.count || bytes[position] <= 0x20 else { return nil }
    return RequestID(value)
  }

  // Of this room, so that the optimizer has them in the loop.

  @inline(__always)
  private static func isDigit(_ byte: UInt8) -> Bool { byte &- 0x30 < 10 }

  @inline(__always)
  private static func digit(_ byte: UInt8) -> UInt8? {
    if isDigit(byte) { return byte - 0x30 }
    let letter = byte | 0x20
    return letter >= 0x61 && letter <= 0x66 ? letter - 0x61 + 10 : nil
  }

  /// Up to white space.
  mutating func word() -> String? {
    var end = position
    while end < bytes.count, bytes[end] > 0x20 {
      // The name of a field, where a blank is missing.
      guard bytes[end] != UInt8(ascii: ":") else { return nil }
      end += 1
    }
    guard end > position else { return nil }
    let text = bytes.extracting(position..<end)
    position = end
    // SAFETY: the pointer does not leave the closure, and the string copies what it points to.
    return unsafe text.withUnsafeBufferPointer { unsafe String(decoding: $0, as: UTF8.self) }
  }

  /// Milliseconds in nanoseconds.
  private mutating func milliseconds() -> Nanoseconds? {
    guard let whole = integer(), whole < 1_000_000_000 else { return nil }
    var value = whole * 1_000_000
    if take(".") {
      var unit: Int64 = 100_000
      let start = position
      while position < bytes.count, UsualLine.isDigit(bytes[position]) {
        guard unit > 0 else { return nil }
        value += Int64(bytes[position] - 0x30) * unit
        unit /= 10
        position += 1
      }
      guard position > start else { return nil }
    }
    return take(" ms") ? Nanoseconds(value) : nil
  }

  private mutating func integer() -> Int64? {
    let start = position
    var value: Int64 = 0
    while position < bytes.count, UsualLine.isDigit(bytes[position]), position - start < 12 {
      value = value * 10 + Int64(bytes[position] - 0x30)
      position += 1
    }
    return position > start ? value : nil
  }

  /// The report of an invocation that went well.
  mutating func report() -> LogLine? {
    guard let request = request(), take("\tDuration: "), let duration = milliseconds(), take("\tBilled Duration: "),
      let billed = integer(), take(" ms\tMemory Size: "), let size = integer(), take(" MB\tMax Memory Used: "),
      let used = integer(), take(" MB")
    else { return nil }
    var report = PlatformEvent.Report(
      request: request, duration: duration, billedMilliseconds: billed, memorySizeMegabytes: size,
      memoryUsedMegabytes: used)
    if take("\tInit Duration: ") {
      guard let initialization = milliseconds() else { return nil }
      report.initializationDuration = initialization
    }
    if take("\tRestore Duration: ") {
      guard let restore = milliseconds(), take("\tBilled Restore Duration: "), let billed = integer(), take(" ms")
      else {
        return nil
      }
      report.restoreDuration = restore
      report.billedRestoreMilliseconds = billed
    }
    return isAtEnd ? .event(.report(report)) : nil
  }
}
