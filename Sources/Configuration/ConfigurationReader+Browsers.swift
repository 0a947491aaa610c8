import Text

// What the file says of web pages: by which names they may ask, and which may call a function's URL.
extension ConfigurationReader {
  mutating func allowedHosts(_ entry: YAMLNode.Entry?) -> [String] {
    nodes.texts(entry, what: "a name or address, such as kelvin.internal, without a port") { text in
      let isAddress = text.hasPrefix("[") && text.hasSuffix("]") && text.contains(":")
      return (1...255).contains(text.utf8.count)
        && (isAddress || text.utf8.allSatisfy { Self.isNameByte($0) || $0 == UInt8(ascii: ".") })
    }
  }

  /// The section `cors`: the keys as AWS writes them, or as the other keys of the file are written.
  mutating func cors(_ node: YAMLNode) -> CORSSettings {
    let names = ["AllowOrigins", "AllowMethods", "AllowHeaders", "ExposeHeaders", "AllowCredentials", "MaxAge"]
    let own = { (name: String) in name.prefix(1).lowercased() + name.dropFirst() }
    let entries = nodes.entries(of: node, name: "cors", keys: names.map(own) + names)
    var keys: [String: YAMLNode.Entry] = [:]
    for name in names {
      keys[name] = entries[name] ?? entries[own(name)]
      if let second = entries[own(name)], entries[name] != nil {
        nodes.add(second.value, "\(own(name)) and \(name) are the same key; keep one.")
      }
    }
    var cors = CORSSettings()
    cors.allowOrigins = nodes.texts(
      keys["AllowOrigins"], what: "an origin, such as https://www.example.com or *", Self.isOrigin)
    let methods = ["GET", "PUT", "HEAD", "POST", "PATCH", "DELETE", "*"]
    cors.allowMethods = nodes.texts(keys["AllowMethods"], what: "one of \(methods.joined(separator: ", "))") { text in
      methods.contains(text)
    }
    cors.allowHeaders = nodes.texts(keys["AllowHeaders"], what: "the name of a header field or *", Self.isField)
    cors.exposeHeaders = nodes.texts(keys["ExposeHeaders"], what: "the name of a header field or *", Self.isField)
    cors.allowCredentials = nodes.boolean(keys["AllowCredentials"]) ?? false
    cors.maxAge = nodes.integer(keys["MaxAge"], in: 0...86_400) ?? 0
    return cors
  }

  /// As a browser writes it: a scheme and a host, with a port that is not the scheme's own, and nothing behind.
  static func isOrigin(_ text: String) -> Bool {
    guard text != "*" else { return true }
    guard text.utf8.count <= 253, let scheme = text.firstRange(of: "://"), scheme.lowerBound > text.startIndex else {
      return false
    }
    let host = text[scheme.upperBound...]
    let marks = Array(".:[]".utf8)
    return !host.isEmpty && host.utf8.allSatisfy { isNameByte($0) || marks.contains($0) }
  }

  private static func isField(_ text: String) -> Bool {
    let marks = Array("!#$%&'*+.^`|~".utf8)
    return (1...1024).contains(text.utf8.count) && text.utf8.allSatisfy { isNameByte($0) || marks.contains($0) }
  }

  private static func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}
