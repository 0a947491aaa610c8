import Lifecycle
import Text

/// Reads values out of nodes, and gathers all that is wrong with them: each method adds a problem and returns nothing if
/// a value is not what it must be.
struct NodeReader {
  /// Where relative folders begin.
  let folder: String
  /// Whether there is a folder at a path.
  let folderExists: (String) -> Bool
  var problems: [ConfigurationProblem] = []
  var warnings: [ConfigurationProblem] = []

  /// The most names, origins and header fields that a list may have (AWS's limit for the latter two).
  private static let itemsLimit = 100

  init(folder: String, folderExists: @escaping (String) -> Bool) {
    self.folder = folder
    self.folderExists = folderExists
  }

  mutating func warn(_ entry: YAMLNode.Entry?, _ sentence: String) {
    guard let entry else { return }
    let message = "\(entry.key) \(sentence)."
    warnings.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
  }

  mutating func add(_ node: YAMLNode, _ message: String) {
    problems.append(ConfigurationProblem(line: node.line, column: node.column, message: message))
  }

  /// The entries of a mapping by key. Nothing instead of a mapping means an empty one. Unknown and repeated keys are problems;
  /// of repeated ones the first counts.
  mutating func entries(of node: YAMLNode, name: String, keys known: [String]) -> [String: YAMLNode.Entry] {
    var result: [String: YAMLNode.Entry] = [:]
    for entry in uniqueEntries(of: node, name: name) {
      if known.contains(entry.key) {
        result[entry.key] = entry
        continue
      }
      let hint =
        Suggestion.closest(to: entry.key, in: known).map { "did you mean \($0)?" }
        ?? "its keys are \(known.joined(separator: ", "))."
      let message = "\(quoted(entry.key)) is not a key of \(name); \(hint)"
      problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
    }
    return result
  }

  mutating func uniqueEntries(of node: YAMLNode, name: String) -> [YAMLNode.Entry] {
    guard case .map(let entries) = node.value else {
      if case .null = node.value { return [] }
      add(node, "\(name) must be a mapping of keys to values, but is \(node.kind).")
      return []
    }
    var firstLines: [String: Int] = [:]
    return entries.filter { entry in
      guard let first = firstLines[entry.key] else {
        firstLines[entry.key] = entry.line
        return true
      }
      let message = "\(quoted(entry.key)) is written twice in \(name), first in line \(first); keep one."
      problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
      return false
    }
  }

  mutating func text(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry else { return nil }
    switch entry.value.value {
    case .text(let text, _): return text
    case .null:
      problems.append(
        ConfigurationProblem(
          line: entry.line, column: entry.column,
          message: "\(entry.key) has no value; write one, or leave the line out."))
    case .list, .map: add(entry.value, "\(entry.key) must be one value, but is \(entry.value.kind).")
    }
    return nil
  }

  mutating func integer(_ entry: YAMLNode.Entry?, in range: ClosedRange<Int64>) -> Int64? {
    guard let entry, let text = text(entry) else { return nil }
    let isNumber = text.utf8.count <= 18 && text.utf8.allSatisfy { (48...57).contains($0) }
    guard case .text(_, isPlain: true) = entry.value.value, isNumber, let number = Int64(text), range.contains(number)
    else {
      add(
        entry.value,
        "\(entry.key) must be a whole number from \(range.lowerBound) to \(range.upperBound), without quotes, but is "
          + "\(quoted(text)).")
      return nil
    }
    return number
  }

  mutating func duration(_ entry: YAMLNode.Entry) -> Nanoseconds? {
    guard let text = text(entry) else { return nil }
    do {
      return try DurationText.parse(text)
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
      return nil
    }
  }

  mutating func memory(_ entry: YAMLNode.Entry?, megabytes range: ClosedRange<Int64>) -> Int64? {
    guard let entry, let text = text(entry) else { return nil }
    do {
      let bytes = try MemoryText.bytes(text)
      if range.contains(bytes / MemoryText.bytesPerMegabyte) { return bytes }
      add(
        entry.value,
        "\(entry.key) must be from \(range.lowerBound)MB to \(range.upperBound / 1024)GB, but is \(quoted(text)).")
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
    }
    return nil
  }

  mutating func path(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry, let text = text(entry) else { return nil }
    guard !text.isEmpty, text.utf8.count <= 4095, !text.utf8.contains(0) else {
      add(entry.value, "\(entry.key) must be a path of at most 4,095 bytes.")
      return nil
    }
    return Self.absolute(text, in: folder)
  }

  mutating func address(_ entry: YAMLNode.Entry?) -> ListenAddress? {
    guard let entry, let text = text(entry) else { return nil }
    do {
      return try ListenAddress.parse(text)
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
      return nil
    }
  }

  /// `path` after `folder` unless it is absolute; steps that go nowhere are taken out.
  static func absolute(_ path: String, in folder: String) -> String {
    let joined = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    let steps = joined.split(separator: "/").filter { $0 != "." }
    return (joined.hasPrefix("/") ? "/" : "") + steps.joined(separator: "/")
  }

  mutating func boolean(_ entry: YAMLNode.Entry?) -> Bool? {
    guard let entry, let text = text(entry) else { return nil }
    if text == "true" || text == "false" { return text == "true" }
    add(entry.value, "\(entry.key) must be true or false, but is \(quoted(text)).")
    return nil
  }

  mutating func existingFolder(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry, let path = path(entry) else { return nil }
    if folderExists(path) { return path }
    add(entry.value, "\(entry.key): there is no folder \(path); write the path of one.")
    return nil
  }

  /// A list of texts; one text is a list of one.
  mutating func texts(
    _ entry: YAMLNode.Entry?, what: String, _ isTaken: (String) -> Bool
  ) -> [String] {
    guard let entry else { return [] }
    let items: [YAMLNode]
    switch entry.value.value {
    case .list(let list): items = list
    case .text: items = [entry.value]
    case .null, .map:
      add(entry.value, "\(entry.key) must be a list of strings, but is \(entry.value.kind).")
      return []
    }
    guard items.count <= Self.itemsLimit else {
      add(entry.value, "\(entry.key) has \(items.count) items; at most \(Self.itemsLimit) are allowed.")
      return []
    }
    var result: [String] = []
    for item in items {
      if case .text(let text, _) = item.value, isTaken(text) {
        result.append(text)
      } else if case .text(let text, _) = item.value {
        add(item, "\(quoted(text)) is not a valid item of \(entry.key); write \(what).")
      } else {
        add(item, "Each item of \(entry.key) must be a string, but this is \(item.kind).")
      }
    }
    return result
  }
}
