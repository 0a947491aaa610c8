import Foundation
import Lifecycle
import LifecycleEncoding
import LifecycleWire
import Testing

@Suite struct `The page about batches of events` {
  private static let page: String = {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    return (try? String(contentsOf: root.appendingPathComponent("docs/formats/events.md"), encoding: .utf8)) ?? ""
  }()

  private static func block(_ language: String, _ index: Int = 0) throws -> String {
    let parts = page.components(separatedBy: "```\(language)\n").dropFirst()
    return try #require(parts.dropFirst(index).first?.components(separatedBy: "\n```").first)
  }

  private static func bytes() throws -> [UInt8] {
    let lines = try block("text").split(separator: "\n").map { $0.prefix { $0 != "#" } }
    return try lines.flatMap { $0.split(separator: " ") }.map { try #require(UInt8($0, radix: 16)) }
  }

  @Test func `shows one batch in hexadecimal and as lines of JSON`() throws {
    let bytes = try Self.bytes()
    let text = Array(try Self.block("json").utf8)
    var decoder = EventDecoder()
    let batch = try decoder.decode(bytes.span)
    let lines = try EventLines.read(text.span)
    #expect(batch.events.count == 3)
    #expect(batch.rejected == [])
    #expect(batch == lines)
  }

  @Test func `shows what is written, to the byte`() throws {
    let text = Array(try Self.block("json").utf8)
    let bytes = try Self.bytes()
    let batch = try EventLines.read(text.span)
    let source = try #require(batch.source)
    let sequence = try #require(batch.sequence)
    var encoder = EventEncoder()
    encoder.encode(batch.events, source: source, sequence: sequence)
    #expect(encoder.bytes == bytes)
    let lines = EventLines.header(source: source, sequence: sequence) + batch.events.flatMap(EventLines.line)
    #expect(String(decoding: lines, as: UTF8.self) == String(decoding: text, as: UTF8.self) + "\n")
  }

  @Test func `lists every word in the order of its number`() {
    func row<W: Word>(_ name: String, _: W.Type) -> String {
      "| \(name) | " + W.allCases.sorted { $0.rawValue < $1.rawValue }.map { "`\($0.name)`" }.joined(separator: ", ")
        + " |"
    }
    let rows = [
      row("`initializationType`", InitializationType.self), row("`phase`", InitializationPhase.self),
      row("`status`", InitializationStatus.self), row("`trigger`", Trigger.self), row("`pool`", ConcurrencyPool.self),
      row("`outcome`", Outcome.self), row("`timeoutSource`", TimeoutSource.self),
      row("`reason` of `throttled`", ThrottleReason.self), row("`reason` of `instanceStopped`", StopReason.self),
    ]
    for row in rows { #expect(Self.page.contains(row), "\(row) is not on the page") }
  }

  @Test(arguments: Rejection.allCases)
  func `says when an event is rejected`(_ reason: Rejection) { #expect(Self.page.contains("`\(reason.name)`")) }
}
