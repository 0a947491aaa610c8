import DequeModule
import LambdaRecords
import Lifecycle
import NIOCore

/// The records that wait for one subscriber. The buffer is bounded, and counts the records that it drops.
struct TelemetryBuffer {
  /// Records that are sent together.
  struct Batch {
    var records: [ByteBuffer]
    var bytesCount: Int
    /// What the last of them, a `platform.logsDropped`, tells; it counts again if the batch is lost, too.
    var dropped = Dropped()

    /// The records without the one that tells what was dropped.
    var ownCount: Int { records.count - (dropped.records > 0 ? 1 : 0) }

    /// A JSON array.
    var array: ByteBuffer { joined(open: "[", separator: ",", close: "]") }
    /// One record to a line.
    var lines: ByteBuffer { joined(open: "", separator: "\n", close: "\n") }

    private func joined(open: StaticString, separator: StaticString, close: StaticString) -> ByteBuffer {
      var buffer = ByteBufferAllocator().buffer(capacity: bytesCount + records.count + 2)
      buffer.writeStaticString(open)
      for (index, record) in records.enumerated() {
        if index > 0 { buffer.writeStaticString(separator) }
        buffer.writeImmutableBuffer(record)
      }
      buffer.writeStaticString(close)
      return buffer
    }
  }

  struct Dropped: Equatable {
    var records = 0
    var bytes = 0
  }

  /// What AWS says of records for which there was no room.
  static let reason =
    "Some logs were dropped because the downstream consumer is slower than the logs production rate"

  private let recordsMax: Int
  private let bytesMax: Int
  private let timeout: Nanoseconds
  private let schema: TelemetrySchema
  private var records: Deque<ByteBuffer> = []
  private var bytesCount = 0
  private var oldestAt: Timestamp?
  private(set) var dropped = Dropped()

  /// A subscriber's buffer takes two batches; a third may be under way.
  init(_ subscription: Subscription) {
    recordsMax = subscription.recordsMax
    bytesMax = subscription.bytesMax
    timeout = subscription.timeout
    schema = subscription.schema
  }

  /// How many records wait.
  var count: Int { records.count }
  var isEmpty: Bool { records.isEmpty && dropped.records == 0 }
  /// Whether a batch is full.
  var isFull: Bool { records.count >= recordsMax || bytesCount >= bytesMax }
  /// When what waits is due although no batch is full.
  var dueAt: Timestamp? { oldestAt.map { $0 + timeout } }

  mutating func append(_ record: ByteBuffer, at now: Timestamp) {
    let size = record.readableBytes
    // One record alone always finds room: a line of the longest length may take more than two batches as JSON.
    guard records.isEmpty || records.count < 2 * recordsMax && bytesCount + size <= 2 * bytesMax else {
      dropped.records += 1
      dropped.bytes += size
      // What is not there any more has to be told, too.
      if oldestAt == nil { oldestAt = now }
      return
    }
    records.append(record)
    bytesCount += size
    if oldestAt == nil { oldestAt = now }
  }

  /// Takes the oldest records, as many as one batch may have; and what was dropped before is told at its end.
  mutating func takeBatch(at now: Timestamp) -> Batch? {
    guard !isEmpty else { return nil }
    var batch = Batch(records: [], bytesCount: 0)
    while let record = records.first, batch.records.count < recordsMax, batch.bytesCount < bytesMax {
      records.removeFirst()
      batch.records.append(record)
      batch.bytesCount += record.readableBytes
    }
    bytesCount -= batch.bytesCount
    if dropped.records > 0 {
      let event = PlatformEvent(time: now, kind: .logsDropped(dropped.record))
      for record in TelemetryItem.platform(event).buffers(schema) {
        batch.records.append(record)
        batch.bytesCount += record.readableBytes
      }
      batch.dropped = dropped
      dropped = Dropped()
    }
    oldestAt = records.isEmpty ? nil : now
    return batch
  }

  /// A batch could not be delivered and is given up.
  mutating func lose(_ batch: Batch, at now: Timestamp) {
    dropped.records += batch.ownCount + batch.dropped.records
    dropped.bytes +=
      batch.records.prefix(batch.ownCount).reduce(0) { $0 + $1.readableBytes } + batch.dropped.bytes
    if oldestAt == nil { oldestAt = now }
  }
}
