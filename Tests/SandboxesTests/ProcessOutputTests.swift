import NIOCore
import Testing

@testable import Sandboxes

@Suite struct `Process output tests` {
  @Test func `hands on both streams line by line before the exit`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["sh", "-c", "echo one; echo two >&2; printf 'three\\r\\n\\nlast'"])
      let lines = record.output.lines
      #expect(lines.filter { $0.stream == .standardOutput }.map(\.text) == ["one", "three", "", "last"])
      #expect(lines.filter { $0.stream == .standardError }.map(\.text) == ["two"])
      #expect(record.linesAfterExit == 0)
    }
  }

  @Test func `a line that takes long to be finished is still one line`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["sh", "-c", "printf a; sleep 0.05; printf b; sleep 0.05; echo c"])
      #expect(record.lines == ["abc"])
    }
  }

  @Test func `bytes that are no text do no harm`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["sh", "-c", #"printf 'a\377b\0c\n'"#])
      #expect(record.lines == ["a\u{FFFD}b\u{0}c"])
    }
  }

  @Test func `a line of 256 KiB is whole, and a longer one is split without a loss`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish([
        "sh", "-c",
        "head -c 262144 /dev/zero | tr '\\0' x; printf '\\r\\n'; head -c 300000 /dev/zero | tr '\\0' y; echo; echo next",
      ])
      #expect(record.output.linesDropped == 0)
      #expect(record.lines.map(\.utf8.count) == [262_144, 262_144, 37_856, 4])
      #expect(record.lines.map(\.first) == ["x", "y", "y", "n"])
    }
  }

  @Test func `a hundred megabytes without a line end are lines of the longest length, handed on or counted`()
    async throws
  {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["head", "-c", "100000000", "/dev/zero"])
      #expect(record.exit?.status == .exited(0))
      #expect(record.output.lines.count + record.output.linesDropped == (100_000_000 + 262_143) / 262_144)
      let handedOn = record.output.lines.reduce(0) { $0 + $1.text.utf8.count }
      #expect(handedOn + record.output.bytesDropped == 100_000_000)
    }
  }

  @Test func `a hundred megabytes of lines are survived, every line handed on or counted`() async throws {
    try await ProcessBench.run { bench in
      // While the loop is held up nothing can be handed on, so that lines must be dropped.
      let gate = bench.loop.makePromise(of: Void.self)
      let line = String(repeating: "0123456789", count: 100)
      let record = ProcessRecord()
      let specification = ProcessSpecification(
        command: ["sh", "-c", "yes \(line) | head -n 100000"], environment: testEnvironment, directory: "/")
      bench.spawn(specification, record).cascadeFailure(to: gate)
      gate.succeed()
      await eventually { record.exit != nil }
      #expect(record.exit?.status == .exited(0))
      #expect(record.output.lines.count + record.output.linesDropped == 100_000)
      #expect(record.output.lines.allSatisfy { $0.text == line })
      #expect(record.output.bytesDropped == record.output.linesDropped * 1000)
    }
  }

  @Test func `lines that nobody takes are dropped and counted`() async throws {
    try await ProcessBench.run { bench in
      var specification = ProcessSpecification(
        command: ["sh", "-c", "seq 1000"], environment: testEnvironment, directory: "/")
      specification.outputBytesMax = 0
      let (_, record) = try await bench.start(specification)
      await eventually { record.exit != nil }
      #expect(record.output == output(dropped: 1000, bytes: 9 + 90 * 2 + 900 * 3 + 4))
    }
  }

  private func output(dropped: Int, bytes: Int) -> ProcessOutput {
    var output = ProcessOutput()
    output.linesDropped = dropped
    output.bytesDropped = bytes
    return output
  }
}

struct SplitCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  /// The pieces in which the stream is read.
  var pieces: [String]
  var lines: [String]
}

@Suite struct `Lines of at most ten bytes` {
  @Test(arguments: [
    SplitCase(testDescription: "shorter", pieces: ["123456789\n"], lines: ["123456789"]),
    SplitCase(testDescription: "as long as is allowed", pieces: ["1234567890\n"], lines: ["1234567890"]),
    SplitCase(testDescription: "one byte longer", pieces: ["1234567890a\n"], lines: ["1234567890", "a"]),
    SplitCase(testDescription: "in two reads", pieces: ["123456", "7890", "a\nb\n"], lines: ["1234567890", "a", "b"]),
    SplitCase(
      testDescription: "many times longer", pieces: ["1234567890abcdefghijABCDE\nb"],
      lines: ["1234567890", "abcdefghij", "ABCDE", "b"]),
    SplitCase(testDescription: "CRLF just over", pieces: ["1234567890\r\nb\n"], lines: ["1234567890", "b"]),
    SplitCase(testDescription: "an empty line stays one", pieces: ["\n\r\nb\n"], lines: ["", "", "b"]),
    SplitCase(testDescription: "two bytes for a character", pieces: ["123456789é1\n"], lines: ["123456789", "é1"]),
    SplitCase(testDescription: "three of them", pieces: ["12345678€1\n"], lines: ["12345678", "€1"]),
    SplitCase(testDescription: "four of them", pieces: ["1234567😀1\n"], lines: ["1234567", "😀1"]),
    SplitCase(testDescription: "a character that fits", pieces: ["123456😀1\n"], lines: ["123456😀", "1"]),
  ])
  func `are split between characters, and nothing is lost`(_ given: SplitCase) {
    var splitter = LineSplitter(lineBytesMax: 10)
    var output = ProcessOutput()
    var budget = 10_000
    for piece in given.pieces {
      unsafe Array(piece.utf8).withUnsafeBytes { bytes in
        unsafe splitter.feed(bytes, stream: .standardOutput, budget: &budget, into: &output)
      }
    }
    splitter.finish(stream: .standardOutput, budget: &budget, into: &output)
    #expect(output.lines.map(\.text) == given.lines)
    #expect(output.linesDropped == 0)
  }

  @Test func `are split anywhere where they are no text`() {
    var splitter = LineSplitter(lineBytesMax: 10)
    var output = ProcessOutput()
    var budget = 10_000
    unsafe [UInt8](repeating: 0x80, count: 25).withUnsafeBytes { bytes in
      unsafe splitter.feed(bytes, stream: .standardOutput, budget: &budget, into: &output)
    }
    splitter.finish(stream: .standardOutput, budget: &budget, into: &output)
    #expect(output.lines.map { $0.text.unicodeScalars.count } == [10, 10, 5])
  }
}

@Suite struct `Process shutdown tests` {
  @Test func `ends the polite with SIGTERM, the others with SIGKILL, and starts nothing more`() async throws {
    try await ProcessBench.run { bench in
      let (_, polite) = try await bench.start(["sleep", "1000"])
      let (_, deaf) = try await bench.start(["sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000; done"])
      await eventually { deaf.lines == ["ready"] }
      try await bench.keeper.shutdown(within: .milliseconds(100), on: bench.loop).get()
      #expect(polite.exit?.status == .signaled(15))
      #expect(deaf.exit?.status == .signaled(9))
      let error = await #expect(throws: ProcessError.self) { _ = try await bench.start(["true"]) }
      #expect(error?.code == .shutDown)
      await #expect(throws: ProcessError.self) {
        try await bench.keeper.shutdown(within: .zero, on: bench.loop).get()
      }
    }
  }

  @Test(.timeLimit(.minutes(1))) func `ends at once when nothing runs`() async throws {
    try await ProcessBench.run { bench in
      try await bench.keeper.shutdown(within: .hours(1), on: bench.loop).get()
    }
  }
}
