import Configuration
import Lifecycle
import Schedules
import Testing
import Text

@Suite struct `What a file says of schedules` {
  private func reading(_ text: String) -> ConfigurationReading {
    ConfigurationFile.read(Array(("functions: {jobs: {command: [a]}}\n" + text).utf8), folder: "/f")
  }

  @Test func `is read`() throws {
    let reading = reading(
      """
      schedules:
        plain: {function: jobs, expression: cron(0 3 * * ? *)}
        other:
          function: jobs
          expression: "*/5 * * * *"
          overlap: skip
          retries: 0
          retryDelay: 5s
          maximumAge: 1h
          input: {a: 1, b: "1", c: [true, null, 1.5e3, -2, 01, text, ~], "d": {}}
      """)
    #expect(reading.problems == [])
    let plain = ScheduleSettings(name: "plain", function: "jobs", schedule: try Schedule("cron(0 3 * * ? *)"))
    var other = ScheduleSettings(name: "other", function: "jobs", schedule: try Schedule("*/5 * * * *"))
    other.overlap = .skip
    other.retries = 0
    other.retryDelay = .seconds(5)
    other.maximumAge = .seconds(3_600)
    other.input = #"{"a":1,"b":"1","c":[true,null,1.5e3,-2,"01","text",null],"d":{}}"#
    #expect(reading.configuration.schedules == [plain, other])
  }

  @Test func `may be a time that has passed, with a warning`() {
    let reading = reading("schedules: {once: {function: jobs, expression: at(2020-01-01T00:00:00)}}")
    #expect(reading.problems == [] && reading.configuration.schedules.count == 1)
    #expect(reading.warnings.map(\.message) == ["expression is in the past: the schedule does not run any more."])
  }

  @Test(arguments: [
    ("a: {function: job, expression: 0 3 * * *}", #"function: there is no function "job"; did you mean jobs?"#),
    ("a: {expression: 0 3 * * *}", #"The schedule "a" has no function; write function: NAME below its name."#),
    ("a: {function: jobs}", #"The schedule "a" has no expression; write expression:"#),
    ("a: {function: jobs, expression: cron(0 0 30 2 ? *)}", #""cron(0 0 30 2 ? *)" never comes"#),
    ("a: {function: jobs, expression: rate(5 minute)}", "expression: write rate(5 minutes)"),
    ("a: {function: jobs, expression: 0 3 * * *, overlap: queue}", #"overlap must be start or skip, but is "queue"."#),
    ("a: {function: jobs, expression: 0 3 * * *, retries: 186}", "retries must be a whole number from 0 to 185"),
    ("a: {function: jobs, expression: 0 3 * * *, retryDelay: 2h}", "retryDelay must be from 1s to 1h, but is 2h."),
    ("a: {function: jobs, expression: 0 3 * * *, maximumAge: 1s}", "maximumAge must be from 1m to 1d, but is 1s."),
    ("a: {function: jobs, expression: 0 3 * * *, timezone: ../x}", #""../x" is not the name of a time zone"#),
    ("a: {function: jobs, expression: 0 3 * * *, input: {a: 1, a: 2}}", #""a" is written twice in input"#),
    ("a: {function: jobs, cron: 0 3 * * *, expression: 0 3 * * *}", "did you mean expression?"),
    ("\"a b\": {function: jobs, expression: 0 3 * * *}", "is not a valid name for a schedule"),
  ])
  func `is told with what to write if it is wrong`(_ text: String, _ sentence: String) {
    let problems = reading("schedules: {\(text)}").problems
    #expect(problems.count == 1 && problems.first?.message.contains(sentence) == true, "\(problems)")
  }

  @Test func `may be nested no deeper than what can be read again`() {
    let deep = String(repeating: "[", count: 40) + String(repeating: "]", count: 40)
    let problems = reading("schedules: {a: {function: jobs, expression: 0 3 * * *, input: \(deep)}}").problems
    #expect(problems.map(\.message) == ["input is nested deeper than 32 levels."])
  }

  @Test func `finds time zones, and says what to do without them`() throws {
    let none = TimeZoneFiles(folder: "/nowhere")
    #expect(try none.zone(named: "UTC") == .utc)
    let problem = #expect(throws: TextProblem.self) { try none.zone(named: "Europe/Berlin") }
    #expect(problem?.message.contains("install the package tzdata") == true)
  }
}
