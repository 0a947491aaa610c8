import Text
import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing

@testable import LambdaAPI

@Suite struct `Function URL event tests` {
  private let request = RequestID(Identifier128(high: 1, low: 2))

  private func document(
    _ headers: [(String, String)] = [], path: String = "/", query: String = "", body: String = ""
  ) throws -> JSONValue {
    let sent = headers.first { $0.0.lowercased() == "x-amzn-trace-id" }?.1
    let event = FunctionURLEvent(
      function: "f", request: request, time: Timestamp(nanoseconds: 0), method: "GET", rawPath: path, rawQuery: query,
      headers: HTTPHeaders(headers), sourceAddress: "127.0.0.1", port: 27316,
      trace: TraceID(sent: sent, of: request, at: Timestamp(nanoseconds: 0)), body: ByteBuffer(string: body))
    return try #require(event.document().json)
  }

  private func headers(_ sent: [(String, String)], body: String = "") throws -> [String: JSONValue] {
    let fields = try document(sent, body: body)["headers"]?.object ?? []
    return Dictionary(uniqueKeysWithValues: fields.map { ($0.name, $0.value) })
  }

  @Test func `has the fields that AWS's front adds`() throws {
    let fields = try headers([("Host", "f.localhost:27316")])
    #expect(
      fields == [
        "host": .string("f.localhost:27316"), "x-forwarded-for": .string("127.0.0.1"),
        "x-forwarded-proto": .string("http"), "x-forwarded-port": .string("27316"),
        "x-amzn-trace-id": .string("Root=1-00000000-000000000000000100000000"),
        "x-amzn-tls-version": .string("TLSv1.3"), "x-amzn-tls-cipher-suite": .string("TLS_AES_128_GCM_SHA256"),
      ])
  }

  @Test func `lets no caller set what the front says`() throws {
    let fields = try headers([
      ("X-Forwarded-Proto", "https"), ("X-Forwarded-Port", "443"), ("X-Amzn-Tls-Version", "SSLv3"),
      ("x-amzn-tls-cipher-suite", "NULL"), ("X-Amzn-Trace-Id", "garbage"), ("X-Forwarded-For", "10.0.0.1"),
      ("x-forwarded-for", "10.0.0.2"), ("Connection", "keep-alive"), ("Transfer-Encoding", "chunked"),
    ])
    #expect(fields["x-forwarded-proto"] == .string("http"))
    #expect(fields["x-forwarded-port"] == .string("27316"))
    #expect(fields["x-amzn-tls-version"] == .string("TLSv1.3"))
    #expect(fields["x-amzn-tls-cipher-suite"] == .string("TLS_AES_128_GCM_SHA256"))
    #expect(fields["x-amzn-trace-id"] == .string("Root=1-00000000-000000000000000100000000"))
    #expect(fields["x-forwarded-for"] == .string("10.0.0.1,10.0.0.2, 127.0.0.1"))
    #expect(fields["connection"] == nil && fields["transfer-encoding"] == nil)
  }

  @Test func `tells the length of a body that came in chunks`() throws {
    #expect(try headers([("Transfer-Encoding", "chunked")], body: "äb")["content-length"] == .string("3"))
    #expect(try headers([("Content-Length", "3")], body: "äb")["content-length"] == .string("3"))
    #expect(try headers([])["content-length"] == nil)
  }

  @Test(arguments: [
    ("f.localhost:27316", "f.localhost"), ("f.localhost", "f.localhost"), ("[::1]:27316", "[::1]"), ("[::1]", "[::1]"),
    ("127.0.0.1:1", "127.0.0.1"), ("", ""), ("f.localhost.:80", "f.localhost"),
  ])
  func `names the domain without a port`(host: String, domain: String) throws {
    let context = try document([("Host", host)])["requestContext"]
    #expect(context?["domainName"] == .string(domain))
  }

  @Test(arguments: ["utm_term=%%URL%%", "%E9", "a=100%", "a=%ZZ", "q=a+b&q=%2B", "%"])
  func `hands on any query as sent`(_ query: String) throws {
    #expect(try document(query: query)["rawQueryString"] == .string(query))
  }

  @Test func `hands on any path as sent`() throws {
    #expect(try document(path: "/a%2Fb/%E9/100%/+")["rawPath"] == .string("/a%2Fb/%E9/100%/+"))
  }

  struct Query: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var parameters: [(String, String)]

    init(_ query: String, _ parameters: (String, String)...) {
      testDescription = query
      self.parameters = parameters
    }
  }

  @Test(arguments: [
    Query(""), Query("&&"), Query("utm_term=%%URL%%", ("utm_term", "%%URL%%")), Query("%E9", ("\u{FFFD}", "")),
    Query("a=100%", ("a", "100%")), Query("a=%ZZ%4", ("a", "%ZZ%4")), Query("a=%C3%A4+%2B%20x", ("a", "ä + x")),
    Query("a=1&b&a=&a=2", ("a", "1,,2"), ("b", "")), Query("=x", ("", "x")), Query("a;b=1", ("a;b", "1")),
    Query("a=b=c", ("a", "b=c")), Query("a=?x", ("a", "?x")), Query("%61=1&a=2", ("a", "1,2")),
  ])
  func `decodes parameters of any form`(_ given: Query) {
    let list = QueryParameters(given.testDescription).list
    #expect(list == given.parameters.map { QueryParameters.Parameter(name: $0.0, value: $0.1) })
  }
}

