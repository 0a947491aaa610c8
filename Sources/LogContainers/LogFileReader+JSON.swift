import LambdaRecords
import Lifecycle
import Text

extension LogFileReader {
  enum ValueStep {
    /// A value was read, and the next bytes are at this position.
    case taken(Int)
    case needsMore
    /// It is no JSON, or none that ends.
    case none
  }

  /// Reads a JSON value that begins at `position`.
  ///
  /// - Parameter limit: The most bytes that it may have.
  func valueStep(_ bytes: Span<UInt8>, _ position: Int, _ place: LogIntake.Place?, limit: Int) -> ValueStep {
    if place == nil || place?.time == nil, let begin = listBegin(bytes, position) {
      lines.flush()
      mode = .elements
      return .taken(begin)
    }
    if isStillOpen(bytes, position) { return .needsMore }
    switch JSONPiece.end(bytes, position) {
    case .broken: return .none
    case .beyond:
      guard !isFinal, bytes.count - position <= limit else { return .none }
      noteOpen(bytes, position, limit: limit)
      return .needsMore
    case .at(let end):
      var next = end
      while next < bytes.count, bytes[next] == 0x20 || bytes[next] == 0x09 || bytes[next] == UInt8(ascii: ",") {
        next += 1
      }
      // What stands behind it on its line belongs to it.
      guard next < bytes.count || isFinal || bytes.count - position > limit else { return .needsMore }
      let value = bytes.extracting(position..<end)
      guard let members = JSONMembers(value) else { return .none }
      lines.flush()
      documents.object(members, value, at: place)
      if next < bytes.count, bytes[next] == 0x0D { next += 1 }
      if next < bytes.count, bytes[next] == 0x0A { next += 1 }
      return .taken(next)
    }
  }

  /// Whether a value at this position was open when it was looked at last, and too little has come since.
  private func isStillOpen(_ bytes: Span<UInt8>, _ position: Int) -> Bool {
    !isFinal && bytes.count - position < openBytesMin
  }

  /// Has an open value wait until there is twice as much of it, so that all looks at it cost no more than twice its length.
  private func noteOpen(_ bytes: Span<UInt8>, _ position: Int, limit: Int) {
    openBytesMin = min(2 * (bytes.count - position), limit + 1)
  }

  /// Where the elements of a list begin that is a document, or the first member of one: log events, rows, or records.
  private func listBegin(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    var index = position
    func skip() { while index < bytes.count, bytes[index] <= 0x20 { index += 1 } }
    if bytes[index] == UInt8(ascii: "{") {
      index += 1
      skip()
      let rest = bytes.extracting(min(index, bytes.count)..<bytes.count)
      guard LogIntake.begins(rest, "\"events\"") || LogIntake.begins(rest, "\"results\"") else { return nil }
      index += LogIntake.begins(rest, "\"events\"") ? 8 : 9
      skip()
      guard index < bytes.count, bytes[index] == UInt8(ascii: ":") else { return nil }
      index += 1
      skip()
      guard index < bytes.count, bytes[index] == UInt8(ascii: "[") else { return nil }
      isListOfObject = true
      return index + 1
    }
    index += 1
    skip()
    guard index < bytes.count else { return nil }
    switch bytes[index] {
    case UInt8(ascii: "{"), UInt8(ascii: "\""), UInt8(ascii: "["):
      isListOfObject = false
      return index
    default: return nil
    }
  }

  /// Reads an element of a list of events, rows or records.
  func elementStep(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    var start = position
    while start < bytes.count, bytes[start] <= 0x20 || bytes[start] == UInt8(ascii: ",") { start += 1 }
    guard start < bytes.count else { return start > position ? start : nil }
    if bytes[start] == UInt8(ascii: "]") {
      mode = isListOfObject ? .closing : .lines
      return start + 1
    }
    // The list of a program, which it did not end: what comes next is a line like any other.
    guard bytes[start] == UInt8(ascii: "{") || bytes[start] == UInt8(ascii: "[") || bytes[start] == UInt8(ascii: "\"")
    else {
      mode = .lines
      return start
    }
    if isStillOpen(bytes, start) { return start > position ? start : nil }
    switch JSONPiece.end(bytes, start) {
    case .at(let end):
      documents.element(bytes.extracting(start..<end))
      return end
    case .beyond where !isFinal && bytes.count - start <= LogFileReader.documentMax:
      if start > position { return start }
      noteOpen(bytes, start, limit: LogFileReader.documentMax)
      return nil
    case .beyond:
      intake.refuse(LogFileReader.text(bytes, start), "the file ends in the middle of a JSON value")
      mode = .skipping
      return bytes.count
    case .broken:
      mode = .lines
      return start
    }
  }

  private static func text(_ bytes: Span<UInt8>, _ start: Int) -> String {
    String(decoding: LogIntake.array(bytes.extracting(start..<min(start + 80, bytes.count))), as: UTF8.self)
  }

  /// Passes over the rest of the object that the list was in.
  func closingStep(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    switch JSONPiece.end(bytes, position, depth: 1) {
    case .at(let end):
      mode = .lines
      return end
    case .beyond where !isFinal && bytes.count - position <= LogFileReader.documentMax: return nil
    case .beyond:
      mode = .skipping
      return position + 1
    case .broken:
      mode = .lines
      return position
    }
  }
}
