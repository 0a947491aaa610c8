import Foundation
import TestSupport
import Testing
import Text

@Suite struct `Whatever bytes come` {
  private static let documents = [
    #"{"a":[1,-2.5e3,"x\u00e9\n",{"b":null,"c":[true,false,{}]}],"d":"\ud83d\ude00"}"#,
    #"{"statusCode":200,"headers":{"X":"y"},"cookies":["a=b"],"body":"aGk=","isBase64Encoded":true}"#,
    #" [ 0 , -0 , 12.50E+3 , "plain text of more than eight bytes, with an é and a 😀 in it" ] "#,
  ]

  private static let rules = [
    JSONRules(depthLimit: 16), JSONRules(depthLimit: 1_024, loneSurrogates: .replaced),
    JSONRules(depthLimit: 64, invalidUTF8: .replaced, loneSurrogates: .replaced),
  ]

  private static func mutated(_ document: String, _ random: inout SplitMix) -> [UInt8] {
    let alphabet = Array("{}[]\",:\\u0e-.ntf \u{1}".utf8) + [0x80, 0xC3, 0xE2, 0xED, 0xFF]
    var bytes = Array(document.utf8)
    for _ in 0..<Int.random(in: 1...4, using: &random) where !bytes.isEmpty {
      let position = Int.random(in: 0..<bytes.count, using: &random)
      switch Int.random(in: 0..<4, using: &random) {
      case 0: bytes[position] = alphabet.randomElement(using: &random) ?? 0
      case 1: bytes.remove(at: position)
      case 2: bytes.insert(alphabet.randomElement(using: &random) ?? 0, at: position)
      default: bytes.removeLast(bytes.count - position)
      }
    }
    return bytes
  }

  @Test func `passing over them and reading them agree, and what is read is written so that it reads the same`() throws
  {
    var random = SplitMix(seed: 27_315)
    for round in 0..<6_000 {
      let document = Self.documents[round % Self.documents.count]
      let bytes = round < 3 ? Array(document.utf8) : Self.mutated(document, &random)
      for rules in Self.rules {
        let skipped = problem(bytes, rules)
        #expect(skipped == problemOfReading(bytes, rules), "\(String(decoding: bytes, as: UTF8.self))")
        guard skipped == nil else { continue }
        let value = try JSONValue(bytes.span, rules)
        #expect(try JSONValue(value.bytes.span, JSONRules(depthLimit: 1_024)) == value)
        var reader = JSONReader(bytes.span, rules)
        let compact = JSONReader.compacted(bytes.span, try reader.slice())
        #expect(try JSONValue(compact.span, rules) == value)
      }
    }
  }

  @Test func `noise never traps`() {
    var random = SplitMix(seed: 1)
    for _ in 0..<4_000 {
      let bytes = (0..<Int.random(in: 0...40, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      for rules in Self.rules { #expect(problem(bytes, rules) == problemOfReading(bytes, rules)) }
    }
  }

  @Test func `a strict reader takes exactly what Python's takes, and reads the same`() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus/json.txt")
    let lines = try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
    #expect(lines.count == 1_000)
    for line in lines {
      let parts = line.split(separator: " ").map(String.init)
      let bytes = try #require(Base64.decode(parts[0]))
      let text = String(decoding: bytes, as: UTF8.self)
      guard parts[1] != "-" else {
        #expect(problem(bytes, JSONRules(depthLimit: 128)) != nil, "\(text)")
        continue
      }
      let value = try JSONValue(bytes.span, JSONRules(depthLimit: 128))
      let dumped = try #require(Base64.decode(parts[1]))
      let expected = try JSONValue(dumped.span, JSONRules(depthLimit: 128))
      #expect(numbersAsText(value).meansTheSame(as: expected), "\(text)")
    }
  }

  /// Numbers as the corpus has them, which keeps their digits from Python's arithmetic.
  private func numbersAsText(_ value: JSONValue) -> JSONValue {
    switch value {
    case .number(let digits): .string("#" + digits)
    case .array(let elements): .array(elements.map(numbersAsText))
    case .object(let members): .object(members.map { .init($0.name, numbersAsText($0.value)) })
    default: value
    }
  }

  @Test func `random trees read as they were written`() throws {
    var random = SplitMix(seed: 9)
    for _ in 0..<500 {
      let value = tree(4, &random)
      for escapesDelete in [false, true] {
        var writer = JSONWriter(escapesDelete: escapesDelete)
        writer.value(value)
        #expect(try JSONValue(writer.bytes.span, JSONRules(depthLimit: 8)) == value)
        #expect(JSONReader.compacted(writer.bytes.span, 0..<writer.bytes.count) == writer.bytes)
      }
    }
  }

  private func tree(_ depth: Int, _ random: inout SplitMix) -> JSONValue {
    switch Int.random(in: 0..<(depth > 0 ? 7 : 5), using: &random) {
    case 0: .null
    case 1: .bool(.random(using: &random))
    case 2: .number(Int.random(in: .min ... .max, using: &random))
    case 3: .number(Double.random(in: -1e9...1e9, using: &random))
    case 4: .string(text(&random))
    case 5: .array((0..<Int.random(in: 0...4, using: &random)).map { _ in tree(depth - 1, &random) })
    default:
      .object((0..<Int.random(in: 0...4, using: &random)).map { _ in .init(text(&random), tree(depth - 1, &random)) })
    }
  }

  private func text(_ random: inout SplitMix) -> String {
    var text = ""
    for _ in 0..<Int.random(in: 0...20, using: &random) {
      let scalar = Unicode.Scalar(
        UInt32.random(in: 0...(Bool.random(using: &random) ? 0x7F : 0x1_FFFF), using: &random))
      text.unicodeScalars.append(scalar ?? "\u{7F}")
    }
    return text
  }
}
