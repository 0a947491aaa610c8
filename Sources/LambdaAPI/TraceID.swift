import Text
package import Lifecycle

/// The trace that an invocation belongs to, in the form of AWS X-Ray: `Root=1-…;Parent=…;Sampled=0`.
package struct TraceID: Equatable, Sendable {
  /// What the runtime is given: always `Root`, `Parent` and `Sampled` in this order, `Lineage` if the caller sent one.
  /// X-Ray's clients drop a trace that lacks one of the three.
  package let text: String
  /// The form for the caller of `Invoke`: names in lower case, without the parent.
  package let answer: String
  /// What the event of a function URL has as `x-amzn-trace-id`: what the caller sent of the fields, and always `Root`.
  package let header: String

  /// The longest lineage that is handed on, in bytes.
  private static let lineageBytesMax = 256

  /// Takes the fields of what the caller sent that are well formed, and makes up the others of the request's identity.
  ///
  /// - Parameter sent: The value of `X-Amzn-Trace-Id`; `nil` if there is none. Anything may be in it.
  package init(sent: String?, of request: RequestID, at time: Timestamp) {
    let fields = Fields(sent ?? "")
    let digits = request.value.hexadecimalText
    let root = fields.root ?? TraceID.root(digits, at: time)
    let sampled = fields.sampled ?? "0"
    let lineage = fields.lineage.map { ";Lineage=\($0)" } ?? ""
    // A parent without its root belongs to another trace.
    let parent = fields.root == nil ? nil : fields.parent
    text = "Root=\(root);Parent=\(parent ?? String(digits.suffix(16)));Sampled=\(sampled)\(lineage)"
    answer = "root=\(root);sampled=\(sampled)"
    let sentParent = parent.map { ";Parent=\($0)" } ?? ""
    let sentDecision = fields.sampled.map { ";Sampled=\($0)" } ?? ""
    header = "Root=\(root)\(sentParent)\(sentDecision)\(lineage)"
  }

  private static func root(_ digits: String, at time: Timestamp) -> String {
    let seconds = UInt64(truncatingIfNeeded: time.nanoseconds / 1_000_000_000) & 0xFFFF_FFFF
    return "1-\(Identifier128(high: seconds << 32, low: 0).hexadecimalText.prefix(8))-\(digits.prefix(24))"
  }

  /// The well-formed fields of a header; of one that comes twice the first counts.
  private struct Fields {
    /// `1-`, eight digits of the time, `-`, 24 of chance.
    var root: String?
    /// 16 digits.
    var parent: String?
    /// `0` or `1`; `?` asks for a decision, which here is not to sample.
    var sampled: String?
    var lineage: String?

    init(_ text: String) {
      for part in text.split(separator: ";") {
        guard let equals = part.utf8.firstIndex(of: UInt8(ascii: "=")) else { continue }
        let value = String(trimmed(part[equals...].dropFirst()))
        switch trimmed(part[..<equals]).lowercased() {
        case "root" where root == nil && Fields.isRoot(value): root = value
        case "parent" where parent == nil && Fields.isHexadecimal(value, count: 16): parent = value
        case "sampled" where sampled == nil && (value == "0" || value == "1"): sampled = value
        case "lineage" where lineage == nil && Fields.isLineage(value): lineage = value
        default: continue
        }
      }
    }

    private static func isRoot(_ text: String) -> Bool {
      let parts = text.split(separator: "-", omittingEmptySubsequences: false)
      return parts.count == 3 && parts[0] == "1" && isHexadecimal(parts[1], count: 8)
        && isHexadecimal(parts[2], count: 24)
    }

    private static func isHexadecimal(_ text: some StringProtocol, count: Int) -> Bool {
      text.utf8.count == count && text.utf8.allSatisfy { Hexadecimal.value($0) != nil }
    }

    /// Hashes and counts such as `1:a87bd80c:0`, several of them divided by `|`.
    private static func isLineage(_ text: String) -> Bool {
      (1...lineageBytesMax).contains(text.utf8.count)
        && text.utf8.allSatisfy {
          Hexadecimal.value($0) != nil || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "|")
        }
    }
  }
}
