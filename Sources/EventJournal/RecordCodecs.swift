internal import EventPipeline
internal import Lifecycle
internal import WindowStore
internal import Windows

/// The form of a batch in the journal: source, sequence, number of events, events.
enum BatchCodec {
  private static let headBytes = 28

  /// - Throws: ``StoreError`` if the batch is larger than a record may be.
  static func encode(_ batch: EventBatch) throws(StoreError) -> [UInt8] {
    let bytesMax = batch.events.reduce(headBytes) { $0 + EventCodec.bytesMax($1) }
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: bytesMax) { buffer, count in
      var writer = unsafe RecordWriter(UnsafeMutableRawBufferPointer(buffer))
      writer.identifier(batch.source.value)
      writer.fixed(batch.sequence)
      writer.word(UInt32(clamping: batch.events.count))
      var previous: LifecycleEvent.Subject?
      for event in batch.events {
        EventCodec.write(event, after: previous, to: &writer)
        previous = event.subject
      }
      count = writer.count
    }
    guard bytes.count <= RecordHeader.payloadBytesMax else {
      throw StoreError(.failed, "a batch of \(bytes.count) bytes is too large for the journal; send smaller ones")
    }
    return bytes
  }

  /// - Returns: `nil` if the bytes are no batch.
  static func decode(_ bytes: [UInt8], _ range: Range<Int>) -> EventBatch? {
    var reader = RecordReader(bytes, range)
    // An event takes more than two bytes.
    guard let head = head(&reader), let count = reader.word().map(Int.init), count <= reader.remaining / 2 else {
      return nil
    }
    var events: [LifecycleEvent] = []
    events.reserveCapacity(count)
    for _ in 0..<count {
      guard let event = EventCodec.read(&reader, after: events.last?.subject) else { return nil }
      events.append(event)
    }
    return reader.remaining == 0 ? EventBatch(source: head.source, sequence: head.sequence, events: events) : nil
  }

  /// Who sent a batch, and its number.
  static func head(_ reader: inout RecordReader) -> (source: SourceID, sequence: UInt64)? {
    guard let source = reader.identifier(), let sequence = reader.fixed() else { return nil }
    return (SourceID(source), sequence)
  }
}

/// The form of a mark in the journal: time, position of the batches, whether it was a reader's.
enum MarkCodec {
  static let bytes = 17

  static func write(_ mark: JournalMark, to writer: inout RecordWriter) {
    writer.time(mark.time)
    writer.fixed(mark.batches.number)
    writer.flag(mark.isRead)
  }

  static func read(_ reader: inout RecordReader) -> JournalMark? {
    guard let time = reader.time(), let batches = reader.fixed(), let isRead = reader.flag() else { return nil }
    return JournalMark(time: time, isRead: isRead, batches: JournalPosition(batches))
  }
}
