/// A start or an end within a window, packed so that the order of the numbers is the order in time, ends first.
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
struct TimelineSegment: Sendable {
  let window: Int64
  /// In nanoseconds since the epoch.
  let start: Int64
  var chunks: [TimelineChunk] = []
  private(set) var net = ConcurrencyTimeline.Level()
  /// The sum of offsets, of starts less ends: the integral is the net change times the span, less this.
  private var weightedOffsets: Int128 = 0
  /// Written by the timeline, which knows the segments before.
  var levelAtStart = ConcurrencyTimeline.Level()

  init(window: Int64, start: Int64) {
    self.window = window
    self.start = start
  }

  mutating func apply(_ edge: Edge, adding: Bool, markedTag: UInt8) {
    if adding {
      insert(edge, markedTag)
    } else if !remove(edge) {
      return
    }
    let delta = adding ? edge.delta : -edge.delta
    net.all &+= delta
    if edge.tag == markedTag { net.marked &+= delta }
    weightedOffsets &+= adding == (edge.side == .start) ? Int128(edge.offset) : -Int128(edge.offset)
  }

  private mutating func insert(_ edge: Edge, _ markedTag: UInt8) {
    guard let last = chunks.indices.last else {
      chunks.append(TimelineChunk(edge, markedTag, reserving: 0))
      return
    }
    if edge.packed >= chunks[last].last {
      if chunks[last].edges.count < TimelineChunk.edgesLimit {
        chunks[last].append(edge, markedTag)
      } else {
        chunks.append(TimelineChunk(edge, markedTag, reserving: TimelineChunk.edgesLimit))
      }
      return
    }
    let position = chunkPosition(edge)
    chunks[position].insert(edge)
    if chunks[position].edges.count >= TimelineChunk.edgesLimit {
      let upper = chunks[position].split()
      chunks.insert(upper, at: position + 1)
    }
  }

  private mutating func remove(_ edge: Edge) -> Bool {
    guard !chunks.isEmpty else { return false }
    let position = chunkPosition(edge)
    guard chunks[position].remove(edge) else { return false }
    if chunks[position].edges.isEmpty { chunks.remove(at: position) }
    return true
  }

  /// The last chunk that does not begin after an edge; the first, if all do.
  private func chunkPosition(_ edge: Edge) -> Int {
    var low = 0
    var high = chunks.count
    while low < high {
      let middle = (low + high) / 2
      if chunks[middle].first <= edge.packed { low = middle + 1 } else { high = middle }
    }
    return max(0, low - 1)
  }

  /// The peak of the window that begins with a level.
  mutating func peak(from level: ConcurrencyTimeline.Level, markedTag: UInt8) -> ConcurrencyTimeline.Level {
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
    if let last = chunks.last, Edge(packed: last.last).offset <= span {
      return Int128(net.all) * Int128(span) - weightedOffsets
    }
    var integral: Int128 = 0
    for chunk in chunks {
      for packed in chunk.edges {
        let edge = Edge(packed: packed)
        if edge.offset >= span { return integral }
        integral += Int128(edge.delta) * Int128(span - edge.offset)
      }
    }
    return integral
  }
}

/// Up to 256 edges in ascending order, with what they amount to.
struct TimelineChunk: Sendable {
  static let edgesLimit = 256

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

  init(_ edge: Edge, _ markedTag: UInt8, reserving count: Int) {
    first = edge.packed
    last = edge.packed
    if count > 0 { edges.reserveCapacity(count) }
    append(edge, markedTag)
  }

  mutating func append(_ edge: Edge, _ markedTag: UInt8) {
    edges.append(edge.packed)
    last = edge.packed
    add(edge, markedTag)
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

  mutating func insert(_ edge: Edge) {
    edges.insert(edge.packed, at: position(edge.packed))
    first = min(first, edge.packed)
    last = max(last, edge.packed)
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
