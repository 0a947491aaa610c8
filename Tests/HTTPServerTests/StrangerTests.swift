import HTTPServer
import NIOCore
import NIOHTTP1
import Synchronization
import Testing

@Suite struct `Stranger tests` {
  /// Lets one peer in, and then no more until it is told to.
  private final class Gate: Sendable {
    private let state = Mutex((isOpen: true, asked: 0))
    func set(isOpen: Bool) { state.withLock { $0.isOpen = isOpen } }
    var asked: Int { state.withLock { $0.asked } }
    func answer(_ peer: SocketAddress?) -> HTTPResponse? {
      #expect(peer?.ipAddress == "127.0.0.1")
      return state.withLock {
        $0.asked += 1
        return $0.isOpen ? nil : .text(.forbidden, "not you")
      }
    }
  }

  @Test func `strangers are answered once, whatever they send, and take nobody's place`() async throws {
    let gate = Gate()
    var limits = HTTPServerLimits()
    limits.connectionsMax = 2
    var answers = HTTPServerAnswers()
    answers.stranger = { gate.answer($0) }
    try await serving(echo, limits: limits, answers: answers) { server in
      let friend = try #require(RawConnection(port: server.port))
      friend.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
      #expect(friend.response()?.status == 200)
      gate.set(isOpen: false)
      var strangers: [RawConnection] = []
      for index in 0..<20 {
        let stranger = try #require(RawConnection(port: server.port))
        if index % 2 == 0 { stranger.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\nhalf of it") }
        strangers.append(stranger)
      }
      for stranger in strangers {
        let response = try #require(stranger.response())
        #expect(response.status == 403 && response.body == "not you")
      }
      gate.set(isOpen: true)
      let second = try #require(RawConnection(port: server.port))
      for client in [friend, second] {
        client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi")
        #expect(client.response()?.status == 200)
      }
      #expect(server.counters.requests == 3)
      #expect(server.counters.connectionsRefused == 20)
      #expect(gate.asked == 22)
    }
  }
}
