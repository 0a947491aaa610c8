import NIOCore
import NIOEmbedded
import Testing

@testable import WebSocketServer

/// What one case of the Autobahn test suite sends, and what has to come back.
///
/// The suite itself needs Python 2. These are its cases of the groups 1 to 7 by their numbers; 8 is empty, 9 is about speed, 10 sends one
/// message in large frames, and 12 and 13 are about compression, which is not offered.
struct ConformanceCase: CustomTestStringConvertible {
  enum End: Equatable {
    /// The connection stays, until the client closes it with 1000.
    case open
    /// The server closes with this code, without being asked.
    case closed(UInt16)
    /// The server answers the client's closing frame with this one.
    case answered(RawFrame)
  }

  var number: String
  var sends: [RawFrame]
  var expects: [RawFrame] = []
  var end = End.open
  /// In pieces of how many bytes all is sent.
  var pieces = Int.max

  var testDescription: String { number }

  func inPieces(of size: Int, as number: String) -> ConformanceCase {
    ConformanceCase(number: number, sends: sends, expects: expects, end: end, pieces: size)
  }
}

@Suite struct `The cases of Autobahn` {
  @Test(arguments: ConformanceCase.all) func `are kept`(_ given: ConformanceCase) throws {
    var limits = WebSocketLimits()
    limits.frameBytesMax = 1 << 20
    limits.messageBytesMax = 1 << 20
    let harness = try Harness(limits)
    try harness.send(given.sends.flatMap(\.bytes), inPiecesOf: given.pieces)
    var received = try harness.received()
    #expect(received.allSatisfy { $0.isFinal && $0.reserved == 0 && !$0.isMasked })
    switch given.end {
    case .open:
      #expect(received == given.expects.map(\.unmasked))
      try harness.send(.close(1000))
      #expect(try harness.received() == [RawFrame.close(1000).unmasked])
    case .closed(let code):
      let last = try #require(received.last)
      received.removeLast()
      #expect(last.opcode == 8 && last.data.prefix(2).elementsEqual([UInt8(code >> 8), UInt8(code & 255)]))
      #expect(received == given.expects.map(\.unmasked))
    case .answered(let frame):
      #expect(received == (given.expects + [frame]).map(\.unmasked))
    }
    harness.channel.embeddedEventLoop.advanceTime(by: .seconds(2))
    #expect(!harness.channel.isActive && harness.echo.ends.count == 1)
  }

  @Test func `are as many as the documentation says`() {
    #expect(ConformanceCase.all.count == 246)
    #expect(Set(ConformanceCase.all.map(\.number)).count == ConformanceCase.all.count)
  }
}

extension ConformanceCase {
  static let all = framing + pings + reservedBits + opcodes + fragments + text + closing

  // MARK: 1 Framing

  private static var framing: [ConformanceCase] {
    let sizes = [0, 125, 126, 127, 128, 65_535, 65_536, 65_536]
    return [1, 2].flatMap { (opcode: UInt8) in
      sizes.enumerated().map { position, size in
        let frame = RawFrame(opcode: opcode, data: [UInt8](repeating: opcode == 1 ? 0x2A : 0xFE, count: size))
        return ConformanceCase(
          number: "1.\(opcode).\(position + 1)", sends: [frame], expects: [frame], pieces: position == 7 ? 997 : .max)
      }
    }
  }

  // MARK: 2 Pings and pongs

