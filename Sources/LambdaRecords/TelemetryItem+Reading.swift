import Lifecycle
import Text

/// What could be read of the records that came together.
package struct TelemetryBatch: Equatable, Sendable {
  /// A record that could not be read.
  package struct Problem: Equatable, Sendable {
    /// Which element it was, from 0.
    package var index: Int
    /// What is wrong with it.
    package var error: RecordError

    /// Makes a problem of its parts.
    package init(index: Int, error: RecordError) {
      self.index = index
      self.error = error
    }
  }

  /// The most problems that are kept; ``unreadable`` counts them all.
  package static let problemsMax = 20

  /// What was read, in the order of the batch.
  package var items: [TelemetryItem] = []
  /// How many records are of types that Kelvin does not know.
  package var passedOver = 0
  /// How many records could not be read.
  package var unreadable = 0
  /// The first of them.
  package var problems: [Problem] = []

  /// Nothing was read yet.
  package init() {}

  fileprivate mutating func add(_ error: RecordError, of index: Int) {
    unreadable += 1
    if problems.count < TelemetryBatch.problemsMax { problems.append(Problem(index: index, error: error)) }
  }
}

extension TelemetryItem {
  /// Records are shallow; what programs write may be as deep as JSON is taken anywhere.
  private static var rules: JSONRules { lineRules }

  /// Reads what the Telemetry API, or the Logs API, posts: an array of records. One that cannot be read does not keep the others
  /// from being read.
  ///
  /// - Throws: ``RecordError`` with ``RecordError/Code/malformed`` if `bytes` are not JSON, or no array. None of the records counts
  ///   then: the sender has not sent what it wanted to send.
  /// - Complexity: O(`bytes`).
  package static func batch(_ bytes: Span<UInt8>) throws(RecordError) -> TelemetryBatch {
    var batch = TelemetryBatch()
    var index = 0
    do throws(JSONError) {
      try JSONReader.document(bytes, rules) { (reader: inout JSONReader) throws(JSONError) in
        try reader.array { (reader: inout JSONReader) throws(JSONError) in
          let slice = try reader.slice()
          do throws(RecordError) {
            if let item = try read(bytes, slice) { batch.items.append(item) } else { batch.passedOver += 1 }
          } catch {
            batch.add(error, of: index)
          }
          index += 1
        }
      }
    } catch {
      throw RecordError(error)
    }
    return batch
  }

  /// Reads one record: an element of an array, or a line of a subscriber over TCP.
  ///
  /// - Returns: `nil` for a type that Kelvin does not know.
  /// - Throws: ``RecordError`` if it is not JSON, or not a record of its type.
  package static func record(_ bytes: Span<UInt8>) throws(RecordError) -> TelemetryItem? {
    let slice: Range<Int>
    do throws(JSONError) {
      slice = try JSONReader.document(bytes, rules) { (reader: inout JSONReader) throws(JSONError) in
        try reader.slice()
      }
    } catch {
      throw RecordError(error)
    }
    return try read(bytes, slice)
  }

  /// Reads a line of a log in the JSON format.
  ///
  /// - Returns: `nil` for a line of the function's own: one that is no object, or has no `type` beside a `record`.
  /// - Throws: ``RecordError`` for a record of the platform that cannot be read.
  package static func logLine(_ text: some StringProtocol) throws(RecordError) -> TelemetryItem? {
    let bytes = Array(text.utf8)
    guard bytes.first(where: { $0 > 0x20 }) == UInt8(ascii: "{"),
      let envelope = try? Envelope(bytes.span, 0..<bytes.count),
      envelope.type != nil, envelope.record != nil
    else { return nil }
    return try read(bytes.span, envelope, at: 0)
  }

  /// What a record is wrapped in. Other members are passed over.
  private struct Envelope {
    var time: String?
    var type: String?
    var record: Range<Int>?

