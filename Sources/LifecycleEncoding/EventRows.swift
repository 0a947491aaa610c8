// Compiles in Embedded Swift, as all that encodes batches: standard library only, no existential, no reflection.
internal import Lifecycle

/// The events of one subject, by kind, on their way into columns.
struct EventRows: Sendable {
  private var instanceStarted: [InstanceStarted] = []
  private var warmedUp: [WarmedUp] = []
  private var instanceReady: [InstanceReady] = []
  private var invocationStarted: [InvocationStarted] = []
  private var invocationHandedOver: [InvocationHandedOver] = []
  private var invocationFinished: [InvocationFinished] = []
  private var overlapStarted: [OverlapStarted] = []
  private var overlapEnded: [OverlapEnded] = []
  private var throttled: [Throttled] = []
  private var instanceStopped: [InstanceStopped] = []
  private var limitsChanged: [FunctionLimitsChanged] = []
  private var accountLimitsChanged: [AccountLimitsChanged] = []
  private var functionsListed: [FunctionsListed] = []
  private var sourceChanged: [EventSourceActivity] = []

  mutating func add(_ kind: LifecycleEvent.Kind) {
    switch kind {
    case .instanceStarted(let row): instanceStarted.append(row)
    case .warmedUp(let row): warmedUp.append(row)
    case .instanceReady(let row): instanceReady.append(row)
    case .invocationStarted(let row): invocationStarted.append(row)
    case .invocationHandedOver(let row): invocationHandedOver.append(row)
    case .invocationFinished(let row): invocationFinished.append(row)
    case .overlapStarted(let row): overlapStarted.append(row)
    case .overlapEnded(let row): overlapEnded.append(row)
    case .throttled(let row): throttled.append(row)
    case .instanceStopped(let row): instanceStopped.append(row)
    case .limitsChanged(let row): limitsChanged.append(row)
    case .accountLimitsChanged(let row): accountLimitsChanged.append(row)
    case .functionsListed(let row): functionsListed.append(row)
    case .sourceChanged(let row): sourceChanged.append(row)
    }
  }

  /// Forgets all rows and keeps their room.
  mutating func removeAll() {
    if !instanceStarted.isEmpty { instanceStarted.removeAll(keepingCapacity: true) }
    if !warmedUp.isEmpty { warmedUp.removeAll(keepingCapacity: true) }
    if !instanceReady.isEmpty { instanceReady.removeAll(keepingCapacity: true) }
    if !invocationStarted.isEmpty { invocationStarted.removeAll(keepingCapacity: true) }
    if !invocationHandedOver.isEmpty { invocationHandedOver.removeAll(keepingCapacity: true) }
    if !invocationFinished.isEmpty { invocationFinished.removeAll(keepingCapacity: true) }
    if !overlapStarted.isEmpty { overlapStarted.removeAll(keepingCapacity: true) }
    if !overlapEnded.isEmpty { overlapEnded.removeAll(keepingCapacity: true) }
    if !throttled.isEmpty { throttled.removeAll(keepingCapacity: true) }
    if !instanceStopped.isEmpty { instanceStopped.removeAll(keepingCapacity: true) }
    if !limitsChanged.isEmpty { limitsChanged.removeAll(keepingCapacity: true) }
    if !accountLimitsChanged.isEmpty { accountLimitsChanged.removeAll(keepingCapacity: true) }
    if !functionsListed.isEmpty { functionsListed.removeAll(keepingCapacity: true) }
    if !sourceChanged.isEmpty { sourceChanged.removeAll(keepingCapacity: true) }
  }

  /// Writes a table for each kind that has rows, in the order of their numbers.
  func write(to writer: inout WireWriter) {
    if !instanceStarted.isEmpty { writeInstanceStarted(&writer) }
    if !warmedUp.isEmpty { writeWarmedUp(&writer) }
    if !instanceReady.isEmpty { writeInstanceReady(&writer) }
    if !invocationStarted.isEmpty { writeInvocationStarted(&writer) }
    if !invocationHandedOver.isEmpty { writeInvocationHandedOver(&writer) }
    if !invocationFinished.isEmpty { writeInvocationFinished(&writer) }
    if !overlapStarted.isEmpty { writeOverlapStarted(&writer) }
    if !overlapEnded.isEmpty { writeOverlapEnded(&writer) }
    if !throttled.isEmpty { writeThrottled(&writer) }
    if !instanceStopped.isEmpty { writeInstanceStopped(&writer) }
    if !limitsChanged.isEmpty { writeLimitsChanged(&writer) }
    if !accountLimitsChanged.isEmpty { writeAccountLimitsChanged(&writer) }
    if !functionsListed.isEmpty { writeFunctionsListed(&writer) }
    if !sourceChanged.isEmpty { writeSourceChanged(&writer) }
  }
}

