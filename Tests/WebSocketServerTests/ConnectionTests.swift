@testable import HTTPServer
import Lifecycle
import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketServer

@Suite struct `A WebSocket connection` {
  @Test func `refuses frames that are not masked`() throws {
    let harness = try Harness()
    var frame = RawFrame.text("hello")
    frame.isMasked = false
    try harness.send(frame)
    let frames = try harness.received()
    #expect(frames.map(\.opcode) == [8] && frames[0].data.prefix(2) == [0x03, 0xEA])
    harness.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(harness.echo.ends == [.unmasked])
  }

  @Test func `closes with 1009 as soon as a frame's length is known to be over the limit`() throws {
    let harness = try Harness()
    let frame = RawFrame(opcode: 2, data: [UInt8](repeating: 0, count: (32 << 10) + 1)).bytes
    try harness.send(Array(frame.prefix(8)))
    #expect(try harness.received().first?.data.prefix(2) == [0x03, 0xF1])
    // What follows is dropped, and the end comes.
    try harness.send(Array(frame.dropFirst(8)))
    harness.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(harness.echo.ends == [.frameTooLarge] && harness.echo.held.isEmpty)
  }

  @Test(arguments: [UInt64(1) << 63, .max, UInt64(Int.max), 1 << 32]) func `refuses lengths that nobody has memory for`(
    _ length: UInt64
  ) throws {
    let harness = try Harness()
    let digits = (0..<8).map { UInt8(truncatingIfNeeded: length >> UInt64(56 - 8 * $0)) }
    try harness.send([0x82, 0xFF] + digits + [1, 2, 3, 4])
    #expect(try harness.received().first?.data.prefix(2) == [0x03, 0xF1])
  }

  @Test func `takes a message of exactly the limit, and closes with 1009 above`() throws {
    var limits = WebSocketLimits()
    limits.messageBytesMax = 1_000
    let harness = try Harness(limits)
    try harness.send(
      .text(String(repeating: "a", count: 600), isFinal: false), .more(String(repeating: "b", count: 400)))
    #expect(try harness.received().map(\.data.count) == [1_000])
    try harness.send(
      .text(String(repeating: "a", count: 600), isFinal: false),
      .more(String(repeating: "b", count: 401), isFinal: false))
    #expect(try harness.received().first?.data.prefix(2) == [0x03, 0xF1])
  }

  @Test func `is closed after a time without frames, and after its lifetime`() throws {
    let harness = try Harness()
    let loop = harness.channel.embeddedEventLoop
    loop.advanceTime(by: .seconds(599))
    try harness.send(.ping("a"))
    #expect(try harness.received() == [RawFrame.pong("a").unmasked])
    loop.advanceTime(by: .seconds(599))
    #expect(try harness.received().isEmpty)
    loop.advanceTime(by: .seconds(1))
    #expect(try harness.received() == [RawFrame.close(1001, "Idle timeout").unmasked])
    try harness.send(.close(1001, "Idle timeout"))
    #expect(harness.echo.ends == [.idle])

    let other = try Harness()
    for _ in 0..<7_199 {
      other.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
      try other.send(.text("."))
    }
    #expect(try other.received().count == 7_199)
    other.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(try other.received() == [RawFrame.close(1001, "Connection duration limit").unmasked])
    // A client that never answers it is not waited for.
    other.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(other.echo.ends == [.expired] && !other.channel.isActive)
  }

  @Test func `hands messages on beside each other, and reads no more than are handled`() throws {
    var limits = WebSocketLimits()
    limits.inFlightMax = 2
    let harness = try Harness(limits)
    harness.echo.isHolding = true
    try harness.send(.text("a"), .text("b"))
    #expect(harness.echo.held.map { String(buffer: $0.data) } == ["a", "b"])
    let reads = harness.reads
    harness.channel.read()
    #expect(harness.reads == reads)
    harness.echo.answer(harness.echo.held[1])
    #expect(harness.reads == reads + 1)
    #expect(try harness.received() == [RawFrame.text("b").unmasked])
  }

