import Catalogue
import Documents
import ExporterSupport
import Lifecycle
import Prometheus
import Table
import Testing
import Text
import Windows

/// A number as an exporter shows it.
enum ShownNumber: Equatable {
  /// In billionths.
  case exact(Int128)
  /// For formats that have no other numbers.
  case nearest(Double)

  /// - Parameter text: Digits, with a point or without; nothing else.
  init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count <= 2, parts.allSatisfy({ !$0.isEmpty && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
      let whole = Int128(parts[0])
    else { return nil }
    let decimals = parts.count == 2 ? String(parts[1]) : ""
    guard decimals.count <= 9, let fraction = Int128("0" + decimals) else { return nil }
    let scale = (decimals.count..<9).reduce(Int128(1)) { scale, _ in scale * 10 }
    self = .exact(whole * 1_000_000_000 + fraction * scale)
  }

  func isSame(as billionths: Int128) -> Bool {
    switch self {
    case .exact(let shown): shown == billionths
    case .nearest(let shown): abs(shown - Double(billionths) / 1e9) <= abs(shown) * 1e-15
    }
  }
}

/// What an exporter says of a number.
enum ShownItem: Hashable {
  /// The count, of all words or of all values.
  case count(TallyNumber.Field)
  /// In seconds.
  case seconds(TallyNumber.Field)
  case sum(TallyNumber.Field)
  case maximum(TallyNumber.Field)
  case concurrencyMax, instancesMax, provisionedConcurrencyMax
}

/// By function; `nil` is the account.
typealias Shown = [FunctionID?: [ShownItem: ShownNumber]]

struct UnreadableExport: Error, CustomStringConvertible {
  var description: String
}

/// An exporter with a reader of what it writes that shares no code with it.
struct ExporterUnderTest: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var bytes: @Sendable (ExportedAccount) -> [UInt8]
  /// Reads the bytes back.
  ///
  /// - Throws: ``UnreadableExport`` for what the format forbids.
  var read: @Sendable (ExportedAccount, [UInt8]) throws -> Shown
  /// What it shows of a function's number.
  var items: @Sendable (TallyNumber) -> Set<ShownItem>
  /// The peaks that it shows of a function.
  var peaks: Set<ShownItem>
  /// Whether a function that did nothing may be left out.
  var omitsIdle = false

  static let all = [text, openMetrics, protobuf, json, csv, table]

  // MARK: Expositions

  private static let statistics = AgentStatistics(version: "0.1.0")

  private static let text = exposition("Prometheus text", .text) { try readText($0, .prometheus) }
  private static let openMetrics = exposition("OpenMetrics", .openMetrics) { try readText($0, .openMetrics) }
  private static let protobuf = exposition("protobuf", .protobuf, readProtobuf)

  private static func exposition(
    _ name: String, _ format: ExpositionFormat, _ read: @escaping @Sendable ([UInt8]) throws -> Shown
  ) -> ExporterUnderTest {
    ExporterUnderTest(
      testDescription: name, bytes: { Samples.bytes($0.snapshot, statistics, format, .created) },
      read: { try read($1) },
      items: { number in
        guard number.metric != nil else { return [] }
        return switch number.content {
        case .count, .words: [.count(number.field)]
        case .time: [.seconds(number.field)]
        case .distribution: [.count(number.field), .sum(number.field)]
        }
      }, peaks: [.concurrencyMax, .instancesMax])
  }

  private static func readText(_ bytes: [UInt8], _ dialect: ExpositionValidator.Dialect) throws -> Shown {
    let validator = ExpositionValidator(String(decoding: bytes, as: UTF8.self), dialect)
    guard validator.problems.isEmpty else {
      throw UnreadableExport(description: validator.problems.prefix(3).joined(separator: "; "))
    }
    return try shown(
      validator.samples.map { sample in
        guard let value = ShownNumber(sample.valueText) else {
          return (sample.name, sample.value(of: "function"), sample.value(of: "version"), .nearest(sample.value))
        }
        return (sample.name, sample.value(of: "function"), sample.value(of: "version"), value)
      })
  }

  private static func readProtobuf(_ bytes: [UInt8]) throws -> Shown {
    try shown(
      ReadFamily.all(bytes).flatMap { family in
        family.metrics.flatMap { metric in
          let (function, version) = (metric.labels["function"], metric.labels["version"])
          if let histogram = metric.histogram {
            return [
              (family.name + "_count", function, version, ShownNumber.nearest(Double(histogram.count))),
              (family.name + "_sum", function, version, .nearest(histogram.sum)),
            ]
          }
          return [(family.name, function, version, .nearest(metric.counter ?? metric.gauge ?? .nan))]
        }
      })
  }

