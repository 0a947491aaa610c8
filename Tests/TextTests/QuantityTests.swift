import TestSupport
import Testing
import Text

@Suite struct `A length of time as text` {
  @Test(
    arguments: [
      ("30m", 1_800_000), ("12h", 43_200_000), ("7d", 604_800_000), ("500ms", 500), ("10s", 10_000), ("1m30s", 90_000),
      ("1d2h3m4s5ms", 93_784_005), ("0s", 0), ("3650d", 315_360_000_000), ("1500ms", 1_500), ("1h30m", 5_400_000),
      ("2w", 1_209_600_000), ("1w1d", 691_200_000), ("007s", 7_000),
    ] as [(String, Int64)])
  func `is read`(_ text: String, milliseconds: Int64) throws {
    #expect(try DurationText.nanoseconds(text) == milliseconds * 1_000_000)
  }

  @Test(arguments: [
    "", "s", "10", "10 s", "-1s", "+1s", "1.5s", "1y", "1S", "30s1m", "1s1s", "1ms1s", "1d1w", "3651d",
    "99999999999999999999s", "9223372036854775807d", "521w4d", "١s", "1s ", "s1", "1m30", "1us", "1µs", "1min",
  ])
  func `is refused with a sentence`(_ text: String) {
    let problem = #expect(throws: TextProblem.self) { try DurationText.nanoseconds(text) }
    #expect(problem?.message.hasSuffix(".") == false)
  }

  @Test(
    arguments: [
      (90_000, "90s"), (0, "0s"), (43_200_000, "12h"), (1_500, "1500ms"), (604_800_000, "7d"), (1_209_600_000, "14d"),
    ] as [(Int64, String)])
  func `is written so that it is read as the same`(_ milliseconds: Int64, text: String) throws {
    #expect(DurationText.text(nanoseconds: milliseconds * 1_000_000) == text)
    #expect(try DurationText.nanoseconds(text) == milliseconds * 1_000_000)
  }

  @Test func `reads back to the millisecond, and never traps`() throws {
    var random = SplitMix(seed: 6)
    for _ in 0..<4_000 {
      let length = Int64.random(in: 0...DurationText.longest, using: &random) / 1_000_000 * 1_000_000
      #expect(try DurationText.nanoseconds(DurationText.text(nanoseconds: length)) == length)
      let alphabet = Array("0123456789wdhms .-9999")
      let noise = String(
        (0..<Int.random(in: 0...9, using: &random)).map { _ in alphabet.randomElement(using: &random) ?? "0" })
      do {
        #expect((0...DurationText.longest).contains(try DurationText.nanoseconds(noise)))
      } catch { #expect(error.message.hasPrefix(quoted(noise))) }
    }
    #expect(DurationText.text(nanoseconds: .max) == "9223372036854ms")
  }
}

@Suite struct `An amount of memory as text` {
  @Test(
    arguments: [
      ("128", 128), ("512MB", 512), ("0.5GB", 512), ("10GB", 10_240), ("1gb", 1_024), ("1.5 GiB", 1_536),
      ("100.4", 100), ("0.3GB", 307), ("0", 0), ("999999999GB", 1_023_999_998_976),
    ] as [(String, Int64)])
  func `is read in megabytes of 1,048,576 bytes`(_ text: String, megabytes: Int64) throws {
    #expect(try MemoryText.bytes(text) == megabytes * 1_048_576)
  }

  @Test(arguments: [
    "", "MB", ".5GB", "1.", "1.2.3", "-1", "1e3", "1TB", "12345678901", "0.1234567", "1 M B", "0x10", "1kB", "1\u{0}MB",
  ])
  func `is refused with a sentence`(_ text: String) {
    #expect(throws: TextProblem.self) { try MemoryText.bytes(text) }
  }

