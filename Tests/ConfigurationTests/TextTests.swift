import Configuration
import Lifecycle
import Testing

@Suite struct `A length of time` {
  @Test(arguments: [
    ("30m", 1_800_000), ("12h", 43_200_000), ("7d", 604_800_000), ("500ms", 500), ("10s", 10_000), ("1m30s", 90_000),
    ("1d2h3m4s5ms", 93_784_005), ("0s", 0), ("3650d", 315_360_000_000),
  ])
  func `is read`(_ text: String, milliseconds: Int64) throws {
    #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
  }

  @Test(arguments: [
    "", "s", "10", "10 s", "-1s", "+1s", "1.5s", "1w", "1S", "30s1m", "1s1s", "1ms1s", "3651d", "99999999999999999999s",
    "9223372036854775807d", "١s", "1s ", "s1", "1m30",
  ])
  func `is refused with a sentence`(_ text: String) {
    #expect(throws: TextProblem.self) { try DurationText.parse(text) }
  }

  @Test(arguments: [(90_000, "90s"), (0, "0s"), (43_200_000, "12h"), (1_500, "1500ms"), (604_800_000, "7d")])
  func `is written so that it is read as the same`(_ milliseconds: Int64, text: String) throws {
    #expect(DurationText.text(.milliseconds(milliseconds)) == text)
    #expect(try DurationText.parse(text) == .milliseconds(milliseconds))
  }
}

@Suite struct `An amount of memory` {
  @Test(arguments: [
    ("128", 128), ("512MB", 512), ("0.5GB", 512), ("10GB", 10_240), ("1gb", 1024), ("1.5 GiB", 1536), ("100.4", 100),
    ("0.3GB", 307), ("0", 0),
  ])
  func `is read in megabytes of 1,048,576 bytes`(_ text: String, megabytes: Int64) throws {
    #expect(try MemoryText.parse(text) == megabytes * 1_048_576)
  }

  @Test(arguments: [
    "", "MB", ".5GB", "1.", "1.2.3", "-1", "1e3", "1TB", "12345678901", "0.1234567", "1 M B", "0x10", "1kB",
  ])
  func `is refused with a sentence`(_ text: String) {
    #expect(throws: TextProblem.self) { try MemoryText.parse(text) }
  }

  @Test func `is written in the largest exact unit`() {
    #expect(MemoryText.text(bytes: 512 * 1_048_576) == "512MB")
    #expect(MemoryText.text(bytes: 2048 * 1_048_576) == "2GB")
    #expect(MemoryText.text(bytes: 0) == "0MB")
  }
}

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
