import Lifecycle
import Text

/// A log event as `aws logs filter-log-events --output yaml` writes it: a list of mappings of plain, quoted or block texts.
struct YAMLEvent {
  private var fields: [String: String] = [:]
  private var key: String?
  /// The lines of the value of `key`, the first one behind its colon.
  private var lines: [String] = []

  /// Whether a line is the first one of such a file.
  static func begins(_ line: Span<UInt8>) -> Bool {
    let text = String(decoding: LogIntake.array(line.extracting(first: 80)), as: UTF8.self)
    if text.hasPrefix("events:") { return text.dropFirst(7).allSatisfy { $0 == " " || $0 == "\r" } }
    guard text.hasPrefix("- "), let name = member(text.dropFirst(2))?.name else { return false }
    return names.contains(name)
  }

  private static let names: Set<String> = [
    "eventId", "ingestionTime", "logStreamName", "message", "timestamp",
  ]

  /// The name and the rest of a line `name: rest`.
  private static func member(_ line: Substring) -> (name: String, rest: Substring)? {
    guard let colon = line.firstIndex(of: ":") else { return nil }
    let rest = line[line.index(after: colon)...]
    guard rest.isEmpty || rest.hasPrefix(" ") else { return nil }
    return (String(line[..<colon]), rest.drop { $0 == " " })
  }

  /// Takes a line.
  ///
  /// - Returns: Whether another event begins with it, so that the one before has ended; it is to be taken first, and then the line again.
  mutating func take(_ line: String) -> Bool {
    let indent = line.prefix { $0 == " " }.count
    let text = line.dropFirst(indent)
    let isItem = text.hasPrefix("- ")
    let inner = isItem ? text.dropFirst(2).drop { $0 == " " } : text
    if !isInBlock(indent), let (name, rest) = YAMLEvent.member(inner), YAMLEvent.names.contains(name) {
      if isItem, key != nil || !fields.isEmpty { return true }
      endValue()
      key = name
      lines = [String(rest)]
    } else if indent == 0, !text.isEmpty, !isItem, YAMLEvent.member(text) != nil {
      endValue()
    } else if key != nil {
      lines.append(line)
    }
    return false
  }

  /// Whether a line with this indentation is of a text that has not ended.
  private func isInBlock(_ indent: Int) -> Bool {
    guard key != nil, let first = lines.first else { return false }
    if first.hasPrefix("'") || first.hasPrefix("\"") { return !isQuoteClosed }
    return (first.hasPrefix("|") || first.hasPrefix(">")) && indent > 2
  }

  private var isQuoteClosed: Bool {
    let text = lines.joined(separator: "\n")
    guard let quote = text.first else { return true }
    var isEscaped = false
    var count = 0
    for character in text.dropFirst() {
      if isEscaped {
        isEscaped = false
      } else if character == "\\", quote == "\"" {
        isEscaped = true
      } else if character == quote {
        count += 1
      }
    }
    return quote == "\"" ? count >= 1 : count % 2 == 1
  }

  private mutating func endValue() {
    defer {
      key = nil
      lines = []
    }
    guard let key, let first = lines.first else { return }
    switch first.first {
    case "'": fields[key] = YAMLEvent.singleQuoted(lines)
    case "\"": fields[key] = YAMLEvent.doubleQuoted(lines)
    case "|", ">": fields[key] = YAMLEvent.block(lines)
    default: fields[key] = YAMLEvent.folded(lines)
    }
  }

  /// A line break is a blank, and one more than that are as many less one.
  private static func folded(_ lines: [String]) -> String {
    var text = ""
    var breaks = 0
    for (index, line) in lines.enumerated() {
      let part = index == 0 ? Substring(line) : line.drop { $0 == " " }
      if index > 0 { breaks += 1 }
      guard !part.isEmpty || index == lines.count - 1 else { continue }
      if breaks == 1 { text += " " } else if breaks > 1 { text += String(repeating: "\n", count: breaks - 1) }
      breaks = 0
      text += part
    }
    return text
  }

