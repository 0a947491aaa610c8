import Catalogue
import Foundation
import Lifecycle
import Testing
import Windows

@Suite struct `Catalogue tests` {
  @Test func `names follow the conventions of Prometheus`() {
    let names = Catalogue.families.map(\.name)
    #expect(Set(names).count == names.count)
    for family in Catalogue.families {
      #expect(family.name.hasSuffix("_total") == (family.kind == .counter), "\(family.name)")
      #expect(family.name.allSatisfy { $0 == "_" || ($0.isASCII && $0.isLowercase) }, "\(family.name)")
      let base = family.kind == .counter ? String(family.name.dropLast("_total".count)) : family.name
      if family.unit == .seconds { #expect(base.hasSuffix("_seconds"), "\(family.name)") }
      if family.unit == .bytes { #expect(base.hasSuffix("_bytes"), "\(family.name)") }
      #expect(family.help.hasSuffix(".") || family.help.hasSuffix("1."), "\(family.name)")
      #expect(Set(family.labelNames).isDisjoint(with: ["le", "quantile", "type", "job", "instance"]))
    }
  }

  @Test func `every metric of the design is there`() {
    let names = Set(Catalogue.families.map(\.name))
    for name in `Catalogue tests`.design { #expect(names.contains(name), "\(name)") }
  }

  private static let design = """
    lambda_invocations_total lambda_errors_total lambda_timeouts_total lambda_crashes_total lambda_out_of_memory_total
    lambda_throttles_total lambda_cold_starts_total lambda_initializations_total lambda_initialization_failures_total
    lambda_warmup_failures_total lambda_provisioned_invocations_total lambda_provisioned_spillover_invocations_total
    lambda_instance_stops_total lambda_concurrency_seconds_total lambda_billed_seconds_total
    lambda_invocation_duration_seconds lambda_initialization_duration_seconds lambda_warmup_duration_seconds
    lambda_memory_used_bytes lambda_instance_lifetime_seconds lambda_concurrent_executions lambda_instances
    lambda_overlapping_executions lambda_reserved_concurrency lambda_provisioned_concurrency lambda_memory_limit_bytes
    lambda_timeout_seconds lambda_temporary_storage_limit_bytes lambda_function_info
    lambda_function_first_seen_timestamp_seconds lambda_concurrent_executions_max
    lambda_instances_max lambda_provisioned_concurrency_utilization_max lambda_window_end_timestamp_seconds
    lambda_invocation_duration_max_seconds lambda_memory_used_max_bytes
    lambda_account_concurrent_executions lambda_account_concurrent_executions_max lambda_account_concurrency_limit
    lambda_account_unreserved_concurrent_executions_max lambda_account_claimed_concurrency_max kelvin_build_info
    kelvin_events_received_total kelvin_duplicate_events_total kelvin_late_events_total kelvin_rejected_events_total
    kelvin_functions kelvin_functions_limit process_cpu_seconds_total
    """.split(whereSeparator: \.isWhitespace).map(String.init)

  @Test func `maxima say in their help of which window they are`() {
    for family in Catalogue.families where family.name.hasPrefix("lambda_") && (family.name + "_").contains("_max_") {
      #expect(family.help.contains("last closed window of \(MetricFamily.windowPlaceholder) s"), "\(family.name)")
    }
  }

  @Test func `the page of the metrics is the one that the catalogue makes`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = root.appendingPathComponent("docs/metrics.md")
    if ProcessInfo.processInfo.environment["KELVIN_UPDATE_DOCS"] != nil {
      try MetricsPage.markdown().write(to: page, atomically: true, encoding: .utf8)
    }
    let committed = try String(contentsOf: page, encoding: .utf8)
    let isCurrent = committed == MetricsPage.markdown()
    #expect(isCurrent, "docs/metrics.md is not what the catalogue says; KELVIN_UPDATE_DOCS=1 swift test rewrites it")
  }
}
