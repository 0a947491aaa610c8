import Lifecycle

/// Finished invocations of which nothing was known before their ends, and that are not counted yet.
///
/// Counted one by one, each would touch the tallies, distributions and timelines of another function; sorted by function, all of one
/// function's are counted in one visit.
struct FinishedInvocations: Sendable {
  /// An invocation, and where it belongs.
  struct Row: Sendable {
    var finished: InvocationFinished
    var position: Int
    /// The window of its start.
    var window: Int64
  }

  /// How many are gathered before they are counted.
  static let limit = 1 << rowBits
  /// How many are worth sorting; they fit into the processor's cache.
  private static let least = 8_192
  private static let rowBits = 16
  private static let windowBits = 24
  /// What a key of the sort has room for: positions of functions, and windows from the first one on.
  private static let keyLimit = 1 << windowBits

  private var rows: [Row] = []
  /// What they are sorted by, kept for its room.
  private var keys: [UInt64] = []
  /// The least window of `rows`, and the greatest.
  private var windows = (first: Int64.max, last: Int64.min)

  var isEmpty: Bool { rows.isEmpty }

  /// Adds an invocation.
  ///
  /// - Returns: Whether there is room for it.
  @inline(__always)
  mutating func append(_ finished: InvocationFinished, _ position: Int, inWindow window: Int64) -> Bool {
    guard rows.count < FinishedInvocations.limit, position < FinishedInvocations.keyLimit else { return false }
    let (first, last) = (min(windows.first, window), max(windows.last, window))
    guard last - first < FinishedInvocations.keyLimit else { return false }
    windows = (first, last)
    rows.append(Row(finished: finished, position: position, window: window))
    return true
  }

  /// Whether there are so many that each of so many functions has several of them, if they are spread evenly.
  func isPlenty(functions: Int) -> Bool { rows.count >= max(FinishedInvocations.least, functions * 8) }

  /// Moves all to columns, in ascending order of function and then of window; those of one window of a function in the order in which
  /// they came.
  mutating func move(to columns: inout FinishedColumns) {
    // Sorting keys with the numbers of their rows moves an eighth of the memory.
    keys.removeAll(keepingCapacity: true)
    keys.reserveCapacity(rows.count)
    for number in rows.indices {
      let window = UInt64(truncatingIfNeeded: rows[number].window &- windows.first)
      keys.append(
        UInt64(truncatingIfNeeded: rows[number].position)
          << UInt64(FinishedInvocations.rowBits + FinishedInvocations.windowBits)
          | window << UInt64(FinishedInvocations.rowBits) | UInt64(truncatingIfNeeded: number))
    }
    EdgeSort.sort(&keys, fromBit: FinishedInvocations.rowBits)
    columns.fill(rows.span, keys.span, numbersBelow: FinishedInvocations.limit)
    windows = (first: .max, last: .min)
    // The room of a burst is given back.
    let isKept = rows.count * 4 >= rows.capacity
    rows.removeAll(keepingCapacity: isKept)
    keys.removeAll(keepingCapacity: isKept)
  }
}

/// Finished invocations with what is computed of each once for all that it is added to.
struct FinishedColumns: Sendable {
  /// Invocations of one function whose starts lie in one window.
  struct Run {
    var position: Int
    var window: Int64
    var rows: Range<Int>
  }

  private(set) var finished: [InvocationFinished] = []
  private(set) var ends: [Timestamp] = []
  /// The cells of their durations; -1 for zero.
  private(set) var durationCells: [Int16] = []
  /// The cells of the memory that was used; -1 where it is not known.
  private(set) var memoryCells: [Int16] = []
  private(set) var runs: [Run] = []

  /// Takes other rows in the place of its own.
  ///
  /// - Parameters:
  ///   - keys: The order of the rows; the bits below `limit` of each are the number of a row.
  ///   - limit: A power of two.
  fileprivate mutating func fill(_ rows: Span<FinishedInvocations.Row>, _ keys: Span<UInt64>, numbersBelow limit: Int) {
    removeAll(reserving: keys.count)
    var run = Run(position: -1, window: 0, rows: 0..<0)
    for place in keys.indices {
      let number = Int(truncatingIfNeeded: keys[place] & UInt64(limit - 1))
      let (position, window) = (rows[number].position, rows[number].window)
      if position != run.position || window != run.window {
        if place > 0 { runs.append(run) }
        run = Run(position: position, window: window, rows: place..<place)
      }
      run.rows = run.rows.lowerBound..<place + 1
      finished.append(rows[number].finished)
    }
    if !keys.isEmpty { runs.append(run) }
    FinishedColumns.fill(&ends, finished) { $0.end }
    let durations = BucketLayout.of(.duration)
    FinishedColumns.fill(&durationCells, finished) { finished in
      let duration = finished.duration.count
      return duration > 0 ? Int16(truncatingIfNeeded: durations.cell(duration)) : -1
    }
    let bytes = BucketLayout.of(.bytes)
    FinishedColumns.fill(&memoryCells, finished) { finished in
      let memory = finished.memoryUsedBytes
      return memory > 0 ? Int16(truncatingIfNeeded: bytes.cell(memory)) : -1
    }
  }

  @inline(__always)
  private static func fill<Element>(
    _ column: inout [Element], _ finished: [InvocationFinished], _ value: (borrowing InvocationFinished) -> Element
  ) {
    for place in finished.indices { column.append(value(finished[place])) }
  }

  private mutating func removeAll(reserving count: Int) {
    let isKept = count * 4 >= finished.capacity
    finished.removeAll(keepingCapacity: isKept)
    ends.removeAll(keepingCapacity: isKept)
    durationCells.removeAll(keepingCapacity: isKept)
    memoryCells.removeAll(keepingCapacity: isKept)
    runs.removeAll(keepingCapacity: isKept)
    finished.reserveCapacity(count)
    ends.reserveCapacity(count)
    durationCells.reserveCapacity(count)
    memoryCells.reserveCapacity(count)
  }

  /// Whether an invocation ended later than another one; of two at one instant, whether its request is the greater.
  @inline(__always) func isNewer(_ row: Int, than other: Int) -> Bool {
    if ends[row] != ends[other] { return ends[row] > ends[other] }
    return finished[row].request > finished[other].request
  }
}
