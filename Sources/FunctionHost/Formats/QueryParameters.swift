import Text

/// The parameters of a query, as a function URL gives them to its function.
///
/// Nothing in a query is refused: a `%` that begins no escape stands for itself, and bytes that are not UTF-8 become
/// U+FFFD. The query as sent is in the event beside them (`rawQueryString`), for functions that need it exactly.
struct QueryParameters: Equatable {
  struct Parameter: Equatable {
    var name: String
    /// The values of all parameters of this name, in order, joined by commas; empty for one without `=`.
    var value: String
  }

  /// In the order in which their names first come.
  private(set) var list: [Parameter] = []

  /// - Parameter query: What follows the question mark, as sent. Parts are separated by `&` alone.
  /// - Complexity: O(length of `query`).
  init(_ query: String) {
    var positions: [String: Int] = [:]
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
      let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      let name = PercentEncoding.decoded(part[..<equals], plusIsSpace: true)
      let value = equals == part.endIndex ? "" : PercentEncoding.decoded(part[equals...].dropFirst(), plusIsSpace: true)
      if let position = positions[name] {
        list[position].value += "," + value
      } else {
        positions[name] = list.count
        list.append(Parameter(name: name, value: value))
      }
    }
  }
}

/// Decodes what may be percent-encoded (RFC 3986 section 2.1), and takes everything.
enum PercentEncoding {
  /// - Parameter plusIsSpace: Whether `+` stands for a blank, as in forms and queries.
  static func decoded(_ text: Substring.UTF8View, plusIsSpace: Bool) -> String {
    guard text.contains(where: { $0 == UInt8(ascii: "%") || plusIsSpace && $0 == UInt8(ascii: "+") }) else {
      return String(Substring(text))
    }
    let bytes = Array(text)
    var output: [UInt8] = []
    output.reserveCapacity(bytes.count)
    var position = 0
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if byte == UInt8(ascii: "%"), position + 1 < bytes.count,
        let high = Hexadecimal.value(bytes[position]), let low = Hexadecimal.value(bytes[position + 1])
      {
        output.append(high << 4 | low)
        position += 2
      } else {
        output.append(plusIsSpace && byte == UInt8(ascii: "+") ? UInt8(ascii: " ") : byte)
      }
    }
    return String(decoding: output, as: UTF8.self)
  }
}
