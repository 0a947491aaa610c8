package import HTTPServer
import NIOHTTP1
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

  /// `nil` if the request is for something else.
  package init?(_ request: HTTPRequest) {
    self.init(host: request.headers.first(name: "Host") ?? "", path: request.path)
  }

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
