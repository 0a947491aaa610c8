import Catalogue
import Lifecycle
import Prometheus
import Windows

extension Benchmark {
  /// A scrape of 10,000 functions as text 0.0.4.
  static let textExposition = exposition("text-exposition", .text, megabytesPerSecond: 400)
  /// The same as OpenMetrics, with exemplars.
  static let openMetricsExposition = exposition("openmetrics-exposition", .openMetrics, megabytesPerSecond: 400)
  /// The same as protobuf, with exemplars, native histograms and created times.
  static let protobufExposition = exposition("protobuf-exposition", .protobuf, megabytesPerSecond: 200)

  private static func exposition(
    _ name: String, _ format: ExpositionFormat, megabytesPerSecond: Double
  ) -> Benchmark {
    Benchmark(name: name) {
      let snapshot = ManyFunctions.snapshot(10_000)
      let statistics = AgentStatistics(version: "0.1.0")
      var exposition = Exposition()
      exposition.write(snapshot, statistics, as: .text)
      let series = Double(exposition.withBytes { ManyFunctions.series($0) })
      exposition = Exposition()
      let first = Cost.of { exposition.write(snapshot, statistics, as: format) }
      let second = Cost.of { exposition.write(snapshot, statistics, as: format) }
      let best = Cost.least(ofRuns: 5) { exposition.write(snapshot, statistics, as: format) }
      let bytes = Double(exposition.count)

      var pieces = Exposition()
      var bytesInPieces = 0
      let inPieces = Cost.least(ofRuns: 5) {
        bytesInPieces = 0
        pieces.write(snapshot, statistics, as: format, pieceBytes: 64 << 10) { bytesInPieces += $0.count }
      }
      precondition(bytesInPieces == exposition.count, "BUG: \(bytesInPieces) bytes in pieces, \(bytes) as a whole")
      return [
        Figure(name: "size of a scrape", value: bytes / 1e6, unit: "MB", target: .none),
        Figure(name: "series", value: series, unit: "series", target: .none),
        Figure(
          name: "writing", value: bytes * 1e3 / best.nanoseconds, unit: "MB/s", target: .atLeast(megabytesPerSecond)),
        Figure(
          name: "in pieces of 64 KiB", value: bytes * 1e3 / inPieces.nanoseconds, unit: "MB/s",
          target: .atLeast(megabytesPerSecond)),
        Figure(name: "per series", value: best.nanoseconds / series, unit: "ns", target: .none),
        Figure(name: "first scrape", value: first.nanoseconds / 1e6, unit: "ms", target: .none),
        Figure(
          name: "second scrape", value: second.nanoseconds / 1e6, unit: "ms",
          target: .atMost((first.nanoseconds / 1e6).rounded(.up))),
        Figure(
          name: "allocations of the second scrape", value: Double(second.allocations), unit: "allocations",
          target: .atMost(0)),
      ]
    }
  }
}

/// A snapshot as a busy account has it.
enum ManyFunctions {
  static func snapshot(_ count: Int) -> Snapshot {
    let time = Timestamp(seconds: 1_795_428_000)
    var snapshot = Snapshot(
      time: time, windowLength: .seconds(60), lastClosedWindowEnd: time, functions: [],
      account: AccountSnapshot(concurrentExecutions: 17, concurrencyLimit: 1_000, lastClosed: Peaks()),
      statistics: AggregatorStatistics())
    snapshot.functions = (0..<count).map { function($0, time) }
    return snapshot
  }

  private static func function(_ number: Int, _ time: Timestamp) -> FunctionSnapshot {
    let digits = String(100_000 + number).dropFirst()
    var function = FunctionSnapshot(function: FunctionID("orders-service-\(digits)"), firstSeen: time)
    let invocations = 1_000 + UInt64(number) * 37
    function.totals.invocations[.http] = invocations
    function.totals.errors = invocations / 50
    function.totals.throttles[.reservedFunctionConcurrentInvocationLimit] = invocations / 11
    function.totals.coldStarts = invocations / 20
    function.totals.billedNanoseconds = Int128(invocations) * 123_456_789
    function.concurrencyNanoseconds = Int128(invocations) * 98_765_432
    for step in 0..<40 {
      let value = Int64(1_000_000 + step * step * (number + 1) * 1_000)
      function.totals.duration.record(value)
      function.totals.initialization.record(value * 10)
      function.totals.warmUp.record(value / 3)
      function.totals.memoryUsed.record(Int64(step + 1) << 22)
    }
    function.exemplars = InvocationExemplars(
      [2, 30, 700].map { milliseconds in
        InvocationFinished(
          request: RequestID(Identifier128(high: UInt64(number), low: UInt64(milliseconds))), start: time,
          wait: .milliseconds(120), duration: .milliseconds(milliseconds), trigger: .http, pool: .unreserved,
          isColdStart: true, outcome: .success)
      })
    function.limits = FunctionLimitsChanged(
      time: time, reserved: 50, provisioned: ProvisionedConcurrency(requested: 5, allocated: 5, available: 5),
      memoryLimitBytes: 512 << 20, timeout: .seconds(10), temporaryStorageLimitBytes: 512 << 20)
    function.instances[.busy] = 3
    function.lastClosed.concurrency = Int64(number % 50)
    function.lastClosed.provisionedUtilization = Double(number % 7) / 7
    return function
  }

  static func series(_ text: Span<UInt8>) -> Int {
    var series = 0
    var isLineStart = true
    for index in text.indices {
      if isLineStart && text[index] != UInt8(ascii: "#") { series += 1 }
      isLineStart = text[index] == UInt8(ascii: "\n")
    }
    return series
  }
}
