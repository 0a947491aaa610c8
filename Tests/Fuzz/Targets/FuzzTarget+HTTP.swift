import HTTPServer
import Lifecycle
import NIOCore
import NIOEmbedded
import NIOHTTP1
import Windows

@testable import Agent
@testable import HTTPServer

extension FuzzTarget {
  /// What sockets bring.
  static let http: [FuzzTarget] = [
    FuzzTarget("http-requests", requests),
    FuzzTarget("gzip", gzip),
    FuzzTarget("routes", routes),
    FuzzTarget("queries", queries),
    FuzzTarget("browser-guard", browsers),
  ]

  private static let table = RouteTable([
    Route("plain", [.GET, .POST], "/", limits: RouteLimits(bodyBytesMax: 64), handler: ()),
    Route("named", [.POST, .PUT], "/functions/{name}/{rest*}", limits: RouteLimits(bodyBytesMax: 1_024), handler: ()),
    Route(
      "large", [.POST], "/large", limits: RouteLimits(bodyBytesMax: 4_096, headerBytesMax: 16_384, takesTrailers: true),
      handler: ()),
    Route(
      "inflates", [.POST], "/gzip", limits: RouteLimits(bodyBytesMax: 4_096, inflation: InflationLimits()), handler: ()),
    Route("changes", [.GET], "/change", limits: RouteLimits(upgrades: ["other"]), handler: ()),
  ])

  /// A connection that is given the bytes in parts, whose length the first byte says: everything that comes back begins as an answer
  /// does, and nothing is held when the connection is gone.
  private static func requests(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let step = first == 0 ? max(1, bytes.count) : Int(first)
    let budget = BodyBudget(bytesMax: 1 << 20)
    var limits = HTTPServerLimits()
    limits.bodyBudget = budget
    limits.headerBytesMax = 4_096
    limits.waitsForRoom = first & 1 == 1
    let handler: HTTPServer.Handler = { request, loop in
      if let upgrade = request.upgrade {
        return loop.makeSucceededFuture(.switchingProtocols(to: upgrade) { $0.eventLoop.makeSucceededVoidFuture() })
      }
      _ = request.queryItems
      return loop.makeSucceededFuture(
        HTTPResponse(status: .ok, headers: ["X-Target": request.target, "X-Path": request.path], body: request.body))
    }
    let statistics = ListenerStatistics("fuzz", table)
    let service = ConnectionService(
      limits: limits, answers: HTTPServerAnswers(), routes: table, statistics: statistics, handler: handler)
    let channel = EmbeddedChannel()
    do {
      try service.admit(channel)
      channel.pipeline.fireChannelActive()
      for start in stride(from: 1, to: bytes.count, by: step) {
        try channel.writeInbound(ByteBuffer(bytes: bytes[start..<min(bytes.count, start + step)]))
        channel.embeddedEventLoop.run()
        guard channel.isActive else { break }
      }
      if let answer = try channel.readOutbound(as: ByteBuffer.self), statistics.counts.connections > 0 {
        require(String(buffer: answer).hasPrefix("HTTP/1.1 "), "an answer begins with something else")
      }
    } catch {}  // What a closed channel says to what comes behind it.
    _ = try? channel.finish(acceptAlreadyClosed: true)
    channel.embeddedEventLoop.run()
    require(budget.bytesUsed == 0, "\(budget.bytesUsed) bytes are held for a connection that is gone")
    require(statistics.counts.connections == 0, "a connection that is gone counts as open")
  }

  private static func gzip(_ bytes: [UInt8]) {
    let limits = InflationLimits(ratioMax: 50, bytesUnasked: 1_024)
    guard let inflater = Inflater.begin(limits, bytesMax: 32_768) else { return }
    var total = 0
    for start in stride(from: 0, to: bytes.count, by: 97) {
      let part = ByteBuffer(bytes: bytes[start..<min(bytes.count, start + 97)])
      let outcome = inflater.append(part) { piece in
        total += piece.readableBytes
        return true
      }
      require(total <= 32_768, "\(total) bytes came out")
      guard outcome == .taken else { return }
    }
  }

  /// The first line is a pattern's path, the second one a target.
  private static func routes(_ bytes: [UInt8]) {
    let target = String(decoding: bytes, as: UTF8.self)
    for method in [HTTPMethod.GET, .POST, .PUT] {
      let match = table.find(method, target: target)
      require(match.parameters.count <= 2, "\(match.parameters)")
      _ = AgentRoutes.table.find(method, target: target)
    }
  }

  private static let context = WindowQuery.Context(
    now: Timestamp(seconds: 1_795_428_000), retention: Retention(window: .seconds(60)), rowsLimit: 20_000)

  private static func queries(_ bytes: [UInt8]) {
    let target = String(decoding: bytes, as: UTF8.self)
    let request = HTTPRequest(
      method: .GET, target: "/?" + target, headers: HTTPHeaders(), body: ByteBuffer(), isKeepAlive: true,
      remoteAddress: nil, connectionClosed: EmbeddedEventLoop().makeSucceededVoidFuture())
    guard let items = request.queryItems?.map({ ($0.name, $0.value) }) else { return }
    if let query = try? WindowQuery(items, context) {
      require(query.from < query.to, "\(target) is an empty span")
      require((query.to - query.from).count / query.resolution.count <= 20_000, "\(target) is too long")
    }
    _ = try? SeriesQuery(items, context)
    _ = try? FunctionsQuery(items)
    _ = try? LiveQuery(items)
  }

  /// One field a line.
  private static func browsers(_ bytes: [UInt8]) {
    var headers = HTTPHeaders()
    for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
      let parts = line.split(separator: ":", maxSplits: 1)
      // The parser of requests lets no other names through.
      guard parts.count == 2, parts[0].utf8.allSatisfy({ $0 < 0x80 }) else { continue }
      headers.add(name: String(parts[0]), value: String(parts[1]))
    }
    let request = HTTPRequest(
      method: .GET, target: "/", headers: headers, body: ByteBuffer(), isKeepAlive: true, remoteAddress: nil,
      connectionClosed: EmbeddedEventLoop().makeSucceededVoidFuture())
    let refusal = BrowserGuard(allowedHosts: ["kelvin.internal"]).refusal(request)
    if let origin = headers.first(name: "Origin"), origin.hasPrefix("http://attacker") {
      require(refusal != nil, "a foreign page came in")
    }
    _ = AcceptEncoding.takesGzip(headers["Accept-Encoding"])
  }
}
