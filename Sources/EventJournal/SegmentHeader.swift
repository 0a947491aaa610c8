/// The first bytes of a segment. docs/formats/journal.md describes them.
struct SegmentHeader: Equatable {
  /// The size of the header on disk; records begin behind it.
  static let bytes = 64
  /// Raised by every change that an older Kelvin could not read.
  static let formatVersion: UInt32 = 1
  /// "KELVINJ\n", as the bytes stand in the file.
  static let magic: UInt64 = 0x0A4A_4E49_564C_454B

  /// Counts the segments of a log, from 1. Goes into the checksum of each record, so that what is left of an earlier use of
  /// the file is never taken for a record of this one.
  var number: UInt64
  /// Which store the journal belongs to.
  var identity: UInt64
  /// All records of the segment have higher positions.
  var base: UInt64

  /// What a file's first bytes say.
  enum Reading: Equatable {
    case header(SegmentHeader)
    /// Made ahead and not begun, or not even finished making: there is nothing in it.
    case unused
    /// Written by a Kelvin that is newer than this one.
    case version(UInt32)
    case damaged
  }

  func write(to writer: inout RecordWriter) {
    writer.fixed(Self.magic)
    writer.word(Self.formatVersion)
    writer.word(checksum)
    writer.fixed(number)
    writer.fixed(identity)
    writer.fixed(base)
  }

  static func read(_ bytes: [UInt8]) -> Reading {
    let head = bytes.prefix(Self.bytes)
    if head.allSatisfy({ $0 == 0 }) { return .unused }
    var reader = RecordReader(bytes, 0..<head.count)
    guard let magic = reader.fixed(), let version = reader.word(), let checksum = reader.word(),
      let number = reader.fixed(), let identity = reader.fixed(), let base = reader.fixed(), magic == Self.magic
    else { return .damaged }
    // What follows the version may look different in another one.
    guard version == formatVersion else { return version > formatVersion ? .version(version) : .damaged }
    let header = SegmentHeader(number: number, identity: identity, base: base)
    return header.checksum == checksum ? .header(header) : .damaged
  }

  private var checksum: UInt32 {
    var value = Checksum(seed: 0)
    value.add(UInt64(Self.formatVersion))
    value.add(number)
    value.add(identity)
    value.add(base)
    return value.value
  }
}
