internal import Lifecycle
internal import Text

/// From members to an event.
extension EventFields {
  func event(_ defaults: EventLines.Defaults) throws(LineFault) -> LifecycleEvent {
    guard let event else { throw LineFault(.malformed, "event is missing: it says what happened") }
    let kind = try kind(event)
    return LifecycleEvent(try subject(kind, defaults), kind)
  }

  private func kind(_ event: String) throws(LineFault) -> LifecycleEvent.Kind {
    switch event {
    case "instanceStarted":
      return .instanceStarted(
        InstanceStarted(
          time: try time(.time), initializationType: try word(.initializationType),
          memoryLimitBytes: try number(.memoryLimitBytes)))
    case "warmedUp":
      return .warmedUp(
        WarmedUp(time: try time(.time), duration: try length(.duration), succeeded: try flag(.succeeded)))
    case "instanceReady":
      return .instanceReady(
        InstanceReady(
          time: try time(.time), duration: try length(.duration), initializationType: try word(.initializationType),
          phase: try word(.phase, absent: .initialization), status: try word(.status, absent: .success)))
    case "invocationStarted":
      return .invocationStarted(
        InvocationStarted(
          request: try requestID(), time: try time(.time), trigger: try trigger(), pool: try pool()))
    case "invocationHandedOver":
      return .invocationHandedOver(
        InvocationHandedOver(
          request: try requestID(), time: try time(.time), start: try time(.start), trigger: try trigger(),
          pool: try pool()))
    case "invocationFinished": return .invocationFinished(try finished())
    case "overlapStarted":
      return .overlapStarted(OverlapStarted(request: try requestID(), time: try time(.time)))
    case "overlapEnded": return .overlapEnded(OverlapEnded(request: try requestID(), time: try time(.time)))
    case "throttled":
      return .throttled(Throttled(time: try time(.time), reason: try word(.reason), trigger: try trigger()))
    case "instanceStopped":
      return .instanceStopped(
        InstanceStopped(
          time: try time(.time), reason: try word(.reason), lifetime: try length(.lifetime),
          invocationsServed: try number(.invocationsServed)))
    case "limitsChanged": return .limitsChanged(try limits())
    case "accountLimitsChanged":
      return .accountLimitsChanged(
        AccountLimitsChanged(time: try time(.time), concurrency: try number(.concurrency)))
    case "functionsListed":
      guard let functions else { throw LineFault(.malformed, "functions is missing: the names of all functions") }
      return .functionsListed(FunctionsListed(time: try time(.time), names: functions))
    case "sourceChanged":
      guard let changes else { throw LineFault(.malformed, "changes is missing: what changed") }
      guard changes.count <= EventSourceActivity.changesLimit else {
        throw LineFault(.malformed, "it has more than \(EventSourceActivity.changesLimit) changes")
      }
      return .sourceChanged(EventSourceActivity(time: try time(.time), changes))
    default:
      throw LineFault(.unknownWord, "event is \"\(event.prefix(64))\", which Kelvin does not know")
    }
  }

  private func finished() throws(LineFault) -> InvocationFinished {
    let status = self[.responseStatus] ?? 0
    guard let responseStatus = UInt16(exactly: status) else {
      throw LineFault(.malformed, "responseStatus is \(status), which is no status of HTTP")
    }
    return InvocationFinished(
      request: try requestID(), start: try time(.start), wait: Nanoseconds(self[.wait] ?? 0),
      duration: try length(.duration), trigger: try trigger(), pool: try pool(), isColdStart: self[.coldStart] ?? false,
      isSpillover: self[.spillover] ?? false, outcome: try word(.outcome),
      timeoutSource: self[.timeoutSource] == nil ? nil : try word(.timeoutSource), responseStatus: responseStatus,
      billed: Nanoseconds(self[.billed] ?? 0), memoryUsedBytes: self[.memoryUsedBytes] ?? 0,
      responseBytes: self[.responseBytes] ?? 0)
  }

