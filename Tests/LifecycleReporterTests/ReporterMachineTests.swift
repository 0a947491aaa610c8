import BlockingHTTP
import Lifecycle
import TestSupport
import Testing

@testable import LifecycleReporter

@Suite struct `What a reporter does next` {
  private let start = Timestamp(nanoseconds: 1_000)

  private static func configuration(limit: Int = 10, batch: Int = 3) throws -> ReporterConfiguration {
    var configuration = ReporterConfiguration(endpoint: try HTTPEndpoint("127.0.0.1:1"))
    configuration.eventsLimit = limit
    configuration.batchEventsMax = batch
    return configuration
  }

  private func event(_ number: UInt64) -> LifecycleEvent { Story().finished(number, from: ten) }

  @Test func `a batch waits for its age, or until it is full`() throws {
    let machine = Driver(try Self.configuration())
    #expect(machine.next(start) == .wait(nil))
    #expect(machine.offer(event(1), at: start))
    #expect(!machine.offer(event(2), at: start + .milliseconds(50)))
    #expect(machine.next(start + .milliseconds(60)) == .wait(.milliseconds(140)))
    #expect(machine.next(start + .milliseconds(200)) == .send(sequence: 1, events: [event(1), event(2)]))
    machine.answered(.acknowledged, at: start, chance: 0)
    #expect(machine.offer(event(3), at: start))
    #expect(!machine.offer(event(4), at: start))
    #expect(machine.offer(event(5), at: start), "the third one makes it full")
    #expect(!machine.offer(event(6), at: start))
    #expect(machine.next(start) == .send(sequence: 2, events: [event(3), event(4), event(5)]))
    machine.answered(.acknowledged, at: start, chance: 0)
    #expect(machine.next(start) == .wait(.milliseconds(200)), "what came meanwhile waits from now on")
  }

  @Test func `a batch is sent again under its number until it is acknowledged, ever more rarely`() throws {
    let machine = Driver(try Self.configuration())
    _ = machine.offer(event(1), at: start)
    var now = start + .seconds(1)
    let pauses: [Int64] = [100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]
    for (count, pause) in pauses.enumerated() {
      #expect(machine.next(now) == .send(sequence: 1, events: [event(1)]))
      // Later events go into a later batch.
      _ = machine.offer(event(10 + UInt64(count)), at: now)
      machine.answered(.failed("gone", retryAfter: nil), at: now, chance: 0)
      #expect(machine.next(now) == .wait(.milliseconds(pause)))
      now = now + .milliseconds(pause)
    }
    machine.answered(.failed("gone", retryAfter: nil), at: now, chance: 0.999_999)
    guard case .wait(let least?) = machine.next(now) else {
      Issue.record("it waits")
      return
    }
    #expect(least >= .milliseconds(5_000) && least < .milliseconds(5_001), "chance takes up to a half")
    #expect(machine.statistics.problem == "gone")
    #expect(machine.next(now + least) == .send(sequence: 1, events: [event(1)]))
    machine.answered(.acknowledged, at: now, chance: 0)
    #expect(machine.statistics.problem == nil && machine.statistics.failures == 10)
  }

  @Test func `an agent may ask for a longer pause, up to the longest`() throws {
    let machine = Driver(try Self.configuration())
    _ = machine.offer(event(1), at: start)
    let now = start + .seconds(1)
    _ = machine.next(now)
    machine.answered(.failed("full", retryAfter: .seconds(3)), at: now, chance: 0.5)
    #expect(machine.next(now) == .wait(.seconds(3)))
    _ = machine.next(now + .seconds(3))
    machine.answered(.failed("full", retryAfter: .seconds(600)), at: now, chance: 0.5)
    #expect(machine.next(now) == .wait(.seconds(10)))
  }

