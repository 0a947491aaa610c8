internal import Glibc

/// Splits what is read from a pipe into lines, without ever holding more than one line of the longest length.
struct LineSplitter {
  private let lineBytesMax: Int
  private var partial: [UInt8] = []
  private var partialCut = 0

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
      unsafe append(rest.prefix(length))
      unsafe rest = rest.dropFirst(length + 1)
      endLine(stream: stream, budget: &budget, into: &output)
    }
    unsafe append(rest)
  }

  /// The stream has ended: what is left is a line too.
  mutating func finish(stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput) {
    if !partial.isEmpty || partialCut > 0 { endLine(stream: stream, budget: &budget, into: &output) }
  }

  private mutating func append(_ bytes: Slice<UnsafeRawBufferPointer>) {
    let kept = unsafe min(bytes.count, lineBytesMax - partial.count)
    unsafe partial.append(contentsOf: UnsafeRawBufferPointer(rebasing: bytes.prefix(kept)))
    unsafe partialCut += bytes.count - kept
  }

  private mutating func endLine(
    stream: ProcessOutput.Stream, budget: inout Int, into output: inout ProcessOutput
  ) {
    if partialCut == 0, partial.last == 13 { partial.removeLast() }
    // A line takes memory beside its bytes.
    let cost = partial.count + 64
    if cost <= budget {
      budget -= cost
      let text = String(decoding: partial, as: UTF8.self)
      output.lines.append(ProcessOutput.Line(stream: stream, text: text, bytesCut: partialCut))
    } else {
      budget = 0  // So that the lines handed on have no gap among them.
      output.linesDropped += 1
      output.bytesDropped += partial.count + partialCut
    }
    partial.removeAll(keepingCapacity: true)
    partialCut = 0
  }
}
