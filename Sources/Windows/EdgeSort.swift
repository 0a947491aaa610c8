/// Sorts packed edges of one window.
enum EdgeSort {
  private static let fewLimit = 24
  private static let digitBits = 11
  /// The most pieces that edges are dealt to by time.
  private static let piecesLimit = 8_192
  /// How many edges are put in their order one by one wherever they lie, and how many of one piece.
  private static let insertedLimit = 200
  private static let pieceLimit = 48

  /// Into ascending order.
  ///
  /// - Complexity: O(edges) where they are spread over their time, else O(edges) for each 11 bits in which they differ; allocates twice.
  static func sort(_ edges: inout [UInt64]) {
    guard edges.count > fewLimit else {
      var places = edges.mutableSpan
      insert(&places)
      return
    }
    var (least, greatest) = (UInt64.max, UInt64.min)
    for edge in edges {
      least = min(least, edge)
      greatest = max(greatest, edge)
    }
    // Pieces of the time between the first and the last, about as many as there are edges.
    let pieces = min(piecesLimit, 1 << (Int.bitWidth - edges.count.leadingZeroBitCount))
    let shift = UInt64(max(0, (Int.bitWidth - (greatest - least).leadingZeroBitCount) - pieces.trailingZeroBitCount))
    var room = [UInt64](repeating: 0, count: edges.count)
    let fullest = deal(edges.span, to: &room, pieces) { Int(truncatingIfNeeded: ($0 - least) >> shift) }
    guard fullest <= pieceLimit || edges.count <= insertedLimit else {
      sort(&edges, fromBit: 0)
      return
    }
    var places = room.mutableSpan
    insert(&places)
    swap(&edges, &room)
  }

  /// Into ascending order of the bits from one on. Numbers that differ only below it keep their order.
  static func sort(_ numbers: inout [UInt64], fromBit bit: Int) {
    // Only the bits that are not the same in all.
    var ones: UInt64 = 0
    var zeros = UInt64.max
    for number in numbers {
      ones |= number
      zeros &= number
    }
    var differing = ones & ~zeros & UInt64.max << UInt64(bit)
    let mask: UInt64 = 1 << UInt64(digitBits) - 1
    var room = [UInt64](repeating: 0, count: numbers.count)
    while differing != 0 {
      let shift = UInt64(differing.trailingZeroBitCount)
      _ = deal(numbers.span, to: &room, Int(mask) + 1) { Int(truncatingIfNeeded: $0 >> shift & mask) }
      swap(&numbers, &room)
      differing &= shift + UInt64(digitBits) >= 64 ? 0 : ~(mask << shift)
    }
  }

  /// Puts each number where it belongs among those before it: fast where none has far to go.
  private static func insert(_ numbers: inout MutableSpan<UInt64>) {
    for position in numbers.indices.dropFirst() {
      let number = numbers[position]
      var place = position
      while place > 0, numbers[place - 1] > number {
        numbers[place] = numbers[place - 1]
        place -= 1
      }
      numbers[place] = number
    }
  }

  /// Puts numbers in the order of their pieces; those of one piece keep their order.
  ///
  /// - Returns: How many numbers the fullest piece has.
  @inline(__always)
  private static func deal(
    _ numbers: Span<UInt64>, to room: inout [UInt64], _ pieces: Int, _ piece: (UInt64) -> Int
  ) -> Int {
    var places = [UInt32](repeating: 0, count: pieces)
    var place = places.mutableSpan
    var target = room.mutableSpan
    for position in numbers.indices { place[piece(numbers[position])] &+= 1 }
    var next: UInt32 = 0
    var fullest: UInt32 = 0
    for piece in place.indices {
      let count = place[piece]
      fullest = max(fullest, count)
      place[piece] = next
      next &+= count
    }
    for position in numbers.indices {
      let number = numbers[position]
      let piece = piece(number)
      target[Int(place[piece])] = number
      place[piece] &+= 1
    }
    return Int(fullest)
  }
}
