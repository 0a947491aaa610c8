public import Lifecycle

/// Random events of every kind, with every value that a field can have; most make no sense together.
public struct RandomEvents {
  private var random: SplitMix
  private let subjects: [LifecycleEvent.Subject]

  public static let names = ["orders", "a", "größe-😀", "line\nbreak \"quoted\" \\", String(repeating: "n", count: 140)]

  /// - Parameters:
  ///   - seed: The same seed gives the same events.
  ///   - count: How many.
  ///   - times: In which range times lie, in nanoseconds since the epoch.
  public static func events(
    seed: UInt64, count: Int, times: ClosedRange<Int64> = .min ... .max
  ) -> [LifecycleEvent] {
    var events = RandomEvents(seed: seed)
    return (0..<count).map { _ in events.event(times) }
  }

  private init(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var subjects: [LifecycleEvent.Subject] = [.account]
    for _ in 0..<Int.random(in: 1...40, using: &random) {
      let name = RandomEvents.names.randomElement(using: &random)!
      let version = [FunctionID.latest, "1", "live"].randomElement(using: &random)!
      let function = FunctionID(name, version: version)
      subjects.append(.function(function))
      subjects.append(.instance(InstanceID(.random(using: &random)), of: function))
    }
    for trigger in Trigger.allCases {
      subjects.append(.source(EventSourceID(trigger, RandomEvents.names.randomElement(using: &random)!)))
    }
    self.subjects = subjects
    self.random = random
  }

  private mutating func word<W: Word>(_: W.Type = W.self) -> W { W.allCases.randomElement(using: &random)! }

  private mutating func flag() -> Bool { .random(using: &random) }

  private mutating func number() -> Int64 {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: 0
    case 1: .max
    case 2: .min
    case 3: -1
    default: .random(in: 0..<(1 << 40), using: &random)
    }
  }

  private mutating func length() -> Nanoseconds { Nanoseconds(number()) }

  private mutating func request() -> RequestID { RequestID(.random(using: &random)) }

  private mutating func event(_ times: ClosedRange<Int64>) -> LifecycleEvent {
    let time = Timestamp(nanoseconds: .random(in: times, using: &random))
    let start = Timestamp(nanoseconds: .random(in: times, using: &random))
    return LifecycleEvent(subjects.randomElement(using: &random)!, flag() ? of(instance: time) : other(time, start))
  }

  private mutating func of(instance time: Timestamp) -> LifecycleEvent.Kind {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: .instanceStarted(InstanceStarted(time: time, initializationType: word(), memoryLimitBytes: number()))
    case 1: .warmedUp(WarmedUp(time: time, duration: length(), succeeded: flag()))
    case 2:
      .instanceReady(
        InstanceReady(time: time, duration: length(), initializationType: word(), phase: word(), status: word()))
    case 3: .overlapStarted(OverlapStarted(request: request(), time: time))
    case 4: .overlapEnded(OverlapEnded(request: request(), time: time))
    default:
      .instanceStopped(
        InstanceStopped(time: time, reason: word(), lifetime: length(), invocationsServed: number()))
    }
  }

  private mutating func other(_ time: Timestamp, _ start: Timestamp) -> LifecycleEvent.Kind {
    switch Int.random(in: 0..<9, using: &random) {
    case 0: .invocationStarted(InvocationStarted(request: request(), time: time, trigger: word(), pool: word()))
    case 1:
      .invocationHandedOver(
        InvocationHandedOver(request: request(), time: time, start: start, trigger: word(), pool: word()))
    case 2: .throttled(Throttled(time: time, reason: word(), trigger: word()))
    case 3: .limitsChanged(limits(time))
    case 4: .accountLimitsChanged(AccountLimitsChanged(time: time, concurrency: number()))
    case 5:
      .functionsListed(
        FunctionsListed(time: time, names: Array(RandomEvents.names.prefix(Int.random(in: 0...5, using: &random)))))
    case 6:
      .sourceChanged(EventSourceActivity(time: time, (0..<Int.random(in: 0...5, using: &random)).map { _ in change() }))
    default: .invocationFinished(finished(start))
    }
  }

  private mutating func change() -> EventSourceChange {
    switch Int.random(in: 0..<6, using: &random) {
    case 0: .counted(word(), number())
    case 1: .level(word(), number())
    case 2: .oldest(Timestamp(nanoseconds: number()))
    case 3: .oldest(nil)
    case 4: .measured(word(), length())
    default: .gone
    }
  }

  private mutating func limits(_ time: Timestamp) -> FunctionLimitsChanged {
    if flag() { return .gone(at: time) }
    return FunctionLimitsChanged(
      time: time, reserved: flag() ? number() : nil,
      provisioned: flag()
        ? ProvisionedConcurrency(requested: number(), allocated: number(), available: number()) : nil,
      memoryLimitBytes: number(), timeout: length(), temporaryStorageLimitBytes: number())
  }

  private mutating func finished(_ start: Timestamp) -> InvocationFinished {
    guard flag() else {
      return InvocationFinished(
        request: request(), start: start, duration: length(), trigger: word(), pool: word(), outcome: word())
    }
    return InvocationFinished(
      request: request(), start: start, wait: length(), duration: length(), trigger: word(), pool: word(),
      isColdStart: flag(), isSpillover: flag(), outcome: word(), timeoutSource: flag() ? word() : nil,
      responseStatus: .random(in: 0...UInt16.max, using: &random), billed: length(), memoryUsedBytes: number(),
      responseBytes: number())
  }
}
