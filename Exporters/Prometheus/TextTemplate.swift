import Catalogue
import Windows

/// The two text formats. They differ in the lines before the samples and in what may follow a value.
enum TextDialect: Sendable {
  case prometheus
  case openMetrics
}

/// A metric with all of its text that never changes, made once.
struct TextTemplate: Sendable {
  /// What stands before the samples, up to where the length of a window stands, or whole.
  let head: [UInt8]
  /// What comes behind the length of a window; `nil` if it is not named.
  let headBehindWindow: [UInt8]?
  /// The name of every sample, or of a histogram's buckets.
  let name: [UInt8]
  /// For each value of the label, what stands between the function's labels and the value: `,trigger="http"} `. One if there is no label.
  /// For a histogram, for each bound and then for `+Inf`. None for a metric of the agent.
  let suffixes: TextRow
  /// `name_sum`; empty if this is no histogram.
  let sumName: [UInt8]
  /// `name_count`; empty if this is no histogram.
  let countName: [UInt8]
  /// `name_created`; `nil` if what is counted has no beginning, or the dialect no word for it.
  let createdName: [UInt8]?
  /// For each label of a metric of the agent or of event sources, what stands before its value: `{version="`, and `",route="` for a
  /// second one.
  let labelOpenings: [[UInt8]]
  let source: MetricFamily.Source
  /// `nil` if there are none, or the dialect has no place for them.
  let exemplar: MetricFamily.ExemplarReading?

  private static let prometheus = Catalogue.families.map { TextTemplate($0, .prometheus) }
  private static let openMetrics = Catalogue.families.map { TextTemplate($0, .openMetrics) }

  static func all(_ dialect: TextDialect) -> [TextTemplate] {
    switch dialect {
    case .prometheus: prometheus
    case .openMetrics: openMetrics
    }
  }

  init(_ family: MetricFamily, _ dialect: TextDialect) {
    source = family.source
    exemplar = dialect == .openMetrics ? family.exemplar : nil
    let (before, behind) = MetricFamily.aroundWindow(TextTemplate.head(family, dialect))
    head = Array(before.utf8)
    headBehindWindow = behind.map { Array($0.utf8) }
    let hasCreated = dialect == .openMetrics && family.kind != .gauge
    createdName = hasCreated ? Array("\(family.openMetricsName)_created".utf8) : nil
    switch family.source {
    case .distribution(let bounds, _), .eventSourceDistribution(_, let bounds, _):
      name = Array("\(family.name)_bucket".utf8)
      sumName = Array("\(family.name)_sum".utf8)
      countName = Array("\(family.name)_count".utf8)
      suffixes = TextRow((bounds.values + [.infinity]).map { ",le=\"\(PrometheusNumber.text($0))\"} " })
      labelOpenings = family.sourceLabel.map { [Array("{\($0)=\"".utf8)] } ?? []
    case .eventSource:
      name = Array(family.name.utf8)
      (sumName, countName) = ([], [])
      suffixes = TextRow([])
      labelOpenings = family.sourceLabel.map { [Array("{\($0)=\"".utf8)] } ?? []
    case .function:
      name = Array(family.name.utf8)
      (sumName, countName, labelOpenings) = ([], [], [])
      suffixes = TextRow(
        family.labels.first.map { label in
          label.values.map { ",\(label.name)=\"\(TextTemplate.escapedValue($0))\"} " }
        } ?? ["} "])
    case .agent:
      name = Array(family.name.utf8)
      (sumName, countName) = ([], [])
      suffixes = TextRow([])
      labelOpenings = family.labels.enumerated().map { position, label in
        Array((position == 0 ? "{\(label.name)=\"" : "\",\(label.name)=\"").utf8)
      }
    }
  }

  private static func head(_ family: MetricFamily, _ dialect: TextDialect) -> String {
    switch dialect {
    case .prometheus:
      return "# HELP \(family.name) \(escapedHelp(family.help))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
    case .openMetrics:
      let name = family.openMetricsName
      let unit = family.unitOfName.map { "# UNIT \(name) \($0)\n" } ?? ""
      let kind = family.isInformation ? "info" : family.kind.rawValue
      // Quotes are escaped in this dialect's help, too.
      return "# TYPE \(name) \(kind)\n\(unit)# HELP \(name) \(escapedValue(family.help))\n"
    }
  }

  private static func escapedHelp(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1 == "\n" ? "\\n" : String($1) }
  }

  private static func escapedValue(_ text: String) -> String {
    text.reduce(into: "") { $0 += $1 == "\\" ? "\\\\" : $1 == "\n" ? "\\n" : $1 == "\"" ? "\\\"" : String($1) }
  }
}

extension MetricFamily {
  /// The name of the family in OpenMetrics, which says by the kind what others say by the name.
  var openMetricsName: String {
    if kind == .counter, name.hasSuffix("_total") { return String(name.dropLast("_total".count)) }
    return isInformation ? String(name.dropLast("_info".count)) : name
  }

  /// Whether it is always 1, and its labels are what it tells.
  var isInformation: Bool { kind == .gauge && name.hasSuffix("_info") }

  /// The label that names an event source; `nil` for what is no metric of those.
  var sourceLabel: String? {
    switch source {
    case .eventSource, .eventSourceDistribution: labelNames.first
    case .agent, .function, .distribution: nil
    }
  }

  /// The unit, where the name of the family ends with it; formats take no other.
  var unitOfName: String? {
    unit != .none && openMetricsName.hasSuffix("_" + unit.rawValue) ? unit.rawValue : nil
  }

  /// A text up to where the length of a window stands in it, and what comes behind that; whole, and `nil`, if it is not named.
  static func aroundWindow(_ text: String) -> (before: Substring, behind: Substring?) {
    let pattern = windowPlaceholder
    guard let start = text.indices.first(where: { text[$0...].hasPrefix(pattern) }) else { return (text[...], nil) }
    return (text[..<start], text[start...].dropFirst(pattern.count))
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
