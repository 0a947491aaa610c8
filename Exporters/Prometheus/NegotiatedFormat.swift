/// The format in which the agent answers a scraper.
public struct NegotiatedFormat: Sendable, Equatable {
  /// How the answer is written.
  public var format: ExpositionFormat
  /// The value of the answer's `Content-Type`.
  public var contentType: String

  /// The one that is listed with the greatest weight; of several the first; text 0.0.4 where none is that we have.
  ///
  /// Wildcards say what would do, not what is wanted, and scrapers give them any weight: Prometheus 2.49 sends `*/*;q=2`. So they
  /// choose nothing. Parameters that no format of ours has, such as `charset`, are ignored.
  ///
  /// - Parameter accept: The fields `Accept` of a request, in order.
  public init(accept: [String]) {
    self.init(.text, contentType: ExpositionFormat.text.contentType)
    var greatest = 0.0
    for field in accept {
      for element in FieldList.split(field, at: ",") {
        guard let range = MediaRange(element), range.weight > greatest, let known = NegotiatedFormat(range) else {
          continue
        }
        self = known
        greatest = range.weight
      }
    }
  }

  private init(_ format: ExpositionFormat, contentType: String) {
    self.format = format
    self.contentType = contentType
  }

  /// - Returns: `nil` if it is not one of our formats.
  private init?(_ range: MediaRange) {
    switch range.type {
    case "text/plain":
      guard range["version"] ?? "0.0.4" == "0.0.4" else { return nil }
      self.init(.text, contentType: ExpositionFormat.text.contentType)
    case "application/openmetrics-text":
      switch range["version"] ?? "1.0.0" {
      case "1.0.0":
        self.init(
          .openMetrics, contentType: ExpositionFormat.openMetrics.contentType + NegotiatedFormat.escaping(range))
      case "0.0.1":
        // The same text: nothing that we write changed with 1.0.0.
        self.init(.openMetrics, contentType: "application/openmetrics-text; version=0.0.1; charset=utf-8")
      default: return nil
      }
    case "application/vnd.google.protobuf":
      guard range["proto"] == "io.prometheus.client.MetricFamily", range["encoding"] == "delimited" else { return nil }
      self.init(.protobuf, contentType: ExpositionFormat.protobuf.contentType)
    default: return nil
    }
  }

  /// Says again how names were to be escaped. None of ours has anything to escape, so all schemes give the same.
  private static func escaping(_ range: MediaRange) -> String {
    guard let scheme = range["escaping"], ["allow-utf-8", "underscores", "dots", "values"].contains(scheme) else {
      return ""
    }
    return "; escaping=\(scheme)"
  }
}

/// An element of `Accept` (RFC 9110, section 12.5.1).
private struct MediaRange {
  /// In lower case.
  let type: String
  /// From 0 to 1; what is greater counts as 1, and what is no number as 0.
  let weight: Double
  private let parameters: [(name: String, value: String)]

  /// - Returns: `nil` for an empty element.
  init?(_ element: Substring) {
    let parts = FieldList.split(element, at: ";")
    guard let type = parts.first.map(FieldList.trimmed), !type.isEmpty else { return nil }
    self.type = type.lowercased()
    parameters = parts.dropFirst().map { part in
      let equals = part.firstIndex(of: "=") ?? part.endIndex
      return (
        FieldList.trimmed(part[..<equals]).lowercased(),
        FieldList.unquoted(FieldList.trimmed(part[equals...].dropFirst()))
      )
    }
    weight = parameters.first { $0.name == "q" }.map { MediaRange.weight($0.value) } ?? 1
  }

  subscript(name: String) -> String? { parameters.first { $0.name == name }?.value }

  private static func weight(_ text: String) -> Double {
    guard text.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: ".") }) else {
      return 0
    }
    return min(Double(text) ?? 0, 1)
  }
}

/// Lists in fields of HTTP.
private enum FieldList {
  /// Splits where a separator stands outside of quotes.
  static func split(_ text: some StringProtocol, at separator: Character) -> [Substring] {
    var parts: [Substring] = []
    var isQuoted = false
    var isEscaped = false
    var start = text.startIndex
    let text = Substring(text)
    for index in text.indices {
      if isEscaped {
        isEscaped = false
      } else if isQuoted, text[index] == "\\" {
        isEscaped = true
      } else if text[index] == "\"" {
        isQuoted.toggle()
      } else if text[index] == separator, !isQuoted {
        parts.append(text[start..<index])
        start = text.index(after: index)
      }
    }
    return parts + [text[start...]]
  }

  static func trimmed(_ text: Substring) -> Substring {
    let start = text.drop { $0 == " " || $0 == "\t" }
    guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return start.prefix(0) }
    return start[...end]
  }

  static func unquoted(_ text: Substring) -> String {
    guard text.count >= 2, text.first == "\"", text.last == "\"" else { return String(text) }
    var isEscaped = false
    return String(
      text.dropFirst().dropLast().filter { character in
        isEscaped = !isEscaped && character == "\\"
        return !isEscaped
      })
  }
}
