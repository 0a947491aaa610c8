// Group 6: UTF-8. The texts of 6.5 to 6.23 are those of Markus Kuhn's decoder test.
extension ConformanceCase {
  private static let kosme: [UInt8] = [0xCE, 0xBA, 0xE1, 0xBD, 0xB9, 0xCF, 0x83, 0xCE, 0xBC, 0xCE, 0xB5]
  private static let edited = Array("edited".utf8)

  static var text: [ConformanceCase] { emptyMessages + wholeTexts + failingFast + sequences }

  private static func frame(_ data: [UInt8], _ opcode: UInt8 = 1, isFinal: Bool = true) -> RawFrame {
    RawFrame(opcode: opcode, data: data, isFinal: isFinal)
  }

  /// A message in fragments of `size` bytes.
  private static func fragments(_ data: [UInt8], of size: Int) -> [RawFrame] {
    stride(from: 0, to: data.count, by: size).map { start in
      let end = min(start + size, data.count)
      return frame(Array(data[start..<end]), start == 0 ? 1 : 0, isFinal: end == data.count)
    }
  }

  private static var emptyMessages: [ConformanceCase] {
    [
      ConformanceCase(number: "6.1.1", sends: [frame([])], expects: [frame([])]),
      ConformanceCase(
        number: "6.1.2", sends: [frame([], isFinal: false), frame([], 0, isFinal: false), frame([], 0)],
        expects: [frame([])]),
      ConformanceCase(
        number: "6.1.3", sends: [frame([], isFinal: false), frame(edited, 0, isFinal: false), frame([], 0)],
        expects: [frame(edited)]),
    ]
  }

  private static var wholeTexts: [ConformanceCase] {
    let hello = Array("Hello-µ@ßöäüàá-UTF-8!!".utf8)
    let bad = kosme + [0xED, 0xA0, 0x80] + edited
    return [
      ConformanceCase(number: "6.2.1", sends: [frame(hello)], expects: [frame(hello)]),
      ConformanceCase(
        number: "6.2.2", sends: [frame(Array(hello[..<12]), isFinal: false), frame(Array(hello[12...]), 0)],
        expects: [frame(hello)]),
      ConformanceCase(number: "6.2.3", sends: fragments(hello, of: 1), expects: [frame(hello)]),
      ConformanceCase(number: "6.2.4", sends: fragments(kosme, of: 1), expects: [frame(kosme)]),
      ConformanceCase(number: "6.3.1", sends: [frame(bad)], end: .closed(1007)),
      ConformanceCase(number: "6.3.2", sends: fragments(bad, of: 1), end: .closed(1007)),
    ]
  }

  /// The last fragment is never sent: the fault shows before it. Within a frame (6.4.3, 6.4.4) it shows when the frame is whole.
  private static var failingFast: [ConformanceCase] {
    let beyond: [UInt8] = [0xF4, 0x90, 0x80, 0x80]
    let whole = frame(kosme + beyond + edited)
    return [
      ConformanceCase(
        number: "6.4.1", sends: [frame(kosme, isFinal: false), frame(beyond, 0, isFinal: false)], end: .closed(1007)),
      ConformanceCase(
        number: "6.4.2", sends: [frame(kosme + [0xF4], isFinal: false), frame([0x90], 0, isFinal: false)],
        end: .closed(1007)),
      ConformanceCase(number: "6.4.3", sends: [whole], end: .closed(1007), pieces: 17),
      ConformanceCase(number: "6.4.4", sends: [whole], end: .closed(1007), pieces: 1),
    ]
  }

  private static var sequences: [ConformanceCase] {
    groups.flatMap { group, texts in
      texts.enumerated().map { position, bytes in
        let isValid = String(validating: bytes, as: UTF8.self) != nil
        return ConformanceCase(
          number: "6.\(group).\(position + 1)", sends: [frame(bytes)], expects: isValid ? [frame(bytes)] : [],
          end: isValid ? .open : .closed(1007))
      }
    }
  }