  @Test func `hands on no more than the limit of what came in one read, and the rest in order`() throws {
    var limits = WebSocketLimits()
    limits.inFlightMax = 2
    let harness = try Harness(limits)
    harness.echo.isHolding = true
    let texts = (0..<60).map { "\($0)" }
    try harness.send(texts.flatMap { RawFrame.text($0).bytes } + RawFrame.ping("p").bytes + RawFrame.close(1000).bytes)
    for done in 0..<texts.count {
      #expect(harness.echo.held.count == min(done + 2, texts.count))
      let reads = harness.reads
      harness.channel.read()
      #expect(harness.reads == reads || done == texts.count - 1)
      harness.echo.answer(harness.echo.held[done])
    }
    #expect(harness.echo.held.map { String(buffer: $0.data) } == texts)
    // The closing frame came behind them: what was not answered by then is not sent.
    let frames = try harness.received()
    #expect(frames.suffix(2) == [RawFrame.pong("p"), .close(1000)].map(\.unmasked))
    #expect(frames.dropLast(2) == texts.prefix(59).map { RawFrame.text($0).unmasked }[...])
    harness.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(harness.echo.ends == [WebSocketClose(1000)])
  }

  @Test func `finds the client's closing frame behind messages that wait`() throws {
    var limits = WebSocketLimits()
    limits.inFlightMax = 1
    let harness = try Harness(limits)
    harness.echo.isHolding = true
    try harness.send(RawFrame.text("a").bytes + RawFrame.text("b").bytes + RawFrame.close(1000).bytes)
    harness.echo.connection?.close(.normal)
    #expect(harness.echo.held.count == 1 && harness.echo.ends == [.normal])
  }

  @Test func `holds unfinished messages within a budget`() throws {
    let budget = BodyBudget(bytesMax: 1_000)
    let harness = try Harness(budget: budget)
    try harness.send(.text(String(repeating: "a", count: 600), isFinal: false))
    #expect(budget.bytesUsed == 600)
    let other = try Harness(budget: budget)
    try other.send(.text(String(repeating: "b", count: 401), isFinal: false))
    #expect(try other.received() == [RawFrame.close(1013, WebSocketClose.noRoom.reason).unmasked])
    other.channel.embeddedEventLoop.advanceTime(by: .seconds(1))
    #expect(other.echo.ends == [.noRoom] && budget.bytesUsed == 600)

    try harness.send(.more("c"))
    #expect(try harness.received().map(\.data.count) == [601])
    #expect(budget.bytesUsed == 0)
    try harness.send(.text(String(repeating: "a", count: 600), isFinal: false))
    _ = try harness.channel.finish(acceptAlreadyClosed: true)
    #expect(budget.bytesUsed == 0)
  }

  @Test func `counts what has come of a frame in the budget`() throws {
    let budget = BodyBudget(bytesMax: 1_000)
    let harness = try Harness(budget: budget)
    let bytes = RawFrame.text(String(repeating: "a", count: 990)).bytes
    try harness.send(Array(bytes.prefix(500)))
    #expect(budget.bytesUsed == 500)
    try harness.send(Array(bytes.dropFirst(500)) + RawFrame.text("b").bytes.prefix(3))
    #expect(try harness.received().map(\.data.count) == [990] && budget.bytesUsed == 3)
    try harness.send(Array(RawFrame.text("b").bytes.dropFirst(3)))
    #expect(budget.bytesUsed == 0)

    let other = try Harness(budget: budget)
    try other.send(Array(RawFrame.text(String(repeating: "a", count: 2_000)).bytes.prefix(1_001)))
    #expect(try other.received().map(\.opcode) == [8])
    // Longer lengths than need be do not add up.
    let long: [UInt8] = [0x82, 0xFF, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 7]
    var limits = WebSocketLimits()
    limits.frameBytesMax = 125
    let third = try Harness(limits, budget: budget)
    for _ in 0..<100 { try third.send(long) }
    #expect(try third.received().allSatisfy { $0.data == [7] } && third.echo.ends.isEmpty)
    _ = try third.channel.finish(acceptAlreadyClosed: true)
    #expect(budget.bytesUsed == 0)
  }

