import LambdaRecords
import Lifecycle
import Testing
import Text

private func id(_ number: Int) -> RequestID { RequestID(Identifier128(high: 7, low: UInt64(number) << 8)) }

private func at(_ milliseconds: Int64) -> Timestamp {
  Timestamp(nanoseconds: 1_795_514_400_000_000_000 + milliseconds * 1_000_000)
}

private func report(
  _ number: Int, _ duration: Nanoseconds, _ change: (inout PlatformEvent.Report) -> Void = { _ in }
) -> PlatformEvent.Kind {
  var report = PlatformEvent.Report(
    request: id(number), duration: duration, billedMilliseconds: duration.billedMilliseconds, memorySizeMegabytes: 128,
    memoryUsedMegabytes: 60)
  change(&report)
  return .report(report)
}

/// Takes events and hands on all lives.
private func lives(
  _ events: [(kind: PlatformEvent.Kind, time: Timestamp?)],
  stream name: String? = "2026/11/24/[$LATEST]0a000000000000000000000000000001"
) -> [Life] {
  var reconstruction = LifeReconstruction()
  let stream = reconstruction.stream(name, of: "test")
  for event in events { _ = reconstruction.take(event.kind, in: stream, at: event.time) }
  var lives: [Life] = []
  reconstruction.drain(keeping: 0) { lives.append($0) }
  return lives
}

private func invocations(_ lives: [Life]) -> [Life.Invocation] {
  lives.compactMap { if case .invocation(let invocation) = $0 { invocation } else { nil } }
}

@Suite struct `A reconstructed invocation` {
  @Test func `lasts from its line START to its report`() {
    let life = invocations(
      lives([(.start(.init(request: id(1))), at(0)), (report(1, .milliseconds(99)), at(101))]))[0]
    #expect(life.isTimed && !life.isStartInferred)
    #expect(life.finished.start == at(0) && life.finished.end == at(101) && life.finished.duration == .milliseconds(99))
    #expect(life.finished.outcome == .success && !life.finished.isColdStart)
  }

  @Test func `begins at its report less its duration where no line says when it began`() {
    let life = invocations(lives([(report(1, .milliseconds(99)), at(101))]))[0]
    #expect(life.isTimed && life.isStartInferred)
    #expect(life.finished.start == at(2) && life.finished.end == at(101))
  }

  @Test func `before 2022 does not begin at its line START, which was written before the initialization`() {
    let start = Timestamp(seconds: 1_600_000_000)
    let life = invocations(
      lives([
        (.start(.init(request: id(1))), start), (report(1, .milliseconds(170)), start + .milliseconds(5_340)),
      ]))[0]
    #expect(life.finished.start == start + .milliseconds(5_170) && life.isStartInferred)
  }

  @Test func `does not overlap the one before in its stream, as start times are cut to a millisecond or computed`() {
    let both = invocations(lives([(report(1, .milliseconds(50)), at(100)), (report(2, .milliseconds(53)), at(150))]))
    #expect(both.map(\.finished.start) == [at(50), at(100)])
    // In no stream, two at once are two instances.
    let others = invocations(
      lives([(report(1, .milliseconds(50)), at(100)), (report(2, .milliseconds(53)), at(150))], stream: nil))
    #expect(others.map(\.finished.start) == [at(50), at(97)])
  }

  @Test func `is the same whatever the order of its lines, and if they come again`() {
    let events: [(PlatformEvent.Kind, Timestamp?)] = [
      (.start(.init(request: id(1))), at(0)), (.end(id(1)), at(101)),
      (report(1, .milliseconds(99)) { $0.initializationDuration = .milliseconds(300) }, at(101)),
      (
        .initReport(
          .init(initializationType: .onDemand, phase: .initialization, status: .success, duration: .milliseconds(300))),
        at(-1)
      ),
    ]
    let first = lives(events)
    #expect(invocations(first).count == 1 && first.count == 2)
    for turn in 1..<4 {
      let turned = Array(events[turn...] + events[..<turn])
      #expect(invocations(lives(turned)) == invocations(first))
      #expect(lives(turned + events).count == 2)
      #expect(lives(turned.reversed()).count == 2)
    }
  }

  @Test func `has no time that no line says`() {
    let life = invocations(lives([(.start(.init(request: id(1))), nil), (report(1, .milliseconds(99)), nil)]))[0]
    #expect(!life.isTimed && life.finished.duration == .milliseconds(99))
  }

