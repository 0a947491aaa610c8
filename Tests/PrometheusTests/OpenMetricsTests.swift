import Catalogue
import Foundation
import ExporterSupport
import Lifecycle
import Prometheus
import TestSupport
import Testing
import Windows

@Suite struct `Open metrics tests` {
  private static let orders = FunctionID("orders", version: "7")

  /// Two invocations, of which one was cold and slow.
  private static let story = Samples.scrape([
    (orders, Samples.invocation(1, at: 1_000, .milliseconds(2_500), wait: .milliseconds(420), cold: true)),
    (orders, Samples.invocation(2, at: 5_000, .milliseconds(7))),
  ])

  private static func text(
    _ scrape: (Snapshot, AgentStatistics), _ format: ExpositionFormat = .openMetrics, _ options: ExpositionOptions = []
  ) -> String {
    String(decoding: Samples.bytes(scrape.0, scrape.1, format, options), as: UTF8.self)
  }

  /// The lines of a family, from its TYPE to before the next.
  private static func block(_ name: String, in text: String) -> String {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    guard let first = lines.firstIndex(where: { $0.hasPrefix("# TYPE \(name) ") }) else { return "" }
    let end = lines[(first + 1)...].firstIndex { $0.hasPrefix("# TYPE ") || $0 == "# EOF" } ?? lines.endIndex
    return lines[first..<end].joined(separator: "\n")
  }

  private static let slowest = "01234567-89ab-cdef-fedc-ba9876543211"
  private static let quickest = "01234567-89ab-cdef-fedc-ba9876543212"

  @Test func `a histogram is written to the byte, with exemplars in the buckets that have one`() {
    let labels = "{function=\"orders\",version=\"7\""
    let bucket = "lambda_invocation_duration_seconds_bucket\(labels),le="
    let expected = """
      # TYPE lambda_invocation_duration_seconds histogram
      # UNIT lambda_invocation_duration_seconds seconds
      # HELP lambda_invocation_duration_seconds Time from the hand-over of an event to an instance until the answer, the timeout or the crash.
      \(bucket)"0.005"} 0
      \(bucket)"0.01"} 1 # {request_id="\(Self.quickest)"} 0.007 1795428005.007
      \(bucket)"0.025"} 1
      \(bucket)"0.05"} 1
      \(bucket)"0.1"} 1
      \(bucket)"0.25"} 1
      \(bucket)"0.5"} 1
      \(bucket)"1.0"} 1
      \(bucket)"2.5"} 2 # {request_id="\(Self.slowest)"} 2.5 1795428003.92
      \(bucket)"5.0"} 2
      \(bucket)"10.0"} 2
      \(bucket)"30.0"} 2
      \(bucket)"60.0"} 2
      \(bucket)"300.0"} 2
      \(bucket)"900.0"} 2
      \(bucket)"+Inf"} 2
      lambda_invocation_duration_seconds_sum\(labels)} 2.507
      lambda_invocation_duration_seconds_count\(labels)} 2
      lambda_invocation_duration_seconds_created\(labels)} 1795428001
      """
    let text = Self.text(Self.story, .openMetrics, .created)
    #expect(Self.block("lambda_invocation_duration_seconds", in: text) == expected)
    let withoutCreated = expected.split(separator: "\n").dropLast().joined(separator: "\n")
    #expect(Self.block("lambda_invocation_duration_seconds", in: Self.text(Self.story)) == withoutCreated)
  }

