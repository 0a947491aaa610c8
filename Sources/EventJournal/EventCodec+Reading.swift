internal import Lifecycle

extension EventCodec {
  /// Reads an event.
  ///
  /// - Parameter previous: The subject of the event before in the same record; `nil` for the first.
  /// - Returns: `nil` if the bytes are none that ``write(_:after:to:)`` writes.
  static func read(
    _ reader: inout RecordReader, after previous: LifecycleEvent.Subject? = nil
  ) -> LifecycleEvent? {
    guard let kind = reader.kind(Kind.self), let subject = subject(&reader, after: previous) else { return nil }
    return self.kind(kind, &reader).map { LifecycleEvent(subject, $0) }
  }

  private static func subject(
    _ reader: inout RecordReader, after previous: LifecycleEvent.Subject?
  ) -> LifecycleEvent.Subject? {
    guard let kind = reader.kind(SubjectKind.self) else { return nil }
    switch kind {
    case .same: return previous
    case .account: return .account
    case .function, .functionVersion:
      return function(&reader, hasVersion: kind == .functionVersion).map { .function($0) }
    case .instance, .instanceVersion:
      guard let instance = reader.identifier(), let function = function(&reader, hasVersion: kind == .instanceVersion)
      else { return nil }
      return .instance(InstanceID(instance), of: function)
    case .source:
      guard let trigger: Trigger = reader.kind(), let name = reader.text() else { return nil }
      return .source(EventSourceID(trigger, name))
    }
  }

  private static func function(_ reader: inout RecordReader, hasVersion: Bool) -> FunctionID? {
    guard let name = reader.text(), let version = hasVersion ? reader.text() : FunctionID.latest else { return nil }
    return FunctionID(name, version: version)
  }

  private static func kind(_ kind: Kind, _ reader: inout RecordReader) -> LifecycleEvent.Kind? {
    switch kind {
    case .instanceStarted: instanceStarted(&reader).map { .instanceStarted($0) }
    case .warmedUp: warmedUp(&reader).map { .warmedUp($0) }
    case .instanceReady: instanceReady(&reader).map { .instanceReady($0) }
    case .invocationStarted: invocationStarted(&reader).map { .invocationStarted($0) }
    case .invocationHandedOver: invocationHandedOver(&reader).map { .invocationHandedOver($0) }
    case .invocationFinished: invocationFinished(&reader).map { .invocationFinished($0) }
    case .overlapStarted:
      requestAndTime(&reader).map { .overlapStarted(OverlapStarted(request: $0.0, time: $0.1)) }
    case .overlapEnded:
      requestAndTime(&reader).map { .overlapEnded(OverlapEnded(request: $0.0, time: $0.1)) }
    case .throttled: throttled(&reader).map { .throttled($0) }
    case .instanceStopped: instanceStopped(&reader).map { .instanceStopped($0) }
    case .limitsChanged: limitsChanged(&reader).map { .limitsChanged($0) }
    case .accountLimitsChanged: accountLimitsChanged(&reader).map { .accountLimitsChanged($0) }
    case .functionsListed: functionsListed(&reader).map { .functionsListed($0) }
    case .sourceChanged: sourceChanged(&reader).map { .sourceChanged($0) }
    }
  }

  private static func instanceStarted(_ reader: inout RecordReader) -> InstanceStarted? {
    guard let time = reader.time(), let type: InitializationType = reader.kind(), let memory = reader.signed() else {
      return nil
    }
    return InstanceStarted(time: time, initializationType: type, memoryLimitBytes: memory)
  }

  private static func warmedUp(_ reader: inout RecordReader) -> WarmedUp? {
    guard let time = reader.time(), let duration = reader.length(), let succeeded = reader.flag() else { return nil }
    return WarmedUp(time: time, duration: duration, succeeded: succeeded)
  }

  private static func instanceReady(_ reader: inout RecordReader) -> InstanceReady? {
    guard let time = reader.time(), let duration = reader.length(), let type: InitializationType = reader.kind(),
      let phase: InitializationPhase = reader.kind(), let status: InitializationStatus = reader.kind()
    else { return nil }
    return InstanceReady(time: time, duration: duration, initializationType: type, phase: phase, status: status)
  }

  private static func requestAndTime(_ reader: inout RecordReader) -> (RequestID, Timestamp)? {
    guard let request = reader.identifier(), let time = reader.time() else { return nil }
    return (RequestID(request), time)
  }

  private static func invocationStarted(_ reader: inout RecordReader) -> InvocationStarted? {
    guard let (request, time) = requestAndTime(&reader), let trigger: Trigger = reader.kind(),
      let pool: ConcurrencyPool = reader.kind()
    else { return nil }
    return InvocationStarted(request: request, time: time, trigger: trigger, pool: pool)
  }

