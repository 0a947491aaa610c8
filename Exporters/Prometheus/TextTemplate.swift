import Catalogue
import Windows

/// A metric with all of its text that never changes, made once.
struct TextTemplate: Sendable {
  /// `# HELP name …` up to where the length of a window stands, or whole.
  let help: [UInt8]
  /// What comes behind the length of a window; `nil` if it is not named.
  let helpBehindWindow: [UInt8]?
  /// `# TYPE name kind`, with the line feeds around it.
  let type: [UInt8]
  /// The name of every sample, or of a histogram's buckets.
  let name: [UInt8]
  /// For each value of the label, what stands between the function's labels and the value: `,trigger="http"} `. One if there is no label.
  /// For a histogram, for each bound and then for `+Inf`.
  let suffixes: TextRow
  /// `name_sum`; empty if this is no histogram.
  let sumName: [UInt8]
  /// `name_count`; empty if this is no histogram.
  let countName: [UInt8]
  /// `{version="` for a label whose value is known only when it is read.
  let openLabel: [UInt8]?
  let source: MetricFamily.Source

  static let all: [TextTemplate] = Catalogue.families.map { TextTemplate($0) }

  init(_ family: MetricFamily) {
    source = family.source
    let (before, behind) = TextTemplate.split(TextTemplate.escapedHelp(family.help))
    help = Array("# HELP \(family.name) \(before)".utf8)
    helpBehindWindow = behind.map { Array($0.utf8) }
    type = Array("\n# TYPE \(family.name) \(family.kind.rawValue)\n".utf8)
    switch family.source {
    case .distribution(let bounds, _):
      name = Array("\(family.name)_bucket".utf8)
      sumName = Array("\(family.name)_sum".utf8)
      countName = Array("\(family.name)_count".utf8)
      suffixes = TextRow((bounds.values + [.infinity]).map { ",le=\"\(PrometheusNumber.text($0))\"} " })
      openLabel = nil
    case .function:
      name = Array(family.name.utf8)
      (sumName, countName, openLabel) = ([], [], nil)
      suffixes = TextRow(
        family.label.map { label in
          family.labelValues.map { ",\(label)=\"\(TextTemplate.escapedValue($0))\"} " }
        } ?? ["} "])
    case .agent:
      name = Array(family.name.utf8)
      (sumName, countName) = ([], [])
      openLabel = family.labelValues.isEmpty ? family.label.map { Array("{\($0)=\"".utf8) } : nil
      suffixes = TextRow(
        family.label.map { label in
          family.labelValues.map { "{\(label)=\"\(TextTemplate.escapedValue($0))\"} " }
        } ?? [" "])
    }
  }

  private static func escapedHelp(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1 == "\n" ? "\\n" : String($1) }
  }

  private static func escapedValue(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1 == "\n" ? "\\n" : $1 == "\"" ? "\\\"" : String($1) }
  }

  private static func split(_ help: String) -> (before: Substring, behind: Substring?) {
    let pattern = MetricFamily.windowPlaceholder
    guard let start = help.indices.first(where: { help[$0...].hasPrefix(pattern) }) else { return (help[...], nil) }
    return (help[..<start], help[start...].dropFirst(pattern.count))
  }
}

/// Several texts in one array, so that looking at one of them counts no references.
struct TextRow: Sendable {
  let bytes: [UInt8]
  /// Where each begins, and where the last ends.
  private let bounds: [Int]

  init(_ texts: [String]) {
    var bytes: [UInt8] = []
    var bounds = [0]
    for text in texts {
      bytes.append(contentsOf: text.utf8)
      bounds.append(bytes.count)
    }
    self.bytes = bytes
    self.bounds = bounds
  }

  func range(_ position: Int) -> Range<Int> { bounds[position]..<bounds[position + 1] }
}