  @Test func `counters, gauges and infos are written to the byte`() {
    let text = Self.text(Self.story, .openMetrics, .created)
    let labels = "function=\"orders\",version=\"7\""
    let blocks = [
      "lambda_cold_starts": """
      # TYPE lambda_cold_starts counter
      # HELP lambda_cold_starts Invocations that had to wait for an on-demand initialization.
      lambda_cold_starts_total{\(labels)} 1 # {request_id="\(Self.slowest)"} 0.42 1795428003.92
      lambda_cold_starts_created{\(labels)} 1795428001
      """,
      "lambda_billed_seconds": """
      # TYPE lambda_billed_seconds counter
      # UNIT lambda_billed_seconds seconds
      # HELP lambda_billed_seconds Billed time.
      lambda_billed_seconds_total{\(labels)} 2.507
      lambda_billed_seconds_created{\(labels)} 1795428001
      """,
      "lambda_function": """
      # TYPE lambda_function info
      # HELP lambda_function A function that Kelvin knows; always 1.
      lambda_function_info{\(labels)} 1
      """,
      "lambda_concurrent_executions_max": """
      # TYPE lambda_concurrent_executions_max gauge
      # HELP lambda_concurrent_executions_max The most executions in progress at one instant of the last closed window of 60 s.
      lambda_concurrent_executions_max{\(labels)} 1
      """,
      "kelvin_build": """
      # TYPE kelvin_build info
      # HELP kelvin_build The version of Kelvin; always 1.
      kelvin_build_info{version="0.1.0"} 1
      """,
      "process_cpu_seconds": """
      # TYPE process_cpu_seconds counter
      # UNIT process_cpu_seconds seconds
      # HELP process_cpu_seconds User and system time of the process.
      process_cpu_seconds_total 1.23
      process_cpu_seconds_created 1795427940
      """,
    ]
    for (name, expected) in blocks { #expect(Self.block(name, in: text) == expected) }
    // The label sets of a metric do not interleave with their created times.
    let invocations = Self.block("lambda_invocations", in: text).split(separator: "\n").dropFirst(2)
    #expect(invocations.first == "lambda_invocations_total{\(labels),trigger=\"http\"} 2")
    #expect(invocations.dropFirst().first == "lambda_invocations_created{\(labels),trigger=\"http\"} 1795428001")
    #expect(invocations.count == 2 * Trigger.allCases.count)
  }

  @Test func `there is nothing that the format forbids`() {
    for options in [[], .created] as [ExpositionOptions] {
      #expect(ExpositionValidator(Self.text(Self.story, .openMetrics, options), .openMetrics).problems == [])
    }
  }

  @Test func `no two families claim the same name`() {
    var owners: [String: String] = [:]
    for family in Catalogue.families {
      let base = family.kind == .counter ? String(family.name.dropLast("_total".count)) : family.name
      let suffixes =
        switch family.kind {
        case .counter: ["", "_total", "_created"]
        case .histogram: ["", "_bucket", "_sum", "_count", "_created"]
        case .gauge: [""]
        }
      for name in suffixes.map({ base + $0 }) {
        #expect(owners.updateValue(family.name, forKey: name) == nil, "\(name)")
      }
      if family.name.hasSuffix("_info") {
        #expect(owners.updateValue(family.name, forKey: String(family.name.dropLast("_info".count))) == nil)
      }
    }
  }

  @Test func `the samples are those of the Prometheus text, and so is every le`() {
    let names = ["quote\"quote", "back\\slash", "line\nfeed", "käse-日本-😀", "\u{0}zero"]
    let scrape = Samples.scrape(
      names.map { (FunctionID($0), Samples.invocation(3, at: 2_000, .milliseconds(80), cold: true)) })
    func samples(_ format: ExpositionFormat) -> [Substring] {
      Self.text(scrape, format).split(separator: "\n").filter { !$0.hasPrefix("#") }.map { line in
        // What follows the value is the exemplar.
        line.firstRange(of: " # {request_id=").map { line[..<$0.lowerBound] } ?? line
      }
    }
    #expect(samples(.openMetrics) == samples(.text))
    #expect(samples(.text).count > 500)
  }

  @Test func `text 0.0.4 has neither exemplars nor created times, whatever is asked for`() {
    let text = Self.text(Self.story, .text, .created)
    #expect(!text.contains("request_id") && !text.contains("_created") && !text.contains("# EOF"))
    #expect(ExpositionValidator(text).problems == [])
  }
}
