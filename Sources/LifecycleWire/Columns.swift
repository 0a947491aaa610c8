internal import CProtobufC
internal import Lifecycle

/// Why a row of a table is no event.
struct RowFault: Error {
  var reason: Rejection
  var column: StaticString
  /// The byte that is no word.
  var word: UInt8?
  /// Whether the row has more than it may have.
  var isTooLong = false

  static func missing(_ column: StaticString) -> RowFault { RowFault(reason: .malformed, column: column) }

  /// A sentence about the event.
  var sentence: String {
    if let word { return "its \(column) is \(word), which Kelvin does not know" }
    if isTooLong { return "it has more than \(EventSourceActivity.changesLimit) changes" }
    return "its column \(column) is missing or has fewer rows than the table"
  }
}

/// A column of eight bytes in each row.
///
/// SAFETY: the memory is the arena's, and no column outlives the reading of its message.
@safe struct NumberColumn {
  private let start: UnsafeMutablePointer<Int64>?
  let rows: Int
  let name: StaticString

  init(_ rows: Int, _ start: UnsafeMutablePointer<Int64>?, _ name: StaticString) {
    unsafe self.start = start
    self.rows = rows
    self.name = name
  }

  @inline(__always)
  func callAsFunction(_ row: Int) throws(RowFault) -> Int64 {
    guard row < rows, let start = unsafe start else { throw .missing(name) }
    return unsafe start[row]
  }

  /// The default of a column that was left out.
  @inline(__always)
  func orZero(_ row: Int) throws(RowFault) -> Int64 { rows == 0 ? 0 : try self(row) }
}

/// A column of four bytes in each row.
///
/// SAFETY: as of ``NumberColumn``.
@safe struct StatusColumn {
  private let start: UnsafeMutablePointer<UInt32>?
  let rows: Int

  init(_ rows: Int, _ start: UnsafeMutablePointer<UInt32>?) {
    unsafe self.start = start
    self.rows = rows
  }

  @inline(__always)
  func orZero(_ row: Int) throws(RowFault) -> UInt16 {
    if rows == 0 { return 0 }
    guard row < rows, let start = unsafe start else { throw .missing("response_status") }
    guard let status = UInt16(exactly: unsafe start[row]) else {
      throw RowFault(reason: .malformed, column: "response_status")
    }
    return status
  }
}

/// A column of one byte in each row.
///
/// SAFETY: as of ``NumberColumn``.
@safe struct WordColumn {
  private let bytes: ProtobufCBinaryData
  let name: StaticString

  init(_ bytes: ProtobufCBinaryData, _ name: StaticString) {
    unsafe self.bytes = bytes
    self.name = name
  }

  var rows: Int { unsafe bytes.len }

  @inline(__always)
  func byte(_ row: Int) throws(RowFault) -> UInt8 {
    guard row < rows, let start = unsafe bytes.data else { throw .missing(name) }
    return unsafe start[row]
  }

  @inline(__always)
  func callAsFunction<Value: Word>(_ row: Int) throws(RowFault) -> Value {
    let byte = try byte(row)
    guard let word = Value(rawValue: byte) else { throw RowFault(reason: .unknownWord, column: name, word: byte) }
    return word
  }

  /// One byte that is 0 for none, else the word and one; none if the column was left out.
  @inline(__always)
  func orNone<Value: Word>(_ row: Int) throws(RowFault) -> Value? {
    guard rows > 0 else { return nil }
    let byte = try byte(row)
    guard byte > 0 else { return nil }
    guard let word = Value(rawValue: byte - 1) else { throw RowFault(reason: .unknownWord, column: name, word: byte) }
    return word
  }

  @inline(__always)
  func flag(_ row: Int) throws(RowFault) -> Bool {
    switch try byte(row) {
    case 0: return false
    case 1: return true
    case let byte: throw RowFault(reason: .unknownWord, column: name, word: byte)
    }
  }

  /// No, if the column was left out.
  @inline(__always)
  func flagOrNo(_ row: Int) throws(RowFault) -> Bool { rows == 0 ? false : try flag(row) }
}

/// A column of 16 bytes in each row.
///
/// SAFETY: as of ``NumberColumn``.
@safe struct IdentifierColumn {
  private let bytes: ProtobufCBinaryData

  init(_ bytes: ProtobufCBinaryData) { unsafe self.bytes = bytes }

  /// A row that is cut off counts.
  var rows: Int { unsafe bytes.len / 16 + (bytes.len % 16 == 0 ? 0 : 1) }

  @inline(__always)
  func callAsFunction(_ row: Int) throws(RowFault) -> Identifier128 {
    guard unsafe row < bytes.len / 16, let start = unsafe bytes.data else { throw .missing("request") }
    return unsafe Identifier128(bytes: UnsafeRawPointer(start) + row * 16)
  }
}

extension Identifier128 {
  /// - Parameter bytes: Sixteen of them.
  @unsafe init(bytes: UnsafeRawPointer) {
    unsafe self.init(
      high: UInt64(bigEndian: bytes.loadUnaligned(as: UInt64.self)),
      low: UInt64(bigEndian: bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self)))
  }
}
