import Glibc
import Testing

@testable import Terminal

@Suite struct `A waker` {
  @Test func `wakes nobody and no other file once its session is gone`() throws {
    var session = TerminalSession()
    let waker = try #require(session?.waker)
    session = nil
    // Were the pipe closed, this would be the next file to have its descriptor, or SIGPIPE would end the test.
    var ends: [Int32] = [0, 0]
    try #require(unsafe pipe(&ends) == 0)
    defer { ends.forEach { close($0) } }
    #expect(!ends.contains(waker.writingEnd))
    for _ in 0..<100_000 { waker.wake() }
    var waiting: Int32 = -1
    unsafe _ = ioctl(ends[0], UInt(FIONREAD), &waiting)
    #expect(waiting == 0)
  }
}
