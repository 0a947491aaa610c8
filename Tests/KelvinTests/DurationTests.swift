import Configuration
import Lifecycle
import Testing
import Text
import Windows

@testable import Agent
@testable import kelvin

/// Where a person writes a length of time. Each reads it, or says that it is none.
private enum Place: String, CaseIterable, CustomTestStringConvertible {
  case file = "kelvin.yaml"
  case command = "--range"
  case query = "range="

  var testDescription: String { rawValue }

  /// `nil` if it is refused.
  func read(_ text: String) -> Nanoseconds? {
    switch self {
    case .file:
      let file = "functions:\n  f:\n    command: [a]\n    timeout: \"\(text)\"\n"
      let reading = ConfigurationFile.read(Array(file.utf8), folder: "/srv", folderExists: { _ in true })
      return reading.problems.isEmpty ? reading.configuration.functions.first?.timeout : nil
    case .command: return try? MetricsLambda.duration(text)
    case .query:
      // As long as it is, in windows of a second that end on one.
      let now = Timestamp(seconds: 1_795_428_000)
      let query = try? WindowQuery(
        [(name: "range", value: text), (name: "to", value: "1795428000"), (name: "resolution", value: "1s")],
        .init(now: now, retention: Retention(window: .seconds(1)), rowsLimit: 20_000))
      return query.map { $0.to - $0.from }
    }
  }
}

@Suite struct `A length of time means the same` {
  @Test(
    arguments: [
      ("2s", 2_000), ("90s", 90_000), ("1m30s", 90_000), ("15m", 900_000), ("3000ms", 3_000), ("1m1s", 61_000),
      ("2s1000ms", 3_000), ("0m2s", 2_000), ("007s", 7_000),
    ] as [(String, Int64)], Place.allCases)
  private func `in every place that takes one`(_ given: (text: String, milliseconds: Int64), _ place: Place) {
    #expect(place.read(given.text) == .milliseconds(given.milliseconds))
  }

  @Test(arguments: Place.allCases) private func `to the millisecond`(_ place: Place) throws {
    // The query counts whole windows, of which two hold a second and a half.
    #expect(place.read("1500ms") == (place == .query ? .seconds(2) : .milliseconds(1_500)))
  }

  @Test(
    arguments: [
      "", "s", "10", "10 s", "-1s", "+1s", "1.5s", "1y", "1S", "30s1m", "1s1s", "3651d", "1d1w", "9223372036854775807d",
      "99999999999999999999s", "١s", " 1s", "1s ", "1m30", "1min", "1us", "0s",
    ], Place.allCases)
  private func `or is refused in every place`(_ text: String, _ place: Place) {
    #expect(place.read(text) == nil)
  }

  @Test func `in weeks, too, where such lengths make sense`() throws {
    #expect(try MetricsLambda.duration("2w") == .seconds(14 * 86_400))
    let file = Array("functions:\n  f:\n    command: [a]\n    timeout: 2w\n".utf8)
    let problem = ConfigurationFile.read(file, folder: "/srv", folderExists: { _ in true }).problems.first
    #expect(problem?.message == "timeout must be from 100ms to 900s, but is 14d.")
  }
}
