import Table

/// One line of a frame: pieces of text, each with a style.
///
/// Text is made safe as it is added: nothing in it can control the terminal, whatever its source.
package struct StyledLine: Hashable, Sendable, ExpressibleByStringLiteral {
  struct Piece: Hashable, Sendable {
    var text: String
    var style: Style
  }

  private(set) var pieces: [Piece] = []

  /// An empty line.
  package init() {}

  /// A line of one piece.
  package init(_ text: String, _ style: Style = .plain) { append(text, style) }

  /// A line of one plain piece.
  package init(stringLiteral text: String) { append(text) }

  /// What it says, without styles.
  package var text: String { pieces.map(\.text).joined() }

  /// The columns of a terminal that it takes.
  package var width: Int { pieces.reduce(0) { $0 + DisplayText.width($1.text) } }

  /// Adds a piece of text, made safe.
  package mutating func append(_ text: String, _ style: Style = .plain) {
    guard !text.isEmpty else { return }
    pieces.append(Piece(text: DisplayText.safe(text), style: style))
  }

  /// Adds all pieces of another line, with their styles.
  package mutating func append(_ line: StyledLine) { pieces += line.pieces }

  /// Adds blanks until it is `width` columns wide.
  package mutating func pad(to width: Int) {
    append(String(repeating: " ", count: max(0, width - self.width)))
  }

  /// Adds `line` so that it ends in column `width`; where there is no room for it and a blank, it is left out.
  package mutating func append(_ line: StyledLine, endingAt width: Int) {
    guard self.width + 1 + line.width <= width else { return }
    pad(to: width - line.width)
    append(line)
  }

  /// At most `width` columns of it; where something is cut off, the last is an ellipsis.
  package func cut(to width: Int) -> StyledLine {
    guard self.width > width else { return self }
    var result = StyledLine()
    var left = width
    for (index, piece) in pieces.enumerated() {
      let own = DisplayText.width(piece.text)
      let hasMore = pieces[(index + 1)...].contains { DisplayText.width($0.text) > 0 }
      // The column of the ellipsis is kept free where the next piece will not fit.
      if own < left || (own == left && !hasMore) {
        result.pieces.append(piece)
        left -= own
        continue
      }
      // One column more than is left, so that the cut shows also where a piece ends just there.
      let text = DisplayText.cut(piece.text + (hasMore ? " " : ""), to: left)
      result.pieces.append(Piece(text: text, style: piece.style))
      break
    }
    return result
  }

  /// The same with background and foreground exchanged.
  package var reversed: StyledLine {
    var result = self
    for index in result.pieces.indices { result.pieces[index].style.isReversed = true }
    return result
  }

  /// With escape sequences; ends with all styles off.
  package func rendered(usesColour: Bool) -> String {
    var text = ""
    for piece in pieces {
      let on = piece.style.sequence(usesColour: usesColour)
      text += on.isEmpty ? piece.text : on + piece.text + "\u{1B}[0m"
    }
    return text
  }
}
