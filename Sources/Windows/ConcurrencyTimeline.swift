public import Lifecycle

/// How many executions overlap, exactly, at every instant of the windows that are kept.
///
/// Executions are half-open intervals that arrive in any order, their starts and ends apart; one that has no end yet
/// counts from its start on. An end and a start at the same instant do not overlap. An execution of no length counts
/// as one of a nanosecond, so that it is seen.
///
/// Every execution carries a tag from 0 to 3, and executions of one tag, the marked one, are counted apart as well.
///
/// Kept as edges in ascending order, window by window, in chunks that know their net change and their peak. A reading
/// walks over chunks, not over edges, and recomputes only chunks that an edge was put into out of order.
///
/// - Complexity: An edge in order O(1) amortised; a late one a binary search and a move within one chunk; the peak of a
///   window O(edges / 256).
public struct ConcurrencyTimeline: Sendable {
  let grid: WindowGrid
  let markedTag: UInt8
  /// Only of windows that have edges, in ascending order of window.
  var segments: [TimelineSegment] = []
  /// The first window that is kept.
  private(set) var firstWindow: Int64 = .min
  /// What is in progress when the first kept window begins.
  var base = Level()
  /// Segments before this position know what is in progress when they begin.
  private var knownLevels = 0

  /// How many executions are in progress, and how many of them are marked.
  public struct Level: Sendable, Equatable {
    /// All executions in progress.
    public var all: Int64 = 0
    /// Those of them that have the marked tag.
    public var marked: Int64 = 0

    /// Makes a level; `marked` is at most `all`.
    public init(all: Int64 = 0, marked: Int64 = 0) {
      self.all = all
      self.marked = marked
    }

    static func + (left: Level, right: Level) -> Level {
      Level(all: left.all &+ right.all, marked: left.marked &+ right.marked)
    }

    mutating func raise(to other: Level) {
      all = max(all, other.all)
      marked = max(marked, other.marked)
    }
  }

  /// Makes a timeline without executions.
  ///
  /// - Parameters:
  ///   - grid: Windows of at most 2^60 ns.
  ///   - markedTag: The tag that is counted apart; one above 3 marks none.
  public init(grid: WindowGrid, markedTag: UInt8 = .max) {
    self.grid = grid
    self.markedTag = markedTag
  }

  // MARK: Writing

  /// Adds an execution that has ended; an end before its start counts as at its start.
  public mutating func insert(from start: Timestamp, to end: Timestamp, tag: UInt8 = 0) {
    insertStart(start, tag: tag)
    insertEnd(end, start: start, tag: tag)
  }

  /// Adds the start of an execution, which is in progress until its end is added.
  public mutating func insertStart(_ time: Timestamp, tag: UInt8 = 0) {
    put(.start, time.nanoseconds, tag, adding: true)
  }

  /// Adds the end of an execution whose start was added.
  public mutating func insertEnd(_ time: Timestamp, start: Timestamp, tag: UInt8 = 0) {
    put(.end, ConcurrencyTimeline.end(time, start), tag, adding: true)
  }

  /// Takes back a start that was added with the same time and tag.
  mutating func removeStart(_ time: Timestamp, tag: UInt8) { put(.start, time.nanoseconds, tag, adding: false) }

  /// Takes back an end that was added with the same times and tag.
  mutating func removeEnd(_ time: Timestamp, start: Timestamp, tag: UInt8) {
    put(.end, ConcurrencyTimeline.end(time, start), tag, adding: false)
  }

  /// The instant of the edge of an end.
  @inline(__always) static func end(_ time: Timestamp, _ start: Timestamp) -> Int64 {
    max(time.nanoseconds, start.nanoseconds == .max ? .max : start.nanoseconds + 1)
  }

  private mutating func put(_ side: Edge.Side, _ time: Int64, _ tag: UInt8, adding: Bool) {
    // An end belongs to the window that it closes: (start, start + length], so that what ends with a window is not
    // in progress when the next one begins.
    let place = side == .end ? time - 1 : time
    let delta: Int64 = (side == .start) == adding ? 1 : -1
    // Read in place: a copy of the last segment would count references.
    let last = segments.count - 1
    if last >= 0 {
      let start = segments[last].start
      if place >= start && place - start < grid.length.count {
        apply(Edge(offset: time - start, side: side, tag: tag), toSegment: last, adding: adding)
        return
      }
    }
    let window = grid.index(of: Timestamp(nanoseconds: place))
    guard window >= firstWindow else {
      base.all &+= delta
      if tag == markedTag { base.marked &+= delta }
      knownLevels = 0
      return
    }
    var position = segmentPosition(window)
    if position == segments.count || segments[position].window != window {
      guard adding else { return }
      position = makeSegment(window)
    }
    let edge = Edge(offset: time - segments[position].start, side: side, tag: tag)
    apply(edge, toSegment: position, adding: adding)
    knownLevels = min(knownLevels, position + 1)
  }

  /// Makes the segment of a window that has none.
  ///
  /// - Returns: Its position.
  private mutating func makeSegment(_ window: Int64) -> Int {
    let position = segmentPosition(window)
    // Windows come one at a time and few are kept: doubling would leave half the room unused.
    if segments.count == segments.capacity { segments.reserveCapacity(segments.count + 4) }
    segments.insert(TimelineSegment(window: window, start: grid.start(window).nanoseconds), at: position)
    knownLevels = min(knownLevels, position)
    return position
  }