// MARK: Tables

extension EventRows {
  private func writeInstanceStarted(_ writer: inout WireWriter) {
    let start = writer.begin(4)
    writer.numbers(1, instanceStarted) { $0.time.nanoseconds }
    writer.words(2, instanceStarted) { $0.initializationType.rawValue }
    writer.numbers(3, instanceStarted) { $0.memoryLimitBytes }
    writer.end(start)
  }

  private func writeWarmedUp(_ writer: inout WireWriter) {
    let start = writer.begin(5)
    writer.numbers(1, warmedUp) { $0.time.nanoseconds }
    writer.numbers(2, warmedUp) { $0.duration.count }
    writer.words(3, warmedUp) { $0.succeeded ? 1 : 0 }
    writer.end(start)
  }

  private func writeInstanceReady(_ writer: inout WireWriter) {
    let start = writer.begin(6)
    writer.numbers(1, instanceReady) { $0.time.nanoseconds }
    writer.numbers(2, instanceReady) { $0.duration.count }
    writer.words(3, instanceReady) { $0.initializationType.rawValue }
    writer.words(4, instanceReady) { $0.phase.rawValue }
    writer.words(5, instanceReady) { $0.status.rawValue }
    writer.end(start)
  }

  private func writeInvocationStarted(_ writer: inout WireWriter) {
    let start = writer.begin(7)
    writer.identifiers(1, invocationStarted) { ($0.request.value.high, $0.request.value.low) }
    writer.numbers(2, invocationStarted) { $0.time.nanoseconds }
    writer.words(3, invocationStarted) { $0.trigger.rawValue }
    writer.words(4, invocationStarted) { $0.pool.rawValue }
    writer.end(start)
  }

  private func writeInvocationHandedOver(_ writer: inout WireWriter) {
    let start = writer.begin(8)
    writer.identifiers(1, invocationHandedOver) { ($0.request.value.high, $0.request.value.low) }
    writer.numbers(2, invocationHandedOver) { $0.time.nanoseconds }
    writer.numbers(3, invocationHandedOver) { $0.start.nanoseconds }
    writer.words(4, invocationHandedOver) { $0.trigger.rawValue }
    writer.words(5, invocationHandedOver) { $0.pool.rawValue }
    writer.end(start)
  }

  private func writeInvocationFinished(_ writer: inout WireWriter) {
    let start = writer.begin(9)
    writer.identifiers(1, invocationFinished) { ($0.request.value.high, $0.request.value.low) }
    writer.numbers(2, invocationFinished) { $0.start.nanoseconds }
    writer.numbers(3, invocationFinished) { $0.duration.count }
    writer.words(4, invocationFinished) { $0.trigger.rawValue }
    writer.words(5, invocationFinished) { $0.pool.rawValue }
    writer.words(6, invocationFinished) { $0.outcome.rawValue }
    writer.numbersUnlessZero(7, invocationFinished) { $0.wait.count }
    writer.wordsUnlessZero(8, invocationFinished) { $0.isColdStart ? 1 : 0 }
    writer.wordsUnlessZero(9, invocationFinished) { $0.isSpillover ? 1 : 0 }
    writer.wordsUnlessZero(10, invocationFinished) { $0.timeoutSource.map { $0.rawValue + 1 } ?? 0 }
    writer.statusesUnlessZero(11, invocationFinished) { $0.responseStatus }
    writer.numbersUnlessZero(12, invocationFinished) { $0.billed.count }
    writer.numbersUnlessZero(13, invocationFinished) { $0.memoryUsedBytes }
    writer.numbersUnlessZero(14, invocationFinished) { $0.responseBytes }
    writer.end(start)
  }

  private func writeOverlapStarted(_ writer: inout WireWriter) {
    let start = writer.begin(10)
    writer.identifiers(1, overlapStarted) { ($0.request.value.high, $0.request.value.low) }
    writer.numbers(2, overlapStarted) { $0.time.nanoseconds }
    writer.end(start)
  }

