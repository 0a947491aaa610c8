import LambdaRecords
import Lifecycle
import Text

/// The fields of a row of Logs Insights, by name.
struct InsightsFields {
  private var values: [String: String] = [:]

  subscript(name: String) -> String? {
    get { values[name].flatMap { $0.isEmpty ? nil : $0 } }
    set { values[name] = newValue }
  }

  /// Takes the row: its message, or, without one, what its fields say of an invocation.
  func take(_ intake: LogIntake) {
    intake.insightsRows += 1
    let time = (self["@timestamp"] ?? self["timestamp"]).flatMap { LineInstant.read($0) }?.time
    let stream = intake.stream(self["@logStream"] ?? self["logStreamName"], group: self["@log"])
    let place = LogIntake.Place(stream: stream, time: time)
    if let message = self["@message"] ?? self["message"] {
      return intake.event(Array(message.utf8).span, at: place)
    }
    guard let id = self["@requestId"], let request = Identifier128(text: id).map({ RequestID($0) }) else {
      return intake.refuse(values.description, "the row has neither @message nor @requestId")
    }
    let text = "@requestId \(id)"
    switch self["@type"] {
    case "START": intake.platform(.start(.init(request: request)), text, at: place)
    case "END": intake.platform(.end(request), text, at: place)
    default:
      guard let duration = milliseconds("@duration") else {
        return intake.refuse(text, "the row has no @duration")
      }
      let report = PlatformEvent.Report(
        request: request, duration: duration, billedMilliseconds: milliseconds("@billedDuration")?.billedMilliseconds,
        memorySizeMegabytes: megabytes("@memorySize"), memoryUsedMegabytes: megabytes("@maxMemoryUsed"),
        initializationDuration: milliseconds("@initDuration"))
      intake.platform(.report(report), text, at: place)
    }
  }

  private func milliseconds(_ name: String) -> Nanoseconds? {
    guard let text = self[name], let value = Double(text), value >= 0, value < 1e9 else { return nil }
    return Nanoseconds(Int64((value * 1_000_000).rounded()))
  }

  /// Logs Insights says bytes, and means a million by a megabyte.
  private func megabytes(_ name: String) -> Int64? {
    guard let text = self[name], let value = Double(text), value >= 0, value < 1e15 else { return nil }
    return Int64((value >= 1_000_000 ? value / 1_000_000 : value).rounded())
  }
}

/// The columns of a file of values with commas, semicolons or tabs between them.
struct InsightsColumns {
  let names: [String]
  /// What stands between values; programs for tables write semicolons where numbers have commas.
  let separator: UInt8

  /// - Returns: `nil` if the line is no header of log events.
  init?(header: Span<UInt8>) {
    for separator in [UInt8(ascii: ","), UInt8(ascii: ";"), UInt8(ascii: "\t")] {
      guard let names = InsightsColumns.names(header, separator) else { continue }
      (self.names, self.separator) = (names, separator)
      return
    }
    return nil
  }

  private static func names(_ header: Span<UInt8>, _ separator: UInt8) -> [String]? {
    guard let cells = CSVRow.cells(header, separator) else { return nil }
    let known = ["@timestamp", "@message", "@requestId", "@duration", "@logStream", "@type"]
    let isLogs = cells.contains { known.contains($0) }
    let isConsoles = cells.count >= 2 && cells.contains("timestamp") && cells.contains("message")
    return isLogs || isConsoles ? cells : nil
  }
}

/// A row of values with commas, or another separator, between them (RFC 4180).
enum CSVRow {
  /// Where a row ends: at a line break outside of quotes; `nil` if there is none.
  static func end(_ bytes: Span<UInt8>, _ start: Int) -> Int? {
    var isQuoted = false
    var index = start
    while index < bytes.count {
      let byte = bytes[index]
      if byte == UInt8(ascii: "\"") { isQuoted.toggle() }
      if byte == 0x0A, !isQuoted { return index }
      index += 1
    }
    return nil
  }

  /// The values of a row; `nil` if a quote has no end.
  static func cells(_ row: Span<UInt8>, _ separator: UInt8) -> [String]? {
    var cells: [String] = []
    var cell: [UInt8] = []
    var isQuoted = false
    var index = 0
    while index < row.count {
      let byte = row[index]
      index += 1
      if byte == UInt8(ascii: "\"") {
        if isQuoted, index < row.count, row[index] == UInt8(ascii: "\"") {
          cell.append(byte)
          index += 1
        } else {
          isQuoted.toggle()
        }
      } else if byte == separator, !isQuoted {
        cells.append(String(decoding: cell, as: UTF8.self))
        cell.removeAll(keepingCapacity: true)
      } else if byte != 0x0D || isQuoted {
        cell.append(byte)
      }
    }
    cells.append(String(decoding: cell, as: UTF8.self))
    return isQuoted ? nil : cells
  }
}

extension LogFileReader {
  /// Reads a row.
  func rowStep(_ bytes: Span<UInt8>, _ position: Int, _ columns: InsightsColumns) -> Int? {
    let found = CSVRow.end(bytes, position)
    guard let end = found ?? (isFinal ? bytes.count : nil) else {
      guard bytes.count - position > LogFileReader.lineMax else { return nil }
      let end = LineBreak.next(bytes, position)
      intake.refuse("", "the row has no end")
      return min(end + 1, bytes.count)
    }
    let behind = min(end + 1, bytes.count)
    let row = bytes.extracting(position..<end)
    if LogIntake.isBlank(row) { return behind }
    guard let cells = CSVRow.cells(row, columns.separator) else {
      intake.refuse(
        String(decoding: LogIntake.array(row.extracting(first: 80)), as: UTF8.self),
        "the file ends in the middle of a row")
      return behind
    }
    // A second header, where files were put together.
    if cells == columns.names { return behind }
    var fields = InsightsFields()
    for (name, cell) in zip(columns.names, cells) { fields[name] = cell }
    fields.take(intake)
    return behind
  }
}
