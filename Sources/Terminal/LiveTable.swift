import Table

/// A table that drops columns if the terminal is too narrow, and says which.
package struct LiveTable: Sendable {
  /// A column: its titles, and what happens to it where there is too little room.
  package struct Column: Sendable {
    /// The title where there is room.
    package var title: String
    /// Where all columns do not fit with their titles.
    package var shortTitle: String
    /// Whether its cells are flush left; numbers are not.
    package var isLeft: Bool
    /// The lowest goes first.
    package var priority: Int
    /// The fewest columns of the terminal that it can be cut to before others are dropped; `nil` if it is shown whole.
    package var leastWidth: Int?

    /// Makes a column; without a short title, the title is shown in any case.
    package init(
      _ title: String, short: String? = nil, isLeft: Bool = false, priority: Int, leastWidth: Int? = nil
    ) {
      self.title = title
      shortTitle = short ?? title
      self.isLeft = isLeft
      self.priority = priority
      self.leastWidth = leastWidth
    }
  }

  /// A text with one style.
  package struct Cell: Hashable, Sendable, ExpressibleByStringLiteral {
    /// Safe to write to a terminal, if it was given to the initializer.
    package var text: String
    /// How it is shown.
    package var style: Style

    /// Makes a cell; characters that control the terminal are replaced in the text.
    package init(_ text: String, _ style: Style = .plain) {
      self.text = DisplayText.safe(text)
      self.style = style
    }

    /// A plain cell.
    package init(stringLiteral text: String) { self.init(text) }
  }

  /// How a table fits.
  package struct Layout: Sendable {
    /// The titles, in bold.
    package var header: StyledLine
    /// As many as the table has, in its order.
    package var rows: [StyledLine]
    /// The titles of the columns for which there is no room, the most important first.
    package var dropped: [String]
  }

  /// From left to right.
  package var columns: [Column]
  /// As many cells as columns.
  package var rows: [[Cell]] = []
  /// The column whose title is marked, by position: the one that rows are sorted by.
  package var marked: Int?

  /// Makes a table without rows. `columns` is not empty.
  package init(columns: [Column]) { self.columns = columns }

  /// Fits the table into a width: with short titles if it must, then with columns cut, then without the least important
  /// ones. One column always stays.
  ///
  /// - Parameter width: The terminal's columns; `nil`: as many as it takes.
  package func layout(width: Int?) -> Layout {
    var chosen = Array(columns.indices)
    var form = Form(usesShortTitles: false, gap: 2)
    if let width {
      if !fits(chosen, form, width) { form = Form(usesShortTitles: true, gap: 1) }
      while !fits(chosen, form, width), chosen.count > 1,
        let least = chosen.min(by: { columns[$0].priority < columns[$1].priority })
      {
        chosen.removeAll { $0 == least }
      }
      // The room that a dropped column left is spent on what reads better.
      let roomy = Form(usesShortTitles: form.usesShortTitles, gap: 2)
      if naturalWidth(chosen, roomy) <= width { form = roomy }
    }
    let widths = fittedWidths(chosen, form, width)
    let dropped = columns.indices.filter { !chosen.contains($0) }.sorted { columns[$0].priority > columns[$1].priority }
    return Layout(
      header: header(chosen, widths, form), rows: rows.map { line($0, chosen, widths, form) },
      dropped: dropped.map { columns[$0].title })
  }

  private struct Form {
    var usesShortTitles: Bool
    var gap: Int
  }

  private func title(_ column: Int, _ form: Form) -> String {
    (form.usesShortTitles ? columns[column].shortTitle : columns[column].title) + (column == marked ? "*" : "")
  }

  private func naturalWidth(_ column: Int, _ form: Form) -> Int {
    rows.reduce(DisplayText.width(title(column, form))) { max($0, DisplayText.width($1[column].text)) }
  }

  private func naturalWidth(_ chosen: [Int], _ form: Form) -> Int {
    chosen.reduce(form.gap * (chosen.count - 1)) { $0 + naturalWidth($1, form) }
  }

  private func fits(_ chosen: [Int], _ form: Form, _ width: Int) -> Bool {
    let least = chosen.reduce(0) { sum, column in
      let natural = naturalWidth(column, form)
      return sum + min(natural, columns[column].leastWidth ?? natural)
    }
    return least + form.gap * (chosen.count - 1) <= width
  }

  private func fittedWidths(_ chosen: [Int], _ form: Form, _ width: Int?) -> [Int] {
    var widths = chosen.map { naturalWidth($0, form) }
    guard let width else { return widths }
    var excess = widths.reduce(0, +) + form.gap * (chosen.count - 1) - width
    while excess > 0 {
      let candidates = chosen.indices.filter { widths[$0] > (columns[chosen[$0]].leastWidth ?? .max) }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  private func header(_ chosen: [Int], _ widths: [Int], _ form: Form) -> StyledLine {
    line(columns.indices.map { Cell(title($0, form), .bold) }, chosen, widths, form)
  }

  private func line(_ cells: [Cell], _ chosen: [Int], _ widths: [Int], _ form: Form) -> StyledLine {
    var line = StyledLine()
    for (place, column) in chosen.enumerated() {
      let shown = DisplayText.cut(cells[column].text, to: widths[place])
      let padding = String(repeating: " ", count: max(0, widths[place] - DisplayText.width(shown)))
      let isLast = place == chosen.count - 1
      if place > 0 { line.append(String(repeating: " ", count: form.gap)) }
      if !columns[column].isLeft { line.append(padding) }
      line.append(shown, cells[column].style)
      if columns[column].isLeft && !isLast { line.append(padding) }
    }
    return line
  }
}
