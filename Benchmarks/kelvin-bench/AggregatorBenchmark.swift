import CAllocationCounter
import Lifecycle
import Windows

extension Benchmark {
  /// What a finished invocation costs the aggregator, and what 10,000 functions take.
  ///
  /// Each run feeds several windows of 60 s one after the other and takes the cheapest; the first ones grow tables and
  /// distributions, later ones are the steady state.
  static let aggregator = Benchmark(name: "aggregator") {
    let inOrder = EventStream.cost(functions: 100, isShuffled: false)
    let shuffled = EventStream.cost(functions: 100, isShuffled: true)
    let many = EventStream.cost(functions: 10_000, isShuffled: false)
    return [
      Figure(name: "finished invocation, in order", value: inOrder.nanoseconds, unit: "ns", target: .atMost(150)),
      Figure(
        name: "the same with the close of its window, against a set", value: inOrder.ratio, unit: "times",
        target: .atMost(7)),
      Figure(name: "the same, allocations", value: inOrder.allocations, unit: "per event", target: .atMost(0.01)),
      Figure(
        name: "finished invocation, random order in its window", value: shuffled.nanoseconds, unit: "ns",
        target: .atMost(500)),
      Figure(
        name: "the same with the close of its window, against a set", value: shuffled.ratio, unit: "times",
        target: .atMost(7)),
      Figure(name: "the same, allocations", value: shuffled.allocations, unit: "per event", target: .atMost(0.01)),
      Figure(name: "in order, over 10,000 functions", value: many.nanoseconds, unit: "ns", target: .none),
      Figure(
        name: "the same with the close of its window, against a set", value: many.ratio, unit: "times",
        target: .atMost(10)),
      Figure(
        name: "10,000 functions active in every kept window", value: EventStream.residentMegabytes(functions: 10_000),
        unit: "MB", target: .atMost(250)),
    ]
  }
}

/// Invocations of many functions, as hosts report them when they end.
private enum EventStream {
  struct PerEvent {
    var nanoseconds = Double.infinity
    var allocations = Double.infinity
    /// What the reading costs after the window is over, for each of its events.
    var close = Double.infinity
    /// What it costs to insert the same requests into a set.
    var insertion = Double.infinity

    /// How many times that the whole costs.
    var ratio: Double { (nanoseconds + close) / insertion }
  }

  static let eventsPerWindow = 200_000
  /// Events reach an aggregator in batches, so they are in the processor's cache when they are counted.
  static let batch = 2_000
  static let window: Int64 = 60_000_000_000
  static let origin: Int64 = 1_795_428_000 * 1_000_000_000

  static func cost(functions: Int, isShuffled: Bool) -> PerEvent {
    var aggregator = Aggregator(AggregatorConfiguration())
    var least = PerEvent()
    for index in 0..<Int64(6) {
      let start = origin + index * window
      let now = Timestamp(nanoseconds: start + window - 1)
      var events = events(eventsPerWindow, functions: functions, from: start)
      var random = Random(state: UInt64(index))
      if isShuffled { events.shuffle(using: &random) }
      aggregator.advance(to: now)
      var cost = Cost(nanoseconds: 0, allocations: 0)
      var insertion = 0.0
      var requests = RequestSet(capacity: 2 * events.count)
      for begin in stride(from: 0, to: events.count, by: batch) {
        let hot = Array(events[begin..<min(begin + batch, events.count)])
        let part = Cost.of { aggregator.apply(hot, now: now) }
        cost.nanoseconds += part.nanoseconds
        cost.allocations += part.allocations
        let identifiers = hot.compactMap(RequestSet.Slot.init)
        insertion += Cost.of { for identifier in identifiers { requests.insert(identifier) } }.nanoseconds
      }
      precondition(requests.count == events.count, "BUG: \(requests.count) requests of \(events.count)")
      let over = Timestamp(nanoseconds: start + window + 2_000_000_000)
      let close = Cost.of { precondition(!aggregator.snapshot(now: over).functions.isEmpty, "BUG: no function") }
      least.close = min(least.close, close.nanoseconds / Double(events.count))
      least.insertion = min(least.insertion, insertion / Double(events.count))
      least.nanoseconds = min(least.nanoseconds, cost.nanoseconds / Double(events.count))
      least.allocations = min(least.allocations, Double(cost.allocations) / Double(events.count))
    }
    return least
  }

  /// How much the process grows for functions that are invoked ten times in each of the windows that are not final.
  static func residentMegabytes(functions: Int) -> Double {
    let before = resident_bytes()
    var aggregator = Aggregator(AggregatorConfiguration())
    for index in 0..<Int64(17) {
      let start = origin + index * window
      let now = Timestamp(nanoseconds: start + window - 1)
      aggregator.apply(events(functions * 10, functions: functions, from: start), now: now)
    }
    let grown = Int64(resident_bytes()) - Int64(before)
    precondition(aggregator.statistics.functions == functions, "BUG: \(aggregator.statistics.functions) functions")
    return Double(grown) / 1e6
  }

  /// Events in the order of their ends, spread evenly over a window, of a few instances of each function.
  private static func events(_ count: Int, functions: Int, from start: Int64) -> [LifecycleEvent] {
    var random = Random(state: UInt64(bitPattern: start))
    let identities = (0..<functions).map { FunctionID("function-\($0)") }
    return (0..<count).map { index in
      let function = Int.random(in: 0..<functions, using: &random)
      let end = start + 100_000_000 + (window - 200_000_000) / Int64(count) * Int64(index)
      let duration = Int64.random(in: 1_000_000..<80_000_000, using: &random)
      let instance = InstanceID(
        Identifier128(high: 0x9E37_79B9_7F4A_7C15 &* UInt64(function * 4 + index % 4 + 1), low: UInt64(function)))
      let finished = InvocationFinished(
        request: RequestID(.random(using: &random)), start: Timestamp(nanoseconds: end - duration),
        duration: Nanoseconds(duration), trigger: .http, pool: .unreserved, outcome: .success, responseStatus: 200,
        billed: Nanoseconds(duration), memoryUsedBytes: Int64.random(in: 40_000_000..<41_000_000, using: &random))
      return LifecycleEvent(.instance(instance, of: identities[function]), .invocationFinished(finished))
    }
  }
}

/// A plain set with open addressing: what it takes to look at each request once.
private struct RequestSet {
  /// A request. A type of this module: comparing one of another module's is a call.
  struct Slot {
    var high: UInt64 = 0
    var low: UInt64 = 0

    init() {}

    init?(_ event: LifecycleEvent) {
      guard case .invocationFinished(let finished) = event.kind else { return nil }
      (high, low) = (finished.request.value.high, finished.request.value.low)
    }
  }

  private var slots: [Slot]
  private(set) var count = 0

  init(capacity: Int) {
    slots = Array(repeating: Slot(), count: 1 << (Int.bitWidth - (capacity - 1).leadingZeroBitCount))
  }

  mutating func insert(_ value: Slot) {
    let mask = slots.count - 1
    var position = Int(truncatingIfNeeded: (value.high ^ value.low &* 0x9E37_79B9_7F4A_7C15) >> 7) & mask
    while slots[position].high != 0 || slots[position].low != 0 {
      if slots[position].high == value.high && slots[position].low == value.low { return }
      position = (position &+ 1) & mask
    }
    slots[position] = value
    count += 1
  }
}

/// Random numbers that are the same in every run (SplitMix64).
struct Random: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return mixed ^ mixed >> 31
  }
}
