import ExporterSupport
import Testing

@Suite struct `Exposition validator tests` {
  struct BadCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var text: String
    var problem: String
  }

  private static let head = "# HELP a_total A.\n# TYPE a_total counter\n"
  private static let histogram = "# HELP h H.\n# TYPE h histogram\n"

  @Test(arguments: [
    BadCase(testDescription: "no line feed at the end", text: head + "a_total 1", problem: "does not end"),
    BadCase(
      testDescription: "a series twice", text: head + "a_total{b=\"1\"} 1\na_total{b=\"1\"} 1\n", problem: "twice"),
    BadCase(
      testDescription: "a label twice", text: head + "a_total{b=\"1\",b=\"2\"} 1\n", problem: "a label is there twice"),
    BadCase(
      testDescription: "interleaved", text: head + "# HELP g G.\n# TYPE g gauge\ng 1\na_total 1\n",
      problem: "stand apart"),
    BadCase(testDescription: "no type", text: "a 1\n", problem: "before its TYPE"),
    BadCase(testDescription: "no help", text: "# TYPE g gauge\ng 1\n", problem: "no HELP"),
    BadCase(testDescription: "wrong escape", text: head + "a_total{b=\"\\t\"} 1\n", problem: "no sample"),
    BadCase(testDescription: "open quote", text: head + "a_total{b=\"1} 1\n", problem: "no sample"),
    BadCase(testDescription: "no value", text: head + "a_total\n", problem: "no sample"),
    BadCase(testDescription: "Swift's infinity", text: "# HELP g G.\n# TYPE g gauge\ng inf\n", problem: "no sample"),
    BadCase(testDescription: "negative counter", text: head + "a_total -1\n", problem: "below 0"),
    BadCase(testDescription: "counter without suffix", text: "# HELP a A.\n# TYPE a counter\n", problem: "_total"),
    BadCase(testDescription: "carriage return", text: head + "a_total 1\r\n", problem: "carriage return"),
    BadCase(testDescription: "wrong escape in help", text: "# HELP g \\t.\n# TYPE g gauge\n", problem: "wrong escape"),
    BadCase(
      testDescription: "no +Inf", text: histogram + "h_bucket{le=\"1.0\"} 1\nh_sum 1\nh_count 1\n",
      problem: "no bucket +Inf"),
    BadCase(
      testDescription: "counts go down",
      text: histogram + "h_bucket{le=\"1.0\"} 2\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n", problem: "go down"),
    BadCase(
      testDescription: "bounds go down",
      text: histogram + "h_bucket{le=\"2.0\"} 1\nh_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n",
      problem: "do not go up"),
    BadCase(
      testDescription: "count is not +Inf", text: histogram + "h_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 2\n",
      problem: "counts 2.0 and +Inf 1.0"),
    BadCase(
      testDescription: "an exemplar in text", text: head + "a_total 1 # {id=\"x\"} 1 2\n", problem: "has an exemplar"),
    BadCase(testDescription: "a comma at the end", text: head + "a_total{b=\"1\",} 1\n", problem: "no sample"),
    BadCase(testDescription: "no sum", text: histogram + "h_bucket{le=\"+Inf\"} 1\nh_count 1\n", problem: "no sum"),
  ])
  func `finds what is wrong`(_ given: BadCase) {
    let problems = ExpositionValidator(given.text).problems
    #expect(problems.contains { $0.contains(given.problem) }, "\(problems)")
  }

  private static let openHead = "# TYPE a counter\n# HELP a A.\n"
  private static let openHistogram = "# TYPE h_seconds histogram\n# UNIT h_seconds seconds\n# HELP h_seconds H.\n"

  @Test(arguments: [
    BadCase(testDescription: "nothing", text: "", problem: "no end"),
    BadCase(testDescription: "no end", text: openHead + "a_total 1\n", problem: "no end"),
    BadCase(testDescription: "something behind the end", text: openHead + "# EOF\na_total 1\n", problem: "no end"),
    BadCase(
      testDescription: "a family with a suffix", text: "# TYPE a_total counter\n# HELP a_total A.\n# EOF\n",
      problem: "has the suffix"),
    BadCase(
      testDescription: "a unit that is not in the name", text: "# TYPE a gauge\n# UNIT a seconds\n# HELP a A.\n# EOF\n",
      problem: "does not end with its unit"),
    BadCase(testDescription: "a type of text", text: "# TYPE a untyped\n# HELP a A.\n# EOF\n", problem: "no type"),
    BadCase(
      testDescription: "an exemplar of a gauge", text: "# TYPE a gauge\n# HELP a A.\na 1 # {id=\"x\"} 1 2\n# EOF\n",
      problem: "has an exemplar"),
    BadCase(
      testDescription: "an exemplar without a time", text: openHead + "a_total 1 # {id=\"x\"} 1\n# EOF\n",
      problem: "no sample"),
    BadCase(
      testDescription: "an exemplar that is too long",
      text: openHead + "a_total 1 # {id=\"\(String(repeating: "x", count: 127))\"} 1 2\n# EOF\n", problem: "characters"),
    BadCase(
      testDescription: "an exemplar above its bucket",
      text: openHistogram + "h_seconds_bucket{le=\"1.0\"} 1 # {id=\"x\"} 2 3\nh_seconds_bucket{le=\"+Inf\"} 1\n"
        + "h_seconds_sum 1\nh_seconds_count 1\n# EOF\n", problem: "above its bucket"),
  ])
  func `finds what is wrong with OpenMetrics`(_ given: BadCase) {
    let problems = ExpositionValidator(given.text, .openMetrics).problems
    #expect(problems.contains { $0.contains(given.problem) }, "\(problems)")
  }

  @Test func `finds nothing wrong with OpenMetrics that is right`() {
    let text =
      Self.openHead + "a_total{b=\"x\"} 1 # {id=\"y\"} 0.5 2\na_created{b=\"x\"} 1\n" + Self.openHistogram
      + "h_seconds_bucket{le=\"1.0\"} 1 # {id=\"x\"} 1 3\nh_seconds_bucket{le=\"+Inf\"} 1\nh_seconds_sum 1\n"
      + "h_seconds_count 1\nh_seconds_created 2\n# TYPE i info\n# HELP i I.\ni_info{v=\"1\"} 1\n# EOF\n"
    let validator = ExpositionValidator(text, .openMetrics)
    #expect(validator.problems == [])
    #expect(validator.samples.first?.exemplar == .init(labels: [.init(name: "id", value: "y")], value: 0.5, time: 2))
    #expect(ExpositionValidator("# EOF\n", .openMetrics).problems == [])
  }

  @Test func `finds nothing wrong with what is right`() {
    let text =
      `Exposition validator tests`.head + "a_total{b=\"x\\\\\\\"\\n\"} 1\na_total{b=\"y\"} 1e+06\n"
      + `Exposition validator tests`.histogram
      + "h_bucket{le=\"1.0\"} 1\nh_bucket{le=\"+Inf\"} 1\nh_sum 0.5\nh_count 1\n"
    let validator = ExpositionValidator(text)
    #expect(validator.problems == [])
    #expect(validator.samples.first?.value(of: "b") == "x\\\"\n")
  }
}
