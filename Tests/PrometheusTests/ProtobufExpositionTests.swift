import Catalogue
import Foundation
import ExporterSupport
import Lifecycle
import Prometheus
import TestSupport
import Testing
import Windows

@Suite struct `Protobuf exposition tests` {
  private static func snapshot(_ functions: [FunctionSnapshot]) -> Snapshot {
    Snapshot(
      time: Samples.morning + .seconds(61), windowLength: .seconds(60),
      lastClosedWindowEnd: Samples.morning + .seconds(60), functions: functions,
      account: AccountSnapshot(concurrentExecutions: 3, concurrencyLimit: 1_000, lastClosed: Peaks()),
      statistics: AggregatorStatistics())
  }

  private static func families(
    _ snapshot: Snapshot, _ statistics: AgentStatistics = AgentStatistics(version: "0.1.0")
  ) throws -> [ReadFamily] {
    try ReadFamily.all(Samples.bytes(snapshot, statistics, .protobuf))
  }

  private static func family(_ name: String, _ families: [ReadFamily]) throws -> ReadFamily {
    try #require(families.first { $0.name == name }, "\(name)")
  }

  /// The histogram of one distribution of durations.
  private static func histogram(_ distribution: Distribution) throws -> ReadHistogram {
    var function = FunctionSnapshot(function: FunctionID("orders"), firstSeen: Samples.morning)
    function.totals.duration = distribution
    let family = try family("lambda_invocation_duration_seconds", families(snapshot([function])))
    return try #require(family.metrics.first?.histogram)
  }

  private static func distribution(_ nanoseconds: [Int64]) -> Distribution {
    var distribution = Distribution(.duration)
    for value in nanoseconds { distribution.record(value) }
    return distribution
  }

  // MARK: Bytes

  @Test func `a counter and a gauge are written to the byte`() throws {
    var function = FunctionSnapshot(
      function: FunctionID("f", version: "7"), firstSeen: Samples.morning + Nanoseconds(5))
    function.totals.crashes = 3
    function.concurrentExecutions = -2
    let bytes = Samples.bytes(Self.snapshot([function]), AgentStatistics(version: "0.1.0"), .protobuf)
    // 0x0a 0x0d: label 1, 13 bytes: name "function", value "f"; then "version" and "7".
    let labels = "0a0d" + "0a0866756e6374696f6e" + "120166" + "0a0c" + "0a0776657273696f6e" + "120137"
    // Counter (3): value (1) 3.0; created (3): seconds 1795428000, nanos 5.
    let counter = "1a13" + "090000000000000840" + "1a08" + "08a09d90d806" + "1005"
    let crashes = Self.hex(
      "lambda_crashes_total", "Invocations that ended because the process of their instance exited.")
    #expect(bytes.hex.contains(crashes + "1800" + "2232" + labels + counter), "\(bytes.hex)")
    let gauge = "1209" + "0900000000000000c0"
    let concurrent = Self.hex("lambda_concurrent_executions", "Executions in progress now.")
    #expect(bytes.hex.contains(concurrent + "1801" + "2228" + labels + gauge))
  }

  /// Fields 1 and 2 of a family.
  private static func hex(_ name: String, _ help: String) -> String {
    let (name, help) = (Array(name.utf8), Array(help.utf8))
    return ([0x0A, UInt8(name.count)] + name + [0x12, UInt8(help.count)] + help).hex
  }

  @Test func `a histogram is written to the byte`() throws {
    var function = FunctionSnapshot(function: FunctionID("f"), firstSeen: Samples.morning)
    // 2 s, 2 s: bucket 16; 4 s: bucket 32; nothing at all.
    for seconds: Int64 in [2, 2, 4, 0] { function.totals.instanceLifetime.record(seconds * 1_000_000_000) }
    let bytes = Samples.bytes(Self.snapshot([function]), AgentStatistics(version: "0.1.0"), .protobuf)
    let buckets = [
      (1, "000000000000f03f"), (4, "0000000000002440"), (4, "0000000000004e40"), (4, "0000000000c07240"),
      (4, "0000000000208c40"), (4, "000000000020ac40"), (4, "000000000020cc40"), (4, "000000000018f540"),
      (4, "000000000000f07f"),
    ].map { "1a0b080\($0.0)11\($0.1)" }.joined()
    let histogram =
      "0804" + "110000000000002040" + buckets + "2808" + "31" + "000000000000f037" + "3801"
      + "620408201001" + "6204081e1001" + "6a020401" + "7a0808a09d90d8061000"
    let metric = "0a0d" + "0a0866756e6374696f6e" + "120166" + "3a" + Self.varint(histogram.count / 2) + histogram
    #expect(bytes.hex.contains("22" + Self.varint(metric.count / 2) + metric), "\(bytes.hex)")
  }

