import AWSClientTestSupport
import Testing

@testable import AWSClient

/// Texts made of pieces that parsers take notice of, the same in every run.
private struct Texts: Sequence, IteratorProtocol {
  let pieces: [String]
  var rest: Int
  var state: UInt64 = 0x9E37_79B9_7F4A_7C15

  init(of pieces: [String], count: Int) {
    self.pieces = pieces
    rest = count
  }

  mutating func next() -> String? {
    guard rest > 0 else { return nil }
    rest -= 1
    return (0..<random(12)).map { _ in pieces[random(pieces.count)] }.joined()
  }

  private mutating func random(_ limit: Int) -> Int {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return Int(state >> 33) % limit
  }
}

@Suite struct `Whatever is read from outside` {
  @Test func `is an address that says itself again, or none`() {
    let pieces = [
      "http://", "https://", "a", "1", ".", ":", "80", "65536", "[", "]", "::", "/", "?", "@", "%", "ü", "\0", "\n",
    ]
    var read = 0
    for text in Texts(of: pieces, count: 20_000) {
      guard let url = try? EndpointURL("http://\(text)") else { continue }
      read += 1
      #expect((try? EndpointURL("\(url)")) == url, "\(text)")
    }
    #expect(read > 100)
  }

  @Test func `is a shared file with what can be read of it`() {
    let pieces = ["[", "]", "profile ", "a", "=", ":", "\n", "\r\n", " ", "\t", "#", ";", "\"", "\0", "é"]
    var sections = 0
    for text in Texts(of: pieces, count: 20_000) { sections += SharedFile(text).sections.count }
    #expect(sections > 100)
  }

  @Test func `is an error, however deep or strange its document is`() throws {
    let bodies = [
      String(repeating: "[", count: 200_000), String(repeating: #"{"a":"#, count: 100_000), "\u{FEFF}{}", "nul",
      "1e999999",
      #"{"AccountLimit":{"ConcurrentExecutions":1e400,"UnreservedConcurrentExecutions":1}}"#,
      #"{"AccountLimit":{"ConcurrentExecutions":9223372036854775808,"UnreservedConcurrentExecutions":1}}"#,
      #"{"AccountLimit":{"ConcurrentExecutions":1.5,"UnreservedConcurrentExecutions":1}}"#, "{\"a\":\"\\uD800\"}",
    ]
    for body in bodies {
      let refusal = ErrorAnswer.failure(
        HTTPResult(400, body, [Header("x-amzn-ErrorType", "ServiceException")]), call: "X",
        endpoint: try EndpointURL("http://127.0.0.1:27316"))
      #expect(refusal.refusal?.code == "ServiceException")
    }
  }

  @Test(arguments: ["", ":", "#", "::", "a#", "#:b", ":a", "\u{1F600}"])
  func `is a refusal, whatever its header says`(_ header: String) throws {
    let error = ErrorAnswer.failure(
      HTTPResult(400, "", [Header("x-amzn-ErrorType", header)]), call: "X",
      endpoint: try EndpointURL("http://127.0.0.1:27316"))
    #expect(error.code == .refused)
    #expect(!error.message.isEmpty)
  }
}
