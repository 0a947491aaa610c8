internal import Lifecycle

/// The form of events in the journal. It has nothing to do with how they arrived: batches come in several formats, and events of
/// this process in none.
///
/// An event is a byte that says what happened, a byte that says to what, the subject unless it is that of the event before, and the
/// fields in the order of their declarations. Numbers are never used for anything else once they were given out.
enum EventCodec {
  /// How many bytes of a text are kept: more than `FunctionID.nameBytesLimit`, so that too long a name stays too long.
  static let textBytesLimit = 1_024
  /// The largest event without its texts.
  private static let fixedBytesMax = 128
  /// The largest change at an event source: what changed, which of it, and a number.
  private static let changeBytesMax = 10

  enum Kind: UInt8 {
    case instanceStarted = 1
    case warmedUp = 2
    case instanceReady = 3
    case invocationStarted = 4
    case invocationHandedOver = 5
    case invocationFinished = 6
    case overlapStarted = 7
    case overlapEnded = 8
    case throttled = 9
    case instanceStopped = 10
    case limitsChanged = 11
    case accountLimitsChanged = 12
    case functionsListed = 13
    case sourceChanged = 14
  }

  enum ChangeKind: UInt8 {
    case counted = 1
    case level = 2
    case oldest = 3
    case nothingWaits = 4
    case measured = 5
    case gone = 6
  }

  enum SubjectKind: UInt8 {
    /// The same as that of the event before, in the same record.
    case same = 0
    case account = 1
    /// A function in its latest version, which is not written.
    case function = 2
    case functionVersion = 3
    case instance = 4
    case instanceVersion = 5
    case source = 6
  }

  /// As much room as an event may take.
  static func bytesMax(_ event: LifecycleEvent) -> Int {
    var bytes = fixedBytesMax
    switch event.subject {
    case .account: break
    case .function(let function), .instance(_, let function):
      bytes += min(function.name.utf8.count, textBytesLimit) + min(function.version.utf8.count, textBytesLimit)
    case .source(let source): bytes += min(source.name.utf8.count, textBytesLimit)
    }
    switch event.kind {
    case .functionsListed(let listed):
      bytes += listed.names.reduce(0) { $0 + 2 + min($1.utf8.count, textBytesLimit) }
    case .sourceChanged(let activity): bytes += activity.changes.count * changeBytesMax
    default: break
    }
    return bytes
  }

  /// Writes an event.
  ///
  /// - Parameter previous: The subject of the event before in the same record; `nil` for the first.
  static func write(
    _ event: LifecycleEvent, after previous: LifecycleEvent.Subject? = nil, to writer: inout RecordWriter
  ) {
    writer.byte(kind(event.kind).rawValue)
    if event.subject == previous {
      writer.byte(SubjectKind.same.rawValue)
    } else {
      write(event.subject, to: &writer)
    }
    write(event.kind, to: &writer)
  }

  private static func kind(_ kind: LifecycleEvent.Kind) -> Kind {
    switch kind {
    case .instanceStarted: .instanceStarted
    case .warmedUp: .warmedUp
    case .instanceReady: .instanceReady
    case .invocationStarted: .invocationStarted
    case .invocationHandedOver: .invocationHandedOver
    case .invocationFinished: .invocationFinished
    case .overlapStarted: .overlapStarted
    case .overlapEnded: .overlapEnded
    case .throttled: .throttled
    case .instanceStopped: .instanceStopped
    case .limitsChanged: .limitsChanged
    case .accountLimitsChanged: .accountLimitsChanged
    case .functionsListed: .functionsListed
    case .sourceChanged: .sourceChanged
    }
  }

  private static func write(_ subject: LifecycleEvent.Subject, to writer: inout RecordWriter) {
    switch subject {
    case .account:
      writer.byte(SubjectKind.account.rawValue)
    case .function(let function):
      let isLatest = function.version == FunctionID.latest
      writer.byte((isLatest ? SubjectKind.function : .functionVersion).rawValue)
      writer.text(function.name)
      if !isLatest { writer.text(function.version) }
    case .instance(let instance, let function):
      let isLatest = function.version == FunctionID.latest
      writer.byte((isLatest ? SubjectKind.instance : .instanceVersion).rawValue)
      writer.identifier(instance.value)
      writer.text(function.name)
      if !isLatest { writer.text(function.version) }
    case .source(let source):
      writer.byte(SubjectKind.source.rawValue)
      writer.byte(source.trigger.rawValue)
      writer.text(source.name)
    }
  }