  private static func varint(_ value: Int) -> String {
    value < 128 ? [UInt8(value)].hex : [UInt8(value & 0x7F | 0x80), UInt8(value >> 7)].hex
  }

  // MARK: Native buckets

  struct IndexCase: Sendable {
    var seconds: Double
    var index: Int64
  }

  // The vectors of the specification are for schemas 3 and 5, between which 4 lies: each of its indices is half of that of 5, rounded up.
  @Test(arguments: [
    IndexCase(seconds: 0.001, index: -159), IndexCase(seconds: 0.05, index: -69), IndexCase(seconds: 0.1, index: -53),
    IndexCase(seconds: 0.5, index: -16), IndexCase(seconds: 1, index: 0), IndexCase(seconds: 1.0000001, index: 1),
    IndexCase(seconds: 1.2, index: 5), IndexCase(seconds: 2, index: 16), IndexCase(seconds: 3, index: 26),
    IndexCase(seconds: 900, index: 158),
  ])
  func `a value lies in the bucket that the specification says`(_ given: IndexCase) throws {
    let histogram = try Self.histogram(Self.distribution([Int64((given.seconds * 1e9).rounded())]))
    #expect(histogram.spans == [ReadHistogram.Span(offset: given.index, length: 1)])
    #expect(histogram.deltas == [1])
    #expect(histogram.schema == 4)
  }

