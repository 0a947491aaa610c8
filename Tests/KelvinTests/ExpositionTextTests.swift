import Foundation
import Testing

@testable import kelvin

@Suite struct `A part of an exposition` {
  private let text = #"""
    # HELP lambda_errors_total What failed.
    # TYPE lambda_errors_total counter
    lambda_errors_total{function="orders"} 1
    lambda_errors_total{function="orders",version="2"} 2
    lambda_errors_total{function="a\"b\\c\n"} 3
    # HELP lambda_instances Alive.
    # TYPE lambda_instances gauge
    lambda_instances{function="reports",state="idle"} 4
    # HELP lambda_account_concurrency_limit All.
    # TYPE lambda_account_concurrency_limit gauge
    lambda_account_concurrency_limit 1000
    # HELP kelvin_build_info Kelvin.
    # TYPE kelvin_build_info gauge
    kelvin_build_info{version="1"} 1

    """#

  private func selected(_ function: String? = nil, _ version: String? = nil, kinds: Set<String>? = nil) -> [String] {
    String(
      decoding: ExpositionText.selected(
        Array(text.utf8), prefix: "lambda_", function: function, version: version, kinds: kinds), as: UTF8.self
    ).split(separator: "\n").map(String.init)
  }

  @Test func `has the families of functions as they were`() {
    #expect(selected().joined(separator: "\n") + "\n" == text.components(separatedBy: "# HELP kelvin")[0])
  }

  @Test func `has one function with the heads of its families`() {
    #expect(
      selected("orders") == [
        "# HELP lambda_errors_total What failed.", "# TYPE lambda_errors_total counter",
        #"lambda_errors_total{function="orders"} 1"#, #"lambda_errors_total{function="orders",version="2"} 2"#,
      ])
    #expect(selected("orders", "2").count == 3)
    #expect(selected("orders", "$LATEST").last == #"lambda_errors_total{function="orders"} 1"#)
    #expect(selected("reports").last == #"lambda_instances{function="reports",state="idle"} 4"#)
    #expect(selected("order").isEmpty)
  }

  @Test func `reads names with escapes`() {
    #expect(selected("a\"b\\c\n").last == #"lambda_errors_total{function="a\"b\\c\n"} 3"#)
  }

  @Test func `has some types alone`() {
    #expect(selected(kinds: ["counter"]).count == 5)
  }

  @Test(arguments: [
    "", "\n", "#", "# HELP", "lambda_x{", "# HELP lambda_x y\nlambda_x{function=",
    "# HELP lambda_x y\nlambda_x{function=\"",
    "# HELP lambda_x y\nlambda_x{function=\"a\\", "# HELP lambda_x y\nlambda_x{a}",
  ])
  func `is empty where there is nothing that can be read`(_ text: String) {
    #expect(ExpositionText.selected(Array(text.utf8), prefix: "lambda_", function: "a").isEmpty)
  }
}
