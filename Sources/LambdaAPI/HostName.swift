/// The name in a `Host` field: without the port, and without the dot at the end that makes a name absolute.
package struct HostName: Equatable {
  /// As sent, in its case; an IPv6 address keeps its brackets.
  package let text: String

  /// Reads the value of a `Host` field.
  package init(field: String) {
    var name = field[...]
    if let colon = name.utf8.lastIndex(of: UInt8(ascii: ":")),
      name[colon...].utf8.dropFirst().allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) })
    {
      // The colons of an IPv6 address are inside brackets (RFC 3986 section 3.2.2).
      if !name.hasPrefix("[") || name[..<colon].hasSuffix("]") { name = name[..<colon] }
    }
    if name.hasSuffix(".") { name.removeLast() }
    text = String(name)
  }

  /// What is before `.localhost`, in the case in which it was sent; `nil` if the name does not end so.
  package var labelOfLocalhost: String? {
    let suffix = ".localhost"
    guard text.utf8.count > suffix.utf8.count, text.lowercased().hasSuffix(suffix) else { return nil }
    return String(text.dropLast(suffix.count))
  }
}

/// The names of functions, for finding one by a host name: those have no case (RFC 4343), names of functions do.
package struct FunctionNames {
  /// What a host name means.
  package enum Match: Equatable {
    case none
    case one(String)
    /// Functions whose names differ in case alone, in order.
    case several([String])
  }

  /// Names by their lower case.
  private let folded: [String: [String]]

  /// - Parameter names: Of all functions.
  /// - Complexity: O(names).
  package init(_ names: some Sequence<String>) {
    folded = Dictionary(grouping: names) { $0.lowercased() }.mapValues { $0.sorted() }
  }

  /// The function with exactly this name, else the one whose name differs in case.
  package func match(_ label: String) -> Match {
    guard let names = folded[label.lowercased()] else { return .none }
    if names.contains(label) { return .one(label) }
    return names.count == 1 ? .one(names[0]) : .several(names)
  }
}
