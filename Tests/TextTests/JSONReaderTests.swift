import Testing
import Text

private let strict = JSONRules(depthLimit: 128)
private let lenient = JSONRules(depthLimit: 64, invalidUTF8: .replaced, loneSurrogates: .replaced)

func problem(_ bytes: [UInt8], _ rules: JSONRules) -> JSONError? { JSONReader.problem(in: bytes.span, rules) }

/// The problem that reading every value finds.
func problemOfReading(_ bytes: [UInt8], _ rules: JSONRules) -> JSONError? {
  do {
    _ = try JSONValue(bytes.span, rules)
    return nil
  } catch {
    return error
  }
}

@Suite struct `A reader of JSON` {
  @Test(arguments: [
    "{}", "[]", "null", "true", "false", "0", "-0", "12", "-1.5", "1e9", "1E+9", "0.5e-3", #""""#, #""a""#,
    #""\"\\\/\b\f\n\r\t\u00e4\u00E4""#, #""ä€😀""#, " [ 1 , 2 ] ", "{\"a\":{\"b\":[{}]},\"c\":[]}\n", "[[],[[]],{}]",
    #"{"":0}"#, #""\ud83d\ude00""#, "{\"a\":1,\"a\":2}", "\t\r\n 1\t",
  ])
  func `takes JSON`(_ text: String) {
    for rules in [strict, lenient] {
      #expect(problem(Array(text.utf8), rules) == nil)
      #expect(problemOfReading(Array(text.utf8), rules) == nil)
    }
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("{", 1), ("[", 1), ("[1", 2), ("[1,", 3), ("[1,]", 3), ("[,1]", 1), ("{\"a\"}", 4),
    ("{\"a\":}", 5), ("{\"a\":1,}", 7), ("{a:1}", 1), ("{1:2}", 1), ("01", 1), ("-01", 2), ("1.", 2), ("1e", 2),
    ("1e+", 3), ("-", 1), ("+1", 0), (".5", 0), ("nul", 0), ("nullx", 4), ("tru", 0), ("True", 0), ("'a'", 0),
    ("\"", 1), ("\"a", 2), ("\"\n\"", 1), ("\"\\", 2), ("\"\\x\"", 2), ("\"\\u12\"", 5), ("\"\\u12G4\"", 5),
    ("[1}", 2), ("{\"a\":1]", 6), ("1 2", 2), ("]", 0), ("{\"a\":1 \"b\":2}", 7), ("NaN", 0), ("0x1", 1),
    ("\u{FEFF}1", 0), ("// x\n1", 0), ("[1]]", 3), ("\"abcdefghijklmnop\u{1F}\"", 17),
  ])
  func `says where text stops being JSON`(text: String, position: Int) {
    for rules in [strict, lenient] {
      for error in [problem(Array(text.utf8), rules), problemOfReading(Array(text.utf8), rules)] {
        #expect(error?.position == position)
        #expect(error?.code == .malformed)
      }
    }
  }

  @Test(
    arguments: [
      [0xC0, 0x80], [0xC1, 0xBF], [0xE0, 0x80, 0x80], [0xED, 0xA0, 0x80], [0xF0, 0x80, 0x80, 0x80],
      [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0x80], [0xC3], [0xE2, 0x82], [0xE2, 0x82, 0x41], [0xFF],
      [0xF1, 0x80, 0x80],
    ] as [[UInt8]])
  func `refuses or replaces what is not UTF-8`(_ bytes: [UInt8]) throws {
    for prefix in ["", "x", "twelve bytes"] {
      let document = [0x22] + Array(prefix.utf8) + bytes + [0x22]
      #expect(problem(document, strict)?.position == 1 + prefix.utf8.count)
      #expect(String(validating: document, as: UTF8.self) == nil)
      #expect(problem(document, lenient) == nil)
      #expect(try JSONValue(document.span, lenient) == .string(prefix + String(decoding: bytes, as: UTF8.self)))
    }
  }

  @Test(arguments: [
    (#""\ud800""#, 7, "\u{FFFD}"), (#""\ud800\n""#, 8, "\u{FFFD}\n"), (#""\ud800\u0041""#, 13, "\u{FFFD}A"),
    (#""\ude00""#, 7, "\u{FFFD}"), (#""\ude00\ud83d""#, 7, "\u{FFFD}\u{FFFD}"), (#""\ud83dx""#, 7, "\u{FFFD}x"),
  ])
  func `refuses or replaces a surrogate without its partner`(_ text: String, _ position: Int, _ replaced: String) throws
  {
    let bytes = Array(text.utf8)
    #expect(problem(bytes, strict)?.position == position)
    #expect(problemOfReading(bytes, strict)?.position == position)
    #expect(try JSONValue(bytes.span, lenient) == .string(replaced))
  }

  @Test(arguments: [1, 63, 64, 65, 127, 128, 1_023, 1_024]) func `takes a bounded depth`(_ depth: Int) {
    let rules = JSONRules(depthLimit: depth)
    for (opening, closing) in [("[", "]"), (#"{"a":"#, "}")] {
      let deepest = String(repeating: opening, count: depth) + "1" + String(repeating: closing, count: depth)
      #expect(problem(Array(deepest.utf8), rules) == nil)
      #expect(problemOfReading(Array(deepest.utf8), rules) == nil)
      let deeper = Array((opening + deepest + closing).utf8)
      for error in [problem(deeper, rules), problemOfReading(deeper, rules)] {
        #expect(error?.code == .tooDeep)
        #expect(error?.position == opening.utf8.count * depth)
      }
    }
  }

  @Test func `takes no more depth where another reader passes over a value`() throws {
    let bytes = Array("[[[]]]".utf8)
    var error: JSONError?
    do {
      try JSONReader.document(bytes.span, JSONRules(depthLimit: 2)) { (reader: inout JSONReader) throws(JSONError) in
        try reader.array { (reader: inout JSONReader) throws(JSONError) in try reader.skip() }
      }
    } catch let thrown { error = thrown }
    #expect(error == JSONError(.tooDeep, "arrays and objects are nested deeper than 2 levels", position: 2))
  }

  @Test func `takes no limit for more than it has`() {
    #expect(JSONRules(depthLimit: .max).depthLimit == 1_024)
    #expect(JSONRules(depthLimit: -1).depthLimit == 0)
    #expect(problem(Array(String(repeating: "{\"a\":", count: 100_000).utf8), JSONRules(depthLimit: .max)) != nil)
  }

  @Test func `gives members in their order, as often as they are written`() throws {
    let bytes = Array(#" {"b":1, "a" : "x","b":[2]} "#.utf8)
    var names: [String] = []
    var slices: [String] = []
    try JSONReader.document(bytes.span, strict) { (reader: inout JSONReader) throws(JSONError) in
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        names.append(name)
        let slice = try reader.slice()
        slices.append(String(decoding: bytes[slice], as: UTF8.self))
      }
    }
    #expect(names == ["b", "a", "b"])
    #expect(slices == ["1", #""x""#, "[2]"])
  }

  @Test func `notices a caller that reads too little or too much`() {
    let bytes = Array("[1,2]".utf8)
    func position(_ read: (inout JSONReader) throws(JSONError) -> Void) -> Int? {
      do {
        try JSONReader.document(bytes.span, strict) { (reader: inout JSONReader) throws(JSONError) in
          try reader.array(read)
        }
        return nil
      } catch { return error.position }
    }
    #expect(position { _ in } == 1)
    #expect(
      position { (reader: inout JSONReader) throws(JSONError) in
        try reader.skip()
        try reader.skip()
      } == 2)
  }

  @Test func `tells the kinds of values`() throws {
    let kinds: [(String, JSONReader.Kind)] = [
      ("{}", .object), (" []", .array), ("\"\"", .string), ("-1", .number), ("0", .number), ("true", .boolean),
      ("false", .boolean), ("\nnull", .null),
    ]
    for (text, kind) in kinds {
      let bytes = Array(text.utf8)
      var reader = JSONReader(bytes.span, strict)
      #expect(try reader.kind() == kind)
      try reader.skip()
      try reader.end()
    }
    let bytes = Array("x".utf8)
    var reader = JSONReader(bytes.span, strict)
    do {
      _ = try reader.kind()
      Issue.record("x is no value")
    } catch { #expect(error.code == .malformed) }
  }

  @Test(arguments: [
    (#" { "a b" : [ 1 , "x y\" z\\" ] , "c" : { } } "#, #"{"a b":[1,"x y\" z\\"],"c":{}}"#), ("\n1.50e+1\t", "1.50e+1"),
    ("\" \"", "\" \""), ("[ [ ] ]", "[[]]"),
  ])
  func `compacts and changes nothing else`(_ text: String, _ compact: String) throws {
    let bytes = Array(text.utf8)
    var reader = JSONReader(bytes.span, strict)
    let slice = try reader.slice()
    #expect(String(decoding: JSONReader.compacted(bytes.span, slice), as: UTF8.self) == compact)
  }
}

@Suite struct `A number of JSON` {
  private func read<Value>(
    _ text: String, _ read: (inout JSONReader) throws(JSONError) -> Value
  ) -> Result<Value, JSONError> {
    do { return .success(try JSONReader.document(Array(text.utf8).span, strict, read)) } catch {
      return .failure(error)
    }
  }

  @Test(
    arguments: [
      ("0", 0), ("-0", 0), ("18446744073709551615", .max), ("1.0", 1), ("10e-1", 1), ("1.5e1", 15), ("1e3", 1_000),
      ("0.000e99999", 0), ("00", nil), ("18446744073709551616", nil), ("-1", nil), ("1.5", nil), ("1e999", nil),
      ("1e-1", nil), ("12345678901234567890", 12_345_678_901_234_567_890), ("\"1\"", nil), ("null", nil),
      ("1\(String(repeating: "0", count: 60))e-60", 1),
    ] as [(String, UInt64?)])
  func `is whole and not negative`(_ text: String, _ value: UInt64?) {
    let result = read(text) { (reader: inout JSONReader) throws(JSONError) in try reader.unsigned() }
    #expect((try? result.get()) == value)
    if case .failure(let error) = result { #expect(error.position == (text == "00" ? 1 : 0)) }
  }

  @Test(
    arguments: [
      ("-9223372036854775808", .min), ("9223372036854775807", .max), ("9223372036854775808", nil), ("-1e2", -100),
      ("-9223372036854775809", nil),
    ] as [(String, Int64?)])
  func `is whole`(_ text: String, _ value: Int64?) {
    let result = read(text) { (reader: inout JSONReader) throws(JSONError) in try reader.signed() }
    #expect((try? result.get()) == value)
  }

  @Test(arguments: [
    ("1", 1_000_000_000), ("0.000000001", 1), ("0.0000000019", 1), ("-1.5", -1_500_000_000), ("1e-9", 1), ("1e-10", 0),
    ("-9223372036.854775808", Int128(Int64.min)), ("1e20", 100_000_000_000_000_000_000_000_000_000),
  ])
  func `is a number of seconds`(_ text: String, _ nanoseconds: Int128) throws {
    let result = read(text) { (reader: inout JSONReader) throws(JSONError) in try reader.nanoseconds() }
    #expect(try result.get() == nanoseconds)
  }

  @Test func `is kept as it is written`() throws {
    for text in ["-0", "1.50e+03", "123456789012345678901234567890"] {
      let result = read(" \(text) ") { (reader: inout JSONReader) throws(JSONError) in try reader.numberText() }
      #expect(try result.get() == text)
    }
  }
}
