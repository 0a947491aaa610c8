import CZlib
import HTTPServer
import NIOCore
import NIOHTTP1
import Testing

/// Bytes as gzip has them.
func gzip(_ bytes: [UInt8]) -> [UInt8] {
  var stream = unsafe z_stream()
  var output = [UInt8](repeating: 0, count: bytes.count + 1_024)
  let count = unsafe output.withUnsafeMutableBufferPointer { output in
    var input = bytes
    return unsafe input.withUnsafeMutableBufferPointer { input in
      unsafe deflateInit2_(
        &stream, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
      unsafe stream.next_in = input.baseAddress
      unsafe stream.avail_in = UInt32(input.count)
      unsafe stream.next_out = output.baseAddress
      unsafe stream.avail_out = UInt32(output.count)
      unsafe deflate(&stream, Z_FINISH)
      let count = unsafe Int(stream.total_out)
      unsafe deflateEnd(&stream)
      return count
    }
  }
  return Array(output[..<count])
}

@Suite struct `A compressed body` {
  private static let text = Array(String(repeating: "a line of text that repeats\n", count: 200).utf8)
  private static let noise: [UInt8] = (0..<5_000).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 13) }
  private static let limits = RouteLimits(
    bodyBytesMax: 6_000, inflation: InflationLimits(ratioMax: 100, bytesUnasked: 4_000))
  private static let routes = RouteTable([
    Route("inflates", [.POST], "/inflates", limits: limits, handler: ()),
    Route(
      "grows", [.POST], "/grows",
      limits: RouteLimits(bodyBytesMax: 400, inflation: InflationLimits(ratioMax: 100, bytesMax: 6_000)), handler: ()),
    Route("keeps", [.POST], "/keeps", limits: RouteLimits(bodyBytesMax: 6_000), handler: ()),
  ])
  private static let handler: HTTPServer.Handler = { request, loop in
    let coding = request.headers.first(name: "Content-Encoding") ?? "none"
    var response = HTTPResponse.text(.ok, "")
    response.headers.add(name: "X-Coding", value: coding)
    response.body = ByteBuffer(string: Array(request.body.readableBytesView).map { String($0, radix: 16) }.joined())
    return loop.makeSucceededFuture(response)
  }
  private static func hexadecimal(_ bytes: [UInt8]) -> String { bytes.map { String($0, radix: 16) }.joined() }

  private func answer(
    _ path: String, _ body: [UInt8], coding: String, budget: BodyBudget? = nil, isChunked: Bool = false
  ) async throws -> Response? {
    var answer: Response?
    var limits = HTTPServerLimits()
    limits.bodyBudget = budget
    try await serving(Self.handler, limits: limits, routes: Self.routes) { server in
      let client = try #require(RawConnection(port: server.port))
      client.send("POST \(path) HTTP/1.1\r\nHost: x\r\nContent-Encoding: \(coding)\r\n")
      if isChunked {
        client.send("Transfer-Encoding: chunked\r\n\r\n")
        for byte in body { client.send(Array("1\r\n".utf8) + [byte] + Array("\r\n".utf8)) }
        client.send("0\r\n\r\n")
      } else {
        client.send("Content-Length: \(body.count)\r\n\r\n")
        client.send(body)
      }
      answer = client.response()
    }
    if let budget { #expect(budget.bytesUsed == 0) }
    return answer
  }

  @Test func `may have another limit once it is inflated`() async throws {
    let small = Array(Self.text.prefix(5_600))
    #expect(gzip(small).count < 400)
    #expect(try await answer("/grows", gzip(small), coding: "gzip")?.status == 200)
    #expect(try await answer("/grows", gzip(Self.text + Self.text), coding: "gzip")?.status == 413)
    #expect(try await answer("/grows", small, coding: "identity")?.status == 413)
  }

  @Test(arguments: ["gzip", "GZIP", "x-gzip", "gzip "], [false, true])
  func `reaches its handler as it was`(_ coding: String, _ isChunked: Bool) async throws {
    for bytes in [Self.text, Self.noise, [1]] {
      let answer = try await answer(
        "/inflates", gzip(bytes), coding: coding, budget: BodyBudget(bytesMax: 20_000), isChunked: isChunked)
      #expect(answer?.status == 200)
      #expect(answer?.body == Self.hexadecimal(bytes))
      #expect(answer?.headers.contains("x-coding: none") == true)
    }
  }

  @Test func `may have several members`() async throws {
    let answer = try await answer("/inflates", gzip([1, 2]) + gzip([]) + gzip([3]), coding: "gzip")
    #expect(answer?.body == "123")
  }

  @Test func `stays as it is where the route does not inflate, or is not compressed`() async throws {
    let kept = try await answer("/keeps", gzip([1, 2]), coding: "gzip")
    #expect(kept?.body == Self.hexadecimal(gzip([1, 2])))
    #expect(kept?.headers.contains("x-coding: gzip") == true)
    let plain = try await answer("/inflates", [1, 2], coding: "identity")
    #expect(plain?.body == "12")
    let other = try await answer("/keeps", [1, 2], coding: "br")
    #expect(other?.status == 200)
  }

  @Test(arguments: ["br", "deflate", "gzip, gzip", "zstd", "gzip;q=1"])
  func `in another coding is refused, and the one that is taken is named`(_ coding: String) async throws {
    let answer = try await answer("/inflates", [1, 2], coding: coding)
    #expect(answer?.status == 415)
    #expect(answer?.headers.contains("accept-encoding: gzip") == true)
  }

  @Test func `that is damaged, cut or followed by something is refused`() async throws {
    let whole = gzip(Self.text)
    var changed = whole
    changed[whole.count - 6] ^= 0xFF
    let bodies: [[UInt8]] = [
      [1, 2, 3], Array(whole.dropLast()), Array(whole.prefix(5)), changed, whole + [0], whole + whole.prefix(9),
    ]
    for body in bodies {
      let answer = try await answer("/inflates", body, coding: "gzip")
      #expect(answer?.status == 400)
    }
  }

  @Test func `that inflates to more than the limit is refused`() async throws {
    // Over the limit of bytes, and under it but over the ratio.
    let noise = Self.noise + Self.noise
    #expect(try await answer("/inflates", gzip(noise), coding: "gzip")?.status == 413)
    let bomb = gzip([UInt8](repeating: 0, count: 5_900))
    #expect(bomb.count < 59)
    #expect(try await answer("/inflates", bomb, coding: "gzip")?.status == 413)
    let small = gzip([UInt8](repeating: 0, count: 3_900))
    #expect(try await answer("/inflates", small, coding: "gzip")?.status == 200)
    let huge = gzip([UInt8](repeating: 0, count: 50_000_000))
    #expect(try await answer("/inflates", Array(huge.prefix(5_000)), coding: "gzip")?.status == 413)
  }

  @Test func `takes the room of what comes out of it`() async throws {
    let answer = try await answer("/inflates", gzip(Self.text), coding: "gzip", budget: BodyBudget(bytesMax: 3_000))
    #expect(answer?.status == 503)
  }
}
