import Testing
import Text

@Suite struct `Percent-encoding` {
  @Test(arguments: ["", "a b", "100%", "ü/\u{1F600}", "/var/lib/kelvin/logs/orders.log", "a+b", "%41"])
  func `is undone`(_ text: String) {
    for kept in [PercentEncoding.Kept.unreserved, .visible] {
      #expect(PercentEncoding.decoded(PercentEncoding.encoded(text, keeping: kept)[...].utf8) == text)
    }
  }

  @Test func `keeps what stands for itself, and writes digits in upper case`() {
    #expect(PercentEncoding.encoded("aZ09-._~ /ü") == "aZ09-._~%20%2F%C3%BC")
    #expect(PercentEncoding.encoded("a/b c%\n", keeping: .visible) == "a/b%20c%25%0A")
  }

  @Test(arguments: ["%", "%4", "%zz", "%FF", "%+4", "a%4g"])
  func `is not made up`(_ text: String) { #expect(PercentEncoding.decoded(text[...].utf8) == nil) }

  @Test(arguments: [
    ("%", "%"), ("%4", "%4"), ("%zz", "%zz"), ("%FF", "\u{FFFD}"), ("a+b%2Bc", "a b+c"), ("%%41", "%A"),
    ("%C3%BC", "ü"),
  ])
  func `is read as far as it is some`(_ text: String, _ decoded: String) {
    #expect(PercentEncoding.decodedLeniently(text[...].utf8, plusIsSpace: true) == decoded)
  }

  @Test func `takes a plus for a blank where that is asked for`() {
    #expect(PercentEncoding.decoded("a+b%20c"[...].utf8) == "a+b c")
    #expect(PercentEncoding.decoded("a+b%20c"[...].utf8, plusIsSpace: true) == "a b c")
  }
}
