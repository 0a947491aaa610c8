import Lifecycle
import Testing

@testable import Schedules

@Suite struct `The runs of a schedule` {
  private let start = Timestamp(seconds: 1_800_000_000)

  private func runs(
    _ expression: String = "rate(1 minute)", _ change: (inout SchedulePolicy) -> Void = { _ in },
    _ progress: ScheduleProgress? = nil, at now: Timestamp? = nil
  ) throws -> ScheduleRuns {
    var policy = SchedulePolicy()
    change(&policy)
    return ScheduleRuns(try Schedule(expression), policy, progress, at: now ?? start)
  }

  private func run(_ step: ScheduleRuns.Step?) throws -> ScheduleRuns.Run {
    guard case .run(let run)? = step else {
      Issue.record("\(step.map { "\($0)" } ?? "nothing") is no run")
      throw CancellationError()
    }
    return run
  }

  @Test func `begin at their times, once`() throws {
    var runs = try runs()
    #expect(runs.due == start + .seconds(60) && runs.take(at: start + .seconds(59)) == nil)
    let first = try run(runs.take(at: start + .seconds(60)))
    #expect(first.time == start + .seconds(60) && !first.isMissed)
    #expect(runs.take(at: start + .seconds(60)) == nil && runs.due == start + .seconds(120))
    #expect(runs.times(2) == [start + .seconds(120), start + .seconds(180)])
  }

  @Test func `count as over when they have ended`() throws {
    var runs = try runs()
    #expect(runs.progress == ScheduleProgress(anchor: start, done: start))
    let first = try run(runs.take(at: start + .seconds(60)))
    let second = try run(runs.take(at: start + .seconds(120)))
    runs.ended(second.number)
    #expect(runs.progress.unfinished == [.init(time: first.time)], "The first is not over.")
    runs.ended(first.number)
    #expect(runs.progress == ScheduleProgress(anchor: start, done: second.time))
  }

  @Test func `are run again after a restart that cut them off`() throws {
    var before = try runs()
    _ = before.take(at: start + .seconds(60))
    var after = try runs("rate(1 minute)", { _ in }, before.progress, at: start + .seconds(70))
    let again = try run(after.take(at: start + .seconds(70)))
    #expect(again.time == start + .seconds(60) && !again.isMissed, "Within its minute it is not late.")
    #expect(after.due == start + .seconds(120))
  }

  @Test func `are each run again after a restart, with their failures and names`() throws {
    let request = RequestID(Identifier128(high: 1, low: 2))
    var before = try runs("rate(1 minute)", { $0.repetitionsMax = 1 })
    let failed = try run(before.take(at: start + .seconds(60)))
    before.name(failed.number, request)
    #expect(before.failed(failed.number, at: start + .seconds(61)) == .retry(at: start + .seconds(121)))
    before.ended(try run(before.take(at: start + .seconds(120))).number)
    #expect(try run(before.take(at: start + .seconds(180))).number == failed.number)
    let cut = try run(before.take(at: start + .seconds(180)))
    let progress = before.progress

    let now = start + .seconds(200)
    var after = try runs("rate(1 minute)", { $0.repetitionsMax = 1 }, progress, at: now)
    #expect(after.due == now && after.progress == progress && after.unfinishedCount == 2)
    let first = try run(after.take(at: now))
    #expect((first.time, first.failures, first.request) == (failed.time, 1, request))
    let second = try run(after.take(at: now))
    #expect((second.time, second.failures, second.request) == (cut.time, 0, nil))
    #expect(after.take(at: now) == nil && after.due == start + .seconds(240), "What was over does not come again.")
    #expect(after.failed(first.number, at: now) == .drop, "It had one repetition in all.")
  }

  @Test func `are run once for all the times that nobody saw`() throws {
    let now = start + .seconds(3_600 + 30)
    var runs = try runs("rate(1 minute)", { _ in }, ScheduleProgress(anchor: start, done: start), at: now)
    let missed = try run(runs.take(at: now))
    #expect(missed.isMissed && missed.time == start + .seconds(3_600))
    #expect(runs.take(at: now) == nil && runs.due == start + .seconds(3_660))
  }

