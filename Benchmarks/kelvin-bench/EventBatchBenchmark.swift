import Lifecycle
import LifecycleEncoding
import LifecycleWire

extension Benchmark {
  /// What events cost on their way in a batch: written and read, as protobuf and as lines of JSON.
  static let eventBatches = Benchmark(name: "event-batches") {
    let story = EventBatchStory(functions: 100, events: 500)
    let source = SourceID(Identifier128(high: 1, low: 2))
    let rounds = 200
    let count = Double(story.events.count * rounds)
    var encoder = EventEncoder()
    var decoder = EventDecoder()
    let encoding = Cost.least(ofRuns: 9) {
      for _ in 0..<rounds { encoder.encode(story.events, source: source, sequence: 1) }
    }
    let bytes = encoder.bytes
    var read = 0
    let decoding = Cost.least(ofRuns: 9) {
      for _ in 0..<rounds { read += (try? decoder.decode(bytes.span))?.events.count ?? 0 }
    }
    let alone = Cost.least(ofRuns: 9) {
      for _ in 0..<rounds { for event in story.events { encoder.encode(event, source: source, sequence: 1) } }
    }
    let text = story.events.flatMap(EventLines.line)
    let lines = Cost.least(ofRuns: 5) {
      for _ in 0..<20 { read += (try? EventLines.read(text.span))?.events.count ?? 0 }
    }
    precondition(read == story.events.count * (9 * rounds + 5 * 20), "BUG: \(read) events were read")
    return [
      Figure(
        name: "an event in a batch written", value: encoding.nanoseconds / count, unit: "ns", target: .atMost(250)),
      Figure(name: "its bytes", value: Double(bytes.count) / Double(story.events.count), unit: "", target: .none),
      Figure(
        name: "allocations of a written batch", value: Double(encoding.allocations) / Double(rounds), unit: "",
        target: .atMost(0)),
      Figure(name: "an event in a batch read", value: decoding.nanoseconds / count, unit: "ns", target: .atMost(250)),
      // The events, and what they grow through.
      Figure(
        name: "allocations of a read batch", value: Double(decoding.allocations) / Double(rounds), unit: "",
        target: .atMost(12)),
      Figure(name: "a single event written", value: alone.nanoseconds / count, unit: "ns", target: .atMost(450)),
      Figure(
        name: "allocations of a single event", value: Double(alone.allocations) / count, unit: "", target: .atMost(0)),
      Figure(
        name: "an event in a line of JSON read", value: lines.nanoseconds / Double(story.events.count * 20), unit: "ns",
        target: .atMost(3_000)),
    ]
  }
}

/// Invocations of many functions in the order in which they happen: a start and an end each.
struct EventBatchStory {
  private(set) var events: [LifecycleEvent] = []

  init(functions: Int, events count: Int) {
    let start = Timestamp(seconds: 1_795_428_000)
    for number in 0..<count / 2 {
      let function = FunctionID("function-\(number % functions)")
      let instance = InstanceID(Identifier128(high: 7, low: UInt64(number % functions)))
      let request = RequestID(Identifier128(high: 0x0123_4567_89AB_CDEF &* UInt64(number + 1), low: UInt64(number)))
      let time = start + .milliseconds(Int64(number))
      let subject = LifecycleEvent.Subject.instance(instance, of: function)
      events.append(
        LifecycleEvent(
          subject,
          .invocationStarted(InvocationStarted(request: request, time: time, trigger: .http, pool: .unreserved))))
      events.append(
        LifecycleEvent(
          subject,
          .invocationFinished(
            InvocationFinished(
              request: request, start: time, duration: .milliseconds(20), trigger: .http, pool: .unreserved,
              outcome: .success,
              responseStatus: 200, billed: .milliseconds(20), memoryUsedBytes: 64 << 20, responseBytes: 512))))
    }
  }
}
