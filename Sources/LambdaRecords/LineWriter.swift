import Lifecycle
import Text

/// Writes lines of a log as text.
struct LineWriter: LineCoder {
  /// What was written so far.
  private(set) var bytes: [UInt8] = []
  private var separator = ""
  private var fieldSeparator = ""

  init(capacity: Int = 256) { bytes.reserveCapacity(capacity) }

  /// Writes a line of fields and its end.
  mutating func write(_ record: some LineRecord, as shape: LogLineShape) {
    write(shape.rawValue)
    separator = shape.headSeparator
    fieldSeparator = shape.fieldSeparator
    // The table may change what it is given; a writer never does.
    var record = record
    record.fields(&self)
    endLine()
  }

  mutating func write(_ text: String) { bytes.append(contentsOf: text.utf8) }

  mutating func endLine() { bytes.append(UInt8(ascii: "\n")) }

  /// A text as one field of a line: functions choose the names of their internal extensions, and extensions the types of their errors.
  static func plain(_ text: String) -> String {
    guard text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return text }
    return String(
      String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? "\u{FFFD}" : $0 }))
  }

  private mutating func field(_ name: String, _ value: String) {
    write(separator)
    separator = fieldSeparator
    write(name)
    write(": ")
    write(value)
  }

  mutating func text(_ name: String, _ value: inout String) { field(name, LineWriter.plain(value)) }
  mutating func text(_ name: String, _ value: inout String?) { if let value { field(name, LineWriter.plain(value)) } }

  mutating func token(_ name: String, _ value: inout String?) { text(name, &value) }

  mutating func texts(_ name: String, _ value: inout [String]) {
    field(name, "[\(value.map(LineWriter.plain).joined(separator: ","))]")
  }

  mutating func integer(_ name: String, _ unit: LineUnit, _ value: inout Int64?) {
    guard let value else { return }
    field(name, String(value))
    write(" ")
    write(unit.rawValue)
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds) {
    field(name, DecimalText.milliseconds(nanoseconds: value.count, decimals: 2))
    write(" ")
    write(LineUnit.milliseconds.rawValue)
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?) {
    if var length = value { milliseconds(name, &length) }
  }

  mutating func request(_ name: String, _ value: inout RequestID) { field(name, value.value.uuidText) }

  mutating func boolean(_ name: String, _ value: inout Bool?) { if let value { field(name, value ? "true" : "false") } }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?) {
    if let value { field(name, value.rawValue) }
  }

  mutating func word<W: Word>(_ name: String, _ value: inout W?) { if let value { field(name, value.name) } }

  mutating func close(withSeparator: Bool) { if withSeparator { write(fieldSeparator) } }
}
