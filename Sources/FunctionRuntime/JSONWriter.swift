extension JSONValue {
  /// The value as UTF-8, without blanks; only what must be escaped is.
  ///
  /// A ``number(_:)-(String)`` is written as it stands: give it digits.
  public var bytes: [UInt8] {
    var output: [UInt8] = []
    write(to: &output)
    return output
  }

  /// The value as text. See ``bytes``.
  public var text: String { String(decoding: bytes, as: UTF8.self) }

  private func write(to output: inout [UInt8]) {
    switch self {
    case .null: output += "null".utf8
    case .bool(let value): output += (value ? "true" : "false").utf8
    case .number(let text): output += text.utf8
    case .string(let text): JSONValue.write(text, to: &output)
    case .array(let elements):
      output.append(UInt8(ascii: "["))
      for (position, element) in elements.enumerated() {
        if position > 0 { output.append(UInt8(ascii: ",")) }
        element.write(to: &output)
      }
      output.append(UInt8(ascii: "]"))
    case .object(let members):
      output.append(UInt8(ascii: "{"))
      for (position, member) in members.enumerated() {
        if position > 0 { output.append(UInt8(ascii: ",")) }
        JSONValue.write(member.name, to: &output)
        output.append(UInt8(ascii: ":"))
        member.value.write(to: &output)
      }
      output.append(UInt8(ascii: "}"))
    }
  }

  private static func write(_ text: String, to output: inout [UInt8]) {
    let bytes = Array(text.utf8)
    output.append(UInt8(ascii: "\""))
    var start = 0
    for (index, byte) in bytes.enumerated() where byte < 0x20 || byte == 0x22 || byte == 0x5C {
      output += bytes[start..<index]
      start = index + 1
      switch byte {
      case 0x0A: output += "\\n".utf8
      case 0x0D: output += "\\r".utf8
      case 0x09: output += "\\t".utf8
      case ..<0x20:
        output += "\\u00".utf8
        output.append(byte >> 4 + UInt8(ascii: "0"))
        output.append((byte & 15) + UInt8(ascii: byte & 15 < 10 ? "0" : "W"))
      default: output += [UInt8(ascii: "\\"), byte]
      }
    }
    output += bytes[start...]
    output.append(UInt8(ascii: "\""))
  }
}
