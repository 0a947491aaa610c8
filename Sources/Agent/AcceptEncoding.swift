/// Parses the field `Accept-Encoding` (RFC 9110, section 12.5.3).
enum AcceptEncoding {
  /// Whether gzip is taken: it is named, or `*` is, and not with a weight of zero.
  static func takesGzip(_ fields: [String]) -> Bool {
    var wildcard = false
    for element in fields.flatMap({ $0.split(separator: ",") }) {
      let parts = element.split(separator: ";", omittingEmptySubsequences: false).map(trimmed)
      let isTaken = parts.dropFirst().allSatisfy { !isZeroWeight($0) }
      switch parts[0].lowercased() {
      case "gzip", "x-gzip": return isTaken
      case "*": wildcard = isTaken
      default: break
      }
    }
    return wildcard
  }

  private static func isZeroWeight(_ parameter: Substring) -> Bool {
    let parts = parameter.split(separator: "=", omittingEmptySubsequences: false).map(trimmed)
    guard parts.count == 2, parts[0].lowercased() == "q" else { return false }
    return (Double(parts[1]) ?? 0) <= 0
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop { $0 == " " || $0 == "\t" }
    guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return start.prefix(0) }
    return start[...end]
  }
}
