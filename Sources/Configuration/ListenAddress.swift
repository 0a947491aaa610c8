package import Text

/// Where a listener binds: an address and a port.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
  /// A numeric address, such as `127.0.0.1`, `::1` or `0.0.0.0`.
  package var host: String
  /// 0 asks the kernel for a free one.
  package var port: Int

  /// Makes an address of parts that were checked; `parse(_:)` reads what comes from people.
  package init(host: String, port: Int) {
    self.host = host
    self.port = port
  }

  /// `host:port`, with brackets around an IPv6 address.
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }

  /// Whether only programs of this machine reach it.
  package var isLoopback: Bool {
    host == "::1" || host.hasPrefix("127.")
  }

  /// Reads `host:port`, `[::1]:port` and `:port` (which means 127.0.0.1). `localhost` means 127.0.0.1; nothing is resolved.
  ///
  /// - Throws: `TextProblem` if it has another form.
  package static func parse(_ text: String) throws(TextProblem) -> ListenAddress {
    let advice = "write host:port, such as 127.0.0.1:27315 or [::1]:27315"
    guard let colon = text.lastIndex(of: ":") else { throw TextProblem("\(quoted(text)) has no port; \(advice)") }
    let portText = text[text.index(after: colon)...]
    var host = String(text[..<colon])
    guard !portText.isEmpty, portText.utf8.allSatisfy({ (48...57).contains($0) }), let port = UInt16(portText) else {
      throw TextProblem("\(quoted(text)) has no port from 0 to 65535 after its last colon; \(advice)")
    }
    if host.hasPrefix("["), host.hasSuffix("]") {
      host = String(host.dropFirst().dropLast())
      guard host.contains(":") else { throw TextProblem("\(quoted(text)) is not an address; \(advice)") }
    } else if host.contains(":") {
      throw TextProblem("\(quoted(text)) has an IPv6 address without brackets; \(advice)")
    }
    if host.isEmpty || host == "localhost" { host = "127.0.0.1" }
    guard isAddress(host) else {
      throw TextProblem(
        "\(quoted(text)) has a name where an address is needed; write 127.0.0.1:\(port) or 0.0.0.0:\(port)")
    }
    return ListenAddress(host: host, port: Int(port))
  }

  private static func isAddress(_ host: String) -> Bool {
    guard !host.contains(":") else {
      return host.utf8.allSatisfy { $0 == 0x3A || $0 == 0x2E || Hexadecimal.value($0) != nil }
    }
    let parts = host.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4
      && parts.allSatisfy { part in part.utf8.allSatisfy { (48...57).contains($0) } && UInt8(part) != nil }
  }
}
