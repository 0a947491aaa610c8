import Text

extension RuntimeSettings {
  /// Reads `runtime`, with `handler` and `interpreter` beside it; `nil` with a problem if one of them is wrong.
  static func read(
    _ entry: YAMLNode.Entry, _ keys: [String: YAMLNode.Entry], _ nodes: inout NodeReader
  ) -> RuntimeSettings? {
    guard let text = nodes.text(entry) else { return nil }
    guard let language = Language(rawValue: text) else {
      let family = text.hasPrefix("nodejs") ? "node" : text.hasPrefix("python") ? "python" : nil
      let advice = family.map { "; write runtime: \($0), which runs the version that is installed" } ?? ""
      nodes.add(entry.value, "runtime must be node or python, but is \(quoted(text))\(advice).")
      return nil
    }
    guard let handler = keys["handler"], let name = nodes.text(handler) else {
      if keys["handler"] == nil {
        nodes.add(entry.value, "runtime needs a handler; write handler: \(language.sampleHandler) beside it.")
      }
      return nil
    }
    let hasName = name.split(separator: "/").last?.split(separator: ".", maxSplits: 1).count == 2
    guard hasName, !name.utf8.contains(0), name.utf8.count <= 128, !name.hasPrefix("-") else {
      nodes.add(
        handler.value,
        "handler must be a module and the name of a function in it, such as \(language.sampleHandler), but is \(quoted(name))."
      )
      return nil
    }
    var interpreter = language.interpreter
    if let own = keys["interpreter"] {
      guard let program = nodes.text(own), !program.isEmpty, !program.utf8.contains(0) else {
        nodes.add(own.value, "interpreter must be a program, such as .venv/bin/python.")
        return nil
      }
      interpreter = program
    }
    return RuntimeSettings(language: language, handler: name, interpreter: interpreter)
  }
}

extension ResponseModeSetting {
  /// Reads it by our word (`own`), or by AWS's; `nil` with a problem if it is neither, or both are there.
  static func read(
    _ own: YAMLNode.Entry?, _ other: YAMLNode.Entry?, _ nodes: inout NodeReader
  ) -> ResponseModeSetting? {
    if own != nil, let other {
      nodes.add(other.value, "responseMode and invokeMode say the same thing; write one of them.")
      return nil
    }
    guard let entry = own ?? other, let text = nodes.text(entry) else { return nil }
    let modes = allCases
    let mode = modes.first { (own != nil ? $0.rawValue : $0.invokeMode) == text }
    if mode == nil {
      let words = own != nil ? "stream or buffered" : "RESPONSE_STREAM or BUFFERED"
      nodes.add(entry.value, "\(entry.key) must be \(words), but is \(quoted(text)).")
    }
    return mode
  }
}

extension LogFormatSetting {
  static func read(_ entry: YAMLNode.Entry?, _ nodes: inout NodeReader) -> Self? {
    guard let entry, let text = nodes.text(entry) else { return nil }
    let format = Self(rawValue: text)
    if format == nil { nodes.add(entry.value, "logFormat must be text or json, but is \(quoted(text)).") }
    return format
  }
}

extension TimeoutPolicy {
  static func read(_ entry: YAMLNode.Entry?, _ nodes: inout NodeReader) -> Self? {
    guard let entry, let text = nodes.text(entry) else { return nil }
    let policy = Self(rawValue: text)
    if policy == nil { nodes.add(entry.value, "onTimeout must be restart or continue, but is \(quoted(text)).") }
    return policy
  }
}

extension AbortSignalName {
  static func read(_ entry: YAMLNode.Entry?, _ nodes: inout NodeReader) -> Self? {
    guard let entry, let text = nodes.text(entry) else { return nil }
    let signal = Self(rawValue: text)
    if signal == nil {
      let names = allCases.map(\.rawValue).joined(separator: ", ")
      nodes.add(entry.value, "abortSignal must be one of \(names), but is \(quoted(text)).")
    }
    return signal
  }
}