@Suite struct `Host name tests` {
  @Test func `finds functions without regard to case, and the exact name first`() {
    let names = FunctionNames(["HelloWorld", "a", "A", "plain"])
    #expect(names.match("helloworld") == .one("HelloWorld"))
    #expect(names.match("HELLOWORLD") == .one("HelloWorld"))
    #expect(names.match("a") == .one("a"))
    #expect(names.match("A") == .one("A"))
    #expect(names.match("plain") == .one("plain"))
    #expect(names.match("other") == .none)
    #expect(FunctionNames(["Ab", "aB"]).match("ab") == .several(["Ab", "aB"]))
  }
}

extension TraceID {
  /// One as a caller sends it.
  static let sample = TraceID(
    sent: "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1",
    of: RequestID(Identifier128(high: 0, low: 0)), at: Timestamp(nanoseconds: 0))
}

@Suite struct `Trace ID tests` {
  private static let root = "1-5759e988-bd862e3fe1be46a994272793"
  private static let parent = "53995c3f42cd8ad8"
  private static let request = RequestID(Identifier128(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210))
  private static let madeUp = "1-5e0be100-0123456789abcdeffedcba98"

  struct Sent: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var header: String?

    /// - Parameter header: What the event of a function URL has, if that is not `text`.
    init(_ sent: String, _ text: String, header: String? = nil) {
      testDescription = sent
      self.text = text
      self.header = header
    }
  }

  @Test(arguments: [
    Sent("Root=\(root);Parent=\(parent);Sampled=1", "Root=\(root);Parent=\(parent);Sampled=1"),
    Sent("Root=\(root)", "Root=\(root);Parent=fedcba9876543210;Sampled=0", header: "Root=\(root)"),
    Sent(
      "Root=\(root);Sampled=1", "Root=\(root);Parent=fedcba9876543210;Sampled=1", header: "Root=\(root);Sampled=1"),
    Sent(
      "Sampled=0; root=\(root) ;PARENT=\(parent);Lineage=1:a87bd80c:0|2:68fd508a:5",
      "Root=\(root);Parent=\(parent);Sampled=0;Lineage=1:a87bd80c:0|2:68fd508a:5"),
    Sent(
      "Self=\(madeUp);Root=\(root);Sampled=?", "Root=\(root);Parent=fedcba9876543210;Sampled=0",
      header: "Root=\(root)"),
    Sent("", "Root=\(madeUp);Parent=fedcba9876543210;Sampled=0", header: "Root=\(madeUp)"),
    Sent("garbage", "Root=\(madeUp);Parent=fedcba9876543210;Sampled=0", header: "Root=\(madeUp)"),
    Sent(";;=;Root=;Parent", "Root=\(madeUp);Parent=fedcba9876543210;Sampled=0", header: "Root=\(madeUp)"),
    Sent(
      "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", "Root=\(madeUp);Parent=fedcba9876543210;Sampled=0",
      header: "Root=\(madeUp)"),
    Sent(
      "Root=1-abc;Parent=\(parent);Sampled=1", "Root=\(madeUp);Parent=fedcba9876543210;Sampled=1",
      header: "Root=\(madeUp);Sampled=1"),
    Sent(
      "Root=\(root);Parent=xyz;Lineage=\u{e4}", "Root=\(root);Parent=fedcba9876543210;Sampled=0",
      header: "Root=\(root)"),
  ])
  func `always has root, parent and decision`(_ given: Sent) {
    let trace = TraceID(
      sent: given.testDescription, of: `Trace ID tests`.request, at: Timestamp(seconds: 0x5E0B_E100))
    #expect(trace.text == given.text)
    #expect(trace.header == given.header ?? given.text)
    let sampled = given.text.contains("Sampled=1") ? 1 : 0
    #expect(trace.answer == "root=\(given.text.dropFirst(5).prefix(35));sampled=\(sampled)")
  }

  @Test func `makes one up when none was sent`() {
    let trace = TraceID(sent: nil, of: `Trace ID tests`.request, at: Timestamp(seconds: 0x5E0B_E100))
    #expect(trace.text == "Root=\(`Trace ID tests`.madeUp);Parent=fedcba9876543210;Sampled=0")
  }
}
