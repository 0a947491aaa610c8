import Text

extension FuzzTarget {
  /// The readers of bytes and text.
  static let text: [FuzzTarget] = [
    FuzzTarget("json", json),
    FuzzTarget("quantities", quantities),
    FuzzTarget("base64") { bytes in
      let text = String(decoding: bytes, as: UTF8.self)
      guard let decoded = Base64.decode(text) else { return }
      require(Base64.decode(Base64.encode(decoded)) == decoded, "Base64 of what was read reads differently")
    },
  ]

  private static let rules = [
    JSONRules(depthLimit: 16), JSONRules(depthLimit: 1_024, loneSurrogates: .replaced),
    JSONRules(depthLimit: 64, invalidUTF8: .replaced, loneSurrogates: .replaced),
  ]

  /// Passing over a document and reading it agree, and what is read is written so that it reads the same.
  private static func json(_ bytes: [UInt8]) {
    for rules in rules {
      let isSkipped = JSONReader.problem(in: bytes.span, rules) == nil
      let value = try? JSONValue(bytes.span, rules)
      require(isSkipped == (value != nil), "passing over JSON and reading it do not agree")
      guard let value else { continue }
      let again = try? JSONValue(value.bytes.span, JSONRules(depthLimit: 1_024))
      require(again == value, "what was read is written so that it reads differently")
    }
  }

  /// Durations, amounts of memory, times and decimals: what is read can be written, and then reads the same.
  private static func quantities(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let length = try? DurationText.nanoseconds(text) {
      let written = DurationText.text(nanoseconds: length)
      require((try? DurationText.nanoseconds(written)) == length, "\(text) is written as \(written)")
    }
    if let memory = try? MemoryText.bytes(text) { _ = MemoryText.text(bytes: memory) }
    if let time = RFC3339.nanoseconds(text) {
      let written = RFC3339.text(nanoseconds: time)
      require(RFC3339.nanoseconds(written) == time, "\(text) is written as \(written)")
    }
    if let seconds = DecimalText.nanoseconds(ofSeconds: text) {
      let written = DecimalText.seconds(nanoseconds: Int128(seconds))
      require(DecimalText.nanoseconds(ofSeconds: written) == seconds, "\(text) is written as \(written)")
    }
  }
}
