import Glibc

/// Shows progress on standard error: on a terminal one line that is overwritten, else a line for each change.
struct ProgressLine {
  private let isTerminal = isatty(STDERR_FILENO) == 1 && Console.environment("TERM") != "dumb"
  private var shown: String?

  mutating func show(_ text: String) {
    guard text != shown else { return }
    shown = text
    if isTerminal {
      Console.progress("\r\u{1B}[K\(text)")
    } else {
      Console.message(text)
    }
  }

  /// Takes the line away; what is said next begins on a clean one.
  mutating func end() {
    if isTerminal, shown != nil { Console.progress("\r\u{1B}[K") }
    shown = nil
  }
}
