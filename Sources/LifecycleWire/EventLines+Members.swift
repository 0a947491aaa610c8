internal import Lifecycle
internal import Text

/// From an event to the members of its line; what has its default is left out.
extension JSONWriter {
  mutating func members(of event: LifecycleEvent) {
    switch event.kind {
    case .instanceStarted(let started):
      head("instanceStarted", event.subject)
      member("time", started.time)
      member("initializationType", started.initializationType.name)
      member("memoryLimitBytes", started.memoryLimitBytes)
    case .warmedUp(let warmUp):
      head("warmedUp", event.subject)
      member("time", warmUp.time)
      member("duration", warmUp.duration)
      member("succeeded", warmUp.succeeded)
    case .instanceReady(let ready):
      head("instanceReady", event.subject)
      member("time", ready.time)
      member("duration", ready.duration)
      member("initializationType", ready.initializationType.name)
      member("phase", ready.phase.name)
      member("status", ready.status.name)
    case .invocationStarted(let started):
      head("invocationStarted", event.subject)
      member("request", started.request.value.uuidText)
      member("time", started.time)
      caused(started.trigger, started.pool)
    case .invocationHandedOver(let handedOver):
      head("invocationHandedOver", event.subject)
      member("request", handedOver.request.value.uuidText)
      member("time", handedOver.time)
      member("start", handedOver.start)
      caused(handedOver.trigger, handedOver.pool)
    case .invocationFinished(let finished):
      head("invocationFinished", event.subject)
      members(of: finished)
    case .overlapStarted(let started):
      head("overlapStarted", event.subject)
      member("request", started.request.value.uuidText)
      member("time", started.time)
    case .overlapEnded(let ended):
      head("overlapEnded", event.subject)
      member("request", ended.request.value.uuidText)
      member("time", ended.time)
    case .throttled(let throttled):
      head("throttled", event.subject)
      member("time", throttled.time)
      member("reason", throttled.reason.name)
      member("trigger", throttled.trigger.name)
    case .instanceStopped(let stopped):
      head("instanceStopped", event.subject)
      member("time", stopped.time)
      member("reason", stopped.reason.name)
      member("lifetime", stopped.lifetime)
      member("invocationsServed", stopped.invocationsServed)
    case .limitsChanged, .accountLimitsChanged, .functionsListed: membersOfLimits(event)
    case .sourceChanged(let activity):
      head("sourceChanged", event.subject)
      members(of: activity)
    }
  }

  private mutating func membersOfLimits(_ event: LifecycleEvent) {
    switch event.kind {
    case .limitsChanged(let limits):
      head("limitsChanged", event.subject)
      members(of: limits)
    case .accountLimitsChanged(let limits):
      head("accountLimitsChanged", event.subject)
      member("time", limits.time)
      member("concurrency", limits.concurrency)
    case .functionsListed(let listed):
      head("functionsListed", event.subject)
      member("time", listed.time)
      key("functions")
      array { for name in listed.names { $0.string(name) } }
    default: break
    }
  }

  private mutating func members(of finished: InvocationFinished) {
    member("request", finished.request.value.uuidText)
    member("start", finished.start)
    if finished.wait != .zero { member("wait", finished.wait) }
    member("duration", finished.duration)
    caused(finished.trigger, finished.pool)
    if finished.isColdStart { member("coldStart", true) }
    if finished.isSpillover { member("spillover", true) }
    member("outcome", finished.outcome.name)
    if let source = finished.timeoutSource { member("timeoutSource", source.name) }
    if finished.responseStatus != 0 { member("responseStatus", Int64(finished.responseStatus)) }
    if finished.billed != .zero { member("billed", finished.billed) }
    if finished.memoryUsedBytes != 0 { member("memoryUsedBytes", finished.memoryUsedBytes) }
    if finished.responseBytes != 0 { member("responseBytes", finished.responseBytes) }
  }

  private mutating func members(of limits: FunctionLimitsChanged) {
    member("time", limits.time)
    if limits.isGone { return member("gone", true) }
    if let reserved = limits.reserved { member("reserved", reserved) }
    if let provisioned = limits.provisioned {
      key("provisioned")
      object { counts in
        counts.member("requested", provisioned.requested)
        counts.member("allocated", provisioned.allocated)
        counts.member("available", provisioned.available)
      }
    }
    member("memoryLimitBytes", limits.memoryLimitBytes)
    member("timeout", limits.timeout)
    member("temporaryStorageLimitBytes", limits.temporaryStorageLimitBytes)
  }

  private mutating func head(_ name: String, _ subject: LifecycleEvent.Subject) {
    member("event", name)
    switch subject {
    case .account: break
    case .function(let function): self.function(function)
    case .instance(let instance, let function):
      self.function(function)
      member("instance", instance.value.uuidText)
    case .source(let source): member(source.trigger.name, source.name)
    }
  }

  private mutating func members(of activity: EventSourceActivity) {
    member("time", activity.time)
    key("changes")
    array { list in
      for change in activity.changes { list.object { $0.members(of: change) } }
    }
  }

  private mutating func members(of change: EventSourceChange) {
    switch change {
    case .counted(let counter, let count):
      member("counted", counter.name)
      if count != 1 { member("count", count) }
    case .level(let level, let value):
      member("level", level.name)
      member("value", value)
    case .oldest(let since?): member("oldest", since)
    case .oldest(nil):
      key("oldest")
      null()
    case .measured(let duration, let length):
      member("measured", duration.name)
      member("duration", length)
    case .gone: member("gone", true)
    }
  }

  private mutating func function(_ function: FunctionID) {
    member("function", function.name)
    if function.version != FunctionID.latest { member("version", function.version) }
  }

  private mutating func caused(_ trigger: Trigger, _ pool: ConcurrencyPool) {
    member("trigger", trigger.name)
    member("pool", pool.name)
  }

  private mutating func member(_ name: String, _ length: Nanoseconds) {
    member(name, nanoseconds: Int128(length.count))
  }

  /// As text, or as a number where text has no such year.
  private mutating func member(_ name: String, _ time: Timestamp) {
    // 1678-01-01 and 2262-01-01: what readers of such text take.
    if (-9_214_560_000_000_000_000..<9_214_646_400_000_000_000).contains(time.nanoseconds) {
      member(name, RFC3339.text(nanoseconds: time.nanoseconds))
    } else {
      member(name, time.nanoseconds)
    }
  }
}
