/// A start or an end within a window, packed into a number: the order of the numbers is the order in time, ends first.
struct Edge {
  enum Side: UInt64 { case end, start }

  let packed: UInt64

  init(packed: UInt64) { self.packed = packed }

  /// - Parameters:
  ///   - offset: Nanoseconds from the start of the window; not negative.
  ///   - tag: From 0 to 3.
  @inline(__always) init(offset: Int64, side: Side, tag: UInt8) {
    packed = UInt64(bitPattern: offset) << 3 | side.rawValue << 2 | UInt64(tag & 3)
  }

  @inline(__always) var offset: Int64 { Int64(bitPattern: packed >> 3) }
  @inline(__always) var side: Side { packed & 4 == 0 ? .end : .start }
  @inline(__always) var tag: UInt8 { UInt8(packed & 3) }
  @inline(__always) var delta: Int64 { packed & 4 == 0 ? -1 : 1 }

  @inline(__always) func change(_ markedTag: UInt8) -> ConcurrencyTimeline.Level {
    .init(all: delta, marked: tag == markedTag ? delta : 0)
  }
}

/// The edges of one window.
///
/// Edges come almost in order: an execution is reported when it ends, so its start lies a little back. They are gathered as they come
/// and put in place by the thousand, sorted by then, which costs neither a search nor a move for each.
struct TimelineSegment: Sendable {
  /// How many edges are gathered before they are put in place, while they come almost in order.
  static let orderedLimit = 1_024
  /// The same, once edges have come from all over the window: more of them then share the walk over the chunks.
  static let scatteredLimit = 4_096
  /// How many chunks at the end are worth merging as a whole; edges further back are put in one by one.
  static let mergedChunksLimit = 8
  /// Edges that come from all over the window are gathered until they are this part of those in place.
  static let mergedShare = 4

  let window: Int64
  /// In nanoseconds since the epoch.
  let start: Int64
  private var chunks: [TimelineChunk] = []
  /// Not in place yet, as they came.
  private var gathered: [UInt64] = []
  private var gatheredLimit = TimelineSegment.orderedLimit
  private var isGatheredSorted = true
  private(set) var net = ConcurrencyTimeline.Level()
  /// The sum of offsets, of starts less ends: the integral is the net change times the span, less this.
  private var weightedOffsets: Int128 = 0
  private var lastPacked: UInt64 = 0
  /// Written by the timeline, which knows the segments before.
  var levelAtStart = ConcurrencyTimeline.Level()

  init(window: Int64, start: Int64) {
    self.window = window
    self.start = start
  }

  var isEmpty: Bool { gathered.isEmpty && chunks.isEmpty }

  /// All edges in ascending order, packed.
  var edges: [UInt64] {
    var edges = chunks.flatMap(\.edges)
    guard !gathered.isEmpty else { return edges }
    edges += gathered
    edges.sort()
    return edges
  }

  @inline(__always) mutating func add(_ edge: Edge, markedTag: UInt8) {
    if edge.packed >= lastPacked { lastPacked = edge.packed } else { isGatheredSorted = false }
    gathered.append(edge.packed)
    account(edge, edge.delta, markedTag)
    settleIfFull(markedTag)
  }

  /// Adds edges, and leaves it to ``settleIfFull(_:)`` to put them in place.
  mutating func add(_ run: EdgeRun, markedTag: UInt8) {
    isGatheredSorted = false
    lastPacked = max(lastPacked, run.last)
    gathered.append(contentsOf: run.packed)
    net = net + run.net(marking: markedTag)
    weightedOffsets &+= run.weightedOffsets
  }

  /// Puts what was gathered in its place if it is much.
  @inline(__always) mutating func settleIfFull(_ markedTag: UInt8) {
    if gathered.count >= gatheredLimit { settle(markedTag) }
  }

  /// - Returns: Whether there was such an edge.
  mutating func remove(_ edge: Edge, markedTag: UInt8) -> Bool {
    settle(markedTag)
    guard !chunks.isEmpty else { return false }
    let position = chunkPosition(edge.packed)
    guard chunks[position].remove(edge) else { return false }
    if chunks[position].edges.isEmpty { chunks.remove(at: position) }
    account(edge, -edge.delta, markedTag)
    return true
  }

  @inline(__always) private mutating func account(_ edge: Edge, _ delta: Int64, _ markedTag: UInt8) {
    net.all &+= delta
    if edge.tag == markedTag { net.marked &+= delta }
    if delta > 0 { weightedOffsets &+= Int128(edge.offset) } else { weightedOffsets &-= Int128(edge.offset) }
  }