  private func limits() throws(LineFault) -> FunctionLimitsChanged {
    if self[.gone] == true { return .gone(at: try time(.time)) }
    return FunctionLimitsChanged(
      time: try time(.time), reserved: self[.reserved], provisioned: provisioned,
      memoryLimitBytes: try number(.memoryLimitBytes), timeout: try length(.timeout),
      temporaryStorageLimitBytes: try number(.temporaryStorageLimitBytes))
  }

  // MARK: Subjects

  private func subject(
    _ kind: LifecycleEvent.Kind, _ defaults: EventLines.Defaults
  ) throws(LineFault) -> LifecycleEvent.Subject {
    if let eventSource {
      guard !eventSource.name.isEmpty, eventSource.name.utf8.count <= FunctionID.nameBytesLimit else {
        throw LineFault(.functionName, Rejection.functionName.sentence)
      }
      return .source(eventSource)
    }
    if function == nil, defaults.function == nil || kind.isOfAccount {
      if instance != nil { throw LineFault(.functionName, "function is missing: an instance is one of a function") }
      return .account
    }
    let function = try functionID(defaults)
    if let instance {
      guard let identifier = Identifier128(text: instance) else {
        let sentence = "instance is \"\(instance.prefix(64))\"; it is a UUID, or 32 hexadecimal digits"
        throw LineFault(.malformed, sentence)
      }
      return .instance(InstanceID(identifier), of: function)
    }
    if let instance = defaults.instance, kind.isOfInstances { return .instance(instance, of: function) }
    return .function(function)
  }

  private func functionID(_ defaults: EventLines.Defaults) throws(LineFault) -> FunctionID {
    guard let name = function ?? defaults.function?.name else { throw LineFault(.functionName, "function is missing") }
    let version = version ?? (function == nil ? defaults.function?.version : nil) ?? FunctionID.latest
    guard !name.isEmpty, name.utf8.count <= FunctionID.nameBytesLimit, version.utf8.count <= FunctionID.nameBytesLimit
    else { throw LineFault(.functionName, Rejection.functionName.sentence) }
    return FunctionID(name, version: version)
  }

  // MARK: Values

  private func number(_ quantity: Quantity) throws(LineFault) -> Int64 {
    guard let value = self[quantity] else { throw LineFault(.malformed, "\(quantity) is missing") }
    return value
  }

  private func time(_ quantity: Quantity) throws(LineFault) -> Timestamp {
    Timestamp(nanoseconds: try number(quantity))
  }

  private func length(_ quantity: Quantity) throws(LineFault) -> Nanoseconds { Nanoseconds(try number(quantity)) }

  private func flag(_ flag: Flag) throws(LineFault) -> Bool {
    guard let value = self[flag] else { throw LineFault(.malformed, "\(flag) is missing") }
    return value
  }

  private func requestID() throws(LineFault) -> RequestID {
    guard let request else { throw LineFault(.malformed, "request is missing") }
    guard let identifier = Identifier128(text: request) else {
      throw LineFault(
        .malformed, "request is \"\(request.prefix(64))\"; it is a UUID, or 32 hexadecimal digits")
    }
    return RequestID(identifier)
  }

  /// A caller of a function that says nothing of what caused it.
  private func trigger() throws(LineFault) -> Trigger { try word(.trigger, absent: .direct) }

  private func pool() throws(LineFault) -> ConcurrencyPool { try word(.pool, absent: .unreserved) }

  private func word<Value: Word>(_ member: WordMember, absent: Value? = nil) throws(LineFault) -> Value {
    guard let text = self[member] else {
      guard let absent else { throw LineFault(.malformed, "\(member) is missing") }
      return absent
    }
    guard let word = Value(name: text) else {
      let names = Value.allCases.map(\.name).joined(separator: ", ")
      throw LineFault(.unknownWord, "\(member) is \"\(text.prefix(64))\"; it is one of \(names)")
    }
    return word
  }
}

extension LifecycleEvent.Kind {
  fileprivate var isOfAccount: Bool {
    switch self {
    case .accountLimitsChanged, .functionsListed: true
    default: false
    }
  }

  fileprivate var isOfInstances: Bool {
    switch self {
    case .throttled, .limitsChanged, .accountLimitsChanged, .functionsListed, .sourceChanged: false
    default: true
    }
  }
}
