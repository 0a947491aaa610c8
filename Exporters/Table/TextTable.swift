/// How a table is shown.
package struct TableOptions: Sendable {
  /// Columns of the terminal; `nil`: as many as it takes.
  package var width: Int?
  /// More columns.
  package var isWide: Bool
  /// Whether the header may be bold (ANSI escapes).
  package var usesColour: Bool

  /// Makes options: unless given otherwise, a plain table as wide as it needs.
  package init(width: Int? = nil, isWide: Bool = false, usesColour: Bool = false) {
    self.width = width
    self.isWide = isWide
    self.usesColour = usesColour
  }
}

/// Aligned columns, one line a row.
struct TextTable {
  enum Alignment {
    case left
    case right
  }

  struct Column {
    var title: String
    var alignment: Alignment
    /// The fewest columns of the terminal that it can be cut to; `nil` if it is shown whole.
    var leastWidth: Int?
  }

  var columns: [Column]
  /// As many cells as columns, made safe already.
  var rows: [[String]] = []
  /// Spaces between columns.
  var gap = 2

  /// The terminal's columns that it takes when nothing is cut.
  var width: Int { widths.reduce(0, +) + gap * max(0, columns.count - 1) }

  /// The terminal's columns that it takes when all is cut that can be.
  var leastWidth: Int {
    zip(columns, widths).reduce(gap * max(0, columns.count - 1)) { $0 + min($1.1, $1.0.leastWidth ?? .max) }
  }

  private var widths: [Int] {
    columns.indices.map { column in
      rows.reduce(DisplayText.width(columns[column].title)) { max($0, DisplayText.width($1[column])) }
    }
  }

  /// The lines, each ended by a line feed, none with blanks at its end.
  func text(_ options: TableOptions) -> String {
    let widths = fitted(widths, to: options.width)
    var lines = ""
    let header = line(columns.map(\.title), widths, options)
    lines += options.usesColour ? "\u{1B}[1m\(header)\u{1B}[0m\n" : header + "\n"
    for row in rows { lines += line(row, widths, options) + "\n" }
    return lines
  }

  /// Takes what is too much from the columns that can be cut, the widest first.
  private func fitted(_ natural: [Int], to width: Int?) -> [Int] {
    guard let width else { return natural }
    var widths = natural
    var excess = self.width - width
    while excess > 0 {
      let candidates = columns.indices.filter { widths[$0] > (columns[$0].leastWidth ?? .max) }
      guard let widest = candidates.max(by: { widths[$0] < widths[$1] }) else { break }
      widths[widest] -= 1
      excess -= 1
    }
    return widths
  }

  private func line(_ cells: [String], _ widths: [Int], _ options: TableOptions) -> String {
    var line = ""
    var taken = 0
    for (column, cell) in cells.enumerated() {
      let natural = DisplayText.width(cell)
      let width = widths[column]
      let shown = natural > width ? DisplayText.cut(cell, to: width) : cell
      let padding = width - (natural > width ? DisplayText.width(shown) : natural)
      let gap = column > 0 ? gap : 0
      switch columns[column].alignment {
      case .left:
        line += TextTable.blanks(gap) + shown + TextTable.blanks(padding)
      case .right:
        line += TextTable.blanks(gap + padding) + shown
      }
      taken += gap + width
    }
    if let width = options.width, taken > width { line = DisplayText.cut(line, to: width) }
    while line.utf8.last == UInt8(ascii: " ") { line.unicodeScalars.removeLast() }
    return line
  }

  private static func blanks(_ count: Int) -> String { String(repeating: " ", count: max(0, count)) }
}
