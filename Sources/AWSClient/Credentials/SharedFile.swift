/// A file of AWS's tools, `~/.aws/config` or `~/.aws/credentials`: sections in brackets, `key = value` in them.
///
/// A key with an empty value may be followed by indented lines with keys of its own (botocore's `services` sections have such).
/// Other lines are ignored, as AWS's tools do.
struct SharedFile: Equatable {
  /// The largest file that is read, in bytes.
  static let bytesLimit = 1_048_576

  /// By the whole text in the brackets, quotes removed: `default`, `profile dev`, `services local`.
  var sections: [String: [String: Value]] = [:]

  struct Value: Equatable {
    var text: String
    /// The indented keys below it.
    var nested: [String: String] = [:]
  }

  init(_ text: String) {
    var section: String?
    var lastKey: String?
    for line in text.split(whereSeparator: \.isNewline) {
      let content = SharedFile.trimmed(line)
      if content.isEmpty || content.first == "#" || content.first == ";" { continue }
      if line.first == "[" {
        section = SharedFile.sectionName(content)
        lastKey = nil
        if let section, sections[section] == nil { sections[section] = [:] }
        continue
      }
      guard let section, let (key, value) = SharedFile.keyAndValue(content) else { continue }
      if line.first == " " || line.first == "\t", let lastKey {
        sections[section]?[lastKey]?.nested[key] = value
      } else {
        sections[section]?[key] = Value(text: value)
        lastKey = key
      }
    }
  }

  private static func sectionName(_ line: Substring) -> String? {
    guard let end = line.firstIndex(of: "]") else { return nil }
    let words = line[line.index(after: line.startIndex)..<end].split { $0 == " " || $0 == "\t" }
    return words.joined(separator: " ").filter { $0 != "\"" && $0 != "'" }
  }

  private static func keyAndValue(_ line: Substring) -> (String, String)? {
    guard let sign = line.firstIndex(where: { $0 == "=" || $0 == ":" }) else { return nil }
    let key = trimmed(line[..<sign])
    guard !key.isEmpty else { return nil }
    return (key.lowercased(), String(trimmed(line[line.index(after: sign)...])))
  }

  private static func trimmed(_ text: Substring) -> Substring {
    let isBlank = { (character: Character) in character == " " || character == "\t" || character == "\r" }
    guard let first = text.firstIndex(where: { !isBlank($0) }), let last = text.lastIndex(where: { !isBlank($0) })
    else { return "" }
    return text[first...last]
  }
}
