import Lifecycle
import Text

/// Reads the fields of a line.
///
/// The first problem is kept, and reading goes on: what was read counts only if there is none.
struct LineReader: LineCoder {
  private(set) var problem: RecordError?
  private let fields: [String: LineFields.Field]

  /// Reads a line of fields.
  ///
  /// - Parameter start: Where the first field may begin.
  static func read<R: LineRecord>(
    _ type: R.Type, _ bytes: [UInt8], from start: Int, _ shape: LogLineShape
  ) throws(RecordError) -> R {
    var record = R.blank
    var reader = LineReader(fields: LineFields(bytes, from: start, shape).fields)
    record.fields(&reader)
    if let problem = reader.problem { throw problem }
    return record
  }

  private init(fields: [String: LineFields.Field]) { self.fields = fields }

  private mutating func note(_ code: RecordError.Code, _ message: String, _ name: String, at position: Int) {
    if problem == nil { problem = RecordError(code, message, place: name, position: position) }
  }

  private mutating func needed<Value>(_ value: Value?, _ name: String) -> Value? {
    if value == nil, fields[name] == nil { note(.missing, "it is not there", name, at: 0) }
    return value
  }

  /// What `read` makes of a field; a problem if it makes nothing.
  private mutating func parsed<Value>(_ name: String, _ what: String, _ read: (String) -> Value?) -> Value? {
    guard let field = fields[name] else { return nil }
    let value = read(field.value)
    if value == nil { note(.unexpectedValue, "\(quoted(field.value)) is no \(what)", name, at: field.position) }
    return value
  }

  /// The first word: lines of later versions may have more behind it.
  private static func firstWord(_ text: String) -> Substring { text.prefix { $0 != " " } }

  mutating func text(_ name: String, _ value: inout String) { value = needed(fields[name]?.value, name) ?? value }
  mutating func text(_ name: String, _ value: inout String?) { value = fields[name]?.value }

  mutating func token(_ name: String, _ value: inout String?) {
    value = fields[name].map { String(LineReader.firstWord($0.value)) }
  }

  mutating func texts(_ name: String, _ value: inout [String]) {
    let words = parsed(name, "list in brackets") { text -> [String]? in
      guard text.first == "[", text.last == "]" else { return nil }
      return text.dropFirst().dropLast().split(separator: ",").map { String($0.drop { $0 == " " }) }
    }
    value = words ?? value
  }

  mutating func integer(_ name: String, _ unit: LineUnit, _ value: inout Int64?) {
    value = parsed(name, "whole number of \(unit.rawValue)") { LineReader.amount($0, unit).flatMap { Int64($0) } }
  }

  private mutating func length(_ name: String) -> Nanoseconds? {
    parsed(name, "number of milliseconds") { text in
      LineReader.amount(text, .milliseconds)
        .flatMap { DecimalText.scaled($0, wholeDigitsLimit: 9, decimals: 6) }.map { Nanoseconds($0) }
    }
  }

  /// The digits in front of a unit.
  private static func amount(_ text: String, _ unit: LineUnit) -> Substring? {
    let words = text.split(separator: " ")
    guard words.count >= 2, words[1] == unit.rawValue,
      words[0].utf8.allSatisfy({ $0.isDigit || $0 == UInt8(ascii: ".") })
    else { return nil }
    return words[0]
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds) {
    value = needed(length(name), name) ?? value
  }

  mutating func milliseconds(_ name: String, _ value: inout Nanoseconds?) { value = length(name) }

  mutating func request(_ name: String, _ value: inout RequestID) {
    let request = parsed(name, "request id") { text in
      Identifier128(text: LineReader.firstWord(text)).map { RequestID($0) }
    }
    value = needed(request, name) ?? value
  }

  mutating func boolean(_ name: String, _ value: inout Bool?) {
    value = parsed(name, "truth value") { Bool(String(LineReader.firstWord($0))) }
  }

  mutating func status(_ name: String, _ value: inout PlatformEvent.Status?) {
    value = parsed(name, "status") { PlatformEvent.Status(rawValue: String(LineReader.firstWord($0))) }
  }

  mutating func word<W: Word>(_ name: String, _ value: inout W?) { value = fields[name].flatMap { W(name: $0.value) } }

  mutating func close(withSeparator: Bool) {}
}