  private static func shown(
    _ samples: [(name: String, function: String?, version: String?, value: ShownNumber)]
  ) throws -> Shown {
    var items: [String: ShownItem] = [
      "lambda_concurrent_executions_max": .concurrencyMax, "lambda_instances_max": .instancesMax,
    ]
    for number in TallyNumber.all {
      guard let metric = number.metric else { continue }
      switch number.content {
      case .count, .words: items[metric.name] = .count(number.field)
      case .time: items[metric.name] = .seconds(number.field)
      case .distribution:
        items[metric.name + "_count"] = .count(number.field)
        items[metric.name + "_sum"] = .sum(number.field)
      }
    }
    var shown: Shown = [:]
    for sample in samples {
      if sample.name == "lambda_account_concurrent_executions_max" { shown[nil] = [.concurrencyMax: sample.value] }
      guard let function = sample.function, let item = items[sample.name] else { continue }
      let identity = FunctionID(function, version: sample.version ?? FunctionID.latest)
      // The samples of a count by word add up.
      var own = shown[identity] ?? [:]
      switch (own[item], sample.value) {
      case (nil, let value): own[item] = value
      case (.exact(let before), .exact(let value)): own[item] = .exact(before + value)
      case (.nearest(let before), .nearest(let value)): own[item] = .nearest(before + value)
      default: throw UnreadableExport(description: "\(sample.name) is exact and is not")
      }
      shown[identity] = own
    }
    return shown
  }

  // MARK: Windows

  private static func document(_ windows: [WindowRollup]) -> WindowsDocument { Samples.document(windows, minutes: 1) }

  private static let json = ExporterUnderTest(
    testDescription: "JSON", bytes: { document($0.windows).json() },
    read: { _, bytes in
      let document = try JSONValue(bytes.span, .answer)
      var shown: Shown = [:]
      for window in document["windows"]?.array ?? [] {
        let function = window["function"]?.string.map {
          FunctionID($0, version: window["version"]?.string ?? FunctionID.latest)
        }
        guard shown.updateValue(try items(of: window), forKey: function) == nil else {
          throw UnreadableExport(description: "\(String(describing: function)) is there twice")
        }
      }
      return shown
    },
    items: { number in
      switch number.content {
      case .count, .words: [.count(number.field)]
      case .time: [.seconds(number.field)]
      case .distribution: [.count(number.field), .sum(number.field), .maximum(number.field)]
      }
    }, peaks: [.concurrencyMax, .instancesMax, .provisionedConcurrencyMax])

  private static func items(of window: JSONValue) throws -> [ShownItem: ShownNumber] {
    func number(_ value: JSONValue?) throws -> ShownNumber {
      guard case .number(let text)? = value, let number = ShownNumber(text) else {
        throw UnreadableExport(description: "\(String(describing: value)) is no number")
      }
      return number
    }
    var items: [ShownItem: ShownNumber] = [
      .concurrencyMax: try number(window["concurrencyMax"]), .instancesMax: try number(window["instancesMax"]),
      .provisionedConcurrencyMax: try number(window["provisionedConcurrencyMax"]),
    ]
    for row in TallyNumber.all {
      let value = window[row.member]
      switch row.content {
      case .count: items[.count(row.field)] = try number(value)
      case .words:
        items[.count(row.field)] = try number(value)
        let parts = try (window[row.partsMember ?? ""]?.object ?? []).map { try number($0.value) }
        let sum = parts.reduce(Int128(0)) { sum, part in if case .exact(let count) = part { sum + count } else { sum } }
        guard items[.count(row.field)] == .exact(sum) else {
          throw UnreadableExport(description: "\(row.member) is not the sum of its parts")
        }
      case .time: items[.seconds(row.field)] = try number(value)
      case .distribution:
        items[.count(row.field)] = try number(value?["count"])
        let isEmpty = value?["sum"] == nil
        items[.sum(row.field)] = isEmpty ? .exact(0) : try number(value?["sum"])
        items[.maximum(row.field)] = isEmpty ? .exact(0) : try number(value?["max"])
      }
    }
    return items
  }
}
