import Text

/// The parameters of a query, as a function URL gives them to its function.
///
/// Nothing in a query is refused: a `%` that begins no escape stands for itself, and bytes that are not UTF-8 become
/// U+FFFD. The query as sent is in the event beside them (`rawQueryString`), for functions that need it exactly.
package struct QueryParameters: Equatable {
  /// All parameters of one name.
  package struct Parameter: Equatable {
    /// Decoded.
    package var name: String
    /// The values of all parameters of this name, in order, joined by commas; empty for one without `=`.
    package var value: String
  }

  /// In the order in which their names first come.
  private(set) var list: [Parameter] = []

  /// - Parameter query: What follows the question mark, as sent. Parts are separated by `&` alone.
  /// - Complexity: O(length of `query`).
  package init(_ query: String) {
    var positions: [String: Int] = [:]
    for part in query.utf8.split(separator: UInt8(ascii: "&")) {
      let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
      let name = PercentEncoding.decodedLeniently(part[..<equals], plusIsSpace: true)
      let value =
        equals == part.endIndex ? "" : PercentEncoding.decodedLeniently(part[equals...].dropFirst(), plusIsSpace: true)
      if let position = positions[name] {
        list[position].value += "," + value
      } else {
        positions[name] = list.count
        list.append(Parameter(name: name, value: value))
      }
    }
  }
}