  @Test(arguments: [
    OutcomeCase(testDescription: "a status", outcome: .timeout) { $0.status = .timeout },
    OutcomeCase(testDescription: "a type of error", outcome: .outOfMemory) {
      $0.status = .error
      $0.errorType = "Runtime.OutOfMemory"
    },
    OutcomeCase(testDescription: "an exit", outcome: .crash) {
      $0.status = .error
      $0.errorType = "Runtime.ExitError"
    },
    OutcomeCase(testDescription: "an extension", outcome: .crash) {
      $0.status = .error
      $0.errorType = "Extension.Crash"
    },
    OutcomeCase(testDescription: "an exception", outcome: .error) {
      $0.status = .error
      $0.errorType = "Function.Sad"
    },
    OutcomeCase(testDescription: "the platform", outcome: .error) { $0.status = .failure },
  ])
  func `has the outcome that its report says`(_ given: OutcomeCase) {
    #expect(
      invocations(lives([(report(1, .milliseconds(1), given.change), at(9))]))[0].finished.outcome == given.outcome)
  }

  @Test(arguments: [(60, Outcome.crash), (127, .outOfMemory), (129, .outOfMemory)] as [(Int64, Outcome)])
  func `that was killed was out of memory unless some was left`(_ used: Int64, _ outcome: Outcome) {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream(nil, of: "test")
    let exit = LogLine.RuntimeExit(request: id(1), sentence: "Runtime exited with error: signal: killed")
    #expect(reconstruction.take(.exited(exit), in: stream, at: at(8)) == .understood)
    _ = reconstruction.take(report(1, .milliseconds(1)) { $0.memoryUsedMegabytes = used }, in: stream, at: at(9))
    var ended: [Life] = []
    reconstruction.drain(keeping: 0) { ended.append($0) }
    #expect(invocations(ended)[0].finished.outcome == outcome)
  }

  @Test func `is another one if its lines are a minute later, as AWS repeats asynchronous ones under one id`() {
    let both = invocations(
      lives([
        (.start(.init(request: id(1))), at(0)), (report(1, .milliseconds(99)), at(100)),
        (.start(.init(request: id(1))), at(60_000)), (report(1, .milliseconds(80)), at(60_081)),
      ]))
    #expect(both.map(\.finished.start) == [at(0), at(60_000)])
  }

  @Test func `contradicts a second report with another duration, and a start after the end`() {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream(nil, of: "test")
    #expect(reconstruction.take(report(1, .milliseconds(50)), in: stream, at: at(100)) == .understood)
    #expect(reconstruction.take(report(1, .milliseconds(50)), in: stream, at: at(100)) == .repeated)
    #expect(
      reconstruction.take(report(1, .milliseconds(70)), in: stream, at: at(100))
        == .contradictory("another report says another duration"))
    #expect(
      reconstruction.take(.start(.init(request: id(1))), in: stream, at: at(200))
        == .contradictory("it starts after its end"))
  }

  @Test func `without an end is handed on as one that has only begun`() {
    let all = lives([(.start(.init(request: id(1))), at(0)), (.start(.init(request: id(2))), at(500))])
    #expect(invocations(all).isEmpty && all.count == 2)
    guard case .unended(let first) = all[0] else { return #expect(Bool(false), "it has no end") }
    #expect(first.start == at(0) && first.lastSeen == at(500))
  }

  @Test(arguments: [(60, 0), (7_200, 900)] as [(Int64, Int64)])
  func `without an end lasts until another attempt if that comes while it may last`(_ other: Int64, _ end: Int64) {
    let all = lives([
      (.start(.init(request: id(1))), at(0)), (.start(.init(request: id(1))), at(other * 1_000)),
      (report(1, .milliseconds(99)), at(other * 1_000 + 100)),
    ])
    let unended = all.compactMap { if case .unended(let unended) = $0 { unended } else { nil } }
    #expect(unended.map(\.lastSeen) == [at(end * 1_000)] && invocations(all).count == 1)
  }

  @Test func `may take 900 s, however many others are read meanwhile`() {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream(nil, of: "test")
    var all: [Life] = []
    #expect(reconstruction.take(.start(.init(request: id(1))), in: stream, at: at(0)) == .understood)
    for number in 2...900 {
      _ = reconstruction.take(report(number, .milliseconds(5)), in: stream, at: at(Int64(number) * 1_000))
      if number % 8 == 0 { reconstruction.drain(keeping: 4) { all.append($0) } }
    }
    #expect(
      reconstruction.take(report(1, .seconds(900)) { $0.status = .timeout }, in: stream, at: at(900_000)) == .understood
    )
    reconstruction.drain(keeping: 0) { all.append($0) }
    #expect(all.count == 900 && invocations(all).filter { $0.finished.outcome == .timeout }.count == 1)
  }

  @Test func `that never ends is handed on when it has waited for 900 s and more`() {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream(nil, of: "test")
    _ = reconstruction.take(.start(.init(request: id(1))), in: stream, at: at(0))
    var all: [Life] = []
    for number in 2...100 {
      _ = reconstruction.take(report(number, .milliseconds(5)), in: stream, at: at(Int64(number) * 20_000))
      reconstruction.drain(keeping: 4) { all.append($0) }
    }
    #expect(all.contains { if case .unended = $0 { true } else { false } })
  }

  /// In what order the tenths of a log are read.
  @Test(arguments: [
    Array(0..<10), Array((0..<10).reversed()), [5, 6, 7, 8, 9, 0, 1, 2, 3, 4], [3, 9, 0, 7, 1, 8, 2, 6, 4, 5],
  ])
  func `does not overlap the one before in its stream in whatever order they are read`(_ order: [Int]) {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream("2026/11/24/[$LATEST]0a000000000000000000000000000001", of: "test")
    var all: [Life] = []
    for part in order {
      for number in part * 10..<part * 10 + 10 {
        // Each takes up to a millisecond more than lies between the ends, as these are cut.
        let event = report(number + 1, Nanoseconds(50_000_000 + Int64(number % 3) * 400_000))
        #expect(reconstruction.take(event, in: stream, at: at(Int64(number) * 50)) == .understood)
      }
      reconstruction.drain(keeping: 2) { all.append($0) }
    }
    reconstruction.drain(keeping: 0) { all.append($0) }
    let sorted = invocations(all).map(\.finished).sorted { $0.start < $1.start }
    #expect(sorted.count == 100 && reconstruction.overlaps == 0)
    for (one, next) in zip(sorted, sorted.dropFirst()) { #expect(one.end <= next.start) }
    #expect(sorted.allSatisfy { ($0.duration.count - 50_000_000).magnitude <= 2_000_000 })
  }

  @Test func `waits for others to be read before it is handed on`() {
    var reconstruction = LifeReconstruction()
    let stream = reconstruction.stream(nil, of: "test")
    for number in 1...10 {
      _ = reconstruction.take(report(number, .milliseconds(5)), in: stream, at: at(Int64(number) * 10))
    }
    var ended: [Life] = []
    reconstruction.drain(keeping: 4) { ended.append($0) }
    #expect(ended.count == 6 && reconstruction.pendingCount == 4)
    #expect(reconstruction.take(report(1, .milliseconds(5)), in: stream, at: at(10)) == .repeated)
    reconstruction.drain(keeping: 0) { ended.append($0) }
    #expect(ended.count == 10)
  }
}