  @Test func `are late where the machine slept, and never early where its clock is set back`() throws {
    var runs = try runs()
    let slept = try run(runs.take(at: start + .seconds(600)))
    #expect(slept.isMissed && slept.time == start + .seconds(600))
    runs.ended(slept.number)
    #expect(runs.take(at: start + .seconds(30)) == nil && runs.due == start + .seconds(660))
  }

  @Test func `are left out while one is not over, if that is said`() throws {
    var runs = try runs("rate(1 minute)", { $0.overlap = .skip })
    let first = try run(runs.take(at: start + .seconds(60)))
    #expect(runs.take(at: start + .seconds(120)) == .skip(start + .seconds(120)))
    #expect(runs.failed(first.number, at: start + .seconds(130)) == .retry(at: start + .seconds(190)))
    #expect(runs.take(at: start + .seconds(180)) == .skip(start + .seconds(180)), "One that is repeated is not over.")
    #expect(try run(runs.take(at: start + .seconds(190))).number == first.number)
    runs.ended(first.number)
    #expect(runs.progress.done == start + .seconds(180))
    #expect(try run(runs.take(at: start + .seconds(240))).time == start + .seconds(240))
  }

  @Test func `run beside each other up to a limit`() throws {
    var runs = try runs()
    for minute in 1...ScheduleRuns.runsMax { _ = try run(runs.take(at: start + .seconds(Int64(minute) * 60))) }
    let over = start + .seconds(Int64(ScheduleRuns.runsMax + 1) * 60)
    #expect(runs.take(at: over) == .skip(over))
  }

  @Test func `are repeated twice, after one minute and two`() throws {
    var runs = try runs("rate(1 day)")
    let now = start + .seconds(86_400)
    let first = try run(runs.take(at: now))
    #expect(runs.failed(first.number, at: now) == .retry(at: now + .seconds(60)))
    #expect(runs.due == now + .seconds(60))
    #expect(try run(runs.take(at: now + .seconds(60))).failures == 1)
    #expect(runs.failed(first.number, at: now + .seconds(60)) == .retry(at: now + .seconds(180)))
    _ = try run(runs.take(at: now + .seconds(180)))
    #expect(runs.failed(first.number, at: now + .seconds(180)) == .drop)
    #expect(runs.progress.done == now && runs.unfinishedCount == 0)
    // What was given up is not there any more.
    #expect(runs.failed(first.number, at: now) == .drop && runs.throttled(first.number, at: now) == .drop)
  }

  @Test func `wait for concurrency without using up repetitions, until they are too old`() throws {
    var runs = try runs("rate(1 day)", { $0.ageMax = .seconds(10) })
    let now = start + .seconds(86_400)
    let first = try run(runs.take(at: now))
    #expect(runs.throttled(first.number, at: now) == .retry(at: now + .seconds(1)))
    #expect(try run(runs.take(at: now + .seconds(1))).failures == 0)
    #expect(runs.throttled(first.number, at: now + .seconds(1)) == .retry(at: now + .seconds(3)))
    _ = try run(runs.take(at: now + .seconds(3)))
    #expect(runs.throttled(first.number, at: now + .seconds(3)) == .retry(at: now + .seconds(7)))
    _ = try run(runs.take(at: now + .seconds(7)))
    #expect(runs.throttled(first.number, at: now + .seconds(7)) == .drop)
  }

  @Test func `of a single time are over after it`() throws {
    var runs = try runs("at(2027-01-15T08:00:30)")
    let first = try run(runs.take(at: start + .seconds(30)))
    runs.ended(first.number)
    #expect(runs.due == nil && runs.times(3) == [])
    var again = try self.runs("at(2027-01-15T08:00:30)", { _ in }, runs.progress, at: start + .seconds(1_000))
    #expect(again.take(at: start + .seconds(1_000)) == nil)
  }
}
