@testable import BlockingHTTP

extension FuzzTarget {
  /// What servers answer to Kelvin's own clients.
  static let replies: [FuzzTarget] = [FuzzTarget("http-replies", read)]

  private static func read(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let limits = HTTPLimits(headBytes: 4_096, bodyBytes: 65_536)
    var parser = HTTPReplyParser(isHead: first & 1 == 1, limits: limits)
    let step = max(1, Int(first) / 2)
    do {
      for start in stride(from: 1, to: bytes.count, by: step) {
        let part = Array(bytes[start..<min(bytes.count, start + step)])
        let taken = try parser.feed(part.span)
        require(taken >= 0 && taken <= part.count, "\(taken) bytes of \(part.count) were taken")
        if taken < part.count { return }
      }
      try parser.finish()
    } catch {}  // Bad replies are refused.
  }
}