  private static var pings: [ConformanceCase] {
    let binary: [UInt8] = [0x00, 0xFF, 0xFE, 0xFD, 0xFC, 0xFB, 0x00, 0xFF]
    let long = [UInt8](repeating: 0xFE, count: 125)
    let ten = (0..<10).map { "payload-\($0)" }
    return [
      ConformanceCase(number: "2.1", sends: [.ping()], expects: [.pong()]),
      ConformanceCase(number: "2.2", sends: [.ping("Hello, world!")], expects: [.pong("Hello, world!")]),
      ConformanceCase(
        number: "2.3", sends: [RawFrame(opcode: 9, data: binary)], expects: [RawFrame(opcode: 10, data: binary)]),
      ConformanceCase(
        number: "2.4", sends: [RawFrame(opcode: 9, data: long)], expects: [RawFrame(opcode: 10, data: long)]),
      ConformanceCase(number: "2.5", sends: [RawFrame(opcode: 9, data: long + [0xFE])], end: .closed(1002)),
      ConformanceCase(
        number: "2.6", sends: [RawFrame(opcode: 9, data: long)], expects: [RawFrame(opcode: 10, data: long)], pieces: 1),
      ConformanceCase(number: "2.7", sends: [.pong()]),
      ConformanceCase(number: "2.8", sends: [.pong("unsolicited pong payload")]),
      ConformanceCase(
        number: "2.9", sends: [.pong("unsolicited pong payload"), .ping("ping payload")],
        expects: [.pong("ping payload")]),
      ConformanceCase(number: "2.10", sends: ten.map { .ping($0) }, expects: ten.map { .pong($0) }),
      ConformanceCase(number: "2.11", sends: ten.map { .ping($0) }, expects: ten.map { .pong($0) }, pieces: 1),
    ]
  }

  // MARK: 3 Reserved bits

  private static var reservedBits: [ConformanceCase] {
    func frame(_ frame: RawFrame, _ bits: UInt8) -> RawFrame {
      var frame = frame
      frame.reserved = bits
      return frame
    }
    let hello = RawFrame.text("Hello, world!")
    let afterEcho = (2...4).map { (bits: UInt8) in
      ConformanceCase(
        number: "3.\(bits)", sends: [hello, frame(hello, bits), .ping()], expects: [hello], end: .closed(1002),
        pieces: bits == 3 ? 19 : bits == 4 ? 1 : .max)
    }
    return [ConformanceCase(number: "3.1", sends: [frame(hello, 1)], end: .closed(1002))] + afterEcho + [
      ConformanceCase(number: "3.5", sends: [frame(RawFrame(opcode: 2, data: [0, 255]), 5)], end: .closed(1002)),
      ConformanceCase(number: "3.6", sends: [frame(.ping("Hello, world!"), 6)], end: .closed(1002)),
      ConformanceCase(number: "3.7", sends: [frame(.close(), 7)], end: .closed(1002)),
    ]
  }

  // MARK: 4 Opcodes

  private static var opcodes: [ConformanceCase] {
    let hello = RawFrame.text("Hello, world!")
    return [(1, 3), (2, 11)].flatMap { (group: Int, first: UInt8) in
      (0..<5).map { position in
        let unknown = RawFrame(opcode: first + UInt8(position), data: position % 2 == 1 ? Array("reserved".utf8) : [])
        let sends = position < 2 ? [unknown] : [hello, unknown, .ping()]
        return ConformanceCase(
          number: "4.\(group).\(position + 1)", sends: sends, expects: position < 2 ? [] : [hello], end: .closed(1002),
          pieces: position == 3 ? 19 : position == 4 ? 1 : .max)
      }
    }
  }

  // MARK: 5 Fragments

  private static var fragments: [ConformanceCase] {
    let halves: [RawFrame] = [.text("fragment1", isFinal: false), .more("fragment2")]
    let whole = RawFrame.text("fragment1fragment2")
    var cases = [9, 10].map { (opcode: UInt8) in
      ConformanceCase(
        number: "5.\(opcode - 8)",
        sends: [RawFrame(opcode: opcode, data: Array("fragment1".utf8), isFinal: false), .more("fragment2")],
        end: .closed(1002))
    }
    let plain = ConformanceCase(number: "5.3", sends: halves, expects: [whole])
    let pinged = ConformanceCase(
      number: "5.6", sends: [halves[0], .ping("ping payload"), halves[1]], expects: [.pong("ping payload"), whole])
    cases += [plain, plain.inPieces(of: 15, as: "5.4"), plain.inPieces(of: 1, as: "5.5")]
    cases += [pinged, pinged.inPieces(of: 15, as: "5.7"), pinged.inPieces(of: 1, as: "5.8")]
    for (number, isFinal) in [(9, true), (12, false)] {
      let lone = ConformanceCase(
        number: "5.\(number)", sends: [.more("non-continuation payload", isFinal: isFinal), .text("Hello, world!")],
        end: .closed(1002))
      cases += [lone, lone.inPieces(of: 30, as: "5.\(number + 1)"), lone.inPieces(of: 1, as: "5.\(number + 2)")]
    }
    cases.append(
      ConformanceCase(
        number: "5.15", sends: halves + [.more("fragment3", isFinal: false), .text("fragment4")], expects: [whole],
        end: .closed(1002)))
    for (number, isFinal) in [(16, false), (17, true)] {
      cases.append(
        ConformanceCase(
          number: "5.\(number)",
          sends: [.more("fragment1", isFinal: isFinal), .text("fragment2", isFinal: false), .more("fragment3")],
          end: .closed(1002)))
    }
    cases.append(
      ConformanceCase(
        number: "5.18", sends: [.text("fragment1", isFinal: false), .text("fragment2")], end: .closed(1002)))
    let five: [RawFrame] = [
      .text("fragment1", isFinal: false), .more("fragment2", isFinal: false), .ping("pongme 1!"),
      .more("fragment3", isFinal: false), .more("fragment4", isFinal: false), .ping("pongme 2!"), .more("fragment5"),
    ]
    let echo = RawFrame.text((1...5).map { "fragment\($0)" }.joined())
    let long = ConformanceCase(number: "5.19", sends: five, expects: [.pong("pongme 1!"), .pong("pongme 2!"), echo])
    return cases + [long, long.inPieces(of: 15, as: "5.20")]
  }

