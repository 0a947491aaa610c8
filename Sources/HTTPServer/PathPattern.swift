internal import Text

/// A path with places for names, such as `/2015-03-31/functions/{name}/invocations`.
///
/// `{name}` stands for one segment that is not empty, `{}` for one that nobody asks for, and `{name*}` at the end for the whole rest,
/// slashes included, empty or not. Everything else stands for itself, percent-encoded or not.
struct PathPattern: Sendable {
  /// What a path has in the places of a pattern: at most two.
  struct Places {
    private var ranges: InlineArray<2, Range<Int>> = [0..<0, 0..<0]
    private(set) var count = 0

    subscript(position: Int) -> Range<Int> { ranges[position] }

    mutating func append(_ range: Range<Int>) {
      ranges[count] = range
      count += 1
    }
  }

  // No byte of UTF-8, so that they cannot be confused with a part of a path.
  private static let anySegment: UInt8 = 0xFD
  private static let segment: UInt8 = 0xFE
  private static let rest: UInt8 = 0xFF

  /// As it was written.
  let text: String
  private let bytes: [UInt8]

  /// - Parameter text: Begins with a slash; at most two places, and nothing behind one for the rest.
  init(_ text: String) {
    self.text = text
    var bytes: [UInt8] = []
    var places = 0
    var characters = text.utf8[...]
    while let byte = characters.popFirst() {
      guard byte == UInt8(ascii: "{"), let end = characters.firstIndex(of: UInt8(ascii: "}")) else {
        bytes.append(byte)
        continue
      }
      let name = characters[..<end]
      bytes.append(
        name.isEmpty
          ? PathPattern.anySegment : name.last == UInt8(ascii: "*") ? PathPattern.rest : PathPattern.segment)
      characters = characters[end...].dropFirst()
      if !name.isEmpty { places += 1 }
    }
    precondition(bytes.first == UInt8(ascii: "/") && places <= 2, "BUG: '\(text)' is no pattern of a path")
    precondition(
      bytes.dropLast().allSatisfy { $0 != PathPattern.rest }, "BUG: '\(text)' goes on behind its rest")
    self.bytes = bytes
  }

  /// Where the places of this pattern lie in a path; `nil` if the path is another.
  ///
  /// - Parameter toleratesSlash: Whether one more slash at the end makes no difference.
  /// - Complexity: O(length of the path); allocates nothing.
  func match(_ path: Span<UInt8>, toleratesSlash: Bool) -> Places? {
    var places = Places()
    var position = 0
    for byte in bytes {
      switch byte {
      case PathPattern.segment, PathPattern.anySegment:
        let start = position
        while position < path.count, path[position] != UInt8(ascii: "/") { position += 1 }
        guard position > start else { return nil }
        if byte == PathPattern.segment { places.append(start..<position) }
      case PathPattern.rest:
        places.append(position..<path.count)
        return places
      default:
        guard let (sent, length) = PathPattern.byte(of: path, at: position), sent == byte else { return nil }
        position += length
      }
    }
    if position == path.count { return places }
    guard toleratesSlash, position == path.count - 1, path[position] == UInt8(ascii: "/") else { return nil }
    return places
  }

  /// The byte that stands at a position, and how many bytes it is written with. An escaped slash separates nothing, so it is no byte
  /// of a pattern; nor is what is malformed.
  @inline(__always)
  private static func byte(of path: Span<UInt8>, at position: Int) -> (UInt8, Int)? {
    guard position < path.count else { return nil }
    let byte = path[position]
    guard byte == UInt8(ascii: "%") else { return (byte, 1) }
    guard position + 2 < path.count, let high = Hexadecimal.value(path[position + 1]),
      let low = Hexadecimal.value(path[position + 2]), high << 4 | low != UInt8(ascii: "/")
    else { return nil }
    return (high << 4 | low, 3)
  }
}
