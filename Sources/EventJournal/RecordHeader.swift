/// What a record is about.
enum RecordKind: UInt8 {
  /// An event of a source in this process.
  case event = 1
  /// What the pipeline applied, and when.
  case mark = 2
  /// A batch that was accepted.
  case batch = 3
}

/// The sixteen bytes before a record's payload. Records begin at multiples of eight bytes.
///
/// The first word holds checksum, length and kind and is never 0; it is written last, so that a process that is killed leaves a
/// whole record or none.
struct RecordHeader: Equatable {
  static let bytes = 16
  static let alignment = 8
  /// The longest payload: what 24 bits can say.
  static let payloadBytesMax = 1 << 24 - 1

  var kind: RecordKind
  var payloadBytes: Int
  /// Higher for every record of a log.
  var position: UInt64

  /// What a record takes of a segment.
  static func bytes(ofPayload count: Int) -> Int { (bytes + count + alignment - 1) / alignment * alignment }

  /// The length and the kind, as they stand in the upper half of the first word.
  var shape: UInt32 { UInt32(truncatingIfNeeded: payloadBytes) | UInt32(kind.rawValue) << 24 }

  /// What the checksum of the payload begins with.
  ///
  /// - Parameter segment: The number of the segment.
  func checksum(inSegment segment: UInt64) -> Checksum {
    var checksum = Checksum(seed: UInt32(truncatingIfNeeded: segment))
    checksum.add(UInt64(shape))
    checksum.add(position)
    return checksum
  }
}