  /// Puts what was gathered in its place.
  mutating func settle(_ markedTag: UInt8) {
    guard !gathered.isEmpty else { return }
    if !isGatheredSorted { EdgeSort.sort(&gathered) }
    isGatheredSorted = true
    defer {
      if gathered.capacity > TimelineSegment.scatteredLimit {
        gathered = []
      } else {
        gathered.removeAll(keepingCapacity: true)
      }
    }
    guard !chunks.isEmpty else {
      chunks = TimelineChunk.chunks(of: gathered[...], markedTag)
      return
    }
    if gathered[0] >= chunks[chunks.count - 1].last {
      append(gathered, markedTag)
      return
    }
    let position = chunkPosition(gathered[0])
    let behind = chunks.count - position
    if behind <= TimelineSegment.mergedChunksLimit {
      merge(from: position, markedTag)
    } else if gathered.count >= behind * TimelineChunk.edgesDealt / TimelineSegment.mergedShare {
      // So many that a walk over all edges costs less than a place found for each.
      merge(from: position, markedTag)
      gatheredLimit = max(
        TimelineSegment.scatteredLimit, chunks.count * TimelineChunk.edgesDealt / TimelineSegment.mergedShare)
    } else {
      gatheredLimit = max(
        TimelineSegment.scatteredLimit, chunks.count * TimelineChunk.edgesDealt / TimelineSegment.mergedShare)
      scatter(from: position)
    }
  }

  /// Adds edges that lie after all others: the last chunk is filled up, the rest are new ones.
  private mutating func append(_ packed: [UInt64], _ markedTag: UInt8) {
    let room = TimelineChunk.edgesLimit - chunks[chunks.count - 1].edges.count
    for edge in packed.prefix(room) { chunks[chunks.count - 1].append(edge, markedTag) }
    if packed.count > room { chunks += TimelineChunk.chunks(of: packed.dropFirst(room), markedTag) }
  }

  /// Deals the edges of the chunks from a position on, and what was gathered, out to these chunks anew.
  private mutating func merge(from first: Int, _ markedTag: UInt8) {
    // Merged from the end, in the room that is made for it: nothing is allocated once the run has grown.
    var own = gathered.count - 1
    let settled = chunks[first...].reduce(0) { $0 + $1.edges.count }
    gathered.append(contentsOf: repeatElement(0, count: settled))
    var free = gathered.count - 1
    for position in (first..<chunks.count).reversed() {
      for packed in chunks[position].edges.reversed() {
        while own >= 0 && gathered[own] > packed {
          gathered[free] = gathered[own]
          own -= 1
          free -= 1
        }
        gathered[free] = packed
        free -= 1
      }
    }
    var position = first
    var begin = 0
    while begin < gathered.count {
      let end = min(begin + TimelineChunk.edgesDealt, gathered.count)
      if position < chunks.count {
        chunks[position].refill(gathered[begin..<end], markedTag)
      } else {
        chunks.append(TimelineChunk(gathered[begin..<end], markedTag))
      }
      position += 1
      begin = end
    }
    // Chunks that were split or thinned out may be more than their edges need now.
    chunks.removeSubrange(position...)
  }

  /// Puts what was gathered in place one by one, in one walk over the chunks.
  private mutating func scatter(from first: Int) {
    var position = first
    for packed in gathered {
      while position + 1 < chunks.count, chunks[position + 1].first <= packed { position += 1 }
      chunks[position].insert(packed)
      if chunks[position].edges.count >= TimelineChunk.edgesLimit {
        let upper = chunks[position].split()
        chunks.insert(upper, at: position + 1)
      }
    }
  }

