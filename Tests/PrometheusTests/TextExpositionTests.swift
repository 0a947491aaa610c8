import Catalogue
import Foundation
import ExporterSupport
import Lifecycle
import Prometheus
import TestSupport
import Testing
import Windows

@Suite struct `Text exposition tests` {
  private static func snapshot(_ functions: [FunctionSnapshot]) -> Snapshot {
    var snapshot = Snapshot(
      time: Samples.morning + .seconds(61), windowLength: .seconds(60),
      lastClosedWindowEnd: Samples.morning + .milliseconds(60_500), functions: functions,
      account: AccountSnapshot(concurrentExecutions: 3, concurrencyLimit: 1_000, lastClosed: Peaks()),
      statistics: AggregatorStatistics())
    snapshot.statistics.eventsRejected[.future] = 4
    return snapshot
  }

  private static func busy(_ name: String, version: String = FunctionID.latest) -> FunctionSnapshot {
    var function = FunctionSnapshot(function: FunctionID(name, version: version), firstSeen: Samples.morning)
    function.totals = Samples.tally()
    function.concurrencyNanoseconds = 4_100_000_000
    function.limits = FunctionLimitsChanged(
      time: Samples.morning, reserved: 0,
      provisioned: ProvisionedConcurrency(requested: 5, allocated: 4, available: 3), memoryLimitBytes: 128 << 20,
      timeout: .milliseconds(2_500), temporaryStorageLimitBytes: 512 << 20)
    function.lastClosed.concurrency = 2
    function.lastClosed.provisionedUtilization = 1.0 / 3
    function.lastClosedEnded.duration = .milliseconds(2_250)
    function.lastClosedEnded.memoryUsedBytes = 67_108_864
    return function
  }

  private static func text(_ snapshot: Snapshot, _ statistics: AgentStatistics = AgentStatistics(version: "0.1.0"))
    -> String
  {
    var exposition = Exposition()
    exposition.write(snapshot, statistics, as: .text)
    return exposition.withBytes(string)
  }

  private static func string(_ bytes: Span<UInt8>) -> String {
    String(decoding: Samples.copy(bytes), as: UTF8.self)
  }

  static let names = [
    "orders", "quote\"quote", "back\\slash", "line\nfeed", "carriage\rreturn", "tab\t", "käse-日本-😀", "", "\\n", "\"",
    "} 1",
    "trailing\\", String(repeating: "x", count: 140),
  ]

  @Test func `an exposition of any functions is valid`() {
    let all = `Text exposition tests`.names.map { `Text exposition tests`.busy($0) }
    var cases = [[], [FunctionSnapshot(function: FunctionID("new"), firstSeen: Samples.morning)], all]
    cases.append([`Text exposition tests`.busy("a"), `Text exposition tests`.busy("a", version: "1\"\n")])
    for functions in cases {
      let text = `Text exposition tests`.text(`Text exposition tests`.snapshot(functions))
      let names = functions.map(\.function.name)
      // The one problem that a function's name may bring: a carriage return is an ordinary character of a value.
      let problems = ExpositionValidator(text).problems.filter { $0 != "line 0: there is a carriage return" }
      #expect(problems == [], "\(names)")
      let shown = ExpositionValidator(text).samples.filter { $0.name == "lambda_errors_total" }
      #expect(shown.map { $0.value(of: "function") } == names)
    }
  }

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/promtool")))
  func `promtool finds nothing to say`() throws {
    let functions = `Text exposition tests`.names.map { `Text exposition tests`.busy($0) }
    let process = Process()
    let input = Pipe()
    let output = Pipe()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/promtool")
    process.arguments = ["check", "metrics"]
    process.standardInput = input
    process.standardOutput = output
    process.standardError = output
    try process.run()
    // promtool reads all of its input before it writes.
    try input.fileHandleForWriting.write(
      contentsOf: Data(`Text exposition tests`.text(`Text exposition tests`.snapshot(functions)).utf8))
    try input.fileHandleForWriting.close()
    let said = try output.fileHandleForReading.readToEnd() ?? Data()
    process.waitUntilExit()
    #expect(process.terminationStatus == 0)
    #expect(String(decoding: said, as: UTF8.self) == "")
  }