  private func writeOverlapEnded(_ writer: inout WireWriter) {
    let start = writer.begin(11)
    writer.identifiers(1, overlapEnded) { ($0.request.value.high, $0.request.value.low) }
    writer.numbers(2, overlapEnded) { $0.time.nanoseconds }
    writer.end(start)
  }

  private func writeThrottled(_ writer: inout WireWriter) {
    let start = writer.begin(12)
    writer.numbers(1, throttled) { $0.time.nanoseconds }
    writer.words(2, throttled) { $0.reason.rawValue }
    writer.words(3, throttled) { $0.trigger.rawValue }
    writer.end(start)
  }

  private func writeInstanceStopped(_ writer: inout WireWriter) {
    let start = writer.begin(13)
    writer.numbers(1, instanceStopped) { $0.time.nanoseconds }
    writer.words(2, instanceStopped) { $0.reason.rawValue }
    writer.numbers(3, instanceStopped) { $0.lifetime.count }
    writer.numbers(4, instanceStopped) { $0.invocationsServed }
    writer.end(start)
  }

  private func writeLimitsChanged(_ writer: inout WireWriter) {
    let start = writer.begin(14)
    writer.numbers(1, limitsChanged) { $0.time.nanoseconds }
    writer.numbers(2, limitsChanged) { $0.memoryLimitBytes }
    writer.numbers(3, limitsChanged) { $0.timeout.count }
    writer.numbers(4, limitsChanged) { $0.temporaryStorageLimitBytes }
    writer.wordsUnlessZero(5, limitsChanged) { $0.reserved == nil ? 0 : 1 }
    writer.numbersUnlessZero(6, limitsChanged) { $0.reserved ?? 0 }
    writer.wordsUnlessZero(7, limitsChanged) { $0.provisioned == nil ? 0 : 1 }
    writer.numbersUnlessZero(8, limitsChanged) { $0.provisioned?.requested ?? 0 }
    writer.numbersUnlessZero(9, limitsChanged) { $0.provisioned?.allocated ?? 0 }
    writer.numbersUnlessZero(10, limitsChanged) { $0.provisioned?.available ?? 0 }
    writer.wordsUnlessZero(11, limitsChanged) { $0.isGone ? 1 : 0 }
    writer.end(start)
  }

  private func writeAccountLimitsChanged(_ writer: inout WireWriter) {
    let start = writer.begin(15)
    writer.numbers(1, accountLimitsChanged) { $0.time.nanoseconds }
    writer.numbers(2, accountLimitsChanged) { $0.concurrency }
    writer.end(start)
  }

  private func writeFunctionsListed(_ writer: inout WireWriter) {
    for listed in functionsListed {
      let start = writer.begin(16)
      writer.fixed(1, listed.time.nanoseconds)
      for name in listed.names { writer.text(2, name) }
      writer.end(start)
    }
  }

  private func writeSourceChanged(_ writer: inout WireWriter) {
    let start = writer.begin(22)
    writer.numbers(1, sourceChanged) { $0.time.nanoseconds }
    writer.numbers(2, sourceChanged) { Int64($0.changes.count) }
    var changes: [EventSourceChange] = []
    for row in sourceChanged { changes.append(contentsOf: row.changes) }
    if !changes.isEmpty {
      writer.words(3, changes) { $0.kindNumber }
      writer.wordsUnlessZero(4, changes) { $0.wordNumber }
      writer.numbersUnlessZero(5, changes) { $0.amount }
    }
    writer.end(start)
  }
}

extension EventSourceChange {
  /// What changed, as the column `kind` has it.
  fileprivate var kindNumber: UInt8 {
    switch self {
    case .counted: 0
    case .level: 1
    case .oldest(let since): since == nil ? 3 : 2
    case .measured: 4
    case .gone: 5
    }
  }

  /// Which counter, level or duration; 0 where there is none.
  fileprivate var wordNumber: UInt8 {
    switch self {
    case .counted(let counter, _): counter.rawValue
    case .level(let level, _): level.rawValue
    case .measured(let duration, _): duration.rawValue
    case .oldest, .gone: 0
    }
  }

  /// How many, how long or since when; 0 where that says nothing.
  fileprivate var amount: Int64 {
    switch self {
    case .counted(_, let count): count
    case .level(_, let value): value
    case .measured(_, let length): length.count
    case .oldest(let since): since?.nanoseconds ?? 0
    case .gone: 0
    }
  }
}
