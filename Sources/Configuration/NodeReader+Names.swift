import Lifecycle
import Text

// Values that several sections have.
extension NodeReader {
  /// The key of an entry is a name.
  mutating func checkName(_ entry: YAMLNode.Entry, of what: String) {
    let isName = entry.key.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"):
        true
      default: false
      }
    }
    guard !isName || entry.key.isEmpty || entry.key.utf8.count > FunctionID.nameBytesLimit else { return }
    let message =
      "\(quoted(entry.key)) is not a valid name for \(what); write 1 to \(FunctionID.nameBytesLimit) letters, "
      + "digits, - and _."
    problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
  }

  /// The name of a function of the file.
  mutating func functionName(_ entry: YAMLNode.Entry?, among names: [String]) -> String? {
    guard let entry, let name = text(entry) else { return nil }
    guard !names.contains(name) else { return name }
    let hint =
      Suggestion.closest(to: name, in: names).map { "did you mean \($0)?" }
      ?? (names.isEmpty ? "the file has no functions." : "the file has \(names.prefix(10).joined(separator: ", ")).")
    add(entry.value, "\(entry.key): there is no function \(quoted(name)); \(hint)")
    return nil
  }

  mutating func duration(_ entry: YAMLNode.Entry?, in range: ClosedRange<Nanoseconds>) -> Nanoseconds? {
    guard let entry, let duration = duration(entry) else { return nil }
    guard range.contains(duration) else {
      add(
        entry.value,
        "\(entry.key) must be from \(DurationText.text(range.lowerBound)) to \(DurationText.text(range.upperBound)), "
          + "but is \(DurationText.text(duration)).")
      return nil
    }
    return duration
  }

  /// How long a function may take.
  mutating func timeout(_ entry: YAMLNode.Entry?) -> Nanoseconds? {
    guard let entry, let timeout = duration(entry) else { return nil }
    guard (Nanoseconds.milliseconds(100)...Nanoseconds.seconds(900)).contains(timeout) else {
      add(entry.value, "\(entry.key) must be from 100ms to 900s, but is \(DurationText.text(timeout)).")
      return nil
    }
    return timeout
  }
}
