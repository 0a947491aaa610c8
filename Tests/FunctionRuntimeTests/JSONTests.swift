import Testing

@testable import FunctionRuntime

@Test(
  arguments: [
    ("null", JSONValue.null, "null"), (" true\n", true, "true"), ("false", false, "false"),
    ("0", 0, "0"), ("-0", .number("-0"), "-0"), ("12.50e+3", .number("12.50e+3"), "12.50e+3"),
    ("123456789012345678901234567890", .number("123456789012345678901234567890"), "123456789012345678901234567890"),
    ("\"\"", "", "\"\""), (#""a\"\\\/\b\f\n\r\t""#, "a\"\\/\u{8}\u{C}\n\r\t", #""a\"\\/\u0008\u000c\n\r\t""#),
    (#""\u00e9\u20AC\ud83d\ude00""#, "é€😀", "\"é€😀\""), ("\"é😀\u{7F}\"", "é😀\u{7F}", "\"é😀\u{7F}\""),
    (#""\u0000\u001F""#, "\u{0}\u{1F}", #""\u0000\u001f""#),
    ("[]", [], "[]"), ("[ 1 , [ ] , \"x\" ]", [1, [], "x"], "[1,[],\"x\"]"), ("{}", [:], "{}"),
    ("{ \"a\" : 1 ,\t\"b\":{\"c\":[null]} }", ["a": 1, "b": ["c": [nil]]], "{\"a\":1,\"b\":{\"c\":[null]}}"),
    ("{\"a\":1,\"a\":2}", .object([.init("a", 1), .init("a", 2)]), "{\"a\":1,\"a\":2}"),
  ] as [(String, JSONValue, String)])
func `reads and writes JSON`(_ text: String, _ value: JSONValue, _ written: String) throws {
  #expect(try JSONValue(parsing: text) == value)
  #expect(value.text == written)
  #expect(try JSONValue(parsing: value.bytes) == value)
}

@Test(
  arguments: [
    ("", 0), ("  ", 2), ("nul", 0), ("True", 0), ("nulll", 4), ("1 2", 2), ("01", 1), ("-", 1), ("+1", 0), ("1.", 2),
    (".5", 0), ("1e", 2), ("1e+", 3), ("0x1", 1), ("NaN", 0), ("[", 1), ("[1", 2), ("[1,]", 3), ("[,1]", 1),
    ("[1 2]", 3),
    ("]", 0), ("{", 1), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("{\"a\":1,}", 7), ("{a:1}", 1),
    ("{\"a\" 1}", 5),
    ("{1:2}", 1), ("\"", 1), ("\"a", 2), ("'a'", 0), ("\"\\x\"", 2), ("\"\\\"", 3), ("\"\\", 2), ("\"a\nb\"", 2),
    ("\"\\u12\"", 5), ("\"\\u12G4\"", 5), ("\"\\ud800\"", 7), ("\"\\ud800\\n\"", 8), ("\"\\ud800\\u0041\"", 13),
    ("\"\\ude00\"", 7), ("// x\n1", 0), ("\u{FEFF}1", 0), ("[1]]", 3),
  ])
func `refuses what is not JSON`(_ text: String, _ offset: Int) {
  let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
  #expect(error?.offset == offset)
}

@Test(
  arguments: [
    [0x22, 0xFF, 0x22], [0x22, 0xC0, 0x80, 0x22], [0x22, 0xED, 0xA0, 0x80, 0x22], [0x22, 0xE2, 0x82, 0x22],
    [0x22, 0xF4, 0x90, 0x80, 0x80, 0x22],
  ] as [[UInt8]])
func `refuses what is not UTF-8`(_ bytes: [UInt8]) {
  let error = #expect(throws: JSONError.self) { try JSONValue(parsing: bytes) }
  #expect(error?.offset == 1)
}

@Test func `the depth is bounded`() throws {
  func nested(_ depth: Int) -> String { String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
  _ = try JSONValue(parsing: nested(128))
  #expect(throws: JSONError.self) { try JSONValue(parsing: nested(129)) }
  _ = try JSONValue(parsing: nested(1_000), depthLimit: .max)
  #expect(throws: JSONError.self) { try JSONValue(parsing: nested(1_001), depthLimit: .max) }
  #expect(throws: JSONError.self) { try JSONValue(parsing: String(repeating: "{\"a\":", count: 1_000_000)) }
}

@Test func `every cut and every changed byte is read or refused`() throws {
  let text = Array(#"{"a":[1,-2.5e3,"x\u20ac\ud83d\ude00",true,null],"b":{"c":"é"}}"#.utf8)
  for count in 0..<text.count { #expect(throws: JSONError.self) { try JSONValue(parsing: Array(text.prefix(count))) } }
  for index in text.indices {
    for byte: UInt8 in [0, 0x22, 0x5C, 0x7D, 0x80, 0xFF] {
      var changed = text
      changed[index] = byte
      // Whatever it is, it must not trap, and what is read must be written so that it reads the same.
      guard let value = try? JSONValue(parsing: changed) else { continue }
      #expect(try JSONValue(parsing: value.bytes) == value)
    }
  }
}

@Test func `values are asked for by name, place and kind`() throws {
  let value = try JSONValue(parsing: #"{"n":3,"d":1.5,"s":"x","b":true,"l":[1,"two"],"z":null,"n":4}"#)
  #expect(value["n"]?.int == 4)
  #expect(value["d"]?.double == 1.5)
  #expect(value["d"]?.int == nil)
  #expect(value["s"]?.string == "x")
  #expect(value["b"]?.bool == true)
  #expect(value["l"]?[1] == "two")
  #expect(value["l"]?[2] == nil)
  #expect(value["l"]?[-1] == nil)
  #expect(value["z"]?.isNull == true)
  #expect(value["absent"] == nil)
  #expect(JSONValue.number(Double.nan) == .null)
  #expect(JSONValue.number(0.25).text == "0.25")
}
