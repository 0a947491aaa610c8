import Glibc

/// Splits what is read from a pipe into lines, without ever holding more than one line of the longest length.
///
/// A line that is longer becomes several, each as long as is allowed: nothing of it is lost, and no character is split.
struct LineSplitter {
  private let lineBytesMax: Int
  private var partial: [UInt8] = []
  /// Whether ``partial`` goes on with a line of which a part was handed on.
  private var isContinued = false

  /// Memory of one line that is kept for the next; a longer line gives its memory back.
  private static let capacityKept = 16 * 1024

  init(lineBytesMax: Int) { self.lineBytesMax = max(1, lineBytesMax) }

  /// Takes a piece of the stream and appends the lines that end in it to `output`, until those cost `budget` bytes; what
  /// is more is counted there as dropped.
  mutating func feed(
    _ bytes: UnsafeRawBufferPointer, stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput
  ) {
    var rest = unsafe bytes[...]
    while let start = unsafe UnsafeRawBufferPointer(rebasing: rest).baseAddress, unsafe !rest.isEmpty {
      guard let newline = unsafe memchr(start, 10, rest.count) else { break }
      let length = unsafe UnsafeRawPointer(newline) - start
      unsafe append(rest.prefix(length), stream: stream, budget: &budget, into: &output)
      unsafe rest = rest.dropFirst(length + 1)
      endLine(stream: stream, budget: &budget, into: &output)
    }
    unsafe append(rest, stream: stream, budget: &budget, into: &output)
  }

  /// The stream has ended: what is left is a line too.
  mutating func finish(stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput) {
    if !partial.isEmpty { endLine(stream: stream, budget: &budget, into: &output) }
  }

  private mutating func append(
    _ bytes: Slice<UnsafeRawBufferPointer>, stream: ProcessOutput.Stream, budget: inout Int,
    into output: inout ProcessOutput
  ) {
    var rest = unsafe bytes
    while unsafe partial.count + rest.count > lineBytesMax {
      let room = lineBytesMax - partial.count
      unsafe partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest.prefix(room)))
      unsafe rest = rest.dropFirst(room)
      let begun = Array(partial[LineSplitter.endOfCharacters(partial)...])
      handOn(partial.dropLast(begun.count), stream: stream, budget: &budget, into: &output)
      partial.removeAll(keepingCapacity: true)
      partial.append(contentsOf: begun)
      isContinued = true
    }
    unsafe partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest))
  }

  private mutating func endLine(
    stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput
  ) {
    if partial.last == 13 { partial.removeLast() }
    // A carriage return alone can be left of a line whose text was handed on.
    if !isContinued || !partial.isEmpty { handOn(partial[...], stream: stream, budget: &budget, into: &output) }
    partial.removeAll(keepingCapacity: partial.capacity <= LineSplitter.capacityKept)
    isContinued = false
  }

  private func handOn(
    _ line: ArraySlice<UInt8>, stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput
  ) {
    if line.count + ProcessOutput.Line.overhead <= budget {
      let line = ProcessOutput.Line(stream: stream, text: String(decoding: line, as: UTF8.self))
      // More than its bytes if they are no text, and then the budget may be overdrawn by one line.
      budget -= line.cost
      output.lines.append(line)
    } else {
      budget = 0  // So that the lines handed on have no gap among them.
      output.linesDropped += 1
      output.bytesDropped += line.count
    }
  }

  /// Where the last whole character ends, unless that leaves nothing. What is no UTF-8 is split anywhere.
  private static func endOfCharacters(_ bytes: [UInt8]) -> Int {
    for index in bytes.indices.suffix(3).reversed() where bytes[index] & 0xC0 != 0x80 {
      let length =
        switch bytes[index] {
        case 0xC2...0xDF: 2
        case 0xE0...0xEF: 3
        case 0xF0...0xF4: 4
        default: 1
        }
      return index > 0 && index + length > bytes.count ? index : bytes.count
    }
    return bytes.count
  }
}
