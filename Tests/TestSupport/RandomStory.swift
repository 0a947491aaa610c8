public import Lifecycle

/// Random but plausible events of a few functions over a few minutes, with every oddity that a stream can have.
public struct RandomStory {
  private var random: SplitMix
  private var events: [LifecycleEvent] = []
  private let functions: [FunctionID]
  /// The story happens from here on.
  private let origin: Int64
  private let span: Int64

  /// - Parameters:
  ///   - origin: When the story begins.
  ///   - span: How long it lasts.
  public static func events(
    seed: UInt64, from origin: Timestamp, lasting span: Nanoseconds, invocations: Int, functions: Int = 3
  ) -> [LifecycleEvent] {
    var story = RandomStory(seed: seed, origin: origin, span: span, functions: functions)
    for index in 0..<functions { story.addLimits(story.functions[index]) }
    for _ in 0..<max(1, invocations / 4) { story.addInstance() }
    for _ in 0..<invocations { story.addInvocation() }
    return story.events
  }

  private init(seed: UInt64, origin: Timestamp, span: Nanoseconds, functions: Int) {
    random = SplitMix(seed: seed)
    self.origin = origin.nanoseconds
    self.span = span.count
    self.functions = (0..<functions).map { FunctionID("function-\($0)") }
  }

  private mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &random) < percent }

  /// An instant of the story; often one of few, so that starts and ends meet.
  private mutating func instant() -> Int64 {
    let grain: Int64 = chance(50) ? 5_000_000_000 : 1
    return origin + Int64.random(in: 0..<span, using: &random) / grain * grain
  }

  private mutating func word<W: Word>(_: W.Type) -> W {
    W.allCases.randomElement(using: &random)!
  }

  private mutating func addLimits(_ function: FunctionID) {
    for _ in 0..<Int.random(in: 0...3, using: &random) {
      let allocated = Int64.random(in: 0...4, using: &random)
      let limits = FunctionLimitsChanged(
        time: Timestamp(nanoseconds: instant()), reserved: chance(50) ? Int64.random(in: 0...9, using: &random) : nil,
        provisioned: chance(70)
          ? ProvisionedConcurrency(requested: allocated, allocated: allocated, available: allocated) : nil,
        memoryLimitBytes: 128 << 20, timeout: .seconds(3), temporaryStorageLimitBytes: 512 << 20)
      events.append(LifecycleEvent(.function(function), .limitsChanged(limits)))
    }
  }

  private mutating func addInstance() {
    let function = functions.randomElement(using: &random)!
    let instance = InstanceID(.random(using: &random))
    let subject = LifecycleEvent.Subject.instance(instance, of: function)
    let start = instant()
    let type = word(InitializationType.self)
    if chance(90) {
      let started = InstanceStarted(
        time: Timestamp(nanoseconds: start), initializationType: type, memoryLimitBytes: 128 << 20)
      events.append(LifecycleEvent(subject, .instanceStarted(started)))
    }
    let initialization = Nanoseconds(Int64.random(in: 0..<3_000_000_000, using: &random))
    if chance(30) {
      let warmUp = WarmedUp(time: Timestamp(nanoseconds: start), duration: initialization, succeeded: chance(80))
      events.append(LifecycleEvent(subject, .warmedUp(warmUp)))
    }
    let ready = InstanceReady(
      time: Timestamp(nanoseconds: start) + initialization, duration: initialization, initializationType: type,
      phase: .initialization, status: word(InitializationStatus.self))
    events.append(LifecycleEvent(subject, .instanceReady(ready)))
    addLostExecution(subject, start)
    addOverlap(subject, start)
    if chance(60) {
      let lifetime = Nanoseconds(Int64.random(in: 0..<90_000_000_000, using: &random))
      let stopped = InstanceStopped(
        time: Timestamp(nanoseconds: start) + lifetime, reason: word(StopReason.self), lifetime: lifetime,
        invocationsServed: 1)
      events.append(LifecycleEvent(subject, .instanceStopped(stopped)))
      if chance(10) { events.append(LifecycleEvent(subject, .instanceStopped(stopped))) }
    }
  }

  /// An execution of an instance whose end nobody reports, or that ends after the instance had stopped.
  private mutating func addLostExecution(_ subject: LifecycleEvent.Subject, _ start: Int64) {
    guard chance(40) else { return }
    let request = RequestID(.random(using: &random))
    let time = Timestamp(nanoseconds: start + Int64.random(in: 0..<30_000_000_000, using: &random))
    let started = InvocationStarted(request: request, time: time, trigger: .direct, pool: word(ConcurrencyPool.self))
    events.append(LifecycleEvent(subject, .invocationStarted(started)))
    if chance(50) {
      let finished = InvocationFinished(
        request: request, start: time, duration: Nanoseconds(Int64.random(in: 0..<60_000_000_000, using: &random)),
        trigger: .direct, pool: chance(90) ? started.pool : word(ConcurrencyPool.self), outcome: .crash)
      events.append(LifecycleEvent(subject, .invocationFinished(finished)))
    }
  }

  private mutating func addOverlap(_ subject: LifecycleEvent.Subject, _ start: Int64) {
    guard chance(40) else { return }
    let request = RequestID(.random(using: &random))
    let time = Timestamp(nanoseconds: start + Int64.random(in: 0..<30_000_000_000, using: &random))
    if chance(90) {
      events.append(LifecycleEvent(subject, .overlapStarted(OverlapStarted(request: request, time: time))))
    }
    if chance(70) {
      let end = time + Nanoseconds(Int64.random(in: 0..<20_000_000_000, using: &random))
      events.append(LifecycleEvent(subject, .overlapEnded(OverlapEnded(request: request, time: end))))
    }
  }

  private mutating func addInvocation() {
    let function = functions.randomElement(using: &random)!
    let subject = LifecycleEvent.Subject.instance(InstanceID(.random(using: &random)), of: function)
    let request = RequestID(.random(using: &random))
    let start = Timestamp(nanoseconds: instant())
    let pool = word(ConcurrencyPool.self)
    let trigger = word(Trigger.self)
    if chance(10) {
      let throttled = Throttled(time: start, reason: word(ThrottleReason.self), trigger: trigger)
      events.append(LifecycleEvent(.function(function), .throttled(throttled)))
      return
    }
    let isReported = chance(60)
    if isReported {
      let started = InvocationStarted(request: request, time: start, trigger: trigger, pool: pool)
      // Admission may be reported before an instance is found.
      if chance(30) {
        events.append(LifecycleEvent(.function(function), .invocationStarted(started)))
        let handedOver = InvocationHandedOver(
          request: request, time: start + Nanoseconds(Int64.random(in: 0..<2_000_000_000, using: &random)),
          start: start, trigger: trigger, pool: pool)
        events.append(LifecycleEvent(subject, .invocationHandedOver(handedOver)))
      } else {
        events.append(LifecycleEvent(subject, .invocationStarted(started)))
      }
    }
    guard !isReported || chance(85) else { return }
    let finished = InvocationFinished(
      request: request, start: start,
      wait: Nanoseconds(chance(20) ? Int64.random(in: 0..<2_000_000_000, using: &random) : 0),
      duration: duration(), trigger: trigger, pool: pool, isColdStart: chance(10), isSpillover: chance(10),
      outcome: word(Outcome.self), timeoutSource: chance(50) ? word(TimeoutSource.self) : nil,
      billed: Nanoseconds(Int64.random(in: 0..<1_000_000_000, using: &random)),
      memoryUsedBytes: chance(80) ? Int64.random(in: 1..<(1 << 33), using: &random) : 0)
    // An invocation that never found an instance ends as its function's.
    let end: LifecycleEvent.Subject = chance(5) ? .function(function) : subject
    events.append(LifecycleEvent(end, .invocationFinished(finished)))
    if chance(10) { events.append(LifecycleEvent(subject, .invocationFinished(finished))) }
  }

  private mutating func duration() -> Nanoseconds {
    switch Int.random(in: 0..<10, using: &random) {
    case 0: Nanoseconds(0)
    case 1: Nanoseconds(-5)
    case 2...4: Nanoseconds(Int64.random(in: 0...12, using: &random) * 5_000_000_000)
    case 5: Nanoseconds(Int64.random(in: 0..<200_000_000_000, using: &random))
    default: Nanoseconds(Int64.random(in: 0..<20_000_000_000, using: &random))
    }
  }
}
