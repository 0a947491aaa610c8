import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// Durations over HTTP, which are kept apart only where there are others.
@Suite struct `HTTP tally tests` {
  private func finished(_ trigger: Trigger, _ milliseconds: Int64, status: UInt16) -> InvocationFinished {
    InvocationFinished(
      request: RequestID(.zero), start: Timestamp(seconds: 1), duration: .milliseconds(milliseconds), trigger: trigger,
      pool: .unreserved, outcome: .success, responseStatus: status)
  }

  @Test(
    arguments: [
      (0, .unknown), (99, .unknown), (100, .informational), (204, .success), (301, .redirection), (499, .clientError),
      (504, .serverError), (599, .serverError), (600, .unknown), (65_535, .unknown),
    ] as [(UInt16, ResponseClass)])
  func `statuses have their classes`(_ status: UInt16, _ expected: ResponseClass) {
    #expect(ResponseClass(status: status) == expected)
  }

  @Test(arguments: 1...60 as ClosedRange<UInt64>)
  func `any split and order of merges gives what a plain count gives`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    let triggers: [Trigger] = [[.http], [.direct], [.http, .direct], Trigger.allCases][Int(seed % 4)]
    var parts = [Tally](repeating: Tally(), count: Int.random(in: 1...6, using: &random))
    var durations = Distribution(.duration)
    var responses = WordCounts<ResponseClass>()
    for _ in 0..<Int.random(in: 0...80, using: &random) {
      // Many parts have only one trigger, as most functions and windows have.
      let part = Int.random(in: parts.indices, using: &random)
      let trigger = part % 2 == 0 ? triggers[0] : triggers.randomElement(using: &random)!
      let status: UInt16 = [200, 404, 502, 504, 0].randomElement(using: &random)!
      let one = finished(trigger, .random(in: 0...9_000, using: &random), status: status)
      parts[part].add(FinishedSample(one))
      guard trigger == .http else { continue }
      durations.record(one.duration.count)
      responses[ResponseClass(status: status)] += 1
    }
    parts.shuffle(using: &random)
    while parts.count > 1 {
      let last = parts.removeLast()
      let into = Int.random(in: parts.indices, using: &random)
      if Bool.random(using: &random) {
        parts[into].merge(last)
      } else {
        var merged = last
        merged.merge(parts[into])
        parts[into] = merged
      }
    }
    #expect(parts[0].httpDuration == durations)
    #expect(parts[0].httpResponses == responses)
    #expect(triggers != [.direct] || parts[0].httpIfAny == nil)
    #expect(triggers != [.http] || parts[0].impliesHTTPDuration)
  }
}
