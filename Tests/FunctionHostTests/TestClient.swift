import NIOCore
import NIOHTTP1
import NIOPosix

/// What a caller of the host got.
struct Answer: Sendable {
  var status: Int
  var headers: HTTPHeaders
  var body: String

  func header(_ name: String) -> String? { headers.first(name: name) }
  func nanoseconds(_ name: String) -> Int64? { header(name).flatMap { Int64($0) } }
}

/// Sends one request on a connection of its own and waits for the answer.
enum TestClient {
  static func send(
    _ method: HTTPMethod = .POST, _ target: String, address: String = "127.0.0.1", port: Int,
    headers: [(String, String)] = [], body: String = ""
  ) async throws -> Answer {
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    var fields = HTTPHeaders(headers)
    if !fields.contains(name: "Host") { fields.add(name: "Host", value: "127.0.0.1:\(port)") }
    fields.add(name: "Content-Length", value: String(body.utf8.count))
    fields.add(name: "Connection", value: "close")
    let head = HTTPRequestHead(version: .http1_1, method: method, uri: target, headers: fields)
    let channel = try await ClientBootstrap(group: loop).connect(host: address, port: port).get()
    let promise = channel.eventLoop.makePromise(of: Answer.self)
    try await channel.eventLoop.submit {
      try channel.pipeline.syncOperations.addHTTPClientHandlers()
      try channel.pipeline.syncOperations.addHandler(AnswerReader(promise))
    }.get()
    channel.write(HTTPClientRequestPart.head(head), promise: nil)
    channel.write(HTTPClientRequestPart.body(.byteBuffer(ByteBuffer(string: body))), promise: nil)
    channel.writeAndFlush(HTTPClientRequestPart.end(nil), promise: nil)
    return try await promise.futureResult.get()
  }
}

private final class AnswerReader: ChannelInboundHandler {
  typealias InboundIn = HTTPClientResponsePart
  private let promise: EventLoopPromise<Answer>
  private var head: HTTPResponseHead?
  private var body = ByteBuffer()
  struct ConnectionEnded: Error {}

  init(_ promise: EventLoopPromise<Answer>) { self.promise = promise }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch unwrapInboundIn(data) {
    case .head(let head): self.head = head
    case .body(var part): body.writeBuffer(&part)
    case .end:
      guard let head else { return }
      promise.succeed(
        Answer(status: Int(head.status.code), headers: head.headers, body: String(buffer: body)))
      context.close(promise: nil)
    }
  }

  func channelInactive(context: ChannelHandlerContext) { promise.fail(ConnectionEnded()) }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { promise.fail(error) }
}
