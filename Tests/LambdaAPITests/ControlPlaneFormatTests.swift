import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing

@testable import LambdaAPI

@Suite struct `Formats of the control plane` {
  private func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { byte in
      let digits = String(byte, radix: 16)
      return digits.utf8.count == 1 ? "0" + digits : digits
    }.joined()
  }

  @Test func `takes the checksum of IEEE 802.3`() {
    #expect(CRC32.checksum(ByteBuffer(string: "123456789")) == 0xCBF4_3926)
    #expect(CRC32.checksum(ByteBuffer()) == 0)
  }

  @Test func `frames a message of an event stream`() throws {
    var stream = ByteBuffer()
    EventStreamMessage(eventType: "PayloadChunk", contentType: "a/b", payload: ByteBuffer(string: "xyz"))
      .write(into: &stream)
    let whole = stream
    let length = stream.readInteger(as: UInt32.self) ?? 0
    let headersLength = stream.readInteger(as: UInt32.self) ?? 0
    #expect(Int(length) == whole.readableBytes)
    let prelude = try #require(whole.getSlice(at: whole.readerIndex, length: 8))
    #expect(stream.readInteger() == CRC32.checksum(prelude))
    var headers = stream.readSlice(length: Int(headersLength)) ?? ByteBuffer()
    var fields: [String: String] = [:]
    while headers.readableBytes > 0 {
      let nameLength = headers.readInteger(as: UInt8.self) ?? 0
      let name = headers.readString(length: Int(nameLength)) ?? ""
      #expect(headers.readInteger(as: UInt8.self) == 7)
      let valueLength = headers.readInteger(as: UInt16.self) ?? 0
      fields[name] = headers.readString(length: Int(valueLength))
    }
    #expect(fields == [":message-type": "event", ":event-type": "PayloadChunk", ":content-type": "a/b"])
    #expect(stream.readString(length: 3) == "xyz")
    let before = try #require(whole.getSlice(at: whole.readerIndex, length: whole.readableBytes - 4))
    #expect(stream.readInteger() == CRC32.checksum(before))
    #expect(stream.readableBytes == 0)
  }

  @Test func `writes an answer as chunks and an end`() throws {
    let size = InvokeStreamAnswer.chunkBytesMax * 2 + 1
    let payload = ByteBuffer(repeating: UInt8(ascii: "x"), count: size)
    let answer = HTTPResponse(
      status: .ok,
      headers: HTTPHeaders([
        ("Content-Type", "application/json"), ("X-Amz-Executed-Version", "3"), ("X-Amz-Log-Result", "bG9n"),
        ("x-amzn-Remapped-Content-Length", "0"),
      ]), body: payload)
    let stream = InvokeStreamAnswer.stream(answer)
    #expect(stream.headers.first(name: "Content-Type") == "application/vnd.amazon.eventstream")
    #expect(stream.headers["Content-Type"].count == 1)
    #expect(stream.headers.first(name: "X-Amz-Executed-Version") == "3")
    #expect(stream.headers.first(name: "X-Amz-Log-Result") == nil)
    let text = String(buffer: stream.body)
    #expect(text.split(separator: "PayloadChunk").count == 4)
    #expect(text.contains(#"{"LogResult":"bG9n"}"#))
    #expect(stream.body.readableBytes > size)
  }

  @Test func `tells a stream of an error that it failed`() {
    let answer = HTTPResponse(
      status: .ok, headers: HTTPHeaders([("X-Amz-Function-Error", "Unhandled")]),
      body: ByteBuffer(string: #"{"errorType":"E"}"#))
    let text = String(buffer: InvokeStreamAnswer.stream(answer).body)
    #expect(text.contains(#"{"ErrorCode":"Unhandled","ErrorDetails":"{\"errorType\":\"E\"}"}"#))
    #expect(!text.contains("PayloadChunk"))
    let refusal = HTTPResponse(status: .tooManyRequests, body: ByteBuffer(string: "no"))
    #expect(String(buffer: InvokeStreamAnswer.stream(refusal).body) == "no")
  }

  // MARK: Bodies

  private func body(_ text: String) throws(AWSError) -> RequestBody {
    try RequestBody(ByteBuffer(string: text), of: .publishVersion)
  }

  @Test(arguments: [
    ("{", "InvalidRequestContentException", "Could not parse request body into json: "),
    ("[]", "SerializationException", "The body must be a JSON object."),
    (
      String(repeating: #"{"a":"#, count: 20) + "1" + String(repeating: "}", count: 20), "SerializationException",
      "deeper"
    ),
  ])
  func `refuses a body that is no object`(_ text: String, _ code: String, _ part: String) {
    let error = #expect(throws: AWSError.self) { try body(text) }
    #expect(error?.status == 400 && error?.code == code && error?.message.contains(part) == true)
  }

  @Test func `refuses a body over its limit`() throws {
    let padding = String(repeating: " ", count: RequestBody.bytesMax - 2)
    _ = try body("{}" + padding)
    let error = #expect(throws: AWSError.self) { try body("{}" + padding + " ") }
    #expect(error?.status == 413 && error?.code == "RequestTooLargeException")
  }

  @Test func `reads members by their types, and null as none`() throws {
    var body = try body(#"{"a":"x","b":3,"c":{"d":"y"},"e":null}"#)
    #expect(try body.string("a") == "x")
    #expect(try body.integer("b") == 3)
    #expect(try body.object("c")?.strings() == ["d": "y"])
    #expect(try body.string("e") == nil)
    #expect(try body.integer("f") == nil)
    try body.finish(.publishVersion)
    #expect(try self.body("").unread.isEmpty)
  }

  @Test func `refuses other types and what nobody asked for`() throws {
    var body = try body(#"{"a":"x","b":3,"c":{"d":1},"e":1.5,"f":true,"g":[]}"#)
    for (name, message) in [
      ("a", "STRING_VALUE can not be converted to an Integer (at a)."), ("e", "DECIMAL_VALUE can not"),
      ("f", "TRUE_VALUE can not"), ("g", "START_ARRAY can not"), ("c", "START_OBJECT can not"),
    ] {
      let error = #expect(throws: AWSError.self) { try body.integer(name) }
      #expect(error?.code == "SerializationException" && error?.message.hasPrefix(message) == true)
    }
    #expect(throws: AWSError.self) { try body.string("b") }
    #expect(throws: AWSError.self) { try body.object("b") }
    #expect(throws: AWSError.self) { try body.object("c")?.strings() }
    _ = body.value("x")
    let rest = try self.body(#"{"Sub":{"b":1,"a":2},"z":null}"#)
    var outer = rest
    let inner = try outer.object("Sub")
    let error = #expect(throws: AWSError.self) { try inner?.finish(.publishVersion) }
    #expect(error?.status == 501 && error?.message.contains("the member Sub.a of PublishVersion") == true)
    try outer.finish(.publishVersion)
  }

  // MARK: Violations

  @Test func `names what is wrong as AWS does`() {
    func message(_ fill: (inout Violations) -> Void) -> String? {
      var violations = Violations()
      fill(&violations)
      do {
        try violations.finish()
        return nil
      } catch { return error.message }
    }
    #expect(message { _ in } == nil)
    #expect(
      message { $0.check(901, at: "timeout", in: 1...900) }
        == "1 validation error detected: Value '901' at 'timeout' failed to satisfy constraint: Member must have value "
        + "less than or equal to 900")
    #expect(
      message { violations in
        violations.check(0, at: "timeout", in: 1...900)
        violations.addMissing("name")
        violations.check(5, at: "fine", in: 1...900)
      }
        == "2 validation errors detected: Value '0' at 'timeout' failed to satisfy constraint: Member must have value "
        + "greater than or equal to 1; Value null at 'name' failed to satisfy constraint: Member must not be null")
    #expect(
      message { $0.check("ABC", at: "x", length: 1...2) }?.hasSuffix("length less than or equal to 2") == true)
    #expect(message { $0.check("", at: "x", length: 1...2) }?.hasSuffix("length greater than or equal to 1") == true)
    #expect(message { $0.check("B", at: "x", oneOf: ["A", "C"]) }?.hasSuffix("enum value set: [A, C]") == true)
    #expect(message { $0.check("B", at: "x", pattern: "[a]") { $0 == "a" } }?.hasSuffix("pattern: [a]") == true)
    #expect(message { $0.check(nil, at: "x", length: 1...2) } == nil)
  }

  // MARK: Pages

  private func names(_ items: [String], _ marker: String?, _ count: Int64?) throws(AWSError) -> Page<String> {
    try Page(of: items, after: marker, count: count) { $0 }
  }

  @Test func `gives a list page by page, each item once`() throws {
    let items = (100..<230).map { "item\($0)" }
    for (count, most) in [(1, 1), (7, 7), (50, 50), (51, 50), (10_000, 50), (nil, 50)] as [(Int64?, Int)] {
      var seen: [String] = []
      var marker: String?
      repeat {
        let page = try names(items, marker, count)
        #expect(page.items.count == most || page.nextMarker == nil)
        seen += page.items
        marker = page.nextMarker
      } while marker != nil
      #expect(seen == items)
    }
    #expect(try names([], nil, 5).items.isEmpty)
    #expect(try names(["a"], nil, 1).nextMarker == nil)
  }

  @Test func `goes on after an item that is gone meanwhile`() throws {
    let page = try names(["a", "b", "c"], nil, 2)
    #expect(try Array(names(["a", "c", "d"], page.nextMarker, 2).items) == ["c", "d"])
    #expect(try names(["a"], page.nextMarker, 2).items.isEmpty)
  }

  @Test(arguments: ["", "%%%", "/w=="])
  func `refuses a marker that it did not make`(_ marker: String) {
    let error = #expect(throws: AWSError.self) { try names(["a"], marker, 1) }
    #expect(error?.code == "InvalidParameterValueException")
  }

  @Test func `orders versions as numbers`() {
    let versions = [FunctionVersion.latest, .published(1), .published(2), .published(10), .published(1000)]
    #expect(versions.map(\.pageKey) == versions.map(\.pageKey).sorted())
  }

  // MARK: Times and names

  @Test func `tells times as AWS does`() {
    let time = Timestamp(nanoseconds: 1_795_428_000_007_999_999)
    #expect(RFC3339.milliseconds(nanoseconds: time.nanoseconds, offset: "+0000") == "2026-11-23T10:00:00.007+0000")
    #expect(RFC3339.seconds(nanoseconds: time.nanoseconds, offset: "+0000") == "2026-11-23T10:00:00+0000")
    #expect(RFC3339.milliseconds(nanoseconds: -1, offset: "+0000") == "1969-12-31T23:59:59.999+0000")
    #expect(FunctionConfigurationDocument.wholeSeconds(.milliseconds(100)) == 1)
    #expect(FunctionConfigurationDocument.wholeSeconds(.seconds(10)) == 10)
    #expect(FunctionConfigurationDocument.wholeSeconds(.milliseconds(10_001)) == 11)
  }

  @Test func `says what is wrong with a name or a qualifier`() {
    func problem(_ name: String, _ qualifier: String?) -> String? {
      do {
        _ = try FunctionReference.read(name, qualifier: qualifier)
        return nil
      } catch { return "\(error.code): \(error.message)" }
    }
    #expect(problem("f", "1") == nil)
    #expect(problem("f:1", "1") == nil)
    #expect(problem("f", "$LATEST") == nil)
    #expect(
      problem("f:1", "2")
        == "InvalidParameterValueException: The derived qualifier from the function name does not match the specified "
        + "qualifier.")
    #expect(
      problem("f g", nil)?.hasPrefix("ValidationException: 1 validation error detected: Value 'f g' at 'functionName'")
        == true)
    #expect(
      problem("f", "a b")
        == "ValidationException: 1 validation error detected: Value 'a b' at 'qualifier' failed to satisfy constraint: "
        + "Member must satisfy regular expression pattern: (|[a-zA-Z0-9$_-]+)")
    #expect(problem("f g", "a b")?.hasPrefix("ValidationException: 2 validation errors detected: ") == true)
    #expect(problem(String(repeating: "f", count: 300), nil)?.contains("length less than or equal to 256") == true)
    #expect(problem("", nil)?.contains("length greater than or equal to 1") == true)
  }
}
