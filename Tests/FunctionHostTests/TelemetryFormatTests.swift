import Text
import LambdaRecords
import Lifecycle
import NIOCore
import Testing

@testable import FunctionHost
import LambdaAPI

private func subscription(_ text: String, isLogs: Bool = false) throws(Subscription.Problem) -> Subscription {
  try Subscription(ByteBuffer(string: text), isLogs: isLogs, runtimePort: 5000)
}

/// A body with the members given, and else one that is right.
private func body(
  types: String = #"["platform"]"#, buffering: String = "{}",
  destination: String = #"{"protocol":"HTTP","URI":"http://sandbox.localdomain:8080/telemetry"}"#,
  schema: String = #""2022-12-13""#
) -> String {
  #"{"schemaVersion":\#(schema),"types":\#(types),"buffering":\#(buffering),"destination":\#(destination)}"#
}

@Suite struct `A subscription` {
  @Test func `is read with all its members`() throws {
    let read = try subscription(
      body(
        types: #"["function","platform","function"]"#,
        buffering: #"{"maxItems":1000,"maxBytes":1048576,"timeoutMs":25}"#))
    #expect(read.schema == .telemetry20221213)
    #expect(read.types == [.function, .platform])
    #expect(read.recordsMax == 1000 && read.bytesMax == 1_048_576 && read.timeout == .milliseconds(25))
    #expect(read.destination == .http(port: 8080, path: "/telemetry"))
  }

  @Test func `has defaults`() throws {
    let read = try subscription(#"{"types":["extension"],"destination":{"protocol":"TCP","port":1}}"#)
    #expect(read.schema == .telemetry20220701)
    #expect(read.recordsMax == 10_000 && read.bytesMax == 262_144 && read.timeout == .seconds(1))
    #expect(read.destination == .tcp(port: 1))
    #expect(
      try subscription(#"{"types":["extension"],"destination":{"protocol":"TCP","port":1}}"#, isLogs: true).schema
        == .logs20200815)
  }

  @Test(arguments: [
    ("http://sandbox:4243", 4243, "/"), ("http://sandbox.localdomain", 80, "/"),
    ("http://localhost:1/a?b=c#d", 1, "/a?b=c"),
    ("http://127.0.0.1:65535/", 65_535, "/"), ("http://0.0.0.0:80?x", 80, "/?x"),
  ])
  func `means this machine by all its names`(_ uri: String, _ port: Int, _ path: String) throws {
    let read = try subscription(body(destination: #"{"protocol":"HTTP","URI":"\#(uri)"}"#))
    #expect(read.destination == .http(port: port, path: path))
  }

  @Test(arguments: [
    ("[]", "The body must be a JSON object"), ("{", "The body must be a JSON object"),
    (body(schema: #""2021-01-01""#), "schemaVersion: must be one of"),
    (body(schema: "1"), "schemaVersion: must be one of"),
    (body(types: "[]"), "types: must have at least one"), (body(types: #"["all"]"#), "types: must be platform"),
    (body(types: #""platform""#), "types: must be a list"),
    (body(buffering: #"{"maxItems":999}"#), "buffering.maxItems: must be from 1000 to 10000"),
    (body(buffering: #"{"maxItems":10001}"#), "buffering.maxItems: must be from 1000 to 10000"),
    (body(buffering: #"{"maxBytes":262143}"#), "buffering.maxBytes: must be from 262144 to 1048576"),
    (body(buffering: #"{"maxBytes":1048577}"#), "buffering.maxBytes: must be from 262144 to 1048576"),
    (body(buffering: #"{"timeoutMs":24}"#), "buffering.timeoutMs: must be from 25 to 30000"),
    (body(buffering: #"{"timeoutMs":30001}"#), "buffering.timeoutMs: must be from 25 to 30000"),
    (body(buffering: #"{"timeoutMs":"25"}"#), "buffering.timeoutMs: must be a whole number"),
    (body(buffering: "[]"), "buffering: must be an object"),
    (body(destination: "{}"), "destination.protocol: must be HTTP or TCP"),
    (body(destination: "null"), "destination: must be an object"),
    (body(destination: #"{"protocol":"TCP"}"#), "destination.port: must be from 1 to 65535"),
    (body(destination: #"{"protocol":"TCP","port":65536}"#), "destination.port: must be from 1 to 65535"),
    (body(destination: #"{"protocol":"TCP","port":9001}"#), "the port 9001 is reserved"),
    (body(destination: #"{"protocol":"TCP","port":5000}"#), "the port 5000 is reserved"),
    (body(destination: #"{"protocol":"HTTP","URI":"http://example.com:80/"}"#), "destination.URI: must be"),
    (body(destination: #"{"protocol":"HTTP","URI":"https://sandbox:80/"}"#), "destination.URI: must be"),
    (body(destination: #"{"protocol":"HTTP","URI":"http://sandbox@example.com:80/"}"#), "destination.URI: must be"),
    (body(destination: #"{"protocol":"HTTP","URI":"http://sandbox:0/"}"#), "destination.URI: must be"),
    (body(destination: #"{"protocol":"HTTP","URI":"http://sandbox:80/\r\nX: y"}"#), "destination.URI: must be"),
  ])
  func `with something wrong is refused with a sentence`(_ text: String, _ sentence: String) {
    do throws(Subscription.Problem) {
      _ = try subscription(text)
      Issue.record("It was taken: \(text)")
    } catch {
      #expect(error.message.contains(sentence), "\(error.message)")
    }
  }
}

@Suite struct `A buffer of telemetry` {
  private func buffer(_ members: String = "{}", logs: Bool = false) throws -> TelemetryBuffer {
    TelemetryBuffer(
      try Subscription(
        ByteBuffer(string: body(buffering: members, schema: logs ? #""2021-03-18""# : #""2022-12-13""#)), isLogs: logs,
        runtimePort: nil))
  }
  private let start = Timestamp(nanoseconds: 1_000_000_000)
  private func record(_ count: Int) -> ByteBuffer { ByteBuffer(repeating: UInt8(ascii: "1"), count: count) }

  @Test func `is due after its time, or at once when a batch is full`() throws {
    var buffer = try buffer(#"{"maxItems":1000,"timeoutMs":30}"#)
    #expect(buffer.dueAt == nil && buffer.isEmpty)
    buffer.append(record(1), at: start)
    buffer.append(record(1), at: start + .milliseconds(20))
    #expect(buffer.dueAt == start + .milliseconds(30) && !buffer.isFull)
    for _ in 2..<1000 { buffer.append(record(1), at: start) }
    #expect(buffer.isFull)
    #expect(buffer.takeBatch(at: start)?.records.count == 1000)
    #expect(buffer.isEmpty && buffer.dueAt == nil && buffer.takeBatch(at: start) == nil)
  }

  @Test func `cuts batches at their bytes, of which the last record may be too much`() throws {
    var buffer = try buffer()
    buffer.append(record(262_143), at: start)
    #expect(!buffer.isFull)
    buffer.append(record(200_000), at: start)
    #expect(buffer.isFull)
    #expect(buffer.takeBatch(at: start)?.bytesCount == 462_143)
  }

  @Test func `has room for one record of any length, and for no second one of it`() throws {
    var buffer = try buffer()
    buffer.append(record(6 * 262_144), at: start)
    #expect(buffer.dropped == .init() && buffer.isFull)
    buffer.append(record(6 * 262_144), at: start)
    #expect(buffer.dropped == .init(records: 1, bytes: 6 * 262_144))
    #expect(buffer.takeBatch(at: start)?.bytesCount ?? 0 > 6 * 262_144)
  }

  @Test func `counts what finds no room, and tells it in the next batch`() throws {
    var buffer = try buffer(#"{"maxItems":1000}"#)
    for _ in 0..<2010 { buffer.append(record(3), at: start) }
    #expect(buffer.dropped == .init(records: 10, bytes: 30))
    let taken = buffer.takeBatch(at: start)
    let batch = try #require(taken)
    #expect(batch.records.count == 1001)
    let told = String(buffer: try #require(batch.records.last))
    #expect(
      told.contains(#""type":"platform.logsDropped","record":{"droppedBytes":30,"droppedRecords":10,"reason":"Some"#))
    #expect(buffer.dropped == .init())
    // And is counted again if that batch is lost, too: all but the one that told it.
    buffer.lose(batch, at: start)
    #expect(buffer.dropped == .init(records: 1010, bytes: 3030))
  }

  @Test func `makes arrays for HTTP and lines for TCP`() {
    let batch = TelemetryBuffer.Batch(records: [ByteBuffer(string: "{}"), ByteBuffer(string: "[]")], bytesCount: 4)
    #expect(String(buffer: batch.array) == "[{},[]]")
    #expect(String(buffer: batch.lines) == "{}\n[]\n")
  }
}

@Suite struct `A fault` {
  @Test(arguments: [
    (nil, "Runtime.Unknown"), ("Runtime.ImportModuleError", "Runtime.ImportModuleError"),
    ("Function.X", "Function.Unknown"),
    ("Function.Oops", "Function.Oops"), ("Function.2", "Function.Unknown"), ("Runtime.x", "Runtime.Unknown"),
    ("ValueError", "Runtime.Unknown"), ("Extension.Crash", "Runtime.Unknown"), ("", "Runtime.Unknown"),
  ])
  func `has error types of two families`(_ type: String?, _ expected: String) {
    #expect(FunctionFault.normalizedErrorType(type) == expected)
  }
}