  @Test func `every sample that one function gives is right`() throws {
    let text = `Text exposition tests`.text(
      `Text exposition tests`.snapshot([`Text exposition tests`.busy("orders", version: "7")]))
    for line in [
      "# HELP lambda_concurrent_executions_max The most executions in progress at one instant of the last closed window of 60 s.",
      "# TYPE lambda_invocations_total counter",
      "lambda_invocations_total{function=\"orders\",version=\"7\",trigger=\"http\"} 4",
      "lambda_invocations_total{function=\"orders\",version=\"7\",trigger=\"queue\"} 0",
      "lambda_throttles_total{function=\"orders\",version=\"7\",reason=\"ReservedFunctionConcurrentInvocationLimitExceeded\"} 3",
      "lambda_concurrency_seconds_total{function=\"orders\",version=\"7\"} 4.1",
      "lambda_billed_seconds_total{function=\"orders\",version=\"7\"} 4.3",
      "lambda_invocation_duration_seconds_bucket{function=\"orders\",version=\"7\",le=\"0.005\"} 0",
      "lambda_invocation_duration_seconds_bucket{function=\"orders\",version=\"7\",le=\"0.01\"} 1",
      "lambda_invocation_duration_seconds_bucket{function=\"orders\",version=\"7\",le=\"1.0\"} 4",
      "lambda_invocation_duration_seconds_bucket{function=\"orders\",version=\"7\",le=\"900.0\"} 5",
      "lambda_invocation_duration_seconds_bucket{function=\"orders\",version=\"7\",le=\"+Inf\"} 5",
      "lambda_invocation_duration_seconds_sum{function=\"orders\",version=\"7\"} 4.1",
      "lambda_invocation_duration_seconds_count{function=\"orders\",version=\"7\"} 5",
      "lambda_memory_used_bytes_bucket{function=\"orders\",version=\"7\",le=\"3.3554432e+07\"} 0",
      "lambda_memory_used_bytes_bucket{function=\"orders\",version=\"7\",le=\"6.7108864e+07\"} 1",
      "lambda_memory_used_bytes_sum{function=\"orders\",version=\"7\"} 67108864",
      "lambda_reserved_concurrency{function=\"orders\",version=\"7\"} 0",
      "lambda_provisioned_concurrency{function=\"orders\",version=\"7\",state=\"available\"} 3",
      "lambda_timeout_seconds{function=\"orders\",version=\"7\"} 2.5",
      "lambda_provisioned_concurrency_utilization_max{function=\"orders\",version=\"7\"} 0.333333333",
      "lambda_invocation_duration_max_seconds{function=\"orders\",version=\"7\"} 2.25",
      "lambda_memory_used_max_bytes{function=\"orders\",version=\"7\"} 67108864",
      "lambda_window_end_timestamp_seconds 1795428060.5", "lambda_account_concurrency_limit 1000",
      "kelvin_build_info{version=\"0.1.0\"} 1", "kelvin_rejected_events_total{reason=\"future\"} 4",
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
  }

  @Test func `counters of a new function are there at 0, limits that nobody knows are not`() {
    let function = FunctionSnapshot(function: FunctionID("new"), firstSeen: Samples.morning)
    let samples = ExpositionValidator(`Text exposition tests`.text(`Text exposition tests`.snapshot([function])))
      .samples
    for family in Catalogue.families where family.kind == .counter {
      guard case .function = family.source else { continue }
      let shown = samples.filter { $0.name == family.name }
      if family.name.hasPrefix("lambda_http_") {
        // Of functions that never had a request over HTTP.
        #expect(shown.isEmpty)
        continue
      }
      #expect(shown.count == max(1, family.labels.first?.values.count ?? 0), "\(family.name)")
      #expect(shown.allSatisfy { $0.value == 0 })
      if let label = family.labels.first { #expect(shown.compactMap { $0.value(of: label.name) } == label.values) }
    }
    let absent = [
      "lambda_reserved_concurrency", "lambda_provisioned_concurrency", "lambda_memory_limit_bytes",
      "lambda_timeout_seconds",
      "lambda_temporary_storage_limit_bytes", "lambda_provisioned_concurrency_utilization_max",
    ]
    #expect(samples.filter { absent.contains($0.name) } == [])
    #expect(samples.contains { $0.name == "lambda_invocation_duration_seconds_count" && $0.value == 0 })
  }

  @Test func `what the agent tells of itself is there, and absent where it does not know`() {
    var statistics = AgentStatistics(version: "1.2.3\"")
    #expect(!`Text exposition tests`.text(`Text exposition tests`.snapshot([])).contains("process_open_fds "))
    statistics.process = ProcessStatistics(
      started: Samples.morning, cpu: .milliseconds(1_230), residentBytes: 4_096, virtualBytes: 8_192, openFiles: 12,
      openFilesLimit: nil, threads: 4)
    statistics.checkpoints = CheckpointStatistics()
    statistics.checkpoints?.failed = 2
    statistics.queue.dropped = 9
    let text = `Text exposition tests`.text(`Text exposition tests`.snapshot([]), statistics)
    for line in [
      "kelvin_build_info{version=\"1.2.3\\\"\"} 1", "process_cpu_seconds_total 1.23", "process_open_fds 12",
      "process_start_time_seconds 1795428000", "kelvin_checkpoint_failures_total 2", "kelvin_dropped_events_total 9",
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
    #expect(!text.contains("\nprocess_max_fds ") && !text.contains("\nkelvin_last_checkpoint_timestamp_seconds "))
    #expect(ExpositionValidator(text).problems == [])
  }

  @Test func `a second scrape replaces the first, and pieces make the same text`() {
    let large = `Text exposition tests`.snapshot((0..<20).map { `Text exposition tests`.busy("function-\($0)") })
    let small = `Text exposition tests`.snapshot([`Text exposition tests`.busy("orders")])
    let statistics = AgentStatistics(version: "0.1.0")
    var exposition = Exposition()
    for snapshot in [large, small, large] {
      exposition.write(snapshot, statistics, as: .text)
      let whole = exposition.withBytes(`Text exposition tests`.string)
      #expect(whole == `Text exposition tests`.text(snapshot))
      for pieceBytes in [0, 1_000, .max] {
        var pieces = ""
        var other = Exposition()
        other.write(snapshot, statistics, as: .text, pieceBytes: pieceBytes) {
          pieces += `Text exposition tests`.string($0)
        }
        #expect(pieces == whole)
      }
    }
  }

  @Test func `the largest and smallest numbers are exact`() {
    var function = `Text exposition tests`.busy("orders")
    function.totals.errors = .max
    function.concurrencyNanoseconds = .max
    function.totals.billedNanoseconds = 18_446_744_073_709_551_616
    function.concurrentExecutions = .min
    function.totals.coldStarts = 10_000_000_000_000_000_000
    function.totals.crashes = 9_999_999_999_999_999_999
    let text = `Text exposition tests`.text(`Text exposition tests`.snapshot([function]))
    for line in [
      "lambda_errors_total{function=\"orders\"} 18446744073709551615",
      "lambda_concurrency_seconds_total{function=\"orders\"} 170141183460469231731687303715.884105727",
      "lambda_billed_seconds_total{function=\"orders\"} 18446744073.709551616",
      "lambda_concurrent_executions{function=\"orders\"} -9223372036854775808",
      "lambda_cold_starts_total{function=\"orders\"} 10000000000000000000",
      "lambda_crashes_total{function=\"orders\"} 9999999999999999999",
    ] { #expect(text.contains("\n\(line)\n"), "\(line)") }
  }

  @Test(
    arguments: [0, 1, 9, 10, 11, 99, 100, 101, 999, 1_000, 12_345, 999_999, 1_000_000, 123_456_789, 4_294_967_296]
      as [UInt64])
  func `counts have all their digits`(_ count: UInt64) {
    var function = `Text exposition tests`.busy("orders")
    function.totals.errors = count
    #expect(
      `Text exposition tests`.text(`Text exposition tests`.snapshot([function]))
        .contains("\nlambda_errors_total{function=\"orders\"} \(count)\n"))
  }
}
