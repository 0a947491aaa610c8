import Configuration
import Testing
import Text

@Suite struct `A listen address` {
  @Test(arguments: [
    ("127.0.0.1:27315", "127.0.0.1:27315"), (":27315", "127.0.0.1:27315"), ("localhost:0", "127.0.0.1:0"),
    ("[::1]:65535", "[::1]:65535"), ("127.8.9.255:1", "127.8.9.255:1"),
  ])
  func `on loopback is read`(_ text: String, expected: String) throws {
    #expect(try ListenAddress.parse(text).description == expected)
  }

  @Test(arguments: [
    "", "27315", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80", "[127.0.0.1]:80", "[::1]",
    "[::]:80",
    "0.0.0.0:80", "example.org:80", "128.0.0.1:80", "127.0.0.256:80", "127.0.0:80", "127.0.0.1.1:80", "127..0.1:80",
    "127.0.0.1:80x",
  ])
  func `elsewhere or malformed is refused`(_ text: String) {
    #expect(throws: TextProblem.self) { try ListenAddress.parse(text) }
  }

  @Test func `that is not on loopback is refused with the reason`() {
    #expect(throws: TextProblem.self) { try ListenAddress.parse("10.0.0.1:80") }
    do {
      _ = try ListenAddress.parse("10.0.0.1:80")
    } catch {
      #expect(error.message.contains("needs a token or TLS"))
      #expect(error.message.contains("write 127.0.0.1:80"))
    }
  }
}