  /// Adds edges of a window that is kept. They are gathered until ``settleGathered()``, or until a reading.
  ///
  /// - Parameter settles: Whether they are put in their place now, if they are many.
  mutating func insert(_ run: EdgeRun, inWindow window: Int64, settles: Bool = false) {
    guard !run.packed.isEmpty else { return }
    var position = segments.count - 1
    if position < 0 || segments[position].window != window {
      position = segmentPosition(window)
      if position == segments.count || segments[position].window != window { position = makeSegment(window) }
    }
    segments[position].add(run, markedTag: markedTag)
    if settles { segments[position].settleIfFull(markedTag) }
    knownLevels = min(knownLevels, position + 1)
  }

  /// Puts what ``insert(_:inWindow:settles:)`` gathered in its place, where it is much.
  mutating func settleGathered() { for position in segments.indices { segments[position].settleIfFull(markedTag) } }

  @inline(__always) private mutating func apply(_ edge: Edge, toSegment position: Int, adding: Bool) {
    if adding {
      segments[position].add(edge, markedTag: markedTag)
    } else {
      _ = segments[position].remove(edge, markedTag: markedTag)
    }
  }

  /// The first segment that is not before a window.
  private func segmentPosition(_ window: Int64) -> Int {
    var low = 0
    var high = segments.count
    while low < high {
      let middle = (low + high) / 2
      if segments[middle].window < window { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Lets go of all windows before one; what was in progress then still is.
  public mutating func dropWindows(before window: Int64) {
    guard window > firstWindow else { return }
    let dropped = segmentPosition(window)
    for segment in segments[..<dropped] { base = base + segment.net }
    if dropped > 0 { segments.removeFirst(dropped) }
    knownLevels = 0
    firstWindow = window
  }

  /// Continues a timeline with the edges of one window, as ``edges(inWindow:)`` gave them.
  mutating func restore(window: Int64, edges: [UInt64]) {
    for packed in edges {
      let edge = Edge(packed: packed)
      put(edge.side, grid.start(window).nanoseconds &+ edge.offset, edge.tag, adding: true)
    }
  }

  /// Sets what is in progress before the first kept window so that `current` is what is in progress after all edges.
  mutating func restoreBase(current: Level) {
    let net = segments.reduce(Level()) { $0 + $1.net }
    base = Level(all: current.all &- net.all, marked: current.marked &- net.marked)
    knownLevels = 0
  }

  // MARK: Reading

  /// What is in progress after all edges.
  var current: Level {
    segments.reduce(base) { $0 + $1.net }
  }

  /// The edges of a window in ascending order, packed; empty where there are none.
  func edges(inWindow window: Int64) -> [UInt64] {
    let position = segmentPosition(window)
    guard position < segments.count, segments[position].window == window else { return [] }
    return segments[position].edges
  }

  /// Windows from one on that have edges, or had.
  func windowsWithEdges(from window: Int64) -> [Int64] {
    segments[segmentPosition(window)...].map(\.window)
  }

  /// The windows before a boundary that have edges, or had, and those from `first` on that anything lasted through.
  func windowsInUse(before boundary: Int64, lastingFrom first: Int64) -> [Int64] {
    var windows: [Int64] = []
    var level = base.all
    var next = firstWindow
    for segment in segments where segment.window < boundary {
      if level != 0 { windows += ConcurrencyTimeline.windows(from: max(next, first), before: segment.window) }
      windows.append(segment.window)
      level &+= segment.net.all
      next = segment.window + 1
    }
    if level != 0 { windows += ConcurrencyTimeline.windows(from: max(next, first), before: boundary) }
    return windows
  }

  static func windows(from first: Int64, before end: Int64) -> Range<Int64> { first..<max(first, end) }

  /// The most executions in progress at one instant of a kept window.
  public mutating func peak(inWindow window: Int64) -> Level {
    let (level, position) = levelAtStart(window)
    guard let position else { return level }
    return segments[position].peak(from: level, markedTag: markedTag)
  }

  /// The integral of the number of executions over a kept window, in nanoseconds.
  ///
  /// - Parameter watermark: Executions still running count up to here; later parts of the window count nothing.
  public mutating func integral(inWindow window: Int64, until watermark: Timestamp) -> Int128 {
    let start = grid.start(window)
    let span = min(watermark - start, grid.length).count
    guard span > 0 else { return 0 }
    let (level, position) = levelAtStart(window)
    let constant = Int128(level.all) * Int128(span)
    guard let position else { return constant }
    return constant + segments[position].integral(until: span)
  }

  /// The most executions in progress at one instant of `[from, to)`, which lies within one kept window.
  ///
  /// - Complexity: O(edges of the window).
  mutating func peak(from: Timestamp, to: Timestamp) -> Level {
    let (level, position) = levelAtStart(grid.index(of: from))
    guard let position else { return level }
    let segment = segments[position]
    let span = (from.nanoseconds - segment.start)..<(to.nanoseconds - segment.start)
    var running = level
    var peak: Level?
    for packed in segment.edges {
      let edge = Edge(packed: packed)
      if edge.offset >= span.upperBound { break }
      // Everything up to and at the beginning decides what is in progress there.
      if edge.offset > span.lowerBound && peak == nil { peak = running }
      running = running + edge.change(markedTag)
      peak?.raise(to: running)
    }
    return peak ?? running
  }

  /// What is in progress when a window begins, and the position of its segment.
  private mutating func levelAtStart(_ window: Int64) -> (Level, Int?) {
    let position = segmentPosition(window)
    while knownLevels < min(position + 1, segments.count) {
      segments[knownLevels].levelAtStart =
        knownLevels == 0 ? base : segments[knownLevels - 1].levelAtStart + segments[knownLevels - 1].net
      knownLevels += 1
    }
    if position < segments.count, segments[position].window == window {
      return (segments[position].levelAtStart, position)
    }
    guard position > 0 else { return (base, nil) }
    return (segments[position - 1].levelAtStart + segments[position - 1].net, nil)
  }
}
