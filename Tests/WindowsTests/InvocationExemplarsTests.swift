import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// The newest invocation in each classic bucket, and the newest cold start.
@Suite struct `Invocation exemplars tests` {
  static let start = Timestamp(seconds: 1_790_000_040)
  private static let bounds = ClassicBounds.invocationDurations.values
  private let teller = Teller()

  private func finished(
    _ number: UInt64, endingAt seconds: Int64, _ duration: Nanoseconds, wait: Nanoseconds = .zero, cold: Bool = false
  ) -> InvocationFinished {
    let end = Self.start + .seconds(seconds)
    return InvocationFinished(
      request: Teller.request(number), start: Timestamp(nanoseconds: (end - duration).nanoseconds - wait.count),
      wait: wait, duration: duration, trigger: .direct, pool: .unreserved, isColdStart: cold, outcome: .success)
  }

  private func exemplars(_ finished: [InvocationFinished]) -> InvocationExemplars? {
    var aggregator = Aggregator(AggregatorConfiguration())
    let now = Self.start + .seconds(300)
    for finished in finished {
      let event = LifecycleEvent(.instance(teller.instance, of: teller.function), .invocationFinished(finished))
      #expect(aggregator.apply(event, now: now) == nil)
    }
    return aggregator.snapshot(now: now).functions.first?.exemplars
  }

  private func exemplar(of finished: InvocationFinished) -> Exemplar {
    Exemplar(request: finished.request, value: finished.duration, time: finished.end)
  }

  @Test func `each bucket has the one that ended last, whatever came first`() throws {
    let slow = finished(1, endingAt: 50, .seconds(2))
    let slower = finished(2, endingAt: 40, .milliseconds(2_400))
    let onTheBound = finished(3, endingAt: 10, .milliseconds(2_500))
    let quick = finished(4, endingAt: 60, .milliseconds(1))
    let twin = finished(5, endingAt: 60, .milliseconds(2))
    let endless = finished(6, endingAt: 200, .seconds(1_000))
    for order in [[slow, slower, onTheBound, quick, twin, endless], [endless, twin, quick, onTheBound, slower, slow]] {
      let found = try #require(exemplars(order))
      #expect(found[8] == exemplar(of: slow), "the bucket that ends with 2.5 s")
      #expect(found[0] == exemplar(of: twin), "of two at once the one with the greater id")
      #expect(found[15] == exemplar(of: endless), "+Inf")
      #expect([1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 13, 14].allSatisfy { found[$0] == nil })
      #expect(found.coldStart == nil)
      #expect(found[16] == nil, "there is no such bucket")
    }
  }

  @Test func `a cold start is shown with the time that it waited`() {
    let first = finished(1, endingAt: 10, .seconds(1), wait: .milliseconds(700), cold: true)
    let warm = finished(2, endingAt: 12, .seconds(1))
    let found = exemplars([first, warm])
    #expect(found?.coldStart == Exemplar(request: first.request, value: .milliseconds(700), time: first.end))
    #expect(found?[7]?.request == warm.request)
  }

  @Test func `a function without invocations has none`() {
    let none = InvocationExemplars()
    #expect((0..<20).allSatisfy { none[$0] == nil } && none.coldStart == nil)
  }

  private func function(of event: LifecycleEvent) -> FunctionID? {
    switch event.subject {
    case .account, .source: nil
    case .function(let function), .instance(_, of: let function): function
    }
  }

  @Test(arguments: 1...20 as ClosedRange<UInt64>)
  func `of any story they are those of a plain search`(seed: UInt64) {
    let events = RandomStory.events(seed: seed, from: Self.start, lasting: .seconds(200), invocations: 120)
    var aggregator = Aggregator(AggregatorConfiguration())
    let now = Self.start + .seconds(400)
    var known: Set<RequestID> = []
    var expected: [FunctionID: [Int: InvocationFinished]] = [:]
    for event in events where aggregator.apply(event, now: now) == nil {
      guard case .invocationFinished(let finished) = event.kind, known.insert(finished.request).inserted,
        let function = function(of: event)
      else { continue }
      let seconds = Double(max(0, finished.duration.count)) / 1e9
      let bucket = Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count
      for place in [bucket] + (finished.isColdStart ? [100] : []) {
        let other = expected[function, default: [:]][place]
        if let other, (other.end, other.request) > (finished.end, finished.request) { continue }
        expected[function, default: [:]][place] = finished
      }
    }
    for function in aggregator.snapshot(now: now).functions {
      let mine = expected[function.function] ?? [:]
      for bucket in 0...Self.bounds.count {
        #expect(function.exemplars[bucket]?.request == mine[bucket]?.request)
        #expect(function.exemplars[bucket]?.time == mine[bucket]?.end)
        if let exemplar = function.exemplars[bucket] {
          let seconds = Double(exemplar.value.count) / 1e9
          #expect(bucket == Self.bounds.count || seconds <= Self.bounds[bucket])
          #expect(bucket == 0 || seconds > Self.bounds[bucket - 1])
        }
      }
      #expect(function.exemplars.coldStart?.request == mine[100]?.request)
    }
  }
}
