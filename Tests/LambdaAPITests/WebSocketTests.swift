import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing
import Text

@testable import LambdaAPI

private struct Counting: RandomNumberGenerator {
  var value: UInt64
  mutating func next() -> UInt64 {
    value = value &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return value
  }
}

@Suite struct `Ids of API Gateway` {
  @Test func `are read as they are written`() {
    var generator = Counting(value: 1)
    for _ in 0..<1_000 {
      let id = GatewayID(using: &generator)
      #expect(id.text.utf8.count == 16 && id.text.hasSuffix("=") && !id.text.contains("+") && !id.text.contains("/"))
      #expect(GatewayID(id.text) == id)
    }
  }

  @Test(arguments: [
    "", "=", "L0SM9cOFvHcCIhw", "L0SM9cOFvHcCIhw==", "L0SM9cOFvHcCIh==", "L0SM9cOFvHcCIhx=", "L0SM+cOFvHcCIhw=",
    "L0SM/cOFvHcCIhw=", "L0SM9cOFvHcCIh\u{e9}", "AAAAAAAAAAAAAAAAAAA=", "L0SM9cOF HcCIhw=",
  ])
  func `are nothing else`(_ text: String) {
    #expect(GatewayID(text) == nil)
  }

  @Test func `may be those of AWS`() { #expect(GatewayID("L0SM9cOFvHcCIhw=")?.text == "L0SM9cOFvHcCIhw=") }
}

@Suite struct `The key of a route` {
  @Test(arguments: [
    ("action", ["action"]), ("$request.body.action", ["action"]), ("$request.body.a.b", ["a", "b"]),
    ("a.b", ["a", "b"]),
  ])
  func `is a path of names`(_ text: String, _ path: [String]) {
    #expect(WebSocketRouteKey(text)?.path == path)
  }

  @Test(arguments: ["", "$request.body.", "a..b", ".a", "$request.header.x", "${a}", "a b", "a.b.c.d.e.f.g.h.i"])
  func `is nothing else`(_ text: String) {
    #expect(WebSocketRouteKey(text) == nil)
  }