  @Test func `a batch that will never be taken is dropped, and the next one has the next number`() throws {
    let machine = Driver(try Self.configuration())
    for number in 1...4 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: start) }
    _ = machine.next(start)
    machine.answered(.refused("status 400"), at: start, chance: 0)
    #expect(machine.statistics.dropped == 3)
    #expect(machine.next(start + .seconds(1)) == .send(sequence: 2, events: [event(4)]))
  }

  @Test func `what there is no room for is dropped`() throws {
    let machine = Driver(try Self.configuration(limit: 5))
    for number in 1...3 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: start) }
    #expect(machine.next(start) == .send(sequence: 1, events: [event(1), event(2), event(3)]))
    for number in 4...9 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: start) }
    #expect(machine.statistics.dropped == 4, "those on their way need room, too")
    #expect(machine.statistics.waiting == 5)
  }

  @Test func `at its end it sends what waits, and drops what is left when time is up`() throws {
    let machine = Driver(try Self.configuration())
    for number in 1...4 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: start) }
    machine.end(by: start + .seconds(5))
    _ = machine.next(start)
    machine.answered(.acknowledged, at: start, chance: 0)
    #expect(machine.next(start) == .send(sequence: 2, events: [event(4)]), "without waiting for its age")
    machine.answered(.failed("gone", retryAfter: .seconds(60)), at: start, chance: 0)
    #expect(machine.next(start) == .wait(.seconds(5)))
    #expect(machine.next(start + .seconds(5)) == .end)
    #expect(!machine.offer(event(5), at: start + .seconds(6)))
    let statistics = machine.statistics
    #expect(
      statistics.offered == 5 && statistics.acknowledged == 3 && statistics.dropped == 2 && statistics.waiting == 0)
    let idle = Driver(try Self.configuration())
    idle.end(by: start + .seconds(5))
    #expect(idle.next(start) == .end)
  }

  @Test func `what memory has no room for goes to the file in order, and is sent from there`() throws {
    let machine = Driver(try Self.configuration(limit: 8, batch: 2))
    machine.useFile(batches: 1, events: 7)
    var now = start
    for number in 1...3 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: now) }
    #expect(machine.next(now) == .sendSpilled, "what an earlier process left comes first")
    machine.answered(.failed("gone", retryAfter: nil), spilledEvents: 7, at: now, chance: 0)
    #expect(machine.next(now) == .wait(.milliseconds(100)), "there is room in memory")
    #expect(machine.offer(event(4), at: now), "half of the room is taken")
    #expect(machine.next(now) == .spill(sequence: 1, events: [event(1), event(2)]))
    machine.wrote(nil, at: now)
    #expect(machine.next(now) == .wait(.milliseconds(100)))
    #expect(machine.statistics.spilled == 9 && machine.statistics.waiting == 2)
    now = now + .milliseconds(100)
    for events in [7, 2] {
      #expect(machine.next(now) == .sendSpilled)
      machine.answered(.acknowledged, spilledEvents: events, at: now, chance: 0)
    }
    #expect(machine.next(now + .seconds(1)) == .send(sequence: 2, events: [event(3), event(4)]))
    // The one that is on its way goes first.
    machine.answered(.failed("gone", retryAfter: nil), at: now + .seconds(1), chance: 0)
    for number in 5...8 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: now + .seconds(1)) }
    #expect(machine.next(now + .seconds(1)) == .spill(sequence: 2, events: [event(3), event(4)]))
    machine.wrote(nil, at: now + .seconds(1))
    #expect(machine.next(now + .seconds(1)) == .spill(sequence: 3, events: [event(5), event(6)]))
    machine.wrote("No space left on device", at: now + .seconds(1))
    #expect(machine.next(now + .seconds(1)) == .wait(.milliseconds(100)), "it is tried again later")
    let statistics = machine.statistics
    #expect(
      statistics.spilled == 2 && statistics.waiting == 4 && statistics.dropped == 0 && statistics.acknowledged == 9)
  }

  @Test func `what is left at the end goes to the file`() throws {
    let machine = Driver(try Self.configuration())
    machine.useFile(batches: 0, events: 0)
    for number in 1...4 as ClosedRange<UInt64> { _ = machine.offer(event(number), at: start) }
    #expect(machine.next(start) == .send(sequence: 1, events: [event(1), event(2), event(3)]))
    machine.answered(.failed("gone", retryAfter: nil), at: start, chance: 0)
    machine.end(by: start + .seconds(5))
    let late = start + .milliseconds(1)
    #expect(machine.next(late) == .spill(sequence: 1, events: [event(1), event(2), event(3)]))
    machine.wrote(nil, at: late)
    #expect(machine.next(late) == .spill(sequence: 2, events: [event(4)]))
    machine.wrote("full", at: late)
    #expect(machine.next(late) == .end)
    let statistics = machine.statistics
    #expect(statistics.spilled == 3 && statistics.dropped == 1 && statistics.waiting == 0)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `no event is lost with a file either, and the agent sees each number once and in order`(_ seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let machine = Driver(try Self.configuration(limit: 20, batch: 4))
    machine.useFile(batches: 0, events: 0)
    var file: [(sequence: UInt64, events: [LifecycleEvent])] = []
    var taken: [(sequence: UInt64, events: [LifecycleEvent])] = []
    var now = start
    var next: UInt64 = 0
    var isGone = false
    for round in 0..<3_000 {
      now = now + .milliseconds(Int64.random(in: 0..<200, using: &random))
      if Int.random(in: 0..<50, using: &random) == 0 { isGone.toggle() }
      for _ in 0..<Int.random(in: 0..<3, using: &random) {
        _ = machine.offer(event(next), at: now)
        next += 1
      }
      if round == 2_900 { machine.end(by: now + .seconds(1)) }
      switch machine.next(now) {
      case .wait, .end: break
      case .spill(let sequence, let events):
        let isFull = Int.random(in: 0..<5, using: &random) == 0
        if !isFull { file.append((sequence, events)) }
        machine.wrote(isFull ? "full" : nil, at: now)
      case .send(let sequence, let events):
        #expect(file.isEmpty)
        if !isGone { taken.append((sequence, events)) }
        machine.answered(isGone ? .failed("gone", retryAfter: nil) : .acknowledged, at: now, chance: 0.3)
      case .sendSpilled:
        let first = try #require(file.first)
        if !isGone {
          taken.append(first)
          file.removeFirst()
        }
        machine.answered(
          isGone ? .failed("gone", retryAfter: nil) : .acknowledged, spilledEvents: first.events.count, at: now,
          chance: 0)
      }
      let statistics = machine.statistics
      #expect(
        statistics.offered
          == statistics.acknowledged + statistics.dropped + UInt64(statistics.waiting + statistics.spilled))
      #expect(statistics.waiting <= 20)
      #expect(statistics.spilled == file.reduce(0) { $0 + $1.events.count })
    }
    let all = taken + file
    #expect(all.map(\.sequence) == (0..<UInt64(all.count)).map { $0 + 1 })
    let numbers = all.flatMap(\.events)
    #expect(Set(numbers).count == numbers.count)
  }

  @Test(arguments: 0..<50 as Range<UInt64>)
  func `no event is lost without being counted, whatever happens`(_ seed: UInt64) throws {
    var random = SplitMix(seed: seed)
    let machine = Driver(try Self.configuration(limit: 20, batch: 4))
    var now = start
    var acknowledged: [LifecycleEvent] = []
    var lastSequence: UInt64 = 0
    for number in 0..<500 as Range<UInt64> {
      now = now + .milliseconds(Int64.random(in: 0..<300, using: &random))
      _ = machine.offer(event(number), at: now)
      guard Bool.random(using: &random), case .send(let sequence, let events) = machine.next(now) else { continue }
      #expect(sequence >= lastSequence && sequence <= lastSequence + 1)
      lastSequence = sequence
      switch Int.random(in: 0..<4, using: &random) {
      case 0: machine.answered(.failed("no", retryAfter: nil), at: now, chance: 0.3)
      case 1: machine.answered(.refused("never"), at: now, chance: 0.3)
      default:
        acknowledged += events
        machine.answered(.acknowledged, at: now, chance: 0.3)
      }
      let statistics = machine.statistics
      #expect(statistics.offered == statistics.acknowledged + statistics.dropped + UInt64(statistics.waiting))
      #expect(statistics.waiting <= 20)
    }
    #expect(Set(acknowledged).count == acknowledged.count)
    #expect(machine.statistics.acknowledged == UInt64(acknowledged.count))
  }
}

/// A machine that an expectation may call.
private final class Driver {
  private var machine: ReporterMachine

  init(_ configuration: ReporterConfiguration) { machine = ReporterMachine(configuration) }

  var statistics: ReporterStatistics { machine.statistics }
  func offer(_ event: LifecycleEvent, at now: Timestamp) -> Bool { machine.offer(event, at: now) }
  func next(_ now: Timestamp) -> ReporterMachine.Action { machine.next(now) }
  func end(by deadline: Timestamp) { machine.end(by: deadline) }
  func useFile(batches: Int, events: Int) { machine.useFile(batches: batches, events: events) }
  func wrote(_ problem: String?, at now: Timestamp) { machine.wrote(problem, at: now) }
  func answered(_ answer: ReporterMachine.Answer, spilledEvents: Int = 0, at now: Timestamp, chance: Double) {
    machine.answered(answer, spilledEvents: spilledEvents, at: now, chance: chance)
  }
}
