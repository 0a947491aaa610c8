import Lifecycle

/// The trace that an invocation belongs to, in the form of AWS X-Ray: `Root=1-…;Parent=…;Sampled=0`.
struct TraceID: Equatable, Sendable {
  /// What the runtime is given.
  let text: String
  /// What the caller of `Invoke` is told: the names in lower case, without the parent.
  let answer: String

  /// Takes what the caller sent; what names no root is handed on all the same, and the caller is told none.
  init(sent text: String) {
    self.text = text
    let fields = text.split(separator: ";").map { $0.split(separator: "=", maxSplits: 1) }.filter { $0.count == 2 }
    func value(_ name: String) -> Substring? {
      fields.first { trimmed($0[0]).lowercased() == name }.map { trimmed($0[1]) }
    }
    answer = value("root").map { "root=\($0);sampled=\(value("sampled") ?? "0")" } ?? ""
  }

  /// Makes one up of a request's identity.
  init(of request: RequestID, at time: Timestamp) {
    let digits = request.value.hexadecimalText
    let seconds = UInt64(truncatingIfNeeded: time.nanoseconds / 1_000_000_000) & 0xFFFF_FFFF
    let root = "1-\(Identifier128(high: seconds << 32, low: 0).hexadecimalText.prefix(8))-\(digits.prefix(24))"
    text = "Root=\(root);Parent=\(digits.suffix(16));Sampled=0"
    answer = "root=\(root);sampled=0"
  }
}