struct OutcomeCase: CustomTestStringConvertible, Sendable {
  var testDescription: String
  var outcome: Outcome
  var change: @Sendable (inout PlatformEvent.Report) -> Void
}

@Suite struct `A reconstructed initialization` {
  private func initializations(_ lives: [Life]) -> [Life.Initialization] {
    lives.compactMap { if case .initialization(let initialization) = $0 { initialization } else { nil } }
  }

  @Test func `told only by the report of its invocation lies before that`() {
    let all = lives([
      (.start(.init(request: id(1))), at(0)),
      (report(1, .milliseconds(99)) { $0.initializationDuration = .milliseconds(300) }, at(101)),
    ])
    let initialization = initializations(all)[0]
    #expect(initialization.ready.time == at(0) && initialization.ready.duration == .milliseconds(300))
    #expect(initialization.ready.initializationType == .onDemand && initialization.ready.status == .success)
    #expect(invocations(all)[0].finished.isColdStart)
  }

  @Test func `that was repeated inside an invocation makes that a cold start, also if it is told first`() {
    let inside = PlatformEvent.Kind.initReport(.init(phase: .invocation, status: .error, duration: .milliseconds(87)))
    let start = PlatformEvent.Kind.start(.init(request: id(1)))
    for events in [[inside, start], [start, inside]] {
      let all = lives(events.map { ($0, at(5)) } + [(report(1, .milliseconds(99)), at(101))])
      #expect(initializations(all).map(\.ready.phase) == [.invocation])
      #expect(invocations(all)[0].finished.isColdStart)
    }
  }

  @Test(
    arguments: [
      (.invocation, [5, 2_400, 4_800], [true, false, false]), (.initialization, [900, 2_400], [true, false]),
      (.initialization, [2_400, 4_800], [false, false]),
    ] as [(InitializationPhase, [Int64], [Bool])])
  func `that failed is waited for by an invocation soon after it, and by none an hour later`(
    _ phase: InitializationPhase, _ ends: [Int64], _ expected: [Bool]
  ) {
    let failed = PlatformEvent.Kind.initReport(.init(phase: phase, status: .error, duration: .milliseconds(87)))
    // As an import does that computes an hour: the first of these invocations is not read.
    for skipped in 0...1 {
      var part = LifeReconstruction()
      let stream = part.stream("2026/11/24/[$LATEST]0a000000000000000000000000000001", of: "test")
      _ = part.take(failed, in: stream, at: at(0))
      for (number, end) in ends.enumerated().dropFirst(skipped) {
        _ = part.take(report(number, .milliseconds(99)), in: stream, at: at(end * 1_000))
      }
      var all: [Life] = []
      part.drain(keeping: 0) { all.append($0) }
      #expect(invocations(all).map(\.finished.isColdStart) == Array(expected.dropFirst(skipped)))
    }
  }

  @Test func `of a snapshot is a restore, failed ones too`() {
    let all = lives([
      (.restoreReport(.init(status: .timeout, duration: .milliseconds(1_236))), at(0)),
      (.restoreReport(.init(status: .success, duration: .milliseconds(400))), at(900)),
      (report(1, .milliseconds(99)) { $0.restoreDuration = .milliseconds(400) }, at(1_101)),
    ])
    #expect(initializations(all).map(\.ready.status) == [.timeout, .success])
    #expect(initializations(all).allSatisfy { $0.ready.initializationType == .snapStart })
    #expect(invocations(all)[0].finished.isColdStart)
  }
}