  private static func write(_ kind: LifecycleEvent.Kind, to writer: inout RecordWriter) {
    switch kind {
    case .instanceStarted(let event):
      writer.time(event.time)
      writer.byte(event.initializationType.rawValue)
      writer.signed(event.memoryLimitBytes)
    case .warmedUp(let event):
      writer.time(event.time)
      writer.length(event.duration)
      writer.flag(event.succeeded)
    case .instanceReady(let event):
      writer.time(event.time)
      writer.length(event.duration)
      writer.byte(event.initializationType.rawValue)
      writer.byte(event.phase.rawValue)
      writer.byte(event.status.rawValue)
    case .invocationStarted(let event):
      writer.identifier(event.request.value)
      writer.time(event.time)
      writer.byte(event.trigger.rawValue)
      writer.byte(event.pool.rawValue)
    case .invocationHandedOver(let event):
      writer.identifier(event.request.value)
      writer.time(event.time)
      writer.time(event.start)
      writer.byte(event.trigger.rawValue)
      writer.byte(event.pool.rawValue)
    case .invocationFinished(let event): write(event, to: &writer)
    case .overlapStarted(let event):
      writer.identifier(event.request.value)
      writer.time(event.time)
    case .overlapEnded(let event):
      writer.identifier(event.request.value)
      writer.time(event.time)
    case .throttled(let event):
      writer.time(event.time)
      writer.byte(event.reason.rawValue)
      writer.byte(event.trigger.rawValue)
    case .instanceStopped(let event):
      writer.time(event.time)
      writer.byte(event.reason.rawValue)
      writer.length(event.lifetime)
      writer.signed(event.invocationsServed)
    case .limitsChanged(let event): write(event, to: &writer)
    case .accountLimitsChanged(let event):
      writer.time(event.time)
      writer.signed(event.concurrency)
    case .functionsListed(let event):
      writer.time(event.time)
      writer.word(UInt32(clamping: event.names.count))
      for name in event.names { writer.text(name) }
    case .sourceChanged(let event): write(event, to: &writer)
    }
  }

  private static func write(_ event: InvocationFinished, to writer: inout RecordWriter) {
    writer.identifier(event.request.value)
    writer.time(event.start)
    writer.length(event.wait)
    writer.length(event.duration)
    writer.byte(event.trigger.rawValue)
    writer.byte(event.pool.rawValue)
    writer.byte((event.isColdStart ? 1 : 0) | (event.isSpillover ? 2 : 0))
    writer.byte(event.outcome.rawValue)
    // 0 for none.
    writer.byte(event.timeoutSource.map { $0.rawValue &+ 1 } ?? 0)
    writer.short(event.responseStatus)
    writer.length(event.billed)
    writer.signed(event.memoryUsedBytes)
    writer.signed(event.responseBytes)
  }

  private static func write(_ event: EventSourceActivity, to writer: inout RecordWriter) {
    writer.time(event.time)
    writer.word(UInt32(clamping: event.changes.count))
    for change in event.changes {
      switch change {
      case .counted(let counter, let count):
        writer.byte(ChangeKind.counted.rawValue)
        writer.byte(counter.rawValue)
        writer.signed(count)
      case .level(let level, let value):
        writer.byte(ChangeKind.level.rawValue)
        writer.byte(level.rawValue)
        writer.signed(value)
      case .oldest(let since):
        writer.byte((since == nil ? ChangeKind.nothingWaits : .oldest).rawValue)
        if let since { writer.time(since) }
      case .measured(let duration, let length):
        writer.byte(ChangeKind.measured.rawValue)
        writer.byte(duration.rawValue)
        writer.length(length)
      case .gone: writer.byte(ChangeKind.gone.rawValue)
      }
    }
  }

  private static func write(_ event: FunctionLimitsChanged, to writer: inout RecordWriter) {
    writer.time(event.time)
    writer.byte(
      (event.reserved == nil ? 0 : 1) | (event.provisioned == nil ? 0 : 2) | (event.isGone ? 4 : 0))
    if let reserved = event.reserved { writer.signed(reserved) }
    if let provisioned = event.provisioned {
      writer.signed(provisioned.requested)
      writer.signed(provisioned.allocated)
      writer.signed(provisioned.available)
    }
    writer.signed(event.memoryLimitBytes)
    writer.length(event.timeout)
    writer.signed(event.temporaryStorageLimitBytes)
  }
}
