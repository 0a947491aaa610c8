/// Finds what is wrong with a text exposition, beyond what promtool finds: interleaved families, duplicate series, histograms without
/// `+Inf`, with counts that go down or do not agree, wrong escapes, missing HELP or TYPE, a missing line feed at the end; in OpenMetrics
/// also a unit that the name does not end with, an exemplar where none may be, and a text without an end.
package struct ExpositionValidator {
  package enum Dialect: Sendable {
    /// Prometheus text 0.0.4.
    case prometheus
    /// OpenMetrics 1.0.
    case openMetrics
  }

  /// A sample as it was read.
  package struct Sample: Equatable, Sendable {
    package var name: String
    package var labels: [Label]
    package var value: Double
    /// As it was written.
    package var valueText: String
    package var exemplar: Exemplar?

    package func value(of label: String) -> String? { labels.first { $0.name == label }?.value }
  }

  package struct Label: Hashable, Sendable {
    package var name: String
    package var value: String

    package init(name: String, value: String) {
      self.name = name
      self.value = value
    }
  }

  /// What stands behind the value of a sample.
  package struct Exemplar: Equatable, Sendable {
    package var labels: [Label]
    package var value: Double
    /// In seconds since the Unix epoch.
    package var time: Double

    package init(labels: [Label], value: Double, time: Double) {
      self.labels = labels
      self.value = value
      self.time = time
    }
  }

  /// Sentences, each with its line.
  package private(set) var problems: [String] = []
  /// All samples that could be read, in order.
  package private(set) var samples: [Sample] = []
  /// The families in order, with their types.
  package private(set) var types: [String: String] = [:]

  private let dialect: Dialect
  private var helped: Set<String> = []
  private var finished: Set<String> = []
  private var current: String?
  private var seen: Set<[Label]> = []
  private var histograms: [String: [[Label]: Histogram]] = [:]
  private var line = 0

  private struct Histogram {
    var buckets: [(bound: Double, count: Double)] = []
    var sum: Double?
    var count: Double?
  }

  /// Reads a whole exposition.
  package init(_ text: String, _ dialect: Dialect = .prometheus) {
    self.dialect = dialect
    guard !text.isEmpty else {
      if dialect == .openMetrics { report("the text has no end") }
      return
    }
    if text.unicodeScalars.last != "\n" { report("the last line does not end with a line feed") }
    if text.utf8.contains(UInt8(ascii: "\r")) { report("there is a carriage return") }
    // Lines are cut in bytes, because `\r\n` is one character in Swift.
    let pieces = text.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropLast()
    if dialect == .openMetrics && pieces.last.map({ String($0) }) != "# EOF" { report("the text has no end") }
    for piece in dialect == .openMetrics ? pieces.dropLast() : pieces {
      line += 1
      let content = String(piece) ?? ""
      if content.hasPrefix("# UNIT ") && dialect == .openMetrics {
        readUnit(content)
      } else if content.hasPrefix("# HELP ") || content.hasPrefix("# TYPE ") {
        readMetadata(content)
      } else if content.isEmpty || content.hasPrefix("#") {
        report("a line is empty or a comment")
      } else {
        readSample(content)
      }
    }
    for (family, byLabels) in histograms { checkHistograms(family, byLabels) }
    for family in types.keys where !helped.contains(family) { report("\(family) has no HELP") }
  }

  private mutating func report(_ problem: String) { problems.append("line \(line): \(problem)") }

  // MARK: Metadata

  private mutating func readMetadata(_ content: String) {
    let words = content.split(separator: " ", maxSplits: 3, omittingEmptySubsequences: false)
    guard words.count == 4, !words[3].isEmpty else { return report("HELP or TYPE is not complete") }
    let family = String(words[2])
    if !isName(family, allowsColon: true) { report("\(family) is no name of a metric") }
    enter(family)
    if words[1] == "HELP" {
      if !helped.insert(family).inserted { report("\(family) has a second HELP") }
      // OpenMetrics escapes quotes in help, too.
      let escapes: Set<Character> = dialect == .openMetrics ? ["\\", "n", "\""] : ["\\", "n"]
      if !hasOnlyEscapes(words[3], of: escapes) { report("HELP of \(family) has a wrong escape") }
      return
    }
    let type = String(words[3])
    if types.updateValue(type, forKey: family) != nil { report("\(family) has a second TYPE") }
    if !allowedTypes.contains(type) { report("\(type) is no type") }
    switch dialect {
    case .prometheus:
      if type == "counter" && !family.hasSuffix("_total") { report("the counter \(family) does not end with _total") }
      if type != "counter" && family.hasSuffix("_total") { report("\(family) ends with _total and is no counter") }
    case .openMetrics:
      if ["_total", "_created", "_info", "_bucket"].contains(where: { family.hasSuffix($0) }) {
        report("the family \(family) has the suffix of a sample")
      }
    }
  }

  private var allowedTypes: Set<String> {
    dialect == .prometheus
      ? ["counter", "gauge", "histogram", "summary", "untyped"]
      : ["counter", "gauge", "histogram", "gaugehistogram", "summary", "info", "stateset", "unknown"]
  }

  private mutating func readUnit(_ content: String) {
    let words = content.split(separator: " ", omittingEmptySubsequences: false)
    guard words.count == 4, !words[3].isEmpty else { return report("UNIT is not complete") }
    enter(String(words[2]))
    if !words[2].hasSuffix("_" + words[3]) { report("\(words[2]) does not end with its unit \(words[3])") }
  }

  /// All lines of a family have to be together.
  private mutating func enter(_ family: String) {
    guard family != current else { return }
    if let current { finished.insert(current) }
    if finished.contains(family) { report("lines of \(family) stand apart") }
    current = family
  }

  private func hasOnlyEscapes(_ text: Substring, of allowed: Set<Character>) -> Bool {
    var isEscape = false
    for character in text {
      if isEscape && !allowed.contains(character) { return false }
      isEscape = !isEscape && character == "\\"
    }
    return !isEscape
  }

  private func isName(_ name: String, allowsColon: Bool) -> Bool {
    guard let first = name.unicodeScalars.first, !("0"..."9").contains(first) else { return false }
    return name.unicodeScalars.allSatisfy { scalar in
      ("a"..."z").contains(scalar) || ("A"..."Z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "_"
        || (allowsColon && scalar == ":")
    }
  }

  // MARK: Samples

  private mutating func readSample(_ content: String) {
    guard let sample = parse(content) else { return report("no sample: \(content)") }
    samples.append(sample)
    let family = familyName(of: sample.name)
    enter(family)
    guard let type = types[family] else { return report("\(sample.name) comes before its TYPE") }
    if !seen.insert([Label(name: "", value: sample.name)] + sample.labels.sorted { $0.name < $1.name }).inserted {
      report("the series \(content) is there twice")
    }
    if Set(sample.labels.map(\.name)).count != sample.labels.count { report("a label is there twice") }
    if let exemplar = sample.exemplar { check(exemplar, of: sample, type) }
    if type == "counter" && (sample.value < 0 || !sample.value.isFinite) {
      report("a counter is below 0 or not finite")
    }
    if type == "histogram" && !sample.name.hasSuffix("_created") { collect(sample, family) }
  }

  private mutating func check(_ exemplar: Exemplar, of sample: Sample, _ type: String) {
    let mayHaveOne =
      type == "counter" && sample.name.hasSuffix("_total") || type == "histogram" && sample.name.hasSuffix("_bucket")
    if dialect == .prometheus || !mayHaveOne { report("\(sample.name) has an exemplar") }
    let length = exemplar.labels.reduce(0) { $0 + $1.name.unicodeScalars.count + $1.value.unicodeScalars.count }
    if length > 128 { report("the labels of an exemplar have \(length) characters") }
    if let le = sample.value(of: "le").flatMap(number), exemplar.value > le {
      report("an exemplar lies above its bucket")
    }
  }

  private func familyName(of name: String) -> String {
    let suffixes: [(suffix: String, types: Set<String>)] =
      dialect == .prometheus
      ? [("_bucket", ["histogram"]), ("_sum", ["histogram"]), ("_count", ["histogram"])]
      : [
        ("_total", ["counter"]), ("_info", ["info"]), ("_bucket", ["histogram"]), ("_sum", ["histogram"]),
        ("_count", ["histogram"]), ("_created", ["counter", "histogram"]),
      ]
    for (suffix, typed) in suffixes where name.hasSuffix(suffix) {
      let base = String(name.dropLast(suffix.count))
      if let type = types[base], typed.contains(type) { return base }
    }
    return name
  }

  private mutating func collect(_ sample: Sample, _ family: String) {
    let labels = sample.labels.filter { $0.name != "le" }.sorted { $0.name < $1.name }
    var histogram = histograms[family, default: [:]][labels] ?? Histogram()
    switch sample.name.dropFirst(family.count) {
    case "_bucket":
      guard let le = sample.value(of: "le"), let bound = number(le) else { return report("a bucket has no bound") }
      histogram.buckets.append((bound, sample.value))
    case "_sum": histogram.sum = sample.value
    case "_count": histogram.count = sample.value
    default: report("\(sample.name) is no sample of a histogram")
    }
    histograms[family, default: [:]][labels] = histogram
  }

  private mutating func checkHistograms(_ family: String, _ byLabels: [[Label]: Histogram]) {
    for (labels, histogram) in byLabels {
      let name = "\(family) of \(labels.map(\.value))"
      if histogram.sum == nil { report("\(name) has no sum") }
      if histogram.count == nil { report("\(name) has no count") }
      guard let last = histogram.buckets.last, last.bound == .infinity else {
        report("\(name) has no bucket +Inf at its end")
        continue
      }
      if let count = histogram.count, count != last.count { report("\(name) counts \(count) and +Inf \(last.count)") }
      for (lower, upper) in zip(histogram.buckets, histogram.buckets.dropFirst()) {
        if lower.bound >= upper.bound { report("\(name) has bounds that do not go up") }
        if lower.count > upper.count { report("\(name) has counts that go down") }
      }
    }
  }

  // MARK: Syntax

  private func parse(_ content: String) -> Sample? {
    var scalars = Array(content.unicodeScalars)[...]
    let name = String(String.UnicodeScalarView(scalars.prefix { $0 != "{" && $0 != " " }))
    guard isName(name, allowsColon: true) else { return nil }
    scalars = scalars.dropFirst(name.unicodeScalars.count)
    guard let labels = scalars.first == "{" ? parseLabels(&scalars) : [], scalars.popFirst() == " " else { return nil }
    let text = String(String.UnicodeScalarView(scalars.prefix { $0 != " " }))
    scalars = scalars.dropFirst(text.unicodeScalars.count)
    guard let value = number(text) else { return nil }
    var sample = Sample(name: name, labels: labels, value: value, valueText: text)
    guard !scalars.isEmpty else { return sample }
    guard let exemplar = parseExemplar(scalars) else { return nil }
    sample.exemplar = exemplar
    return sample
  }

  /// ` # {labels} value time`
  private func parseExemplar(_ text: ArraySlice<Unicode.Scalar>) -> Exemplar? {
    var scalars = text
    for expected in " # ".unicodeScalars { guard scalars.popFirst() == expected else { return nil } }
    guard scalars.first == "{", let labels = parseLabels(&scalars), scalars.popFirst() == " " else { return nil }
    let numbers = String(String.UnicodeScalarView(scalars)).split(separator: " ", omittingEmptySubsequences: false)
    guard numbers.count == 2, let value = number(String(numbers[0])), let time = number(String(numbers[1])) else {
      return nil
    }
    return Exemplar(labels: labels, value: value, time: time)
  }

  private func parseLabels(_ scalars: inout ArraySlice<Unicode.Scalar>) -> [Label]? {
    var labels: [Label] = []
    scalars.removeFirst()
    while scalars.first != "}" {
      guard let label = parseLabel(&scalars) else { return nil }
      labels.append(label)
      guard scalars.first == "," else { break }
      scalars.removeFirst()
      // A comma stands between labels.
      if scalars.first == "}" { return nil }
    }
    return scalars.popFirst() == "}" ? labels : nil
  }

  private func parseLabel(_ scalars: inout ArraySlice<Unicode.Scalar>) -> Label? {
    let name = String(String.UnicodeScalarView(scalars.prefix { $0 != "=" }))
    scalars = scalars.dropFirst(name.unicodeScalars.count + 1)
    guard isName(name, allowsColon: false), scalars.popFirst() == "\"" else { return nil }
    var value = String.UnicodeScalarView()
    while let scalar = scalars.popFirst() {
      switch scalar {
      case "\"": return Label(name: name, value: String(value))
      case "\\":
        switch scalars.popFirst() {
        case "\\": value.append("\\")
        case "\"": value.append("\"")
        case "n": value.append("\n")
        default: return nil
        }
      default: value.append(scalar)
      }
    }
    return nil
  }

  private func number(_ text: String) -> Double? {
    switch text {
    case "+Inf": .infinity
    case "-Inf": -.infinity
    case "NaN": .nan
    default: text.allSatisfy { "0123456789+-.e".contains($0) } ? Double(text) : nil
    }
  }
}