  @Test func `counts what waits behind messages in progress in the budget`() throws {
    var limits = WebSocketLimits()
    limits.inFlightMax = 1
    let budget = BodyBudget(bytesMax: 1_000)
    let harness = try Harness(limits, budget: budget)
    harness.echo.isHolding = true
    try harness.send(RawFrame.text("a").bytes + RawFrame.text("bcd").bytes)
    #expect(budget.bytesUsed == 3)
    harness.echo.answer(harness.echo.held[0])
    #expect(budget.bytesUsed == 0)
  }

  @Test func `closes a drained server's connection when its messages are done`() throws {
    let harness = try Harness()
    harness.echo.isHolding = true
    try harness.send(.text("a"))
    harness.channel.pipeline.fireUserInboundEventTriggered(DrainEvent())
    #expect(try harness.received().isEmpty)
    harness.echo.answer(harness.echo.held[0])
    #expect(try harness.received() == [RawFrame.text("a"), .close(1001, "Going away")].map(\.unmasked))
    #expect(harness.echo.connection?.send(ByteBuffer(string: "late"), isText: true) == false)
  }

  @Test func `ends a client's connection that reads too slowly`() throws {
    var limits = WebSocketLimits()
    limits.outboundBytesMax = 1_000
    let harness = try Harness(limits)
    harness.channel.isWritable = false
    // An embedded channel holds nothing back, so only a message over the limit itself finds no room.
    #expect(harness.echo.connection?.send(ByteBuffer(repeating: 0, count: 1_000), isText: false) == true)
    #expect(harness.echo.connection?.send(ByteBuffer(repeating: 0, count: 1_001), isText: false) == false)
    harness.channel.embeddedEventLoop.run()
    #expect(harness.echo.ends == [.tooSlow] && !harness.channel.isActive)
  }

  @Test func `tells of a connection that was lost`() throws {
    let harness = try Harness()
    _ = try harness.channel.finish(acceptAlreadyClosed: true)
    #expect(harness.echo.ends == [.lost])
  }

  @Test(arguments: [
    ("dGhlIHNhbXBsZSBub25jZQ==", "s3pPLMBiTxaQ9kYGzzhZRbK+xOo="),
    ("x3JJHMbDL1EzLkh9GBhXDw==", "HSmrc0sMlYUkAGmm5OPpG2HaGWk="),
  ])
  func `answers a key as RFC 6455 says`(_ key: String, _ answer: String) {
    #expect(WebSocketHandshake.accept(key) == answer)
  }

  @Test(arguments: [
    ("", WebSocketClose(1000)),
    (String(repeating: "é", count: 70), WebSocketClose(1000, String(repeating: "é", count: 61))),
  ])
  func `cuts a reason to what a frame has room for`(_ reason: String, _ close: WebSocketClose) {
    #expect(WebSocketClose(1000, reason) == close)
  }
}

@Suite struct `Validation of UTF-8` {
  @Test func `agrees with the standard library on all starts of characters, in one piece and in two`() {
    let edges: [UInt8] = [0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC1, 0xC2, 0xE0, 0xED, 0xF4, 0xFF]
    let tails: [UInt8] = [0x00, 0x7F, 0x80, 0xBF, 0xC2, 0xF4]
    for first in UInt8.min...UInt8.max {
      for second in edges {
        for third in tails {
          for fourth in tails {
            let bytes = [first, second, third, fourth]
            let expected = String(validating: bytes, as: UTF8.self) != nil
            for cut in [0, 1, 2, 3] {
              var validation = UTF8Validation()
              let span = bytes.span
              let isValid =
                validation.append(span.extracting(0..<cut)) && validation.append(span.extracting(cut..<4))
                && validation.isComplete
              guard isValid == expected else {
                Issue.record("\(bytes) cut at \(cut): \(isValid)")
                return
              }
            }
          }
        }
      }
    }
  }
}
