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
  init(_ answers: [String: Answer]) async throws {
    let log = AskedLog()
    self.log = log
    server = try await HTTPServer.bind(
      host: "127.0.0.1", port: 0, on: MultiThreadedEventLoopGroup.singleton
    ) { request, loop in
      log.entries.withLock {
        $0.append(
          Asked(
            method: request.method.rawValue, target: request.target, headers: request.headers,
            body: String(buffer: request.body)))
      }
      let answer = answers[request.path] ?? Answer(status: 404, body: "nothing at \(request.path)")
      return loop.makeSucceededFuture(
        HTTPResponse(
          status: HTTPResponseStatus(statusCode: answer.status), headers: HTTPHeaders(answer.headers),
          body: ByteBuffer(string: answer.body)))
    }.get()
  }

  func close() async { try? await server.drain(within: .seconds(1)).get() }
}
