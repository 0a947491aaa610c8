import Configuration
import Testing
import Text

@Suite struct `A listen address` {
  @Test(arguments: [
    ("127.0.0.1:27315", "127.0.0.1:27315"), (":27315", "127.0.0.1:27315"), ("localhost:0", "127.0.0.1:0"),
    ("[::1]:65535", "[::1]:65535"), ("127.8.9.255:1", "127.8.9.255:1"),
  ])
  func `on loopback is read`(_ text: String, expected: String) throws {
    let address = try ListenAddress.parse(text)
    #expect(address.description == expected)
    #expect(address.isLoopback)
  }

  @Test(arguments: ["0.0.0.0:80", "[::]:80", "128.0.0.1:80", "10.0.0.1:80", "[fe80::1]:80"])
  func `that other machines reach is told apart`(_ text: String) throws {
    let address = try ListenAddress.parse(text)
    #expect(address.description == text)
    #expect(!address.isLoopback)
  }

  @Test(arguments: [
    "", "27315", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:+1", "::1:80", "[127.0.0.1]:80", "[::1]",
    "example.org:80", "[fe80::1%eth0]:80", "[x::]:80", "127.0.0.256:80", "127.0.0:80", "127.0.0.1.1:80", "127..0.1:80",
    "127.0.0.1:80x",
  ])
  func `malformed is refused`(_ text: String) {
    #expect(throws: TextProblem.self) { try ListenAddress.parse(text) }
  }
}