  struct SpanCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var buckets: [Int64: Int]
    var spans: [ReadHistogram.Span]
    var deltas: [Int64]
  }

  @Test(arguments: [
    SpanCase(testDescription: "none", buckets: [:], spans: [], deltas: []),
    SpanCase(
      testDescription: "gaps of one and two are merged", buckets: [-2: 3, -1: 5, 2: 1, 4: 3, 5: 2],
      spans: [.init(offset: -2, length: 8)], deltas: [3, 2, -5, 0, 1, -1, 3, -1]),
    SpanCase(
      testDescription: "a gap of three is not", buckets: [-2: 3, -1: 5, 3: 1, 5: 3, 6: 2],
      spans: [.init(offset: -2, length: 2), .init(offset: 3, length: 4)], deltas: [3, 2, -4, -1, 3, -1]),
    SpanCase(
      testDescription: "deltas go on from span to span", buckets: [10: 7, 20: 7, 40: 1],
      spans: [.init(offset: 10, length: 1), .init(offset: 9, length: 1), .init(offset: 19, length: 1)],
      deltas: [7, 0, -6]),
    SpanCase(
      testDescription: "more than a list of values holds", buckets: [-300: 50, 100: 1],
      spans: [.init(offset: -300, length: 1), .init(offset: 399, length: 1)], deltas: [50, -49]),
  ])
  func `spans and deltas are those of the specification`(_ given: SpanCase) throws {
    var values: [Int64] = []
    for (index, count) in given.buckets {
      // The middle of the bucket.
      let seconds = pow(2, (Double(index) - 0.5) / 16)
      values += Array(repeating: Int64(seconds * 1e9), count: count)
    }
    let histogram = try Self.histogram(Self.distribution(values))
    #expect(histogram.spans == given.spans)
    #expect(histogram.deltas == given.deltas)
  }

  @Test(arguments: [0, 1, 2, 7, 31, 32, 33, 60, 400] as [Int], 1...2 as ClosedRange<UInt64>)
  func `a random distribution is read back as it was recorded`(count: Int, seed: UInt64) throws {
    var random = SplitMix(seed: seed &+ UInt64(count) << 8)
    let values = (0..<count).map { _ -> Int64 in
      let magnitude = Int64(1) << Int64.random(in: 0..<54, using: &random)
      return Int64.random(in: 0..<10, using: &random) == 0 ? 0 : Int64.random(in: 1...magnitude, using: &random)
    }
    let histogram = try Self.histogram(Self.distribution(values))
    var expected: [Int64: Int64] = [:]
    for value in values where value > 0 {
      let seconds = Double(value) / 1e9
      expected[min(400, Int64((log2(seconds) * 16).rounded(.up))), default: 0] += 1
    }
    #expect(try histogram.nativeBuckets() == expected)
    #expect(histogram.count == UInt64(count))
    #expect(histogram.zeroCount == UInt64(values.count { $0 == 0 }))
    #expect(histogram.zeroThreshold == 0x1p-128)
    let sum = values.reduce(0.0) { $0 + Double($1) / 1e9 }
    #expect(abs(histogram.sum - sum) <= sum * 1e-12)
    for bucket in histogram.buckets {
      #expect(bucket.cumulative == UInt64(values.count { Double($0) / 1e9 <= bucket.bound }), "\(bucket.bound)")
    }
    #expect(histogram.buckets.last?.bound == .infinity)
  }

  // MARK: Families

  /// Functions with odd names, and what they did.
  private static func oddScrape() -> (Snapshot, AgentStatistics) {
    let names = ["orders", "quote\"quote", "line\nfeed", "käse-日本-😀", "\u{0}zero", String(repeating: "x", count: 140)]
    var invocations: [(FunctionID, InvocationFinished)] = []
    for (number, name) in names.enumerated() {
      let function = FunctionID(name, version: number % 2 == 0 ? FunctionID.latest : "1\"")
      for turn in 0..<40 as Range<Int64> {
        let duration = Nanoseconds.milliseconds(turn * turn + 1)
        invocations.append(
          (function, Samples.invocation(UInt64(number * 100) + UInt64(turn), at: turn * 900, duration)))
      }
    }
    return Samples.scrape(invocations)
  }

  private static func key(_ name: String, _ labels: [(String, String)]) -> String {
    let sorted: [String] = labels.map { "\($0.0)=\($0.1)" }.sorted()
    return name + "|" + sorted.joined(separator: "|")
  }

  /// All that a family says, as the text has it.
  private static func series(_ family: ReadFamily) throws -> [(key: String, value: Double)] {
    var series: [(key: String, value: Double)] = []
    for metric in family.metrics {
      let labels: [(String, String)] = metric.labels.map { ($0.key, $0.value) }
      if let value = family.kind == .counter ? metric.counter : metric.gauge {
        series.append((key(family.name, labels), value))
        continue
      }
      let histogram = try #require(metric.histogram)
      for bucket in histogram.buckets {
        let le = ("le", PrometheusNumber.text(bucket.bound))
        series.append((key(family.name + "_bucket", labels + [le]), Double(bucket.cumulative)))
      }
      series.append((key(family.name + "_sum", labels), histogram.sum))
      series.append((key(family.name + "_count", labels), Double(histogram.count)))
    }
    return series
  }

  @Test func `every series of the text is there with the same labels, value and le, and no other`() throws {
    let (snapshot, statistics) = Self.oddScrape()
    let text = String(decoding: Samples.bytes(snapshot, statistics, .text), as: UTF8.self)
    let read = ExpositionValidator(text)
    var expected: [String: Double] = [:]
    for sample in read.samples {
      expected[Self.key(sample.name, sample.labels.map { ($0.name, $0.value) })] = sample.value
    }
    let families = try Self.families(snapshot, statistics)
    var found: [String: Double] = [:]
    for (key, value) in try families.flatMap(Self.series) {
      #expect(found.updateValue(value, forKey: key) == nil, "\(key)")
    }
    #expect(found == expected)
    #expect(found.count > 700)
    let shown: [String] = families.map(\.name)
    #expect(shown == Catalogue.families.map(\.name).filter { read.types[$0] != nil })
  }

  @Test func `every histogram is native from its first metric on, and every count has its beginning`() throws {
    let empty = FunctionSnapshot(function: FunctionID("empty"), firstSeen: Samples.morning + .milliseconds(250))
    var statistics = AgentStatistics(version: "0.1.0")
    statistics.process = ProcessStatistics(
      started: Samples.morning - .seconds(60), cpu: .seconds(1), residentBytes: 0, virtualBytes: 0, openFiles: 0,
      openFilesLimit: nil, threads: 1)
    let families = try Self.families(Self.snapshot([empty]), statistics)
    let histograms = families.filter { $0.kind == .histogram }
    #expect(histograms.count == 5)
    for family in histograms {
      for metric in family.metrics {
        #expect(metric.histogram?.zeroThreshold == 0x1p-128)
        #expect(metric.histogram?.schema == 4)
        #expect(metric.created == 1_795_428_000.25)
      }
    }
    for family in families where family.kind == .counter {
      let isOfFunctions = family.name.hasPrefix("lambda_")
      for metric in family.metrics { #expect(metric.created == (isOfFunctions ? 1_795_428_000.25 : 1_795_427_940)) }
    }
    let seconds = try Self.family("lambda_billed_seconds_total", families)
    #expect(seconds.unit == "seconds")
    #expect(try Self.family("lambda_errors_total", families).unit == nil)
    let peak = try Self.family("lambda_concurrent_executions_max", families)
    #expect(peak.help.hasSuffix("of the last closed window of 60 s."))
  }

  @Test func `exemplars are in their buckets, and beside them in the order of time`() throws {
    let orders = FunctionID("orders")
    let (snapshot, statistics) = Samples.scrape([
      (orders, Samples.invocation(1, at: 20_000, .milliseconds(7))),
      (orders, Samples.invocation(2, at: 1_000, .milliseconds(2_500), wait: .milliseconds(420), cold: true)),
      (orders, Samples.invocation(3, at: 9_000, .milliseconds(80))),
    ])
    let families = try Self.families(snapshot, statistics)
    let histogram = try #require(
      Self.family("lambda_invocation_duration_seconds", families).metrics.first?.histogram)
    let filled = histogram.buckets.filter { $0.exemplar != nil }
    let inBuckets: [ReadExemplar] = filled.compactMap(\.exemplar)
    #expect(filled.map(\.bound) == [0.01, 0.1, 2.5])
    #expect(inBuckets.map(\.value) == [0.007, 0.08, 2.5])
    let ids: [String?] = inBuckets.map { $0.labels["request_id"] }
    #expect(ids == ["1", "3", "2"].map { "01234567-89ab-cdef-fedc-ba987654321" + $0 })
    #expect(inBuckets.allSatisfy { $0.labels.count == 1 })
    #expect(histogram.exemplars.map(\.seconds) == [1_795_428_003.92, 1_795_428_009.08, 1_795_428_020.007])
    #expect(histogram.exemplars == [inBuckets[2], inBuckets[1], inBuckets[0]])
    let cold = try #require(Self.family("lambda_cold_starts_total", families).metrics.first?.counterExemplar)
    #expect(cold.value == 0.42)
    #expect(cold.labels == ["request_id": "01234567-89ab-cdef-fedc-ba9876543212"])
    let initializations = try Self.family("lambda_initialization_duration_seconds", families)
    #expect(initializations.metrics.allSatisfy { $0.histogram?.exemplars == [] })
  }

  @Test func `a second scrape replaces the first, and pieces make the same bytes`() throws {
    let many = Samples.scrape(
      (0..<60).map {
        (FunctionID("function-\($0)"), Samples.invocation(UInt64($0), at: 500, .milliseconds(Int64($0) + 1)))
      })
    let few = Samples.scrape([(FunctionID("orders"), Samples.invocation(1, at: 500, .seconds(1), cold: true))])
    var exposition = Exposition()
    for scrape in [many, few, many] {
      for format in ExpositionFormat.allCases {
        exposition.write(scrape.0, scrape.1, as: format)
        let whole = exposition.withBytes(Samples.copy)
        #expect(whole == Samples.bytes(scrape.0, scrape.1, format))
        for pieceBytes in [0, 5_000, .max] {
          var pieces: [UInt8] = []
          exposition.write(scrape.0, scrape.1, as: format, pieceBytes: pieceBytes) { piece in
            pieces += Samples.copy(piece)
          }
          #expect(pieces == whole)
        }
      }
    }
    #expect(try Self.families(many.0, many.1).count == Self.families(few.0, few.1).count)
  }
}

extension [UInt8] {
  fileprivate var hex: String { map { String(format: "%02x", $0) }.joined() }
}
