/// Edges of one window, to be put into several timelines.
struct EdgeRun: Sendable {
  /// Room for edges, of which the first ``count`` are.
  private var room: [UInt64] = []
  private var count = 0
  /// The latest.
  private(set) var last: UInt64 = 0
  /// The sum of offsets, of starts less ends.
  private(set) var weightedOffsets: Int128 = 0
  /// Starts less ends, by tag.
  private var net = InlineArray<4, Int64>(repeating: 0)

  /// In no order, packed.
  var packed: ArraySlice<UInt64> { room[..<count] }

  /// Takes other edges in the place of its own.
  ///
  /// - Parameters:
  ///   - most: How many there are at most.
  ///   - body: Calls what it is given for each of them.
  @inline(__always) mutating func refill(most: Int, _ body: (_ add: (Edge) -> Void) -> Void) {
    if room.count < most { room.append(contentsOf: repeatElement(0, count: most - room.count)) }
    var (count, last, weighted) = (0, UInt64(0), Int128(0))
    var net = InlineArray<4, Int64>(repeating: 0)
    var places = room.mutableSpan
    body { edge in
      places[count] = edge.packed
      count += 1
      last = max(last, edge.packed)
      net[Int(edge.tag)] &+= edge.delta
      weighted &+= Int128(edge.delta &* edge.offset)
    }
    (self.count, self.last, weightedOffsets, self.net) = (count, last, weighted, net)
  }

  /// What they change, where executions of one tag are counted apart.
  func net(marking tag: UInt8) -> ConcurrencyTimeline.Level {
    ConcurrencyTimeline.Level(all: net[0] &+ net[1] &+ net[2] &+ net[3], marked: tag < 4 ? net[Int(tag)] : 0)
  }
}
