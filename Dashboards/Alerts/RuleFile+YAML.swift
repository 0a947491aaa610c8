import Lifecycle

extension RuleFile {
  /// The file as Prometheus reads it.
  ///
  /// - Parameter runbooks: The address before the name of a page; a slash is added if it does not end with one.
  package func yaml(runbooks: String) -> String {
    let base = runbooks.utf8.last == UInt8(ascii: "/") ? runbooks : runbooks + "/"
    var lines = ["groups:"]
    for group in groups {
      lines.append("  - name: \(group.name)")
      if let interval = group.interval { lines.append("    interval: \(PromQL.duration(interval))") }
      lines.append("    rules:")
      for rule in group.rules {
        switch rule {
        case .recording(let rule): lines += RuleFile.lines(rule)
        case .alerting(let rule): lines += RuleFile.lines(rule, base: base)
        }
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func lines(_ rule: RecordingRule) -> [String] {
    ["      - record: \(rule.name)"] + expression(rule.expression)
  }

  private static func lines(_ rule: AlertingRule, base: String) -> [String] {
    var lines = ["      - alert: \(rule.name)"] + expression(rule.expression)
    if rule.pending != .zero { lines.append("        for: \(PromQL.duration(rule.pending))") }
    lines += ["        labels:", "          severity: \(rule.severity.rawValue)"]
    lines += rule.labels.map { "          \($0.name): \(quoted($0.value))" }
    lines += [
      "        annotations:",
      "          summary: \(quoted(rule.summary))",
      "          description: \(quoted(rule.description))",
      "          runbook_url: \(quoted("\(base)\(rule.runbook.rawValue).md#\(rule.anchor)"))",
    ]
    return lines
  }

  /// A query as a block, in which nothing needs an escape. A block that begins with a space must say how far it is indented.
  private static func expression(_ text: String) -> [String] {
    ["        expr: \(text.utf8.first == UInt8(ascii: " ") ? "|2-" : "|-")"]
      + text.split(separator: "\n", omittingEmptySubsequences: false).map { $0.isEmpty ? "" : "          \($0)" }
  }

  /// A text in double quotes; YAML escapes what JSON does.
  static func quoted(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"": result += "\\\""
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case _ where scalar.value < 0x20 || scalar.value == 0x7F:
        let digits = String(scalar.value, radix: 16)
        result += "\\x" + (digits.utf8.count == 1 ? "0" : "") + digits
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }
}
