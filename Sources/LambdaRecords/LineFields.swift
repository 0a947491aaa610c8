import Lifecycle
import Text

/// Finds out which fields a line has: goes through its table as a writer does, and keeps the names.
struct LineFieldNames: LineCoder {
  private(set) var names: [String] = []

  init(of record: some LineRecord) {
    var record = record
    record.fields(&self)
  }

  mutating func text(_ name: String, _ value: inout String) { names.append(name) }
  mutating func text(_ name: String, _ value: inout String?) { names.append(name) }
  mutating func token(_ name: String, _ value: inout String?) { names.append(name) }
  mutating func texts(_ name: String, _ value: inout [String]) { names.append(name) }
  mutating func integer(_ name: String, _ unit: LineUnit, _ value: inout Int64?) { names.append(name) }
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds) { names.append(name) }
  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?) { names.append(name) }
  mutating func request(_ name: String, _ value: inout RequestID) { names.append(name) }
  mutating func boolean(_ name: String, _ value: inout Bool?) { names.append(name) }
  mutating func word<W: Word>(_ name: String, _ value: inout W?) { names.append(name) }
  mutating func close(withSeparator: Bool) {}

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?) {
    names.append(name)
    // Some tables have a field only of what went wrong.
    value = .error
  }
}

/// The fields of a line: `Name: value`, with tabs between them.
///
/// Consoles and mail make blanks or line breaks of the tabs, or leave nothing at all between two fields
/// (`124.29 msBilled Duration: 390 ms`): where a line has no tab, a field ends where the name of the next one begins.
struct LineFields {
  struct Field {
    /// Without blanks around it.
    var value: String
    /// Where the name begins, in bytes of the line.
    var position: Int
  }

  /// By their names, other ones than those of the shape passed over; of one that comes twice the first.
  private(set) var fields: [String: Field] = [:]

  private let bytes: [UInt8]
  private let start: Int
  private let isTabbed: Bool

  /// - Parameters:
  ///   - bytes: The whole line.
  ///   - start: Where the first field may begin.
  init(_ bytes: [UInt8], from start: Int, _ shape: LogLineShape) {
    self.bytes = bytes
    self.start = start
    isTabbed = shape.fieldSeparator == "\t" && bytes[start...].contains(UInt8(ascii: "\t"))
    let names = shape.fieldNames
    var begun: [(name: String, position: Int, value: Int)] = []
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if mayBegin(at: index),
        let name = names.first(where: { $0.bytes[0] == byte && bytes[index...].starts(with: $0.bytes) })
      {
        begun.append((name.text, index, index + name.bytes.count))
        index += name.bytes.count
      } else {
        index += 1
      }
    }
    for (number, field) in begun.enumerated() where fields[field.name] == nil {
      let end = number + 1 < begun.count ? begun[number + 1].position : bytes.count
      fields[field.name] = Field(value: value(field.value, before: end), position: field.position)
    }
  }

  /// In a line with tabs a name begins where a piece does: a value may have one in it.
  private func mayBegin(at index: Int) -> Bool {
    guard isTabbed else { return true }
    var index = index
    while index > start, bytes[index - 1] == UInt8(ascii: " ") { index -= 1 }
    return index == start || LineFields.isBreak(bytes[index - 1])
  }

  private func value(_ first: Int, before end: Int) -> String {
    let piece = bytes[first..<end].prefix { !LineFields.isBreak($0) }
    let text = piece.drop { $0 == UInt8(ascii: " ") }
    let last = text.lastIndex { $0 != UInt8(ascii: " ") }
    return String(decoding: last.map { text[...$0] } ?? [], as: UTF8.self)
  }

  private static func isBreak(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "\t") || byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r")
  }
}

extension LogLineShape {
  /// The name of a field.
  struct FieldName: Sendable {
    var text: String
    /// With its colon.
    var bytes: [UInt8]
  }

  /// All that the line may have, the longest first: of two that fit the longer one is meant, `Runtime Version ARN` and not
  /// `Runtime Version`.
  var fieldNames: [FieldName] { LogLineShape.fieldNames[self] ?? [] }

  private static let fieldNames: [LogLineShape: [FieldName]] = Dictionary(
    uniqueKeysWithValues: allCases.map { shape in
      let names = shape.table.map { FieldName(text: $0, bytes: Array("\($0):".utf8)) }
      return (shape, names.sorted { $0.bytes.count > $1.bytes.count })
    })

  private var table: [String] {
    switch self {
    case .start: LineFieldNames(of: PlatformEvent.Start.blank).names
    case .end: LineFieldNames(of: InvocationEnd.blank).names
    case .report: LineFieldNames(of: PlatformEvent.Report.blank).names
    case .segment: LineFieldNames(of: PlatformEvent.TraceSegment.blank).names
    case .initStart, .restoreStart: LineFieldNames(of: PlatformEvent.EnvironmentStart.blank).names
    case .initReport: LineFieldNames(of: PlatformEvent.InitializationEnd.blank).names
    case .restoreReport: LineFieldNames(of: PlatformEvent.RestoreEnd.blank).names
    case .extensionState: LineFieldNames(of: PlatformEvent.ExtensionState.blank).names
    case .telemetrySubscription, .logsSubscription: LineFieldNames(of: PlatformEvent.SubscriptionState.blank).names
    }
  }
}