  @Test func `is written in the largest exact unit`() {
    #expect(MemoryText.text(bytes: 512 * 1_048_576) == "512MB")
    #expect(MemoryText.text(bytes: 2_048 * 1_048_576) == "2GB")
    #expect(MemoryText.text(bytes: 0) == "0MB")
  }
}

@Suite struct `A decimal number` {
  @Test func `is read exactly`() {
    #expect(DecimalText.scaled("1.25", wholeDigitsLimit: 9, decimals: 6) == 1_250_000)
    #expect(DecimalText.scaled("999999999.999999999", wholeDigitsLimit: 9, decimals: 9) == 999_999_999_999_999_999)
    for text in ["", ".", "1.", ".1", "1..2", "1.2.3", "-1", "+1", " 1", "1e1", "1234567890", "0.1234567890", "١"] {
      #expect(DecimalText.scaled(text, wholeDigitsLimit: 9, decimals: 9) == nil)
    }
  }

  @Test func `of seconds is read in nanoseconds`() {
    #expect(DecimalText.nanoseconds(ofSeconds: "1795424400.000") == 1_795_424_400_000_000_000)
    #expect(DecimalText.nanoseconds(ofSeconds: "1.0000000019") == 1_000_000_001)
    #expect(DecimalText.nanoseconds(ofSeconds: "9223372036.854775807") == .max)
    for text in ["9223372036.854775808", "99999999999999999999"] {
      #expect(DecimalText.nanoseconds(ofSeconds: text) == .max)
    }
    for text in ["", "1.2.3", "-5", ".5", "5."] {
      #expect(DecimalText.nanoseconds(ofSeconds: text) == nil)
    }
  }

  @Test func `of seconds reads back`() {
    var random = SplitMix(seed: 7)
    for _ in 0..<4_000 {
      let nanoseconds = Int64.random(in: 0 ... .max, using: &random)
      #expect(DecimalText.nanoseconds(ofSeconds: DecimalText.seconds(nanoseconds: Int128(nanoseconds))) == nanoseconds)
    }
  }

  @Test(
    arguments: [
      (1_869_999, 2, "1.87"), (999_999_999, 3, "1000.000"), (-5, 3, "0.000"), (1_500_000, 0, "2"), (1, 6, "0.000001"),
      (1_004_999, 2, "1.00"), (1_005_000, 2, "1.01"),
    ] as [(Int64, Int, String)])
  func `of milliseconds is rounded`(_ nanoseconds: Int64, _ decimals: Int, _ text: String) {
    #expect(DecimalText.milliseconds(nanoseconds: nanoseconds, decimals: decimals) == text)
  }
}

@Suite struct `Base64 of bytes` {
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `agrees with RFC 4648`(plain: String, encoded: String) {
    #expect(Base64.encode(Array(plain.utf8)) == encoded)
    #expect(Base64.decode(encoded) == Array(plain.utf8))
    let unpadded = String(encoded.filter { $0 != "=" })
    #expect(Base64.decode(unpadded) == Array(plain.utf8))
    #expect(Base64.decodePadded(encoded) == Array(plain.utf8))
    #expect((Base64.decodePadded(unpadded) == nil) == (unpadded != encoded))
  }

  @Test(arguments: [
    "Z", "Zg=a", "Zm9v====", "Zm 9v", "Zm9v-", "====", "ZZZZZ", "=", "Zg===", "Zm8==", "Zm9v=", "Zm9v\n",
  ])
  func `refuses anything else`(_ text: String) { #expect(Base64.decode(text) == nil) }

  @Test func `returns every byte`() {
    var random = SplitMix(seed: 8)
    for count in 0..<200 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      #expect(Base64.decode(Base64.encode(bytes)) == bytes)
    }
    for _ in 0..<4_000 {
      let noise = (0..<Int.random(in: 0...12, using: &random)).map { _ in UInt8.random(in: 0x2B...0x7A, using: &random)
      }
      guard let bytes = Base64.decode(String(decoding: noise, as: UTF8.self)) else { continue }
      #expect(bytes.count == noise.count { $0 != UInt8(ascii: "=") } * 3 / 4)
    }
  }
}
