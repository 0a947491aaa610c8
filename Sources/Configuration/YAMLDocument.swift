import Text
import Yams

/// A YAML document as a tree of our own, so that only this file knows Yams.
struct YAMLNode {
  struct Entry {
    var key: String
    var line: Int
    var column: Int
    var value: YAMLNode
  }

  enum Value {
    case null
    /// `isPlain`: written without quotes, so that it may be meant as a number.
    case text(String, isPlain: Bool)
    case list([YAMLNode])
    /// Keys may repeat; in the order of the file.
    case map([Entry])
  }

  var value: Value
  var line: Int
  var column: Int

  /// What kind of thing it is, for messages.
  var kind: String {
    switch value {
    case .null: "nothing"
    case .text: "a string"
    case .list: "a list"
    case .map: "a mapping"
    }
  }
}

/// Reads YAML, with bounds on what a hostile file can make it cost.
enum YAMLDocument {
  /// The document in `text`, `nil` if it is empty or cannot be read. Problems that leave the rest readable (a key that is not
  /// a text) are added to `problems`, too.
  ///
  /// Repeated keys are kept, because the reader of the tree can say where both are. Yams stops at the first one with an error,
  /// so the first of them is renamed in place to a character of the private use area and the text is read again.
  static func read(_ text: String, problems: inout [ConfigurationProblem]) -> YAMLNode? {
    if let problem = aliasProblem(text) {
      problems.append(problem)
      return nil
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    var renamed: [Position: String] = [:]
    while true {
      do {
        let text = renamed.isEmpty ? text : lines.joined(separator: "\n")
        guard let root = try Parser(yaml: text, resolver: .basic, encoding: .utf8).singleRoot() else { return nil }
        return node(root, renamed: renamed, problems: &problems)
      } catch {
        guard case YamlError.duplicatedKeysInMapping(let duplicates, let context) = error else {
          problems.append(problem(error, text: text))
          return nil
        }
        let position = Position(line: context.mark.line, column: context.mark.column)
        let name = duplicates.first ?? ""
        if renamed.count < repeatedKeysLimit, let line = rename(position, count: renamed.count, in: lines) {
          lines[position.line - 1] = line
          renamed[position] = name
        } else {
          let message = "The key \(quoted(name)) is written more than once; keep one."
          problems.append(ConfigurationProblem(line: position.line, column: position.column, message: message))
          return nil
        }
      }
    }
  }

  private struct Position: Hashable {
    var line: Int
    var column: Int
  }

  /// How many repeated keys of one file are told apart; each costs reading the file once more.
  private static let repeatedKeysLimit = 20

  /// The line at `position` with one character of the key that begins there replaced; `nil` if the key does not begin with
  /// a letter, a digit or a quote before one.
  private static func rename(_ position: Position, count: Int, in lines: [String]) -> String? {
    guard lines.indices.contains(position.line - 1), let mark = Unicode.Scalar(0xE000 + UInt32(count)) else {
      return nil
    }
    var scalars = Array(lines[position.line - 1].unicodeScalars)
    var index = position.column - 1
    if scalars.indices.contains(index), scalars[index] == "\"" || scalars[index] == "'" { index += 1 }
    guard scalars.indices.contains(index),
      scalars[index].properties.isAlphabetic || scalars[index].properties.numericType != nil
    else { return nil }
    scalars[index] = mark
    var line = ""
    line.unicodeScalars.append(contentsOf: scalars)
    return line
  }

  /// Aliases are refused before Yams sees them: nested ones make a small file explode, and as keys already while it is read.
  ///
  /// Every `*name` whose `&name` stands before it counts, wherever it stands; a text that only looks like a pair of them is
  /// refused too. The bytes of a name are those of libyaml.
  private static func aliasProblem(_ text: String) -> ConfigurationProblem? {
    var anchors: Set<Substring> = []
    var line = 1
    var lineStart = text.utf8.startIndex
    var index = text.utf8.startIndex
    let bytes = text.utf8
    while index < bytes.endIndex {
      let byte = bytes[index]
      let next = bytes.index(after: index)
      defer { index = bytes.index(after: index) }
      if byte == UInt8(ascii: "\n") {
        line += 1
        lineStart = next
      }
      guard byte == UInt8(ascii: "&") || byte == UInt8(ascii: "*") else { continue }
      let name = text[next...].prefix { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_" || $0 == "-") }
      guard !name.isEmpty else { continue }
      if byte == UInt8(ascii: "&") {
        anchors.insert(name)
      } else if anchors.contains(name) {
        let column = text.unicodeScalars.distance(from: lineStart, to: index) + 1
        let message = "The alias \(quoted("*\(name)")) is not supported; write its value where the alias is used."
        return ConfigurationProblem(line: line, column: column, message: message)
      }
    }
    return nil
  }

  private static func node(
    _ node: Node, renamed: [Position: String], problems: inout [ConfigurationProblem]
  ) -> YAMLNode {
    let line = node.mark?.line ?? 1
    let column = node.mark?.column ?? 1
    switch node {
    case .scalar(let scalar):
      let isPlain = scalar.style == .plain || scalar.style == .any
      let isNull = isPlain && ["", "~", "null", "Null", "NULL"].contains(scalar.string)
      return YAMLNode(value: isNull ? .null : .text(scalar.string, isPlain: isPlain), line: line, column: column)
    case .sequence(let sequence):
      let items = sequence.map { Self.node($0, renamed: renamed, problems: &problems) }
      return YAMLNode(value: .list(items), line: line, column: column)
    case .mapping(let mapping):
      var entries: [YAMLNode.Entry] = []
      for (key, value) in mapping {
        let line = key.mark?.line ?? line
        let column = key.mark?.column ?? column
        guard case .scalar(let scalar) = key else {
          problems.append(ConfigurationProblem(line: line, column: column, message: "A key must be a string."))
          continue
        }
        let name = renamed[Position(line: line, column: column)] ?? scalar.string
        let value = Self.node(value, renamed: renamed, problems: &problems)
        entries.append(YAMLNode.Entry(key: name, line: line, column: column, value: value))
      }
      return YAMLNode(value: .map(entries), line: line, column: column)
    case .alias:
      // Never reached: Yams puts the node of the anchor in its place, and `aliasProblem` refuses the file before.
      return YAMLNode(value: .null, line: line, column: column)
    }
  }

  private static func problem(_ error: any Error, text: String) -> ConfigurationProblem {
    switch error {
    case YamlError.scanner(let context, let problem, let mark, _),
      YamlError.parser(let context, let problem, let mark, _),
      YamlError.composer(let context, let problem, let mark, _):
      var message = "This is not YAML: \(problem)"
      if let context, !context.text.isEmpty { message += " (\(context.text) in line \(context.mark.line))" }
      return ConfigurationProblem(line: mark.line, column: mark.column, message: message + ".")
    case YamlError.reader(let problem, let offset, _, _):
      let before = text.prefix(offset ?? 0)
      let line = before.utf8.reduce(1) { $1 == UInt8(ascii: "\n") ? $0 + 1 : $0 }
      let column = before.unicodeScalars.reversed().prefix { $0 != "\n" }.count + 1
      return ConfigurationProblem(line: line, column: column, message: "This is not YAML: \(problem).")
    default:
      return ConfigurationProblem(line: 1, column: 1, message: "This is not YAML that can be read (\(error)).")
    }
  }
}