  private static func singleQuoted(_ lines: [String]) -> String {
    var text = folded(lines)
    while text.last == " " { text.removeLast() }
    if text.hasPrefix("'") { text.removeFirst() }
    if text.hasSuffix("'") { text.removeLast() }
    return text.replacing("''", with: "'")
  }

  private static func doubleQuoted(_ lines: [String]) -> String {
    var joined = ""
    for (index, line) in lines.enumerated() {
      let part = index == 0 ? Substring(line) : line.drop { $0 == " " }
      // A backslash at the end of a line takes the break away.
      if joined.hasSuffix("\\") {
        joined.removeLast()
      } else if index > 0 {
        joined += part.isEmpty ? "\\n" : " "
      }
      joined += part
    }
    while joined.last == " " { joined.removeLast() }
    let bytes = Array(jsonEscapes(joined).utf8)
    var reader = JSONReader(bytes.span, JSONMembers.rules)
    return (try? reader.string()) ?? joined
  }

  /// What YAML's escapes are that JSON has not.
  private static let escapes: [Character: String] = [
    "0": #"\u0000"#, "a": #"\u0007"#, "v": #"\u000b"#, "e": #"\u001b"#, " ": " ", "_": #"\u00a0"#, "N": #"\u0085"#,
    "L": #"\u2028"#, "P": #"\u2029"#,
  ]

  /// A text with the escapes of JSON in place of YAML's.
  private static func jsonEscapes(_ text: String) -> String {
    var result = ""
    var rest = text[...]
    while let place = rest.firstIndex(of: "\\") {
      result += rest[..<place]
      rest = rest[rest.index(after: place)...]
      guard let kind = rest.popFirst() else { break }
      let digits = kind == "x" ? 2 : kind == "U" ? 8 : 0
      if digits > 0, let number = UInt32(rest.prefix(digits), radix: 16), let scalar = Unicode.Scalar(number) {
        for unit in String(scalar).utf16 {
          let hexadecimal = String(unit, radix: 16)
          result += "\\u" + String(repeating: "0", count: 4 - hexadecimal.count) + hexadecimal
        }
        rest = rest.dropFirst(digits)
      } else {
        result += escapes[kind] ?? "\\\(kind)"
      }
    }
    return result + rest
  }

  private static func block(_ lines: [String]) -> String {
    let indent = lines.dropFirst().first { !$0.isEmpty }?.prefix { $0 == " " }.count ?? 0
    return lines.dropFirst().map { String($0.dropFirst(min(indent, $0.count))) }.joined(separator: "\n")
  }

  /// Ends the event, takes it, and begins the next one.
  mutating func end(_ intake: LogIntake) {
    endValue()
    defer { fields = [:] }
    guard let message = fields["message"] else { return }
    let time = fields["timestamp"].flatMap { LineInstant.read($0) }?.time
    intake.event(
      Array(message.utf8).span, at: LogIntake.Place(stream: intake.stream(fields["logStreamName"]), time: time))
  }
}

extension LogFileReader {
  /// Reads a line of such a file.
  func yamlStep(_ bytes: Span<UInt8>, _ position: Int) -> Int? {
    guard let end = lineEnd(bytes, position) else {
      guard bytes.count - position > LogFileReader.lineMax else { return nil }
      intake.refuse("", "the line is longer than \(LogFileReader.lineMax >> 20) MiB")
      mode = .skipping
      return bytes.count
    }
    var last = end
    while last > position, bytes[last - 1] == 0x0D { last -= 1 }
    let line = String(decoding: LogIntake.array(bytes.extracting(position..<last)), as: UTF8.self)
    if yaml.take(line) {
      yaml.end(intake)
      _ = yaml.take(line)
    }
    return min(end + 1, bytes.count)
  }

  /// Takes the last event.
  func endYAML() { yaml.end(intake) }
}
