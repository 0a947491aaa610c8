internal import CLifecycleProto
internal import CProtobufC
internal import Lifecycle

/// Reads batches in protobuf (docs/formats/events.md), with memory that it keeps for the next one.
///
/// What the message says is made of libprotobuf-c; of what it does not know nothing is taken. An event that cannot be read is told
/// with its place and why, and the rest is kept.
///
/// - Complexity: O(bytes). Once its memory has grown, only events and new names are allocated.
public struct EventDecoder: ~Copyable {
  private var arena = Arena()

  /// Makes a decoder; it may be used for one batch at a time.
  public init() {}

  /// Reads a batch.
  ///
  /// - Parameter eventsLimit: The most events, rejected ones included.
  /// - Throws: ``WireError`` with ``WireError/Code/malformed`` if it is no message of the schema, or one that takes more than sixteen times
  ///   its size in memory; with ``WireError/Code/tooManyEvents`` beyond the limit.
  public mutating func decode(_ bytes: Span<UInt8>, eventsLimit: Int = 10_000) throws(WireError) -> DecodedBatch {
    // Far more than any batch of ours takes: a message of very many empty parts would take a hundred times its size.
    arena.reset(limit: min(256 << 20, bytes.count * 16 + (256 << 10)))
    let message = unsafe bytes.withUnsafeBufferPointer { buffer in
      unsafe kelvin_events__batch__unpack(arena.allocator, buffer.count, buffer.baseAddress)
    }
    guard let message = unsafe message else {
      throw WireError(.malformed, "the batch is not a protobuf message of the schema in docs/formats/events.md")
    }
    var reading = BatchReading(eventsLimit: eventsLimit)
    try unsafe reading.read(message.pointee)
    return reading.batch
  }
}

/// What was read of one message so far.
struct BatchReading {
  private let eventsLimit: Int
  private(set) var batch = DecodedBatch()
  private var index = 0
  /// The events of one function often follow each other.
  private var function: FunctionID?

  init(eventsLimit: Int) { self.eventsLimit = eventsLimit }

  mutating func read(_ message: KelvinEvents__Batch) throws(WireError) {
    if unsafe message.has_source != 0 {
      guard unsafe message.source.len == 16, let bytes = unsafe message.source.data else {
        throw WireError(.malformed, "the source has \(unsafe message.source.len) bytes instead of 16")
      }
      let source = SourceID(unsafe Identifier128(bytes: UnsafeRawPointer(bytes)))
      guard !source.isAnonymous else { throw WireError(.malformed, WireError.zeroSource) }
      batch.source = source
    }
    if unsafe message.has_sequence != 0 {
      guard unsafe message.sequence > 0 else { throw WireError(.malformed, "the sequence is 0; the first batch is 1") }
      batch.sequence = unsafe message.sequence
    }
    // Nearly all events are ends of invocations. Those that are too many are refused before they are read.
    var ends = 0
    for position in unsafe 0..<message.n_subject {
      ends += unsafe message.subject[position]?.pointee.invocation_finished?.pointee.n_start ?? 0
    }
    batch.events.reserveCapacity(min(ends, eventsLimit))
    for position in unsafe 0..<message.n_subject {
      guard let subject = unsafe message.subject[position] else { continue }
      try unsafe read(subject.pointee)
    }
  }

  /// Adds the rows of a table.
  @inline(__always)
  mutating func add(
    _ subject: Result<LifecycleEvent.Subject, SubjectFault>, rows: Int,
    _ make: (_ row: Int) throws(RowFault) -> LifecycleEvent.Kind
  ) throws(WireError) {
    guard rows <= eventsLimit - index else { throw .tooManyEvents(eventsLimit) }
    guard case .success(let subject) = subject else {
      if case .failure(let fault) = subject { for _ in 0..<rows { reject(fault.reason, fault.sentence) } }
      return
    }
    for row in 0..<rows {
      do throws(RowFault) {
        batch.events.append(LifecycleEvent(subject, try make(row)))
        index += 1
      } catch {
        reject(error.reason, error.sentence)
      }
    }
  }

  private mutating func reject(_ reason: Rejection, _ sentence: String) {
    batch.rejected.append(RejectedEvent(index: index, reason: reason, sentence: sentence))
    index += 1
  }

  // MARK: Subjects

  /// Why no event of a subject can be read.
  struct SubjectFault: Error {
    var reason: Rejection
    var sentence: String

    static let functionName = SubjectFault(reason: .functionName, sentence: Rejection.functionName.sentence)
  }

  mutating func subject(_ message: KelvinEvents__Subject) -> Result<LifecycleEvent.Subject, SubjectFault> {
    if unsafe message.has_source_trigger != 0 || message.has_source_name != 0 { return unsafe source(message) }
    let hasInstance = unsafe message.has_instance != 0
    guard unsafe message.has_function != 0 else { return hasInstance ? .failure(.functionName) : .success(.account) }
    let version = unsafe message.has_version != 0 ? unsafe message.version : nil
    guard let function = unsafe function(message.function, version) else { return .failure(.functionName) }
    guard hasInstance else { return .success(.function(function)) }
    guard unsafe message.instance.len == 16, let bytes = unsafe message.instance.data else {
      let sentence = "its instance has \(unsafe message.instance.len) bytes instead of 16"
      return .failure(SubjectFault(reason: .malformed, sentence: sentence))
    }
    return .success(.instance(InstanceID(unsafe Identifier128(bytes: UnsafeRawPointer(bytes))), of: function))
  }

  private func source(_ message: KelvinEvents__Subject) -> Result<LifecycleEvent.Subject, SubjectFault> {
    guard unsafe message.has_source_name != 0, let name = unsafe BatchReading.text(message.source_name), !name.isEmpty
    else { return .failure(.functionName) }
    do throws(RowFault) {
      let trigger: Trigger = unsafe try WordColumn(message.source_trigger, "source_trigger")(0)
      return .success(.source(EventSourceID(trigger, name)))
    } catch {
      return .failure(SubjectFault(reason: error.reason, sentence: error.sentence))
    }
  }

  private mutating func function(_ name: ProtobufCBinaryData, _ version: ProtobufCBinaryData?) -> FunctionID? {
    if let function, unsafe BatchReading.same(name, function.name) {
      let isSame =
        unsafe version.map { unsafe BatchReading.same($0, function.version) } ?? (function.version == FunctionID.latest)
      if isSame { return function }
    }
    guard let name = unsafe BatchReading.text(name), !name.isEmpty else { return nil }
    var function = FunctionID(name)
    if let version = unsafe version {
      guard let text = unsafe BatchReading.text(version) else { return nil }
      function.version = text
    }
    self.function = function
    return function
  }

  private static func same(_ bytes: ProtobufCBinaryData, _ text: String) -> Bool {
    unsafe text.utf8.elementsEqual(UnsafeBufferPointer(start: bytes.data, count: bytes.len))
  }

  /// `nil` if it is no UTF-8, or too long for a name.
  private static func text(_ bytes: ProtobufCBinaryData) -> String? {
    guard unsafe bytes.len <= FunctionID.nameBytesLimit else { return nil }
    return unsafe String(validating: UnsafeBufferPointer(start: bytes.data, count: bytes.len), as: UTF8.self)
  }

  /// The name of a listed function; `nil` as for any function.
  static func listedName(_ bytes: ProtobufCBinaryData) -> String? { unsafe text(bytes) }
}
