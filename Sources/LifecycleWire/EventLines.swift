public import Lifecycle
internal import Text

/// Events as lines of JSON, for people and scripts (docs/formats/events.md): one object a line, in any order.
///
/// The first line may say who sends the batch. An event that cannot be read is told with its place, its line and why, and the rest is
/// kept.
public enum EventLines {
  /// Whose events they are that do not say so themselves.
  public struct Defaults: Sendable, Equatable {
    /// The function; `nil`: such events are the account's.
    public var function: FunctionID?
    /// The instance, for the kinds that are of one.
    public var instance: InstanceID?

    /// Makes defaults; none unless given.
    public init(function: FunctionID? = nil, instance: InstanceID? = nil) {
      self.function = function
      self.instance = instance
    }
  }

  /// Reads a batch. Blank lines are passed over, and a line may end with CR LF.
  ///
  /// - Parameters:
  ///   - defaults: For events that do not name a function or an instance.
  ///   - eventsLimit: The most events, rejected ones included.
  /// - Throws: ``WireError`` with ``WireError/Code/malformed`` if the first line names a sender that is none; with
  ///   ``WireError/Code/tooManyEvents`` beyond the limit.
  /// - Complexity: O(bytes).
  public static func read(
    _ bytes: Span<UInt8>, defaults: Defaults = Defaults(), eventsLimit: Int = 10_000
  ) throws(WireError) -> DecodedBatch {
    var batch = DecodedBatch()
    var index = 0
    var line = 0
    var start = 0
    while start < bytes.count {
      var end = start
      while end < bytes.count, bytes[end] != UInt8(ascii: "\n") { end += 1 }
      line += 1
      let text = trimmed(bytes, start, end)
      start = end + 1
      if text.isEmpty { continue }
      guard index < eventsLimit else { throw .tooManyEvents(eventsLimit) }
      do throws(LineFault) {
        let fields = try EventFields(bytes.extracting(text))
        if let sender = fields.sender, batch.events.isEmpty, batch.rejected.isEmpty, batch.source == nil {
          (batch.source, batch.sequence) = try header(sender)
          continue
        }
        batch.events.append(try fields.event(defaults))
      } catch {
        if error.isOfHeader { throw WireError(.malformed, "line \(line): \(error.sentence)") }
        batch.rejected.append(
          RejectedEvent(index: index, reason: error.reason, sentence: "line \(line): \(error.sentence)"))
      }
      index += 1
    }
    return batch
  }

  private static func trimmed(_ bytes: Span<UInt8>, _ start: Int, _ end: Int) -> Range<Int> {
    var (start, end) = (start, end)
    while start < end, isBlank(bytes[start]) { start += 1 }
    while start < end, isBlank(bytes[end - 1]) { end -= 1 }
    return start..<end
  }

  private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0D }

  private static func header(_ sender: EventFields.Sender) throws(LineFault) -> (SourceID, UInt64) {
    if let text = sender.source, Identifier128(text: text) == .zero {
      throw LineFault(.malformed, WireError.zeroSource, isOfHeader: true)
    }
    guard let text = sender.source, let source = Identifier128(text: text) else {
      throw LineFault(.malformed, "source is 32 hexadecimal digits, with sequence in the same line", isOfHeader: true)
    }
    guard let sequence = sender.sequence, sequence > 0 else {
      throw LineFault(.malformed, "sequence is a whole number from 1, with source in the same line", isOfHeader: true)
    }
    return (SourceID(source), sequence)
  }

  // MARK: Writing

  /// The line that says who sends a batch, with its line feed.
  public static func header(source: SourceID, sequence: UInt64) -> [UInt8] {
    var writer = JSONWriter(capacity: 80)
    writer.object { line in
      line.member("source", source.value.hexadecimalText)
      line.member("sequence", sequence)
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  /// The line of an event, with its line feed. ``read(_:defaults:eventsLimit:)`` gives back the same event.
  public static func line(_ event: LifecycleEvent) -> [UInt8] {
    var writer = JSONWriter(capacity: 512)
    writer.object { $0.members(of: event) }
    return writer.bytes + [UInt8(ascii: "\n")]
  }
}

/// Why a line is no event.
struct LineFault: Error {
  var reason: Rejection
  var sentence: String
  /// Whether it spoils the whole batch.
  var isOfHeader = false

  init(_ reason: Rejection, _ sentence: String, isOfHeader: Bool = false) {
    self.reason = reason
    self.sentence = sentence
    self.isOfHeader = isOfHeader
  }
}
