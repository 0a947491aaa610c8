internal import Glibc

/// Finds the records of a segment. The bytes come from a disk: whatever they contain, what is whole is found, and what is not is
/// passed over.
struct SegmentScan {
  /// A record that is whole.
  struct Record: Equatable {
    var kind: RecordKind
    var position: UInt64
    /// Where its payload is.
    var payload: Range<Int>
  }

  /// Bytes between two whole records, or behind the last one, that were records.
  struct Damage: Equatable {
    /// Where in the file they begin.
    var offset: Int
    /// How many, as far as the positions around it tell; at least 1.
    var records: UInt64
  }

  /// The file's content.
  let bytes: [UInt8]
  let header: SegmentHeader
  private(set) var damages: [Damage] = []
  private var offset = SegmentHeader.bytes
  private var last: UInt64
  /// Whether no record of the segment was found yet. A segment is made ahead, so its first position is not known from its header.
  private var isFirst = true

  /// - Parameters:
  ///   - bytes: All of the file.
  ///   - header: What its first bytes say.
  ///   - previous: The last position of the segments before; 0 if there is none.
  init(_ bytes: [UInt8], _ header: SegmentHeader, after previous: UInt64 = 0) {
    self.bytes = bytes
    self.header = header
    last = max(header.base, previous)
  }

  /// The next record, in the order of their positions; `nil` behind the last.
  mutating func next() -> Record? {
    if let record = record(at: offset) {
      pass(record)
      return record
    }
    // A process that was killed leaves a zero where the next record would begin; a disk that lost pages, or changed a bit,
    // may leave whole records behind that.
    let start = offset
    let wasBegun = offset + RecordHeader.bytes <= bytes.count && word(at: offset) != 0
    while offset + RecordHeader.bytes <= bytes.count, !isEmpty(from: offset) {
      if word(at: offset) != 0, let record = record(at: offset) {
        damages.append(Damage(offset: start, records: max(1, record.position - last - 1)))
        pass(record)
        return record
      }
      offset += RecordHeader.alignment
    }
    if wasBegun { damages.append(Damage(offset: start, records: 1)) }
    return nil
  }

  private mutating func pass(_ record: Record) {
    last = record.position
    isFirst = false
    offset = record.payload.lowerBound - RecordHeader.bytes + RecordHeader.bytes(ofPayload: record.payload.count)
  }

  /// Whether only zeros follow.
  private func isEmpty(from offset: Int) -> Bool {
    guard word(at: offset) == 0 else { return false }
    return unsafe bytes.withUnsafeBytes { buffer in
      // Each byte is the same as the next one, and the first ones are zeros.
      guard let base = buffer.baseAddress else { return true }
      return unsafe memcmp(base + offset, base + offset + 1, buffer.count - offset - 1) == 0
    }
  }

  private func word(at offset: Int) -> UInt64 {
    unsafe bytes.withUnsafeBytes {
      UInt64(littleEndian: unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt64.self))
    }
  }

  private func record(at offset: Int) -> Record? {
    guard offset + RecordHeader.bytes <= bytes.count else { return nil }
    let first = word(at: offset)
    let shape = UInt32(truncatingIfNeeded: first >> 32)
    let payload = offset + RecordHeader.bytes
    let count = Int(shape & 0xFF_FFFF)
    guard let kind = RecordKind(rawValue: UInt8(truncatingIfNeeded: shape >> 24)), count <= bytes.count - payload else {
      return nil
    }
    let position = word(at: offset + 8)
    // No more records can lie before it than there is room for. Checked before the checksum, which costs more.
    let recordsMax = UInt64((offset - SegmentHeader.bytes) / RecordHeader.bytes + 1)
    guard position > last, isFirst || position - last <= recordsMax else { return nil }
    var checksum = RecordHeader(kind: kind, payloadBytes: count, position: position)
      .checksum(inSegment: header.number)
    checksum.add(bytes, payload..<(payload + count))
    guard checksum.value == UInt32(truncatingIfNeeded: first) else { return nil }
    return Record(kind: kind, position: position, payload: payload..<(payload + count))
  }
}
