// Compiles in Embedded Swift, as all that encodes batches: standard library only, no existential, no reflection.

/// Protobuf into a growing buffer of bytes.
struct WireWriter: Sendable {
  /// What was written so far.
  var bytes: [UInt8] = []

  mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  mutating func number(_ field: Int, _ value: UInt64) {
    key(field, type: 0)
    varint(value)
  }

  mutating func fixed(_ field: Int, _ value: Int64) {
    key(field, type: 1)
    append(UInt64(bitPattern: value))
  }

  mutating func text(_ field: Int, _ text: String) {
    key(field, type: 2)
    varint(UInt64(text.utf8.count))
    bytes.append(contentsOf: text.utf8)
  }

  mutating func identifier(_ field: Int, _ value: (high: UInt64, low: UInt64)) {
    key(field, type: 2)
    varint(16)
    append(value.high.byteSwapped)
    append(value.low.byteSwapped)
  }

  // MARK: Messages

  /// Begins a message whose length is not known yet.
  ///
  /// - Returns: Where it begins, for ``end(_:)``.
  mutating func begin(_ field: Int) -> Int {
    key(field, type: 2)
    // Room for the length of a short one; a long one is moved, which costs less than to add up lengths beforehand.
    bytes.append(0)
    return bytes.count
  }

  mutating func end(_ start: Int) {
    let length = bytes.count - start
    var rest = UInt64(length)
    var position = start - 1
    var size = 1
    while rest >> (7 * UInt64(size)) > 0 { size += 1 }
    if size > 1 {
      for _ in 1..<size { bytes.append(0) }
      unsafe bytes.withUnsafeMutableBytes { buffer in
        guard let base = buffer.baseAddress else { return }
        // SAFETY: the buffer was made so much longer before. Both ranges are in it, and may overlap.
        unsafe (base + start + size - 1).copyMemory(from: base + start, byteCount: length)
      }
    }
    while rest >= 0x80 {
      bytes[position] = UInt8(truncatingIfNeeded: rest) | 0x80
      rest >>= 7
      position += 1
    }
    bytes[position] = UInt8(truncatingIfNeeded: rest)
  }

  // MARK: Columns

  /// A column of eight bytes in each row.
  @inline(__always)
  mutating func numbers<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> Int64) {
    column(field, rows.count * 8)
    bytes.append(addingCapacity: rows.count * 8) { output in
      for row in rows { output.append(eightBytesOf: UInt64(bitPattern: value(row))) }
    }
  }

  /// As ``numbers(_:_:_:)``; left out if all are 0.
  @inline(__always)
  mutating func numbersUnlessZero<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> Int64) {
    var bits: Int64 = 0
    for row in rows { bits |= value(row) }
    if bits != 0 { numbers(field, rows, value) }
  }

  /// A column of four bytes in each row; left out if all are 0.
  @inline(__always)
  mutating func statusesUnlessZero<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> UInt16) {
    var bits: UInt16 = 0
    for row in rows { bits |= value(row) }
    guard bits != 0 else { return }
    column(field, rows.count * 4)
    bytes.append(addingCapacity: rows.count * 4) { output in
      for row in rows {
        let value = value(row)
        output.append(UInt8(truncatingIfNeeded: value))
        output.append(UInt8(truncatingIfNeeded: value >> 8))
        output.append(0)
        output.append(0)
      }
    }
  }

  /// A column of one byte in each row.
  @inline(__always)
  mutating func words<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> UInt8) {
    column(field, rows.count)
    bytes.append(addingCapacity: rows.count) { output in
      for row in rows { output.append(value(row)) }
    }
  }

  /// As ``words(_:_:_:)``; left out if all are 0.
  @inline(__always)
  mutating func wordsUnlessZero<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> UInt8) {
    var bits: UInt8 = 0
    for row in rows { bits |= value(row) }
    if bits != 0 { words(field, rows, value) }
  }

  /// A column of 16 bytes in each row.
  @inline(__always)
  mutating func identifiers<Row>(_ field: Int, _ rows: [Row], _ value: (Row) -> (high: UInt64, low: UInt64)) {
    column(field, rows.count * 16)
    bytes.append(addingCapacity: rows.count * 16) { output in
      for row in rows {
        let value = value(row)
        output.append(eightBytesOf: value.high.byteSwapped)
        output.append(eightBytesOf: value.low.byteSwapped)
      }
    }
  }

  private mutating func column(_ field: Int, _ length: Int) {
    key(field, type: 2)
    varint(UInt64(length))
  }

  private mutating func key(_ field: Int, type: Int) { varint(UInt64(field << 3 | type)) }

  private mutating func append(_ value: UInt64) {
    bytes.append(addingCapacity: 8) { $0.append(eightBytesOf: value) }
  }
}

extension OutputSpan<UInt8> {
  /// Eight bytes, the lowest first.
  @inline(__always)
  fileprivate mutating func append(eightBytesOf value: UInt64) {
    unsafe withUnsafeMutableBufferPointer { buffer, count in
      precondition(buffer.count - count >= 8, "BUG: no room was asked for eight bytes")
      // SAFETY: there is room for eight bytes, as was just made sure.
      unsafe UnsafeMutableRawBufferPointer(buffer).storeBytes(
        of: value.littleEndian, toByteOffset: count, as: UInt64.self)
      count += 8
    }
  }
}
