/// Lines that a process wrote, in the order of each stream, handed over together.
struct ProcessOutput: Equatable, Sendable {
  /// Where a line was written.
  enum Stream: Sendable {
    case standardOutput
    case standardError
  }

  /// One line.
  struct Line: Equatable, Sendable {
    /// Where it was written.
    var stream: Stream
    /// The line without its end; bytes that are not UTF-8 are replaced by U+FFFD.
    var text: String

    /// A line.
    init(stream: Stream, text: String) {
      self.stream = stream
      self.text = text
    }

    /// What a line takes in memory beside its bytes, roughly.
    static let overhead = 64
    /// What it takes in memory, roughly.
    var cost: Int { text.utf8.count + Line.overhead }
  }

  /// The lines.
  var lines: [Line] = []
  /// How many lines were dropped since the last time, because the loop did not take them as fast as they came.
  var linesDropped = 0
  /// The bytes of those lines.
  var bytesDropped = 0

  /// Nothing yet.
  init() {}

  var isEmpty: Bool { lines.isEmpty && linesDropped == 0 }
}