    init(_ bytes: Span<UInt8>, _ slice: Range<Int>) throws(JSONError) {
      var envelope = Envelope()
      var reader = JSONReader(bytes, at: slice.lowerBound, rules)
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case RecordEnvelope.time: envelope.time = try reader.stringOrOther()
        case RecordEnvelope.type: envelope.type = try reader.stringOrOther()
        case RecordEnvelope.record: envelope.record = try reader.slice()
        default: try reader.skip()
        }
      }
      self = envelope
    }

    private init() {}
  }

  /// - Parameter slice: Of a value that is known to be JSON.
  private static func read(_ bytes: Span<UInt8>, _ slice: Range<Int>) throws(RecordError) -> TelemetryItem? {
    let envelope: Envelope
    do throws(JSONError) {
      envelope = try Envelope(bytes, slice)
    } catch {
      throw RecordError(.unexpectedType, "an object was expected", place: "", position: slice.lowerBound)
    }
    return try read(bytes, envelope, at: slice.lowerBound)
  }

  private static func read(
    _ bytes: Span<UInt8>, _ envelope: Envelope, at position: Int
  ) throws(RecordError) -> TelemetryItem? {
    guard let name = envelope.type else { throw missing(RecordEnvelope.type, position) }
    let platformType = PlatformRecordType(rawValue: name)
    let lineType = TelemetryType(rawValue: name).flatMap { $0 == .platform ? nil : $0 }
    guard platformType != nil || lineType != nil else { return nil }
    guard let text = envelope.time else { throw missing(RecordEnvelope.time, position) }
    guard let nanoseconds = RFC3339.nanoseconds(text) else {
      throw RecordError(
        .unexpectedValue, "\(quoted(text)) is no time", place: RecordEnvelope.time, position: position)
    }
    let time = Timestamp(nanoseconds: nanoseconds)
    guard let slice = envelope.record else { throw missing(RecordEnvelope.record, position) }
    if let lineType { return .line(try line(bytes, slice, lineType, at: time)) }
    guard let platformType else { return nil }
    let record = try value(bytes, slice)
    return .platform(
      PlatformEvent(time: time, kind: try PlatformEvent.Kind(platformType, record, at: slice.lowerBound)))
  }

  private static func missing(_ name: String, _ position: Int) -> RecordError {
    RecordError(.missing, "it is not there, or no text", place: name, position: position)
  }

  private static func value(_ bytes: Span<UInt8>, _ slice: Range<Int>) throws(RecordError) -> JSONValue {
    do throws(JSONError) {
      return try JSONValue(bytes.extracting(slice), rules)
    } catch {
      throw RecordError(error, position: slice.lowerBound)
    }
  }

  /// A text without the line break at its end, or an object as text.
  private static func line(
    _ bytes: Span<UInt8>, _ slice: Range<Int>, _ type: TelemetryType, at time: Timestamp
  ) throws(RecordError) -> ProgramLine {
    if bytes[slice.lowerBound] == UInt8(ascii: "{") {
      let text = String(decoding: JSONReader.compacted(bytes, slice), as: UTF8.self)
      return ProgramLine(time: time, type: type, text: text, isJSON: true)
    }
    guard var text = try value(bytes, slice).string else {
      throw RecordError(
        .unexpectedType, "a text or an object was expected", place: RecordEnvelope.record, position: slice.lowerBound)
    }
    if text.utf8.last == UInt8(ascii: "\n") { text.unicodeScalars.removeLast() }
    return ProgramLine(time: time, type: type, text: text)
  }
}

extension PlatformEvent.Kind {
  /// Reads the record of an event.
  fileprivate init(_ type: PlatformRecordType, _ value: JSONValue, at position: Int) throws(RecordError) {
    func read<R: PlatformRecord>(_ record: R.Type) throws(RecordError) -> R {
      try MemberReader.read(record, of: value, named: RecordEnvelope.record, at: position)
    }
    switch type {
    case .initStart: self = .initStart(try read(PlatformEvent.EnvironmentStart.self).inBytes)
    case .initRuntimeDone: self = .initRuntimeDone(try read(PlatformEvent.InitializationEnd.self))
    case .initReport: self = .initReport(try read(PlatformEvent.InitializationEnd.self))
    case .restoreStart: self = .restoreStart(try read(PlatformEvent.EnvironmentStart.self).inBytes)
    case .restoreRuntimeDone: self = .restoreRuntimeDone(try read(PlatformEvent.RestoreEnd.self))
    case .restoreReport: self = .restoreReport(try read(PlatformEvent.RestoreEnd.self))
    case .start: self = .start(try read(PlatformEvent.Start.self))
    case .runtimeDone: self = .runtimeDone(try read(PlatformEvent.RuntimeDone.self))
    case .end: self = .end(try read(InvocationEnd.self).request)
    case .report: self = .report(try read(PlatformEvent.Report.self))
    case .fault:
      guard let sentence = value.string else {
        throw RecordError(
          .unexpectedType, "a text was expected", place: RecordEnvelope.record, position: position)
      }
      self = .fault(sentence)
    case .extensionState: self = .extensionState(try read(PlatformEvent.ExtensionState.self))
    case .telemetrySubscription, .logsSubscription: self = .subscription(try read(PlatformEvent.SubscriptionState.self))
    case .logsDropped: self = .logsDropped(try read(PlatformEvent.LogsDropped.self))
    }
  }
}

extension PlatformEvent.EnvironmentStart {
  /// AWS documents the memory in MB, and sends bytes. No function has a million MB.
  fileprivate var inBytes: Self {
    var start = self
    if let amount = memoryLimitBytes, amount <= 1_000_000 { start.memoryLimitBytes = amount << 20 }
    return start
  }
}
