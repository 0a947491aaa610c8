import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Sandboxes

@Suite struct `Output on its way to the loop` {
  private func lines(_ count: Int, _ text: String = "x") -> ProcessOutput {
    var output = ProcessOutput()
    output.lines = Array(repeating: ProcessOutput.Line(stream: .standardOutput, text: text), count: count)
    return output
  }

  /// What was taken, in order.
  private final class Taken: Sendable {
    private let pieces = Mutex<[(name: String, lines: Int, dropped: Int)]>([])
    func take(_ name: String, _ output: ProcessOutput) {
      pieces.withLock { $0.append((name, output.lines.count, output.linesDropped)) }
    }
    func note(_ name: String) { pieces.withLock { $0.append((name, 0, 0)) } }
    var names: [String] { pieces.withLock { $0.map(\.name) } }
    var linesMax: Int { pieces.withLock { $0.map(\.lines).max() ?? 0 } }
    func lines(of name: String) -> Int { pieces.withLock { $0.reduce(0) { $0 + ($1.name == name ? $1.lines : 0) } } }
    func dropped(of name: String) -> Int {
      pieces.withLock { $0.reduce(0) { $0 + ($1.name == name ? $1.dropped : 0) } }
    }
  }

  @Test func `is taken a piece a turn, to each process in turn, and its end comes last`() async {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let pump = OutputPump(loop)
    let taken = Taken()
    let loud = OutputQueue(bytesMax: 1 << 20, pump: pump) { taken.take("loud", $0) }
    let quiet = OutputQueue(bytesMax: 1 << 20, pump: pump) { taken.take("quiet", $0) }
    let ended = loop.makePromise(of: Void.self)
    loop.execute {
      loud.add(lines(5000))
      loud.finish {
        taken.note("end")
        ended.succeed()
      }
      quiet.add(lines(1))
      // Runs before the next turn does: a loop that were kept would see it last.
      loop.execute { loop.execute { taken.note("another") } }
    }
    try? await ended.futureResult.get()
    let names = taken.names
    #expect(taken.lines(of: "loud") == 5000 && taken.linesMax < 100)
    #expect(names.firstIndex(of: "quiet") == 1)
    #expect(names.firstIndex(of: "another").map { $0 <= 2 * OutputPump.turnLinesMax / 32 } == true)
    #expect(names.last == "end")
  }

  @Test func `that found no room is counted after all that did, and leaves no gap before`() async {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let pump = OutputPump(loop)
    let taken = Taken()
    let queue = OutputQueue(bytesMax: 1000, pump: pump) { taken.take("one", $0) }
    let ended = loop.makePromise(of: Void.self)
    loop.execute {
      var output = lines(10)
      output.linesDropped = 3
      output.bytesDropped = 30
      queue.add(output)
      #expect(queue.budget == 0)
      queue.finish { ended.succeed() }
    }
    try? await ended.futureResult.get()
    #expect(taken.lines(of: "one") == 10 && taken.dropped(of: "one") == 3)
    #expect(queue.budget == 1000)
  }

  @Test func `is told before the end of its sandbox`() {
    let loop = MultiThreadedEventLoopGroup.singleton.any()
    let farewells = Farewells()
    let taken = Taken()
    farewells.begin()
    farewells.begin()
    farewells.afterAll(on: loop) { taken.note("gone") }
    farewells.end()
    #expect(taken.names.isEmpty)
    farewells.end()
    #expect(taken.names == ["gone"])
  }
}
