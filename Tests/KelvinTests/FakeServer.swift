import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// A server that answers every request as it is told, on a free port.
final class FakeServer: Sendable {
  struct Answer: Sendable {
    var status = 200
    var headers: [(String, String)] = []
    var body = ""
  }

  struct Asked: Sendable {
    var method: String
    var target: String
    var headers: HTTPHeaders
    var body: String
  }

  private let server: HTTPServer
  private let log: AskedLog
  var url: String { "http://127.0.0.1:\(server.port)" }
  /// What it was asked so far.
  var asked: [Asked] { log.entries.withLock { $0 } }

  private final class AskedLog: Sendable {
    let entries = Mutex<[Asked]>([])
  }

  /// - Parameter answers: By path, without the query; 404 for all others.
  convenience init(_ answers: [String: Answer]) async throws {
    try await self.init { asked in
      let path = String(asked.target.prefix { $0 != "?" })
      return answers[path] ?? Answer(status: 404, body: "nothing at \(path)")
    }
  }

  init(_ answer: @escaping @Sendable (Asked) -> Answer) async throws {
    let log = AskedLog()
    self.log = log
    server = try await HTTPServer.bind(
      host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton
    ) { request, loop in
      let asked = Asked(
        method: request.method.rawValue, target: request.target, headers: request.headers,
        body: String(buffer: request.body))
      log.entries.withLock { $0.append(asked) }
      let answer = answer(asked)
      return loop.makeSucceededFuture(
        HTTPResponse(
          status: HTTPResponseStatus(statusCode: answer.status), headers: HTTPHeaders(answer.headers),
          body: ByteBuffer(string: answer.body)))
    }.get()
  }

  func close() async { try? await server.drain(within: .seconds(1)).get() }
}
