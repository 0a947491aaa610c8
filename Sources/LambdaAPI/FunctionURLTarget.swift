import Text

/// The function that an HTTP request is for, by `/url/<function>/…` or by the host name `<function>.localhost`.
package struct FunctionURLTarget: Equatable {
  /// As sent, percent-decoded. Of a host name the case says nothing.
  package var function: String
  /// Whether the host name says so.
  package var isHostName: Bool
  /// Below the function's URL, as sent; begins with a slash.
  package var rawPath: String

  private static let prefix = "/url/"

  /// Reads what ``parameters`` wrote; `nil` if they are of another route.
  package init?(parameters: [String]) {
    guard parameters.count == 2 || parameters.count == 3 else { return nil }
    function = parameters[0]
    rawPath = parameters[1]
    isHostName = parameters.count == 3
  }

  /// The parameters of a route that stand for it: function and path, and a third one if the host name names the function.
  package var parameters: [String] { isHostName ? [function, rawPath, "localhost"] : [function, rawPath] }

  /// `nil` if the request is for something else.
  package init?(host: String, path: String) {
    if let label = HostName(field: host).labelOfLocalhost {
      function = label
      isHostName = true
      rawPath = path.isEmpty ? "/" : path
      return
    }
    guard path.hasPrefix(FunctionURLTarget.prefix) else { return nil }
    let rest = path.dropFirst(FunctionURLTarget.prefix.count)
    let end = rest.utf8.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
    function = PercentEncoding.decodedLeniently(rest.utf8[..<end])
    isHostName = false
    rawPath = end == rest.endIndex ? "/" : String(rest[end...])
  }
}
