/// Text of programs and peers for a terminal: complete, but without characters that control the terminal.
///
/// A line break stays one, and so does a tab. A carriage return begins a new line: programs join the lines of one record by
/// it, and a terminal would write one over the other. Control characters are shown as a caret and a letter (`^[` for the
/// escape character), what changes the direction of writing or has no width as its number (`<U+202E>`), as less(1) shows them.
package enum TerminalText {
  /// The text with what is unsafe made visible; the text itself if there is nothing of the kind.
  ///
  /// - Parameter mark: What is put before each line that a carriage return begins.
  package static func shown(_ text: String, continuing mark: String = "") -> String {
    guard text.unicodeScalars.contains(where: { $0 != "\n" && $0 != "\t" && DisplayText.isUnsafe($0) }) else {
      return text
    }
    var shown = String.UnicodeScalarView()
    // What a carriage return means is known with what follows it: none at the end of a line makes a line of its own.
    var returns = false
    for scalar in text.unicodeScalars {
      if scalar == "\r" {
        returns = true
        continue
      }
      if returns, scalar != "\n" { shown.append(contentsOf: "\n\(mark)".unicodeScalars) }
      returns = false
      append(scalar, to: &shown)
    }
    return String(shown)
  }

  private static func append(_ scalar: Unicode.Scalar, to shown: inout String.UnicodeScalarView) {
    switch scalar.value {
    case 0x09, 0x0A: shown.append(scalar)
    case 0..<0x20, 0x7F:
      shown.append("^")
      shown.append(Unicode.Scalar(UInt8(scalar.value) ^ 0x40))
    case _ where DisplayText.isUnsafe(scalar):
      let number = String(scalar.value, radix: 16, uppercase: true)
      let zeros = String(repeating: "0", count: max(0, 4 - number.count))
      shown.append(contentsOf: "<U+\(zeros)\(number)>".unicodeScalars)
    default: shown.append(scalar)
    }
  }

  /// One line of a log of Kelvin's host (docs/formats/host.md): each line that a carriage return makes is marked as its
  /// program's, so that none of them passes for the host's.
  package static func logLine(_ line: String) -> String { shown(line, continuing: mark(of: line)) }

  /// What tells the origin of a program's line: `function | `, `extension NAME | `. Nothing is before a line of the host's.
  private static func mark(of line: String) -> String {
    guard line.hasPrefix("function | ") || line.hasPrefix("extension "), let end = line.firstRange(of: " | ") else {
      return ""
    }
    return String(line[..<end.upperBound])
  }
}