  private static func invocationHandedOver(_ reader: inout RecordReader) -> InvocationHandedOver? {
    guard let (request, time) = requestAndTime(&reader), let start = reader.time(),
      let trigger: Trigger = reader.kind(),
      let pool: ConcurrencyPool = reader.kind()
    else { return nil }
    return InvocationHandedOver(request: request, time: time, start: start, trigger: trigger, pool: pool)
  }

  private static func invocationFinished(_ reader: inout RecordReader) -> InvocationFinished? {
    guard let request = reader.identifier(), let start = reader.time(), let wait = reader.length(),
      let duration = reader.length(), let trigger: Trigger = reader.kind(), let pool: ConcurrencyPool = reader.kind(),
      let flags = reader.byte(), flags < 4, let outcome: Outcome = reader.kind(), let source = reader.byte(),
      let status = reader.short(), let billed = reader.length(), let memory = reader.signed(),
      let response = reader.signed()
    else { return nil }
    let timeoutSource = source == 0 ? nil : TimeoutSource(rawValue: source - 1)
    guard source == 0 || timeoutSource != nil else { return nil }
    return InvocationFinished(
      request: RequestID(request), start: start, wait: wait, duration: duration, trigger: trigger, pool: pool,
      isColdStart: flags & 1 != 0, isSpillover: flags & 2 != 0, outcome: outcome, timeoutSource: timeoutSource,
      responseStatus: status, billed: billed, memoryUsedBytes: memory, responseBytes: response)
  }

  private static func throttled(_ reader: inout RecordReader) -> Throttled? {
    guard let time = reader.time(), let reason: ThrottleReason = reader.kind(), let trigger: Trigger = reader.kind()
    else { return nil }
    return Throttled(time: time, reason: reason, trigger: trigger)
  }

  private static func instanceStopped(_ reader: inout RecordReader) -> InstanceStopped? {
    guard let time = reader.time(), let reason: StopReason = reader.kind(), let lifetime = reader.length(),
      let served = reader.signed()
    else { return nil }
    return InstanceStopped(time: time, reason: reason, lifetime: lifetime, invocationsServed: served)
  }

  private static func limitsChanged(_ reader: inout RecordReader) -> FunctionLimitsChanged? {
    guard let time = reader.time(), let flags = reader.byte(), flags < 8 else { return nil }
    var reserved: Int64?
    var provisioned: ProvisionedConcurrency?
    if flags & 1 != 0 {
      guard let value = reader.signed() else { return nil }
      reserved = value
    }
    if flags & 2 != 0 {
      guard let requested = reader.signed(), let allocated = reader.signed(), let available = reader.signed() else {
        return nil
      }
      provisioned = ProvisionedConcurrency(requested: requested, allocated: allocated, available: available)
    }
    guard let memory = reader.signed(), let timeout = reader.length(), let storage = reader.signed() else { return nil }
    var limits = FunctionLimitsChanged(
      time: time, reserved: reserved, provisioned: provisioned, memoryLimitBytes: memory, timeout: timeout,
      temporaryStorageLimitBytes: storage)
    limits.isGone = flags & 4 != 0
    return limits
  }

  private static func accountLimitsChanged(_ reader: inout RecordReader) -> AccountLimitsChanged? {
    guard let time = reader.time(), let concurrency = reader.signed() else { return nil }
    return AccountLimitsChanged(time: time, concurrency: concurrency)
  }

  private static func sourceChanged(_ reader: inout RecordReader) -> EventSourceActivity? {
    // A change takes a byte at least.
    guard let time = reader.time(), let count = reader.word().map(Int.init), count <= reader.remaining else {
      return nil
    }
    var activity = EventSourceActivity(time: time, [])
    activity.changes.reserveCapacity(count)
    for _ in 0..<count {
      guard let change = change(&reader) else { return nil }
      activity.changes.append(change)
    }
    return activity
  }

  private static func change(_ reader: inout RecordReader) -> EventSourceChange? {
    guard let kind = reader.kind(ChangeKind.self) else { return nil }
    switch kind {
    case .counted:
      guard let counter: EventSourceCounter = reader.kind(), let count = reader.signed() else { return nil }
      return .counted(counter, count)
    case .level:
      guard let level: EventSourceLevel = reader.kind(), let value = reader.signed() else { return nil }
      return .level(level, value)
    case .oldest: return reader.time().map { .oldest($0) }
    case .nothingWaits: return .oldest(nil)
    case .measured:
      guard let duration: EventSourceDuration = reader.kind(), let length = reader.length() else { return nil }
      return .measured(duration, length)
    case .gone: return .gone
    }
  }

  private static func functionsListed(_ reader: inout RecordReader) -> FunctionsListed? {
    // A name takes two bytes at least.
    guard let time = reader.time(), let count = reader.word().map(Int.init), count <= reader.remaining / 2 else {
      return nil
    }
    var names: [String] = []
    names.reserveCapacity(count)
    for _ in 0..<count {
      guard let name = reader.text() else { return nil }
      names.append(name)
    }
    return FunctionsListed(time: time, names: names)
  }
}
