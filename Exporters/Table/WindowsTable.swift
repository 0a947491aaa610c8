import Text
package import Documents
package import Lifecycle

/// Windows as an aligned table: newest first, one line each, blank cells if nothing happened.
package enum WindowsTable {
  /// The lines of the table.
  ///
  /// Idle windows of the document's range appear with their time only. In a range of more than 10,000 windows, runs of more than
  /// three idle ones share a line. The window that is still open is marked. A table that is too wide gets short titles, then short times, then
  /// cut names; then the last columns are left out, which a line below it says; lines are cut last.
  ///
  /// - Parameters:
  ///   - columns: `nil`: those of functions.
  ///   - command: What shows it, for the line about columns that found no room.
  /// - Complexity: O(rows × columns).
  package static func text(
    _ document: WindowsDocument, _ options: TableOptions = TableOptions(), columns: [WindowColumn]? = nil,
    command: String = "kelvin metrics lambda"
  ) -> String {
    let rows = WindowRow.rows(document)
    let columns = columns ?? WindowColumn.columns(isWide: options.isWide)
    let forms: [Form] = [
      Form(hasShortTitles: false, hasShortTimes: false, gap: 2),
      Form(hasShortTitles: true, hasShortTimes: false, gap: 2),
      Form(hasShortTitles: true, hasShortTimes: true, gap: 1),
    ]
    // Made once: the forms differ in titles and times.
    let cells = rows.map { row in
      if case .window(let window) = row { columns.map { $0.text(\.cell, of: window) } } else { [String]() }
    }
    var table = TextTable(columns: [])
    for form in forms {
      table = self.table(document, rows, columns, cells, form)
      guard let width = options.width, table.width > width else { break }
    }
    var shown = columns
    if let width = options.width {
      while table.leastWidth > width, shown.count > 1 {
        shown.removeLast()
        table = self.table(document, rows, shown, cells, forms[forms.count - 1])
      }
    }
    let isOpen = rows.contains { if case .window(let window) = $0 { !window.closed } else { false } }
    return table.text(options) + (isOpen ? "* still open\n" : "")
      + hidden(columns.dropFirst(shown.count), options, command)
  }

  /// Which columns found no room, and how to see them; wrapped to the terminal's width.
  private static func hidden(
    _ columns: ArraySlice<WindowColumn>, _ options: TableOptions, _ command: String
  ) -> String {
    guard let width = options.width, !columns.isEmpty else { return "" }
    let wide = options.isWide ? " --wide" : ""
    let text =
      "Not shown in \(width) columns: \(columns.map(\.name).joined(separator: ", ")). A wider terminal shows them, and so do "
      + "--output csv\(wide) and a pipe: \(command)\(wide) | less -S"
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, DisplayText.width(last) + 1 + DisplayText.width(String(word)) <= width {
        lines[lines.count - 1] = "\(last) \(word)"
      } else {
        lines.append(String(word))
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private struct Form {
    var hasShortTitles: Bool
    var hasShortTimes: Bool
    var gap: Int
  }

  /// - Parameter values: The cells of each row for these columns, and perhaps for more behind them; none of idle windows.
  private static func table(
    _ document: WindowsDocument, _ rows: [WindowRow], _ columns: [WindowColumn], _ values: [[String]], _ form: Form
  ) -> TextTable {
    let names = Set(document.windows.map(\.functionText))
    let times = TimeText(document, isShort: form.hasShortTimes)
    var heads = [TextTable.Column(title: form.hasShortTitles ? "Time" : "Timestamp", alignment: .left)]
    if names.count > 1 { heads.append(TextTable.Column(title: "Function", alignment: .left, leastWidth: 8)) }
    heads += columns.map { column in
      TextTable.Column(title: form.hasShortTitles ? column.shortTitle : column.title, alignment: .right)
    }
    var table = TextTable(columns: heads, gap: form.gap)
    table.rows = zip(rows, values).map { row, values in
      var cells: [String] = []
      cells.reserveCapacity(heads.count)
      switch row {
      case .window(let window):
        cells.append(times.text(window.start) + (window.closed ? "" : "*"))
        if names.count > 1 { cells.append(window.functionText) }
        cells += values.prefix(columns.count)
      case .idle(let start): cells.append(times.text(start))
      case .idleRun(let newest, let count): cells.append("\(times.text(newest)) and \(count - 1) before it")
      }
      cells += repeatElement("", count: heads.count - cells.count)
      return cells
    }
    return table
  }
}

/// The starts of windows, in UTC, to the minute, or to the second where windows need it.
package struct TimeText {
  private let hasDate: Bool
  private let hasYear: Bool
  private let hasSeconds: Bool

  /// Decides how the starts of a document's windows are written, all alike.
  ///
  /// - Parameter isShort: Without the year, and without the day where all windows are of one.
  package init(_ document: WindowsDocument, isShort: Bool) {
    let first = CalendarFields(document.from)
    let last = CalendarFields(document.to)
    hasYear = !isShort
    hasDate = !isShort || (first.year, first.month, first.day) != (last.year, last.month, last.day)
    hasSeconds = document.resolution.count % 60_000_000_000 != 0
  }

  /// The start of a window, such as `2026-11-23T10:00Z`.
  package func text(_ time: Timestamp) -> String {
    let fields = CalendarFields(time)
    var text = ""
    if hasYear { text += String(fields.year) + "-" }
    if hasDate { text += "\(twoDigits(fields.month))-\(twoDigits(fields.day))T" }
    text += "\(twoDigits(fields.hour)):\(twoDigits(fields.minute))"
    if hasSeconds { text += ":" + twoDigits(fields.second) }
    return text + "Z"
  }

  private func twoDigits(_ value: Int) -> String { value < 10 ? "0\(value)" : String(value) }
}