  /// The last chunk that does not begin after an edge; the first, if all do.
  private func chunkPosition(_ packed: UInt64) -> Int {
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].first <= packed { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  /// The peak of the window that begins with a level.
  mutating func peak(from level: ConcurrencyTimeline.Level, markedTag: UInt8) -> ConcurrencyTimeline.Level {
    settle(markedTag)
    var running = level
    var peak = level
    for position in chunks.indices {
      if chunks[position].isStale { chunks[position].summarize(markedTag) }
      peak.all = max(peak.all, running.all &+ Int64(chunks[position].peak))
      peak.marked = max(peak.marked, running.marked &+ Int64(chunks[position].markedPeak))
      running.all &+= Int64(chunks[position].net)
      running.marked &+= Int64(chunks[position].markedNet)
    }
    return peak
  }

  /// What the edges of this window add to the integral from its start until `span` nanoseconds later.
  func integral(until span: Int64) -> Int128 {
    // All edges lie before the end, unless the window is still open.
    if Edge(packed: lastPacked).offset <= span { return Int128(net.all) * Int128(span) - weightedOffsets }
    var integral: Int128 = 0
    for packed in edges {
      let edge = Edge(packed: packed)
      if edge.offset >= span { return integral }
      integral += Int128(edge.delta) * Int128(span - edge.offset)
    }
    return integral
  }
}

/// Up to 256 edges in ascending order, with what they amount to.
struct TimelineChunk: Sendable {
  static let edgesLimit = 256
  /// How many of them a chunk is dealt at first, so that later edges find room.
  static let edgesDealt = 192

  private(set) var edges: [UInt64] = []
  private(set) var first: UInt64
  private(set) var last: UInt64
  private(set) var net: Int32 = 0
  private(set) var markedNet: Int32 = 0
  /// The largest net change after any of the edges, at least 0.
  private(set) var peak: Int32 = 0
  private(set) var markedPeak: Int32 = 0
  /// Whether net and peak have to be computed anew.
  private(set) var isStale = false

  /// - Parameter packed: In ascending order; not empty.
  init(_ packed: ArraySlice<UInt64>, _ markedTag: UInt8) {
    first = 0
    last = 0
    // Those that are dealt out full leave room for later ones; those of an idle window take no more than they need.
    if packed.count == TimelineChunk.edgesDealt { edges.reserveCapacity(TimelineChunk.edgesLimit) }
    refill(packed, markedTag)
  }

  /// Takes other edges, in ascending order and not empty, in the place of its own.
  mutating func refill(_ packed: ArraySlice<UInt64>, _ markedTag: UInt8) {
    edges.removeAll(keepingCapacity: true)
    edges.append(contentsOf: packed)
    first = edges[0]
    last = edges[edges.count - 1]
    summarize(markedTag)
  }

  /// Chunks of edges in ascending order.
  static func chunks(of edges: ArraySlice<UInt64>, _ markedTag: UInt8) -> [TimelineChunk] {
    stride(from: edges.startIndex, to: edges.endIndex, by: edgesDealt).map { begin in
      TimelineChunk(edges[begin..<min(begin + edgesDealt, edges.endIndex)], markedTag)
    }
  }

  mutating func append(_ packed: UInt64, _ markedTag: UInt8) {
    edges.append(packed)
    last = packed
    add(Edge(packed: packed), markedTag)
  }

  private mutating func add(_ edge: Edge, _ markedTag: UInt8) {
    let delta = Int32(truncatingIfNeeded: edge.delta)
    net &+= delta
    peak = max(peak, net)
    if edge.tag == markedTag {
      markedNet &+= delta
      markedPeak = max(markedPeak, markedNet)
    }
  }

  mutating func insert(_ packed: UInt64) {
    edges.insert(packed, at: position(packed))
    first = min(first, packed)
    last = max(last, packed)
    isStale = true
  }

  mutating func remove(_ edge: Edge) -> Bool {
    let position = position(edge.packed)
    guard position < edges.count, edges[position] == edge.packed else { return false }
    edges.remove(at: position)
    first = edges.first ?? first
    last = edges.last ?? last
    isStale = true
    return true
  }

  /// The first position whose edge is not before one.
  private func position(_ packed: UInt64) -> Int {
    var low = 0
    var high = edges.count
    while low < high {
      let middle = (low + high) / 2
      if edges[middle] < packed { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Keeps the lower half and returns the upper one.
  mutating func split() -> TimelineChunk {
    let middle = edges.count / 2
    var upper = self
    upper.edges = []
    upper.edges.reserveCapacity(TimelineChunk.edgesLimit)
    upper.edges.append(contentsOf: edges[middle...])
    upper.first = edges[middle]
    edges.removeSubrange(middle...)
    last = edges[middle - 1]
    isStale = true
    upper.isStale = true
    return upper
  }

  mutating func summarize(_ markedTag: UInt8) {
    (net, markedNet, peak, markedPeak) = (0, 0, 0, 0)
    for packed in edges { add(Edge(packed: packed), markedTag) }
    isStale = false
  }
}
