import Documents
import ExporterSupport
import Lifecycle
import Table
import Testing
import Windows

/// What the columns of table and CSV show.
extension ExporterUnderTest {
  static let csv = ExporterUnderTest(
    testDescription: "CSV",
    bytes: { Array(WindowsCSV.text(Samples.document($0.windows, minutes: 1), isWide: true).utf8) },
    read: { _, bytes in
      let lines = try records(String(decoding: bytes, as: UTF8.self))
      guard let head = lines.first, Set(head).count == head.count else {
        throw UnreadableExport(description: "there is no head, or one with a name twice")
      }
      var shown: Shown = [:]
      for line in lines.dropFirst() {
        guard line.count == head.count else { throw UnreadableExport(description: "a line of \(line.count) fields") }
        let row = Dictionary(uniqueKeysWithValues: zip(head, line))
        // An idle window.
        guard row["closed"] == "true" else { continue }
        shown[identity(row)] = try items(row) { item, text in
          // What has no value has none of its largest either.
          text.isEmpty ? .exact(0) : ShownNumber(text)
        }
      }
      return shown
    }, items: { columnItems($0, isForPeople: false) },
    peaks: [.concurrencyMax, .instancesMax, .provisionedConcurrencyMax], omitsIdle: true)

  static let table = ExporterUnderTest(
    testDescription: "table",
    bytes: { account in
      Array(WindowsTable.text(Samples.document(account.windows, minutes: 1), TableOptions(isWide: true)).utf8)
    },
    read: { account, bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      guard text.split(separator: "\n").allSatisfy({ DisplayText.safe(String($0)) == $0 }) else {
        throw UnreadableExport(description: "something steers the terminal")
      }
      // The name of a function may look like cells, so each is read by itself.
      var shown: Shown = [:]
      for window in account.windows {
        var own = window
        if case .function = window.scope { own.scope = .function(FunctionID("f")) }
        let table = WindowsTable.text(Samples.document([own], minutes: 1), TableOptions(isWide: true))
        let row = try cells(table)
        guard row["invocations"] != "" else { continue }
        let function: FunctionID? = if case .function(let function) = window.scope { function } else { nil }
        shown[function] = try items(row) { item, text in ShownNumber(text) }
      }
      return shown
    }, items: { columnItems($0, isForPeople: true) },
    peaks: [.concurrencyMax, .instancesMax, .provisionedConcurrencyMax], omitsIdle: true)

  /// Quantities are rounded for people, counts are not.
  private static func columnItems(_ number: TallyNumber, isForPeople: Bool) -> Set<ShownItem> {
    Set(
      number.columns.compactMap { column in
        switch column.value {
        case .count: .count(number.field)
        case .maximum: isForPeople ? nil : .maximum(number.field)
        case .mean, .p95: nil
        }
      })
  }

  private static func items(
    _ row: [String: String], _ parse: (ShownItem, String) -> ShownNumber?
  ) throws -> [ShownItem: ShownNumber] {
    var fields: [(name: String, item: ShownItem)] = [
      ("concurrency_max", .concurrencyMax), ("instances_max", .instancesMax),
      ("provisioned_concurrency_max", .provisionedConcurrencyMax),
    ]
    for number in TallyNumber.all {
      for column in number.columns {
        switch column.value {
        case .count: fields.append((column.field, .count(number.field)))
        case .maximum: fields.append((column.field, .maximum(number.field)))
        case .mean, .p95: break
        }
      }
    }
    var items: [ShownItem: ShownNumber] = [:]
    for (name, item) in fields {
      guard let text = row[name] else { throw UnreadableExport(description: "there is no column \(name)") }
      // Rounded quantities have a unit, so they are no numbers.
      if let number = parse(item, text) { items[item] = number }
    }
    return items
  }

  private static func identity(_ row: [String: String]) -> FunctionID? {
    func unguarded(_ text: String?) -> String {
      guard let text, text.hasPrefix("'") else { return text ?? "" }
      return String(text.dropFirst())
    }
    let (function, version) = (unguarded(row["function"]), unguarded(row["version"]))
    return function.isEmpty ? nil : FunctionID(function, version: version.isEmpty ? FunctionID.latest : version)
  }

  /// The records of RFC 4180.
  private static func records(_ text: String) throws -> [[String]] {
    var records: [[String]] = []
    var (record, field) = ([String](), "")
    var isQuoted = false
    var scalars = text.unicodeScalars[...]
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"" where isQuoted && scalars.first == "\"":
        scalars.removeFirst()
        field.unicodeScalars.append("\"")
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        record.append(field)
        field = ""
      case "\r" where !isQuoted:
        guard scalars.popFirst() == "\n" else { throw UnreadableExport(description: "CR without LF") }
        records.append(record + [field])
        (record, field) = ([], "")
      default: field.unicodeScalars.append(scalar)
      }
    }
    guard !isQuoted, record.isEmpty, field.isEmpty else { throw UnreadableExport(description: "the last line is open") }
    return records
  }

  /// The cells of a table of one line, by the CSV name of their columns: each ends where its title ends.
  private static func cells(_ table: String) throws -> [String: String] {
    let lines = table.split(separator: "\n").map { Array($0.unicodeScalars) }
    guard lines.count == 2 else { throw UnreadableExport(description: "\(lines.count) lines") }
    let (head, line) = (lines[0], lines[1])
    var ends: [Int] = []
    for index in head.indices where head[index] != " " {
      let isEnd =
        index + 1 >= head.count || head[index + 1] == " " && (index + 2 >= head.count || head[index + 2] == " ")
      if isEnd { ends.append(index + 1) }
    }
    let columns = WindowColumn.columns(isWide: true)
    guard ends.count == columns.count + 1 else { throw UnreadableExport(description: "\(ends.count) titles") }
    // The first column is the time, which may be wider than its title.
    var cells: [String: String] = [:]
    for (place, column) in columns.enumerated() {
      let (from, to) = (place == 0 ? 17 : ends[place], ends[place + 1])
      let cell = line.indices.contains(from) ? line[from..<min(to, line.count)] : []
      cells[column.field] = String(String.UnicodeScalarView(cell)).filter { $0 != " " }
    }
    return cells
  }
}
