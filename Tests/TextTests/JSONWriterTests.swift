import Testing
import Text

@Suite struct `A writer of JSON` {
  private func written(_ write: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    write(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  @Test func `puts commas where they belong`() {
    let text = written {
      $0.object {
        $0.member("text", "x")
        $0.key("list")
        $0.array {
          $0.integer(-3)
          $0.boolean(true)
          $0.array { _ in }
          $0.object { _ in }
          $0.null()
        }
        $0.member("yes", true)
        $0.member("whole", UInt64.max)
        $0.member("none", orNull: nil)
        $0.member("some", orNull: 1)
        $0.key("raw")
        $0.verbatim("{ }")
        $0.beginArray()
        $0.endArray()
      }
    }
    let expected =
      #"{"text":"x","list":[-3,true,[],{},null],"yes":true,"whole":18446744073709551615,"none":null,"some":1,"#
      + #""raw":{ },[]}"#
    #expect(text == expected)
  }

  @Test func `escapes control characters, quotes and backslashes, and leaves the rest`() {
    let text = "\"\\/\n\r\t\u{8}\u{0}\u{1F}\u{7F}é😀\u{2028}"
    #expect(written { $0.string(text) } == #""\"\\/\n\r\t\u0008\u0000\u001f"# + "\u{7F}é😀\u{2028}\"")
    var writer = JSONWriter(escapesDelete: true)
    writer.string(text)
    #expect(String(decoding: writer.bytes, as: UTF8.self) == #""\"\\/\n\r\t\u0008\u0000\u001f\u007fé😀"# + "\u{2028}\"")
  }

  @Test func `escapes text that does not lie in one piece`() {
    let parts = ["a\"", "é\n"].joined(separator: String(repeating: "x", count: 40))
    #expect(
      written { $0.string(String(parts.reversed().reversed())) } == #""a\""# + parts.dropFirst(2).dropLast() + #"\n""#)
  }

  @Test(arguments: [
    (0, "0"), (1, "0.000000001"), (-1, "-0.000000001"), (1_500_000_000, "1.5"), (60_000_000_000, "60"),
    (999_999_999, "0.999999999"), (Int128(Int64.min), "-9223372036.854775808"),
    (.max, "170141183460469231731687303715.884105727"), (.min, "-170141183460469231731687303715.884105728"),
    (10_000_000_000_000_000_000_000_000_000, "10000000000000000000"),
  ])
  func `writes seconds exactly`(_ nanoseconds: Int128, _ text: String) {
    #expect(written { $0.seconds(nanoseconds: nanoseconds) } == text)
    #expect(DecimalText.seconds(nanoseconds: nanoseconds) == text)
  }

  @Test func `writes what is not finite as null`() {
    let text = written { writer in
      writer.array { for value in [Double.nan, .infinity, -.infinity, 1e300, 0.25, -2] { $0.real(value) } }
    }
    #expect(text == "[null,null,null,null,0.25,-2]")
  }

  @Test func `writes whole numbers of every width`() {
    let text = written {
      $0.array {
        $0.integer(Int64.min)
        $0.integer(Int64.max)
        $0.integer(0)
        $0.integer(Int128.min)
        $0.integer(Int128(UInt64.max))
        $0.milliseconds(nanoseconds: 1_234_567)
      }
    }
    #expect(
      text
        == "[-9223372036854775808,9223372036854775807,0,-170141183460469231731687303715884105728,18446744073709551615,"
        + "1.235]")
  }

  @Test func `says whether two values mean the same`() throws {
    func value(_ text: String) throws -> JSONValue { try JSONValue(Array(text.utf8).span, JSONRules(depthLimit: 8)) }
    for (left, right, same) in [
      (#"{"a":1,"b":[{"c":2,"d":3}]}"#, #"{"b":[{"d":3,"c":2}],"a":1}"#, true), (#"{"a":1,"a":2}"#, #"{"a":2}"#, true),
      (#"{"a":1}"#, #"{"a":1,"b":null}"#, false), ("[1,2]", "[2,1]", false), (#"{"a":1}"#, #"{"b":1}"#, false),
    ] {
      #expect(try value(left).meansTheSame(as: value(right)) == same)
      #expect(try value(right).meansTheSame(as: value(left)) == same)
    }
  }
}