  private static var groups: [(Int, [[UInt8]])] {
    let bytes = { (scalar: UInt32) -> [UInt8] in
      // Surrogates and what is beyond Unicode have no scalar, but a form.
      scalar < 0x10000
        ? [0xE0 | UInt8(scalar >> 12), 0x80 | UInt8(scalar >> 6 & 63), 0x80 | UInt8(scalar & 63)]
        : [
          0xF0 | UInt8(scalar >> 18), 0x80 | UInt8(scalar >> 12 & 63), 0x80 | UInt8(scalar >> 6 & 63),
          0x80 | UInt8(scalar & 63),
        ]
    }
    let hello = { (middle: [UInt8]) in Array("hello".utf8) + middle + Array("world".utf8) }
    let continuations: [[UInt8]] =
      [[0x80], [0xBF], [0x80, 0xBF], [0x80, 0xBF, 0x80], [0x80, 0xBF, 0x80, 0xBF], [0x80, 0xBF, 0x80, 0xBF, 0x80]]
      + [[0x80, 0xBF, 0x80, 0xBF, 0x80, 0xBF], Array(0x80...0xBE)]
    let starts: [ClosedRange<UInt8>] = [0xC0...0xDF, 0xE0...0xEF, 0xF0...0xF7, 0xF8...0xFB, 0xFC...0xFD]
    let truncated: [[UInt8]] = [
      [0xC0], [0xE0, 0x80], [0xF0, 0x80, 0x80], [0xF8, 0x80, 0x80, 0x80], [0xFC, 0x80, 0x80, 0x80, 0x80], [0xDF],
      [0xEF, 0xBF], [0xF7, 0xBF, 0xBF], [0xFB, 0xBF, 0xBF, 0xBF], [0xFD, 0xBF, 0xBF, 0xBF, 0xBF],
    ]
    let surrogates: [UInt32] = [0xD800, 0xDB7F, 0xDB80, 0xDBFF, 0xDC00, 0xDF80, 0xDFFF]
    let pairs: [(UInt32, UInt32)] = [
      (0xD800, 0xDC00), (0xD800, 0xDFFF), (0xDB7F, 0xDC00), (0xDB7F, 0xDFFF), (0xDB80, 0xDC00), (0xDB80, 0xDFFF),
      (0xDBFF, 0xDC00), (0xDBFF, 0xDFFF),
    ]
    let noncharacters: [UInt32] = [0xFFFE, 0xFFFF] + (1...16).flatMap { [$0 << 16 | 0xFFFE, $0 << 16 | 0xFFFF] }
    return [
      (5, [hello([0x24]), hello([0xC2, 0xA2]), hello([0xE2, 0x82, 0xAC]), hello([0xF0, 0xA4, 0xAD, 0xA2]), kosme]),
      (6, (1...kosme.count).map { Array(kosme[..<$0]) }),
      (7, [[0x00], [0xC2, 0x80], [0xE0, 0xA0, 0x80], [0xF0, 0x90, 0x80, 0x80]]),
      (8, [[0xF8, 0x88, 0x80, 0x80, 0x80], [0xFC, 0x84, 0x80, 0x80, 0x80, 0x80]]),
      (9, [[0x7F], [0xDF, 0xBF], [0xEF, 0xBF, 0xBF], [0xF4, 0x8F, 0xBF, 0xBF]]),
      (10, [[0xF7, 0xBF, 0xBF, 0xBF], [0xFB, 0xBF, 0xBF, 0xBF, 0xBF], [0xFD, 0xBF, 0xBF, 0xBF, 0xBF, 0xBF]]),
      (11, [bytes(0xD7FF), bytes(0xE000), bytes(0xFFFD), bytes(0x10FFFF), bytes(0x110000)]),
      (12, continuations), (13, starts.map { $0.flatMap { [$0, 0x20] } }), (14, truncated),
      (15, [truncated.flatMap { $0 }]), (16, [[0xFE], [0xFF], [0xFE, 0xFE, 0xFF, 0xFF]]),
      (17, overlong(0xAF)), (18, longest), (19, overlong(0x80)), (20, surrogates.map(bytes)),
      (21, pairs.map { bytes($0) + bytes($1) }), (22, noncharacters.map(bytes)),
      (23, (0xFFF9...0xFFFF).map(bytes)),
    ]
  }

  /// A character of one byte in two to six.
  private static func overlong(_ last: UInt8) -> [[UInt8]] {
    [
      [0xC0, last], [0xE0, 0x80, last], [0xF0, 0x80, 0x80, last], [0xF8, 0x80, 0x80, 0x80, last],
      [0xFC, 0x80, 0x80, 0x80, 0x80, last],
    ]
  }

  /// The largest overlong form of each length.
  private static let longest: [[UInt8]] = [
    [0xC1, 0xBF], [0xE0, 0x9F, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF8, 0x87, 0xBF, 0xBF, 0xBF],
    [0xFC, 0x83, 0xBF, 0xBF, 0xBF, 0xBF],
  ]
}
