internal import CLifecycleProto
internal import CProtobufC
internal import Lifecycle

// The tables of a subject, in the order of their numbers.
extension BatchReading {
  mutating func read(_ message: KelvinEvents__Subject) throws(WireError) {
    let subject = unsafe subject(message)
    if let table = unsafe message.instance_started { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.warmed_up { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.instance_ready { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.invocation_started { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.invocation_handed_over { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.invocation_finished { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.overlap_started { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.overlap_ended { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.throttled { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.instance_stopped { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.limits_changed { try unsafe read(table.pointee, subject) }
    if let table = unsafe message.account_limits_changed { try unsafe read(table.pointee, subject) }
    for position in unsafe 0..<message.n_functions_listed {
      guard let listed = unsafe message.functions_listed[position] else { continue }
      try unsafe read(listed.pointee, subject)
    }
    if let table = unsafe message.source_changed { try unsafe read(table.pointee, subject) }
  }

  private typealias Subject = Result<LifecycleEvent.Subject, SubjectFault>

  private mutating func read(_ table: KelvinEvents__InstanceStarted, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let type = unsafe WordColumn(table.initialization_type, "initialization_type")
    let memory = unsafe NumberColumn(table.n_memory_limit_bytes, table.memory_limit_bytes, "memory_limit_bytes")
    try add(subject, rows: max(time.rows, type.rows, memory.rows)) { row throws(RowFault) in
      .instanceStarted(
        InstanceStarted(
          time: Timestamp(nanoseconds: try time(row)), initializationType: try type(row),
          memoryLimitBytes: try memory(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__WarmedUp, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let duration = unsafe NumberColumn(table.n_duration, table.duration, "duration")
    let succeeded = unsafe WordColumn(table.succeeded, "succeeded")
    try add(subject, rows: max(time.rows, duration.rows, succeeded.rows)) { row throws(RowFault) in
      .warmedUp(
        WarmedUp(
          time: Timestamp(nanoseconds: try time(row)), duration: Nanoseconds(try duration(row)),
          succeeded: try succeeded.flag(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__InstanceReady, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let duration = unsafe NumberColumn(table.n_duration, table.duration, "duration")
    let type = unsafe WordColumn(table.initialization_type, "initialization_type")
    let phase = unsafe WordColumn(table.phase, "phase")
    let status = unsafe WordColumn(table.status, "status")
    let rows = max(time.rows, duration.rows, type.rows, phase.rows, status.rows)
    try add(subject, rows: rows) { row throws(RowFault) in
      .instanceReady(
        InstanceReady(
          time: Timestamp(nanoseconds: try time(row)), duration: Nanoseconds(try duration(row)),
          initializationType: try type(row), phase: try phase(row), status: try status(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__InvocationStarted, _ subject: Subject) throws(WireError) {
    let request = unsafe IdentifierColumn(table.request)
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let trigger = unsafe WordColumn(table.trigger, "trigger")
    let pool = unsafe WordColumn(table.pool, "pool")
    try add(subject, rows: max(request.rows, time.rows, trigger.rows, pool.rows)) { row throws(RowFault) in
      .invocationStarted(
        InvocationStarted(
          request: RequestID(try request(row)), time: Timestamp(nanoseconds: try time(row)),
          trigger: try trigger(row), pool: try pool(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__InvocationHandedOver, _ subject: Subject) throws(WireError) {
    let request = unsafe IdentifierColumn(table.request)
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let start = unsafe NumberColumn(table.n_start, table.start, "start")
    let trigger = unsafe WordColumn(table.trigger, "trigger")
    let pool = unsafe WordColumn(table.pool, "pool")
    let rows = max(request.rows, time.rows, start.rows, trigger.rows, pool.rows)
    try add(subject, rows: rows) { row throws(RowFault) in
      .invocationHandedOver(
        InvocationHandedOver(
          request: RequestID(try request(row)), time: Timestamp(nanoseconds: try time(row)),
          start: Timestamp(nanoseconds: try start(row)), trigger: try trigger(row), pool: try pool(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__InvocationFinished, _ subject: Subject) throws(WireError) {
    let request = unsafe IdentifierColumn(table.request)
    let start = unsafe NumberColumn(table.n_start, table.start, "start")
    let duration = unsafe NumberColumn(table.n_duration, table.duration, "duration")
    let trigger = unsafe WordColumn(table.trigger, "trigger")
    let pool = unsafe WordColumn(table.pool, "pool")
    let outcome = unsafe WordColumn(table.outcome, "outcome")
    let wait = unsafe NumberColumn(table.n_wait, table.wait, "wait")
    let coldStart = unsafe WordColumn(table.cold_start, "cold_start")
    let spillover = unsafe WordColumn(table.spillover, "spillover")
    let source = unsafe WordColumn(table.timeout_source, "timeout_source")
    let status = unsafe StatusColumn(table.n_response_status, table.response_status)
    let billed = unsafe NumberColumn(table.n_billed, table.billed, "billed")
    let memory = unsafe NumberColumn(table.n_memory_used_bytes, table.memory_used_bytes, "memory_used_bytes")
    let response = unsafe NumberColumn(table.n_response_bytes, table.response_bytes, "response_bytes")
    var rows = max(request.rows, start.rows, duration.rows, trigger.rows, pool.rows, outcome.rows)
    rows = max(rows, wait.rows, coldStart.rows, spillover.rows, source.rows, status.rows)
    rows = max(rows, billed.rows, memory.rows, response.rows)
    try add(subject, rows: rows) { row throws(RowFault) in
      .invocationFinished(
        InvocationFinished(
          request: RequestID(try request(row)), start: Timestamp(nanoseconds: try start(row)),
          wait: Nanoseconds(try wait.orZero(row)), duration: Nanoseconds(try duration(row)),
          trigger: try trigger(row), pool: try pool(row), isColdStart: try coldStart.flagOrNo(row),
          isSpillover: try spillover.flagOrNo(row), outcome: try outcome(row),
          timeoutSource: try source.orNone(row), responseStatus: try status.orZero(row),
          billed: Nanoseconds(try billed.orZero(row)), memoryUsedBytes: try memory.orZero(row),
          responseBytes: try response.orZero(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__OverlapStarted, _ subject: Subject) throws(WireError) {
    let request = unsafe IdentifierColumn(table.request)
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    try add(subject, rows: max(request.rows, time.rows)) { row throws(RowFault) in
      .overlapStarted(
        OverlapStarted(request: RequestID(try request(row)), time: Timestamp(nanoseconds: try time(row))))
    }
  }

  private mutating func read(_ table: KelvinEvents__OverlapEnded, _ subject: Subject) throws(WireError) {
    let request = unsafe IdentifierColumn(table.request)
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    try add(subject, rows: max(request.rows, time.rows)) { row throws(RowFault) in
      .overlapEnded(OverlapEnded(request: RequestID(try request(row)), time: Timestamp(nanoseconds: try time(row))))
    }
  }

  private mutating func read(_ table: KelvinEvents__Throttled, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let reason = unsafe WordColumn(table.reason, "reason")
    let trigger = unsafe WordColumn(table.trigger, "trigger")
    try add(subject, rows: max(time.rows, reason.rows, trigger.rows)) { row throws(RowFault) in
      .throttled(
        Throttled(time: Timestamp(nanoseconds: try time(row)), reason: try reason(row), trigger: try trigger(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__InstanceStopped, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let reason = unsafe WordColumn(table.reason, "reason")
    let lifetime = unsafe NumberColumn(table.n_lifetime, table.lifetime, "lifetime")
    let served = unsafe NumberColumn(table.n_invocations_served, table.invocations_served, "invocations_served")
    let rows = max(time.rows, reason.rows, lifetime.rows, served.rows)
    try add(subject, rows: rows) { row throws(RowFault) in
      .instanceStopped(
        InstanceStopped(
          time: Timestamp(nanoseconds: try time(row)), reason: try reason(row),
          lifetime: Nanoseconds(try lifetime(row)), invocationsServed: try served(row)))
    }
  }

  private mutating func read(_ table: KelvinEvents__LimitsChanged, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let memory = unsafe NumberColumn(table.n_memory_limit_bytes, table.memory_limit_bytes, "memory_limit_bytes")
    let timeout = unsafe NumberColumn(table.n_timeout, table.timeout, "timeout")
    let storage = unsafe NumberColumn(
      table.n_temporary_storage_limit_bytes, table.temporary_storage_limit_bytes, "temporary_storage_limit_bytes")
    let isReserved = unsafe WordColumn(table.is_reserved, "is_reserved")
    let reserved = unsafe NumberColumn(
      table.n_reserved_concurrency, table.reserved_concurrency, "reserved_concurrency")
    let isProvisioned = unsafe WordColumn(table.is_provisioned, "is_provisioned")
    let requested = unsafe NumberColumn(
      table.n_provisioned_requested, table.provisioned_requested, "provisioned_requested")
    let allocated = unsafe NumberColumn(
      table.n_provisioned_allocated, table.provisioned_allocated, "provisioned_allocated")
    let available = unsafe NumberColumn(
      table.n_provisioned_available, table.provisioned_available, "provisioned_available")
    let isGone = unsafe WordColumn(table.is_gone, "is_gone")
    var rows = max(time.rows, memory.rows, timeout.rows, storage.rows, isReserved.rows, reserved.rows)
    rows = max(rows, isProvisioned.rows, requested.rows, allocated.rows, available.rows, isGone.rows)
    try add(subject, rows: rows) { row throws(RowFault) in
      let count = try reserved.orZero(row)
      let provisioned = ProvisionedConcurrency(
        requested: try requested.orZero(row), allocated: try allocated.orZero(row),
        available: try available.orZero(row))
      var limits = FunctionLimitsChanged(
        time: Timestamp(nanoseconds: try time(row)), reserved: try isReserved.flagOrNo(row) ? count : nil,
        provisioned: try isProvisioned.flagOrNo(row) ? provisioned : nil, memoryLimitBytes: try memory(row),
        timeout: Nanoseconds(try timeout(row)), temporaryStorageLimitBytes: try storage(row))
      limits.isGone = try isGone.flagOrNo(row)
      return .limitsChanged(limits)
    }
  }

  private mutating func read(_ table: KelvinEvents__AccountLimitsChanged, _ subject: Subject) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let concurrency = unsafe NumberColumn(table.n_concurrency, table.concurrency, "concurrency")
    try add(subject, rows: max(time.rows, concurrency.rows)) { row throws(RowFault) in
      .accountLimitsChanged(
        AccountLimitsChanged(time: Timestamp(nanoseconds: try time(row)), concurrency: try concurrency(row)))
    }
  }

  private mutating func read(_ listed: KelvinEvents__FunctionsListed, _ subject: Subject) throws(WireError) {
    try add(subject, rows: 1) { _ throws(RowFault) in
      guard unsafe listed.has_time != 0 else { throw RowFault(reason: .malformed, column: "time") }
      var names: [String] = []
      for position in unsafe 0..<listed.n_name {
        guard let name = unsafe BatchReading.listedName(listed.name[position]) else {
          throw RowFault(reason: .functionName, column: "name")
        }
        names.append(name)
      }
      return .functionsListed(FunctionsListed(time: Timestamp(nanoseconds: unsafe listed.time), names: names))
    }
  }
}

// Event sources: each row has as many of the changes behind it as it says.
extension BatchReading {
  private mutating func read(
    _ table: KelvinEvents__SourceChanged, _ subject: Result<LifecycleEvent.Subject, SubjectFault>
  ) throws(WireError) {
    let time = unsafe NumberColumn(table.n_time, table.time, "time")
    let count = unsafe NumberColumn(table.n_changes, table.changes, "changes")
    let changes = unsafe ChangeColumns(
      kind: WordColumn(table.kind, "kind"), word: WordColumn(table.word, "word"),
      amount: NumberColumn(table.n_amount, table.amount, "amount"))
    // Behind the last of those that any row so far takes.
    var next = 0
    try add(subject, rows: max(time.rows, count.rows)) { row throws(RowFault) in
      let first = next
      let number = try count(row)
      guard (0...Int64(changes.kind.rows - first)).contains(number) else {
        next = changes.kind.rows
        throw .missing("kind")
      }
      next += Int(number)
      guard number <= Int64(EventSourceActivity.changesLimit) else {
        throw RowFault(reason: .malformed, column: "changes", isTooLong: true)
      }
      var activity = EventSourceActivity(time: Timestamp(nanoseconds: try time(row)), [])
      activity.changes.reserveCapacity(Int(number))
      for position in first..<next { activity.changes.append(try changes(position)) }
      return .sourceChanged(activity)
    }
  }
}

/// The columns of changes at event sources.
struct ChangeColumns {
  let kind: WordColumn
  let word: WordColumn
  let amount: NumberColumn

  func callAsFunction(_ row: Int) throws(RowFault) -> EventSourceChange {
    switch try kind.byte(row) {
    case 0: return .counted(try which(row), try amount.orZero(row))
    case 1: return .level(try which(row), try amount.orZero(row))
    case 2: return .oldest(Timestamp(nanoseconds: try amount.orZero(row)))
    case 3: return .oldest(nil)
    case 4: return .measured(try which(row), Nanoseconds(try amount.orZero(row)))
    case 5: return .gone
    case let other: throw RowFault(reason: .unknownWord, column: "kind", word: other)
    }
  }

  private func which<Value: Word>(_ row: Int) throws(RowFault) -> Value {
    let byte = word.rows == 0 ? 0 : try word.byte(row)
    guard let value = Value(rawValue: byte) else { throw RowFault(reason: .unknownWord, column: "word", word: byte) }
    return value
  }
}
