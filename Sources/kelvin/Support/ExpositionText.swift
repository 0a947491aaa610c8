/// Takes parts out of a Prometheus text exposition (format 0.0.4).
enum ExpositionText {
  /// The families whose names begin with `prefix`, as they are written; of one function, only its samples.
  ///
  /// - Parameters:
  ///   - function: Keeps the samples with this value of the label `function`; `nil` keeps all, also those without one.
  ///   - version: Keeps, of these, the samples with this value of `version`; `nil` keeps all.
  ///   - kinds: The types to keep; `nil` keeps all.
  /// - Complexity: O(bytes).
  static func selected(
    _ text: [UInt8], prefix: String, function: String? = nil, version: String? = nil, kinds: Set<String>? = nil
  ) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(function == nil ? text.count : 4_096)
    // The comments of the family, written once a sample of it is kept.
    var head: [UInt8] = []
    var family = ""
    var isKept = false
    for line in text.split(separator: UInt8(ascii: "\n")) {
      if line.first == UInt8(ascii: "#") {
        let words = String(decoding: line, as: UTF8.self).split(separator: " ", maxSplits: 3)
        guard words.count >= 3, words[1] == "HELP" || words[1] == "TYPE" else { continue }
        if words[2] != family {
          family = String(words[2])
          head = []
          isKept = family.hasPrefix(prefix)
        }
        if words[1] == "TYPE", let kinds, words.count < 4 || !kinds.contains(String(words[3])) { isKept = false }
        if isKept { head += line + [UInt8(ascii: "\n")] }
      } else if isKept, matches(line, function, version) {
        result += head
        head = []
        result += line
        result.append(UInt8(ascii: "\n"))
      }
    }
    return result
  }

  private static func matches(_ sample: ArraySlice<UInt8>, _ function: String?, _ version: String?) -> Bool {
    guard let function else { return true }
    let labels = labels(of: sample)
    guard labels["function"] == function else { return false }
    guard let version else { return true }
    return labels["version"] ?? "$LATEST" == version
  }

  /// The labels of a sample, with escapes undone.
  private static func labels(of sample: ArraySlice<UInt8>) -> [String: String] {
    var labels: [String: String] = [:]
    guard var position = sample.firstIndex(of: UInt8(ascii: "{")).map({ $0 + 1 }) else { return labels }
    while position < sample.endIndex, sample[position] != UInt8(ascii: "}") {
      guard let equals = sample[position...].firstIndex(of: UInt8(ascii: "=")), equals + 1 < sample.endIndex,
        let (value, end) = quoted(sample, from: equals + 1)
      else { return labels }
      labels[String(decoding: sample[position..<equals], as: UTF8.self)] = value
      position = end
      if position < sample.endIndex, sample[position] == UInt8(ascii: ",") { position += 1 }
    }
    return labels
  }

  /// The value that begins with the quote at `start`, and the position behind its end.
  private static func quoted(_ bytes: ArraySlice<UInt8>, from start: Int) -> (String, Int)? {
    guard bytes[start] == UInt8(ascii: "\"") else { return nil }
    var value: [UInt8] = []
    var position = start + 1
    while position < bytes.endIndex {
      switch bytes[position] {
      case UInt8(ascii: "\""): return (String(decoding: value, as: UTF8.self), position + 1)
      case UInt8(ascii: "\\") where position + 1 < bytes.endIndex:
        position += 1
        value.append(bytes[position] == UInt8(ascii: "n") ? UInt8(ascii: "\n") : bytes[position])
      default: value.append(bytes[position])
      }
      position += 1
    }
    return nil
  }
}
