/// The columns and rows of a terminal.
package struct TerminalSize: Hashable, Sendable {
  /// How many cells a line has.
  package var columns: Int
  /// How many lines the screen has.
  package var rows: Int

  /// Makes a size; frames are cut to it.
  package init(columns: Int, rows: Int) {
    self.columns = columns
    self.rows = rows
  }
}

/// Turns frames into what has to be written to a terminal that shows the frame before: only the lines that changed.
///
/// A frame is one write, between the marks of synchronized output; terminals that do not know the marks pass over them.
package struct FrameWriter: Sendable {
  private let usesColour: Bool
  private var size = TerminalSize(columns: 0, rows: 0)
  /// The lines on the screen with their escape sequences; `nil` while nobody knows what is there.
  private var shown: [String]?

  /// Makes a writer that knows nothing of the screen yet. Without colour, bold, dim and reversed text remain.
  package init(usesColour: Bool) { self.usesColour = usesColour }

  /// Forgets what the screen shows; the next frame is written whole.
  package mutating func forget() { shown = nil }

  /// What to write; empty if the screen shows the frame already.
  ///
  /// Lines that are too wide are cut, and those that are below the last row are left out.
  package mutating func bytes(_ lines: [StyledLine], size: TerminalSize) -> [UInt8] {
    let cut = lines.prefix(size.rows).map { $0.cut(to: size.columns) }
    let next = cut.map { $0.rendered(usesColour: usesColour) }
    var text = ""
    if size != self.size { shown = nil }
    if shown == nil { text += "\u{1B}[0m\u{1B}[H\u{1B}[2J" }
    let before = shown ?? []
    for row in 0..<max(next.count, before.count) {
      let line = row < next.count ? next[row] : ""
      guard line != (row < before.count ? before[row] : "") else { continue }
      text += "\u{1B}[\(row + 1);1H\(line)"
      // Behind a line as wide as the screen the cursor still stands on its last character, which would be erased.
      if row >= cut.count || cut[row].width < size.columns { text += "\u{1B}[K" }
    }
    self.size = size
    shown = next
    return text.isEmpty ? [] : Array("\u{1B}[?2026h\(text)\u{1B}[?2026l".utf8)
  }
}
