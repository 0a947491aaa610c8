import Foundation
import Synchronization
import Testing

@testable import FunctionRuntime

/// A function that streams what a closure writes.
private struct StreamingTestFunction: StreamingFunction {
  var onEvent: @Sendable (ResponseWriter, InvocationContext) async throws -> Void = { _, _ in }

  init() {}
  init(_ onEvent: @escaping @Sendable (ResponseWriter, InvocationContext) async throws -> Void) {
    self.onEvent = onEvent
  }

  func handle(_ event: [UInt8], _ response: ResponseWriter, _ context: InvocationContext) async throws {
    try await onEvent(response, context)
  }
}

@Suite struct `A function that streams` {
  @Test func `sends status and fields, pieces, and the mark of its attempt`() async throws {
    let host = FakeHost()
    host.send(.init(id: "1", attempt: "a-1"))
    _ = try RunningFunction(host) {
      StreamingTestFunction { response, _ in
        try response.begin(status: 201, headers: ["content-type": "text/plain"], cookies: ["a=1"])
        #expect(throws: ResponseWriterError.self) { try response.begin(contentType: "text/html") }
        try response.write("one")
        try response.write("")
        try response.write("two")
      }
    }
    let answer = try await host.response(to: "1")
    let zeros = String(repeating: "\0", count: 8)
    #expect(
      answer.body == #"{"statusCode":201,"headers":{"content-type":"text/plain"},"cookies":["a=1"]}"# + zeros + "onetwo"
    )
    #expect(answer.headers["content-type"] == "application/vnd.awslambda.http-integration-response")
    #expect(answer.headers["lambda-runtime-function-response-mode"] == "streaming")
    #expect(answer.headers["lambda-runtime-invocation-id"] == "a-1")
    #expect(answer.headers["lambda-runtime-function-error-type"] == nil)
    host.send(.init(id: "2"))
    #expect(try await host.response(to: "2").body == answer.body)
    #expect(!host.paths.contains { $0.hasSuffix("/error") })
    host.stop()
  }

  @Test func `tells an error behind the beginning in the stream, and one before it as ever`() async throws {
    let host = FakeHost()
    host.send(.init(id: "1", body: ""))
    host.send(.init(id: "2", body: ""))
    let count = Atomic(0)
    _ = try RunningFunction(host) {
      StreamingTestFunction { response, _ in
        if count.add(1, ordering: .relaxed).newValue == 1 { try response.write("half") }
        throw OrderIsEmpty()
      }
    }
    let answer = try await host.response(to: "1")
    #expect(answer.body == "half")
    #expect(answer.headers["content-type"] == "application/octet-stream")
    #expect(answer.headers["lambda-runtime-function-error-type"] == "Function.OrderIsEmpty")
    let document = Data(base64Encoded: answer.headers["lambda-runtime-function-error-body"] ?? "")
    #expect(String(decoding: document ?? Data(), as: UTF8.self).contains(#"The order is \"empty\"."#))
    #expect(try await host.error(of: "2").headers["lambda-runtime-function-error-type"] == "Function.OrderIsEmpty")
    #expect(!host.paths.contains { $0.hasSuffix("/1/error") || $0.hasSuffix("/2/response") })
    host.stop()
  }

  @Test func `is not asked for more before a stream that was begun has ended, whatever its time`() async throws {
    let host = FakeHost()
    host.send(.init(id: "1", secondsLeft: 0.05))
    let gate = Gate()
    let wasAborted = Atomic(false)
    _ = try RunningFunction(host) {
      StreamingTestFunction { response, context in
        try response.write("half")
        await gate.pass()
        wasAborted.store(context.isCancelled, ordering: .relaxed)
      }
    }
    try await Task.sleep(for: .milliseconds(100))
    #expect(host.paths.filter { $0.hasSuffix("/next") }.count == 1)
    gate.open()
    #expect(try await host.response(to: "1").body == "half")
    host.send(.init(id: "2"))
    _ = try await host.request("GET", "/2018-06-01/runtime/invocation/next")
    let aborted = wasAborted.load(ordering: .relaxed)
    #expect(aborted)
    #expect(!host.paths.contains { $0.hasSuffix("/error") })
    host.stop()
  }
}
