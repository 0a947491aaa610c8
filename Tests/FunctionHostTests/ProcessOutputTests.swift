import NIOCore
import Testing

@testable import FunctionHost

@Suite struct ProcessOutputTests {
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

  @Test(arguments: [(9, 0), (10, 0), (11, 1), (1000, 990)])
  func `a line over the limit is cut and the rest counted`(_ length: Int, _ cut: Int) async throws {
    try await ProcessBench.run { bench in
      var specification = ProcessSpecification(
        command: ["sh", "-c", "head -c \(length) /dev/zero | tr '\\0' x; echo; echo next"],
        environment: testEnvironment,
        directory: "/")
      specification.lineBytesMax = 10
      let (_, record) = try await bench.start(specification)
      await eventually { record.exit != nil }
      let expected = ProcessOutput.Line(
        stream: .standardOutput, text: String(repeating: "x", count: length - cut), bytesCut: cut)
      #expect(record.output.lines == [expected, .init(stream: .standardOutput, text: "next", bytesCut: 0)])
    }
  }

  @Test func `a hundred megabytes without a line end are one line, cut`() async throws {
    try await ProcessBench.run { bench in
      let record = try await bench.finish(["head", "-c", "100000000", "/dev/zero"])
      #expect(record.exit?.status == .exited(0))
      #expect(record.output.lines.count == 1)
      #expect(record.output.lines.first?.bytesCut == 100_000_000 - 16 * 1024)
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
      #expect(record.output.lines.allSatisfy { $0.text == line && $0.bytesCut == 0 })
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

@Suite struct ProcessShutdownTests {
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

  @Test func `ends at once when nothing runs`() async throws {
    try await ProcessBench.run { bench in
      try await bench.keeper.shutdown(within: .hours(1), on: bench.loop).get()
    }
  }
}