  @Test(arguments: [
    (#"{"action":"join"}"#, "join"), (#"{"action":"a","action":"b"}"#, "b"),
    (#" { "x" : [1] , "action" : 7.50 } "#, "7.50"),
    (#"{"action":true}"#, "true"), (#"{"action":null}"#, nil), (#"{"action":{}}"#, nil), (#"{"Action":"join"}"#, nil),
    (#"["action"]"#, nil), ("join", nil), ("", nil), (#"{"action":"join""#, nil), (#"{"action":"\u006aoin"}"#, "join"),
  ])
  func `is found in objects alone`(_ message: String, _ key: String?) {
    #expect(WebSocketRouteKey.action.key(in: ByteBuffer(string: message)) == key)
  }

  @Test func `is found inside of other objects`() throws {
    let key = try #require(WebSocketRouteKey("$request.body.to.room"))
    #expect(key.key(in: ByteBuffer(string: #"{"to":{"room":"a","x":{"room":"b"}},"room":"c"}"#)) == "a")
    #expect(key.key(in: ByteBuffer(string: #"{"to":"room"}"#)) == nil)
  }
}

@Suite struct `An answer to a message` {
  private func read(_ text: String) -> WebSocketAnswer { WebSocketAnswer(ByteBuffer(string: text)) }
  private func text(_ text: String) -> WebSocketAnswer { .send(ByteBuffer(string: text), isText: true) }

  @Test(arguments: [
    (#"{"statusCode":200,"body":"hi"}"#, "hi"), (#"{"body":"hi","statusCode":"200"}"#, "hi"), (#""hi""#, "hi"),
    (#"{"statusCode":200,"body":{"a": 1}}"#, #"{"a":1}"#), (#"{"statusCode":200,"body":5}"#, "5"),
    (#"{ "a" : 1 }"#, #"{"a":1}"#), ("[1, 2]", "[1,2]"), ("5", "5"), ("false", "false"),
    (#"{"statusCode":null,"body":"x"}"#, #"{"statusCode":null,"body":"x"}"#),
  ])
  func `is sent as text`(_ payload: String, _ sent: String) {
    #expect(read(payload) == text(sent))
  }

  @Test(arguments: [
    "", "null", #""""#, #"{"statusCode":200}"#, #"{"statusCode":200,"body":""}"#, #"{"statusCode":200,"body":null}"#,
    #"{"statusCode":200,"body":"","isBase64Encoded":true}"#,
  ])
  func `is nothing`(_ payload: String) {
    #expect(read(payload) == .nothing)
  }

  @Test func `is sent as bytes where it says so`() {
    #expect(
      read(#"{"statusCode":200,"isBase64Encoded":true,"body":"AP8="}"#)
        == .send(ByteBuffer(bytes: [0, 255]), isText: false))
  }

  @Test func `fails by its status`() {
    #expect(
      read(#"{"statusCode":404,"body":"no"}"#) == .failed(status: 404, ByteBuffer(string: "no"), isText: true))
    #expect(read(#"{"statusCode":500}"#) == .failed(status: 500, ByteBuffer(), isText: true))
  }

  @Test(arguments: ["{", "hi", #"{"statusCode":200,"isBase64Encoded":true,"body":"!"}"#, "{} {}"])
  func `is refused where it is malformed`(_ payload: String) {
    #expect(read(payload) == .malformed)
  }

  @Test func `is an error in Kelvin's words or in those of AWS`() throws {
    let request = RequestID(Identifier128(high: 1, low: 2))
    #expect(
      WebSocketError.sentence(.timedOut(request, after: .seconds(3), source: .platform))
        == "Task timed out after 3.00 seconds")
    #expect(WebSocketError.sentence(.reported(ByteBuffer(string: #"{"errorMessage":"told to"}"#))) == "told to")
    for document in ["", "{}", "[]", #"{"errorMessage":""}"#] {
      #expect(WebSocketError.sentence(.reported(ByteBuffer(string: document))) == "The function failed.")
    }
    #expect(String(buffer: WebSocketError.document("a \"b\"")) == #"{"error":"a \"b\""}"#)
    let id = try #require(GatewayID("L0SM9cOFvHcCIhw="))
    #expect(
      String(buffer: WebSocketError.gatewayDocument("Forbidden", connection: id, request: id))
        == #"{"message":"Forbidden","connectionId":"L0SM9cOFvHcCIhw=","requestId":"L0SM9cOFvHcCIhw="}"#)
  }
}

@Suite struct `An event of a WebSocket` {
  private static let id = GatewayID("L0SM9cOFvHcCIhw=")

  private func document(_ kind: WebSocketEvent.Kind, userAgent: String = "test") throws -> JSONValue {
    let id = try #require(Self.id)
    let connection = WebSocketIdentity(
      id: id, api: "chat", domainName: "localhost:27316", connectedAt: Timestamp(nanoseconds: 1_000_000_000),
      sourceAddress: "127.0.0.1", userAgent: userAgent)
    let event = WebSocketEvent(kind, on: connection, request: id, at: Timestamp(nanoseconds: 2_500_000_000))
    return try #require(event.document().json)
  }

  @Test func `tells of a connection that is asked for`() throws {
    let request = RequestID(Identifier128(high: 1, low: 2))
    let trace = TraceID(sent: nil, of: request, at: Timestamp(nanoseconds: 0))
    let headers: HTTPHeaders = [
      "Host": "localhost", "Upgrade": "websocket", "X-A": "1", "X-A": "2", "X-Forwarded-For": "10.0.0.1",
      "X-Forwarded-Proto": "https",
    ]
    let event = try document(
      .connect(
        headers, query: [HTTPQueryItem(name: "a", value: "1"), .init(name: "a", value: nil)], port: 27316, trace: trace)
    )
    #expect(event["headers"]?["X-A"] == "2" && event["multiValueHeaders"]?["X-A"] == ["1", "2"])
    #expect(event["headers"]?["Upgrade"] == nil && event["headers"]?["X-Forwarded-Proto"] == "http")
    #expect(event["headers"]?["X-Forwarded-For"] == "10.0.0.1, 127.0.0.1")
    #expect(
      event["queryStringParameters"] == ["a": ""] && event["multiValueQueryStringParameters"] == ["a": ["1", ""]])
    #expect(event["requestContext"]?["eventType"] == "CONNECT" && event["requestContext"]?["routeKey"] == "$connect")
    #expect(event["isBase64Encoded"] == false && event["body"] == nil)
  }

  @Test func `tells of a message`() throws {
    let id = try #require(Self.id)
    let event = try document(
      .message(ByteBuffer(string: "\"grüße\"\n"), isText: true, id: id, routeKey: "join"), userAgent: "")
    #expect(
      event["requestContext"] == [
        "routeKey": "join", "messageId": "L0SM9cOFvHcCIhw=", "eventType": "MESSAGE",
        "extendedRequestId": "L0SM9cOFvHcCIhw=",
        "requestTime": "01/Jan/1970:00:00:02 +0000", "messageDirection": "IN", "stage": "local", "connectedAt": 1000,
        "requestTimeEpoch": 2500, "identity": ["sourceIp": "127.0.0.1"], "requestId": "L0SM9cOFvHcCIhw=",
        "domainName": "localhost:27316", "connectionId": "L0SM9cOFvHcCIhw=", "apiId": "chat",
      ])
    #expect(event["body"] == "\"grüße\"\n" && event["isBase64Encoded"] == false)
    let binary = try document(.message(ByteBuffer(bytes: [0, 255]), isText: false, id: id, routeKey: "$default"))
    #expect(binary["body"] == "AP8=" && binary["isBase64Encoded"] == true)
  }

  @Test func `tells of the end`() throws {
    let event = try document(.disconnect(code: 1005, reason: "none"))
    #expect(
      event["requestContext"]?["disconnectStatusCode"] == 1005 && event["requestContext"]?["disconnectReason"] == "none"
    )
    #expect(event["headers"] == ["Host": "localhost:27316"])
  }
}
