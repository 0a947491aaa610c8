import NIOCore

extension JSONText {
  /// The value that begins at `start`, without the blanks between its parts; strings and numbers stay as written.
  ///
  /// - Parameter bytes: A document that ``problem(in:)`` found nothing wrong with.
  /// - Complexity: O(length of the value).
  static func compacted(_ bytes: Span<UInt8>, at start: Int) -> ByteBuffer {
    var end = start
    guard skipValue(bytes, &end) else { return ByteBuffer() }
    var output: [UInt8] = []
    output.reserveCapacity(end - start)
    var position = start
    while position < end {
      switch bytes[position] {
      case 0x20, 0x09, 0x0A, 0x0D: position += 1
      case UInt8(ascii: "\""):
        var next = position
        guard skipString(bytes, &next) else { return ByteBuffer() }
        for index in position..<next { output.append(bytes[index]) }
        position = next
      default:
        output.append(bytes[position])
        position += 1
      }
    }
    return ByteBuffer(bytes: output)
  }
}