  // MARK: 7 Closing

  private static var closing: [ConformanceCase] {
    let hello = RawFrame.text("Hello World!")
    let large = RawFrame(opcode: 1, data: [UInt8](repeating: 0x42, count: 256 << 10))
    var cases = [
      ConformanceCase(number: "7.1.1", sends: [hello, .close(1000)], expects: [hello], end: .answered(.close(1000))),
      ConformanceCase(number: "7.1.2", sends: [.close(1000), .close(1000)], end: .answered(.close(1000))),
      ConformanceCase(number: "7.1.3", sends: [.close(1000), .ping()], end: .answered(.close(1000))),
      ConformanceCase(number: "7.1.4", sends: [.close(1000), hello], end: .answered(.close(1000))),
      ConformanceCase(
        number: "7.1.5", sends: [.text("fragment1", isFinal: false), .close(1000), .more("fragment2")],
        end: .answered(.close(1000))),
      ConformanceCase(
        number: "7.1.6", sends: [large, hello, .close(1000), .ping()], expects: [large, hello],
        end: .answered(.close(1000))),
      ConformanceCase(number: "7.3.1", sends: [.close()], end: .answered(.close())),
      ConformanceCase(number: "7.3.2", sends: [RawFrame(opcode: 8, data: [0x61])], end: .closed(1002)),
      ConformanceCase(number: "7.3.3", sends: [.close(1000)], end: .answered(.close(1000))),
      ConformanceCase(
        number: "7.3.4", sends: [.close(1000, "Hello World!")], end: .answered(.close(1000, "Hello World!"))),
      ConformanceCase(
        number: "7.3.5", sends: [.close(1000, String(repeating: "*", count: 123))],
        end: .answered(.close(1000, String(repeating: "*", count: 123)))),
      ConformanceCase(
        number: "7.3.6", sends: [.close(1000, String(repeating: "*", count: 124))], end: .closed(1002)),
      ConformanceCase(
        number: "7.5.1",
        sends: [
          RawFrame(opcode: 8, data: [0x03, 0xE8] + Array("κόσμε".utf8) + [0xED, 0xA0, 0x80] + Array("edited".utf8))
        ],
        end: .closed(1007)),
    ]
    let valid: [UInt16] = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]
    cases += valid.enumerated().map {
      ConformanceCase(number: "7.7.\($0 + 1)", sends: [.close($1)], end: .answered(.close($1)))
    }
    let invalid: [UInt16] = [0, 999, 1004, 1005, 1006, 1016, 1100, 2000, 2999]
    cases += invalid.enumerated().map {
      ConformanceCase(number: "7.9.\($0 + 1)", sends: [.close($1)], end: .closed(1002))
    }
    return cases
      + [5000, 65_535].enumerated().map {
        ConformanceCase(number: "7.13.\($0 + 1)", sends: [.close($1)], end: .closed(1002))
      }
  }
}
