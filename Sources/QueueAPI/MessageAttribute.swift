import Digests
package import Text

/// A message attribute of a sender.
package struct MessageAttribute: Equatable, Sendable {
  /// Text, or bytes.
  package enum Value: Equatable, Sendable {
    /// Of the types String and Number.
    case text(String)
    /// Of the type Binary.
    case bytes([UInt8])
  }

  /// 1 to 256 letters, digits, `_`, `-` and `.`.
  package var name: String
  /// `String`, `Number` or `Binary`, and perhaps a label behind a dot.
  package var type: String
  /// What it says.
  package var value: Value

  /// The most attributes of a message.
  package static let countMax = 10

  /// What it counts for in the limit of a message, in bytes.
  package var bytesCount: Int {
    switch value {
    case .text(let text): name.utf8.count + type.utf8.count + text.utf8.count
    case .bytes(let bytes): name.utf8.count + type.utf8.count + bytes.count
    }
  }

  /// Reads the map of a call.
  ///
  /// - Returns: In the order of their names.
  static func read(_ map: [JSONValue.Member], _ parameter: String) throws(QueueError) -> [MessageAttribute] {
    guard map.count <= countMax else {
      throw .invalid("Number of message attributes [\(map.count)] exceeds the allowed maximum [\(countMax)].")
    }
    var attributes: [MessageAttribute] = []
    for member in map { attributes.append(try read(member)) }
    attributes.sort { $0.name < $1.name }
    for (one, next) in zip(attributes, attributes.dropFirst()) where one.name == next.name {
      throw .invalid("Message attribute name '\(one.name)' already exists.")
    }
    return attributes
  }

  private static func read(_ member: JSONValue.Member) throws(QueueError) -> MessageAttribute {
    let (name, value) = (member.name, member.value)
    let isName =
      (1...256).contains(name.utf8.count)
      && name.utf8.allSatisfy { QueueName.isNameByte($0) || $0 == UInt8(ascii: ".") }
      && !name.hasPrefix(".") && !name.hasSuffix(".") && !name.contains("..")
    guard isName, !name.lowercased().hasPrefix("aws."), !name.lowercased().hasPrefix("amazon.") else {
      throw .invalid(
        "Message (user) attribute name '\(name.prefix(300))' can contain alphanumeric characters, _, - and ., at most "
          + "256 of them; it does not begin with AWS. or Amazon., and no . begins, ends or follows another.")
    }
    guard case .string(let type)? = value["DataType"], !type.isEmpty else {
      throw .invalid("The message attribute '\(name)' must contain non-empty message attribute type.")
    }
    let kind = type.split(separator: ".", maxSplits: 1).first.map(String.init) ?? ""
    guard ["String", "Number", "Binary"].contains(kind), type.utf8.count <= 256 else {
      throw .invalid(
        "The message attribute '\(name)' has an invalid message attribute type, the set of supported type prefixes is "
          + "Binary, Number, and String.")
    }
    if kind == "Binary" {
      guard case .string(let text)? = value["BinaryValue"], let bytes = Base64.decodePadded(text), !bytes.isEmpty else {
        throw .invalid(
          "The message attribute '\(name)' must contain a non-empty message attribute value in Base64 for message "
            + "attribute type '\(type)'.")
      }
      return MessageAttribute(name: name, type: type, value: .bytes(bytes))
    }
    guard case .string(let text)? = value["StringValue"], !text.isEmpty else {
      throw .invalid(
        "The message attribute '\(name)' must contain a non-empty message attribute value for message attribute type "
          + "'\(type)'.")
    }
    guard MessageText.isAllowed(text) else { throw MessageText.notAllowed }
    if kind == "Number", Double(text) == nil {
      throw .invalid("Can't cast the value of message (user) attribute '\(name)' to a number.")
    }
    return MessageAttribute(name: name, type: type, value: .text(text))
  }

  /// As the store keeps them, and as consumers are given them; nothing if there are none.
  package static func stored(_ attributes: [MessageAttribute]) -> String {
    guard !attributes.isEmpty else { return "" }
    var writer = JSONWriter()
    writer.object { for attribute in attributes { attribute.write(into: &$0) } }
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// What ``stored(_:)`` wrote.
  package static func stored(_ text: String) -> [MessageAttribute] {
    guard !text.isEmpty, case .object(let members)? = try? JSONValue([UInt8](text.utf8).span, .answer) else {
      return []
    }
    // They were checked when they were sent.
    return (try? read(members, "MessageAttribute")) ?? []
  }

  /// Writes the member of a map.
  package func write(into writer: inout JSONWriter) {
    writer.key(name)
    writer.object {
      switch value {
      case .text(let text): $0.member("StringValue", text)
      case .bytes(let bytes): $0.member("BinaryValue", Base64.encode(bytes))
      }
      $0.member("DataType", type)
    }
  }

  /// SQS's checksum of attributes; `nil` if there are none, or MD5 is not to be had.
  package static func digest(_ attributes: [MessageAttribute]) -> String? {
    guard !attributes.isEmpty else { return nil }
    var bytes: [UInt8] = []
    func add(_ part: some Collection<UInt8>) {
      for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: part.count >> shift)) }
      bytes += part
    }
    for attribute in attributes {
      add(attribute.name.utf8)
      add(attribute.type.utf8)
      switch attribute.value {
      case .text(let text):
        bytes.append(1)
        add(text.utf8)
      case .bytes(let data):
        bytes.append(2)
        add(data)
      }
    }
    return MessageText.digest(bytes)
  }

  /// Those of `attributes` that a receive asks for: names, names that end with `.*`, `All` or `.*`.
  package static func chosen(_ attributes: [MessageAttribute], by names: [String]) -> [MessageAttribute] {
    guard !names.isEmpty else { return [] }
    if names.contains("All") || names.contains(".*") { return attributes }
    return attributes.filter { attribute in
      names.contains { $0 == attribute.name || $0.hasSuffix(".*") && attribute.name.hasPrefix($0.dropLast(1)) }
    }
  }
}

/// What may be in a body, and its checksum.
package enum MessageText {
  /// What SQS takes: XML's characters.
  static func isAllowed(_ text: String) -> Bool {
    // Almost all text has no control character, which one pass over the bytes tells.
    var suspicious = false
    for byte in text.utf8 where byte < 0x20 || byte == 0xEF { suspicious = true }
    guard suspicious else { return true }
    return text.unicodeScalars.allSatisfy { scalar in
      switch scalar.value {
      case 0x9, 0xA, 0xD, 0x20...0xD7FF, 0xE000...0xFFFD, 0x10000...0x10FFFF: true
      default: false
      }
    }
  }

  static let notAllowed = QueueError(
    "InvalidMessageContents", code: "InvalidMessageContents",
    "Invalid binary character was found in the message body, the set of allowed characters is #x9 | #xA | #xD | "
      + "[#x20 to #xD7FF] | [#xE000 to #xFFFD] | [#x10000 to #x10FFFF]")

  /// MD5 in hexadecimal digits; `nil` if it is not to be had.
  package static func digest(_ bytes: [UInt8]) -> String? { MD5.digest(bytes).map { Hexadecimal.text($0) } }
}
