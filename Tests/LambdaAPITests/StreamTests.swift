import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing

@testable import LambdaAPI

private let zeros = ByteBuffer(repeating: 0, count: 8)

/// A prelude with what follows it.
private func bytes(_ prelude: String, _ body: String = "") -> ByteBuffer {
  var bytes = ByteBuffer(string: prelude)
  bytes.writeImmutableBuffer(zeros)
  bytes.writeString(body)
  return bytes
}

@Suite struct `A prelude` {
  @Test(
    arguments: [
      ("{}", 200, [("content-type", "application/octet-stream")]),
      (#"{"statusCode":404}"#, 404, [("content-type", "application/octet-stream")]),
      (
        #"{"statusCode":"201","headers":{"content-type":"text/html","x":1}}"#, 201,
        [("content-type", "text/html"), ("x", "1")]
      ),
      (
        #"{"headers":{"Content-Type":"a/b"},"cookies":["a=1","b=2"],"body":"ignored"}"#, 200,
        [("content-type", "a/b"), ("set-cookie", "a=1"), ("set-cookie", "b=2")]
      ),
    ] as [(String, UInt, [(String, String)])])
  func `says status, header fields and cookies, in whatever pieces it comes`(
    text: String, status: UInt, headers: [(String, String)]
  ) throws {
    for size in [1, 3, 1_000] {
      var prelude = ResponsePrelude()
      var input = bytes(text, "body")
      var step = ResponsePrelude.Step.incomplete
      while case .incomplete = step, let piece = input.readSlice(length: min(size, input.readableBytes)) {
        step = prelude.take(piece)
      }
      guard case .complete(let response, var rest) = step else {
        Issue.record("\(step)")
        continue
      }
      rest.writeImmutableBuffer(input)
      #expect(response.status.code == status)
      #expect(response.headers.map { "\($0.lowercased()): \($1)" } == headers.map { "\($0): \($1)" })
      #expect(String(buffer: rest) == "body")
    }
  }

  @Test(arguments: [
    "", "null", "[]", "{", "text", #"{"statusCode":99}"#, #"{"statusCode":600}"#, #"{"statusCode":"x"}"#, "{}{}",
  ])
  func `is an object with a status that there is`(text: String) {
    var prelude = ResponsePrelude()
    guard case .malformed = prelude.take(bytes(text)) else {
      Issue.record("'\(text)' is taken")
      return
    }
  }

  @Test func `goes on until eight zero bytes, up to its limit`() {
    var prelude = ResponsePrelude()
    var input = ByteBuffer(string: "{}")
    input.writeRepeatingByte(0, count: 7)
    guard case .incomplete = prelude.take(input) else {
      Issue.record("seven are enough")
      return
    }
    let blanks = ByteBuffer(repeating: 0x20, count: PayloadLimits.preludeBytesMax - 9)
    guard case .incomplete = prelude.take(blanks) else {
      Issue.record("the limit is too low")
      return
    }
    guard case .malformed = prelude.take(ByteBuffer(repeating: 0x20, count: 8)) else {
      Issue.record("there is no limit")
      return
    }
  }

  @Test func `is understood in an answer that came as a whole`() {
    let answer = FunctionURLAnswer.finished(
      RequestID(.zero), .sample, .success(bytes(#"{"statusCode":203}"#, "body")), times: .sample)
    #expect(answer.status.code == 203)
    #expect(String(buffer: answer.body) == "body")
  }
}

@Suite struct `A stream` {
  private func url(_ contentType: String?) -> FunctionURLStream {
    FunctionURLStream(RequestID(.zero), .sample, contentType: contentType, times: .sample)
  }

  @Test func `of a function URL begins behind its prelude`() {
    var stream = url(ResponsePrelude.contentType)
    guard case .nothing = stream.take(ByteBuffer(string: #"{"statusCode":202,"headers":{"X-Kelvin-End":"1"}}"#)) else {
      Issue.record("it begins before")
      return
    }
    guard case .begin(let head, let body) = stream.take(bytes("", "one")) else {
      Issue.record("it does not begin")
      return
    }
    #expect(head.status.code == 202)
    #expect(head.headers.first(name: "X-Kelvin-Start") == "1")
    #expect(!head.headers.contains(name: "X-Kelvin-End"))
    #expect(String(buffer: body) == "one")
    guard case .send(let more) = stream.take(ByteBuffer(string: "two")), case .nothing = stream.end() else {
      Issue.record("it does not go on")
      return
    }
    #expect(String(buffer: more) == "two")
  }

  @Test(arguments: [nil, "text/event-stream"])
  func `of a function URL without a prelude is the body`(contentType: String?) {
    var stream = url(contentType)
    guard case .begin(let head, let body) = stream.take(ByteBuffer(string: "{}")) else {
      Issue.record("it does not begin")
      return
    }
    #expect(head.status == .ok)
    #expect(head.headers.first(name: "Content-Type") == contentType ?? "application/octet-stream")
    #expect(String(buffer: body) == "{}")
  }

  @Test func `of a function URL that ends too early is refused if it has a prelude, and else empty`() {
    var half = url(ResponsePrelude.contentType)
    _ = half.take(ByteBuffer(string: "{}"))
    guard case .refuse(let response) = half.end() else {
      Issue.record("half a prelude is taken")
      return
    }
    #expect(response.status == .badGateway)
    var empty = url(nil)
    guard case .begin(let head, let body) = empty.end() else {
      Issue.record("it does not begin")
      return
    }
    #expect((head.status.code, body.readableBytes) == (200, 0))
  }

  @Test func `of events has a message for each piece, and one at the end`() {
    var stream = InvokeStream(
      head: InvokeStreamAnswer.head(RequestID(.zero), .sample, .latest, times: .sample))
    guard case .begin(let head, let first) = stream.take(ByteBuffer(string: "one")) else {
      Issue.record("it does not begin")
      return
    }
    #expect(head.headers.first(name: "Content-Type") == "application/vnd.amazon.eventstream")
    var expected = ByteBuffer()
    InvokeStreamAnswer.writeChunks(of: ByteBuffer(string: "one"), into: &expected)
    #expect(first == expected)
    guard case .nothing = stream.end() else {
      Issue.record("it begins again")
      return
    }
    let last = InvokeStreamAnswer.completion(error: ("Unhandled", "{}"), log: nil)
    #expect(
      String(decoding: last.readableBytesView, as: UTF8.self).contains(
        #"{"ErrorCode":"Unhandled","ErrorDetails":"{}"}"#))
  }

  @Test func `tells an error in the fields behind it`() throws {
    #expect(FunctionFault.reported(in: nil) == nil)
    #expect(FunctionFault.reported(in: ["X": "y"]) == nil)
    let document = #"{"errorMessage":"m"}"#
    let fault = try #require(
      FunctionFault.reported(in: [
        "lambda-runtime-function-error-type": "Function.E",
        "lambda-runtime-function-error-body": "eyJlcnJvck1lc3NhZ2UiOiJtIn0=",
      ]))
    #expect(String(buffer: fault.document) == document)
    #expect(fault.outcome == .error)
    let bare = try #require(
      FunctionFault.reported(in: [
        "Lambda-Runtime-Function-Error-Type": "Function.E", "Lambda-Runtime-Function-Error-Body": "%%",
      ]))
    #expect(String(buffer: bare.document) == #"{"errorType":"Function.E","errorMessage":""}"#)
  }
}

extension InvocationTimes {
  fileprivate static let sample = InvocationTimes(
    start: Timestamp(nanoseconds: 1), handover: Timestamp(nanoseconds: 2), end: Timestamp(nanoseconds: 3), isCold: true)
}
