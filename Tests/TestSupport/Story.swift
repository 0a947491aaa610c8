public import Lifecycle

/// Events of one function in one instance.
public struct Story: Sendable {
  public var function = FunctionID("orders")
  public var instance = InstanceID(Identifier128(high: 1, low: 1))

  public init() {}

  public func started(_ request: UInt64, at time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      .instance(instance, of: function),
      .invocationStarted(
        InvocationStarted(request: Self.id(request), time: time, trigger: .http, pool: .unreserved)))
  }

  public func finished(
    _ request: UInt64, from start: Timestamp, seconds: Int64 = 1, outcome: Outcome = .success, cold: Bool = false
  ) -> LifecycleEvent {
    LifecycleEvent(
      .instance(instance, of: function),
      .invocationFinished(
        InvocationFinished(
          request: Self.id(request), start: start, duration: .seconds(seconds), trigger: .http, pool: .unreserved,
          isColdStart: cold, outcome: outcome)))
  }

  public func throttled(at time: Timestamp) -> LifecycleEvent {
    LifecycleEvent(
      .function(function),
      .throttled(Throttled(time: time, reason: .reservedFunctionConcurrentInvocationLimit, trigger: .http)))
  }

  private static func id(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 7, low: number)) }
}
