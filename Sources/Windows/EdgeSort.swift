/// Sorts packed edges of one window.
enum EdgeSort {
  private static let digitBits = 11
  private static let digits = 1 << digitBits
  private static let fewLimit = 64

  /// Into ascending order.
  ///
  /// - Complexity: O(edges) for each 11 bits in which they differ; allocates once, room for twice as many.
  static func sort(_ edges: inout [UInt64]) {
    guard edges.count > fewLimit else {
      edges.sort()
      return
    }
    // Only the bits that are not the same in all.
    var ones: UInt64 = 0
    var zeros = UInt64.max
    for edge in edges {
      ones |= edge
      zeros &= edge
    }
    var differing = ones & ~zeros
    // The edges, room for them in another order, and where those of each digit go.
    var room = edges
    room.reserveCapacity(2 * edges.count + digits)
    room.append(contentsOf: repeatElement(0, count: edges.count + digits))
    let places = 2 * edges.count
    var (from, to) = (0, edges.count)
    while differing != 0 {
      let shift = UInt64(differing.trailingZeroBitCount)
      let mask = UInt64(digits - 1)
      for place in places..<room.count { room[place] = 0 }
      for position in from..<from + edges.count {
        room[places + Int(truncatingIfNeeded: room[position] >> shift & mask)] &+= 1
      }
      var next = UInt64(to)
      for place in places..<room.count {
        let count = room[place]
        room[place] = next
        next &+= count
      }
      for position in from..<from + edges.count {
        let edge = room[position]
        let place = places + Int(truncatingIfNeeded: edge >> shift & mask)
        room[Int(truncatingIfNeeded: room[place])] = edge
        room[place] &+= 1
      }
      swap(&from, &to)
      differing &= shift + UInt64(digitBits) >= 64 ? 0 : ~(mask << shift)
    }
    for position in edges.indices { edges[position] = room[from + position] }
  }
}
