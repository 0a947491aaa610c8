import Lifecycle

@testable import Windows

/// Events of one function in few words, for tests that tell short stories.
struct Teller {
  var function = FunctionID("f")
  var instance = InstanceID(Identifier128(high: 7, low: 1))

  private var subject: LifecycleEvent.Subject { .instance(instance, of: function) }

  static func request(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 3, low: number)) }

  func instanceStarted(_ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      subject,
      .instanceStarted(InstanceStarted(time: time, initializationType: .onDemand, memoryLimitBytes: 128 << 20)))
  }

  func instanceReady(_ time: Timestamp, _ duration: Nanoseconds = .milliseconds(200)) -> LifecycleEvent {
    LifecycleEvent(
      subject,
      .instanceReady(
        InstanceReady(
          time: time, duration: duration, initializationType: .onDemand, phase: .initialization, status: .success)))
  }

  func instanceStopped(_ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      subject,
      .instanceStopped(InstanceStopped(time: time, reason: .idle, lifetime: .seconds(1), invocationsServed: 1)))
  }

  func started(_ number: UInt64, _ time: Timestamp, pool: ConcurrencyPool = .unreserved) -> LifecycleEvent {
    LifecycleEvent(
      subject,
      .invocationStarted(
        InvocationStarted(request: Teller.request(number), time: time, trigger: .direct, pool: pool)))
  }

  func finished(
    _ number: UInt64, _ start: Timestamp, _ duration: Nanoseconds, pool: ConcurrencyPool = .unreserved
  ) -> LifecycleEvent {
    LifecycleEvent(
      subject,
      .invocationFinished(
        InvocationFinished(
          request: Teller.request(number), start: start, duration: duration, trigger: .direct, pool: pool,
          outcome: .success)))
  }

  func throttled(_ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      .function(function), .throttled(Throttled(time: time, reason: .callerRateLimit, trigger: .http)))
  }

  func overlapStarted(_ number: UInt64, _ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(subject, .overlapStarted(OverlapStarted(request: Teller.request(number), time: time)))
  }

  func overlapEnded(_ number: UInt64, _ time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(subject, .overlapEnded(OverlapEnded(request: Teller.request(number), time: time)))
  }

  func limits(_ time: Timestamp, reserved: Int64? = nil, allocated: Int64? = nil) -> LifecycleEvent {
    LifecycleEvent(
      .function(function),
      .limitsChanged(
        FunctionLimitsChanged(
          time: time, reserved: reserved,
          provisioned: allocated.map { ProvisionedConcurrency(requested: $0, allocated: $0, available: $0) },
          memoryLimitBytes: 128 << 20, timeout: .seconds(3), temporaryStorageLimitBytes: 512 << 20)))
  }
}

extension Nanoseconds {
  static func minutes(_ minutes: Int64) -> Nanoseconds { .seconds(minutes * 60) }
}
