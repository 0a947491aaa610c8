import Lifecycle

/// Counting finished invocations, which are nearly all of the events, many at once.
extension Scopes {
  /// Takes an invocation of which nothing was known before its end, to be counted before anything is read.
  ///
  /// - Parameter window: That of its start; not final.
  /// - Returns: Whether it was taken; if not, it is to be counted by itself.
  @inline(__always)
  mutating func take(_ invocation: InvocationFinished, _ position: Int, inWindow window: Int64) -> Bool {
    if !finished.isPlenty(functions: functions.count), finished.append(invocation, position, inWindow: window) {
      return true
    }
    countFinished()
    return finished.append(invocation, position, inWindow: window)
  }

  /// Counts a finished invocation of which something was known before its end, or that comes after its window was final, but for
  /// timelines.
  mutating func count(_ sample: FinishedSample, _ position: Int) {
    functions[position].exemplars.note(sample)
    functions[position].endedPeaks.add(
      grid.index(of: sample.end),
      EndedPeaks(duration: sample.finished.duration, memoryUsedBytes: sample.finished.memoryUsedBytes))
    count(position, at: sample.finished.start) { $0.add(sample) }
  }

  /// Counts the invocations that were taken. Whatever reads what is counted does so first.
  mutating func countFinished() {
    guard !finished.isEmpty else { return }
    var columns = FinishedColumns()
    swap(&columns, &finishedColumns)
    finished.move(to: &columns)
    var edges = EdgeRun()
    for run in columns.runs { count(columns, run, &edges) }
    account.timelines.executions.settleGathered()
    swap(&columns, &finishedColumns)
  }

  private mutating func count(_ columns: FinishedColumns, _ run: FinishedColumns.Run, _ edges: inout EdgeRun) {
    let start = grid.start(run.window).nanoseconds
    let length = grid.length.count
    var nanoseconds: Int128 = 0
    var peaks: EndedPeaks?
    // Executions that end in a later window, which are few.
    var lasting: [Int] = []
    edges.refill(most: 2 * run.rows.count) { add in
      for row in run.rows {
        let (begin, end) = (columns.finished[row].start, columns.ends[row])
        let tag = columns.finished[row].pool.rawValue
        nanoseconds += Int128(end.nanoseconds - begin.nanoseconds)
        add(Edge(offset: begin.nanoseconds - start, side: .start, tag: tag))
        guard end.nanoseconds - start < length else {
          lasting.append(row)
          continue
        }
        add(Edge(offset: ConcurrencyTimeline.end(end, begin) - start, side: .end, tag: tag))
        let ended = EndedPeaks(
          duration: columns.finished[row].duration, memoryUsedBytes: columns.finished[row].memoryUsedBytes)
        peaks = peaks.map { $0.merged(ended) } ?? ended
      }
    }
    if let peaks { functions[run.position].endedPeaks.add(run.window, peaks) }
    let last = countEnds(columns, lasting, run)
    functions[run.position].count(
      columns, run.rows, edges, nanoseconds: nanoseconds, inWindow: run.window, through: last)
    account.timelines.executions.insert(edges, inWindow: run.window)
    account.timelines.touch(run.window, through: last)
  }

  /// Counts the ends of executions that lie in later windows than their starts.
  ///
  /// - Returns: The last window in which one lies.
  private mutating func countEnds(_ columns: FinishedColumns, _ rows: [Int], _ run: FinishedColumns.Run) -> Int64 {
    var last = run.window
    for row in rows {
      let (finished, end) = (columns.finished[row], columns.ends[row])
      changeTimelines(.executions, of: run.position) {
        $0.insertEnd(end, start: finished.start, tag: finished.pool.rawValue)
      }
      let window = grid.index(of: end)
      last = max(last, window)
      functions[run.position].endedPeaks.add(
        window, EndedPeaks(duration: finished.duration, memoryUsedBytes: finished.memoryUsedBytes))
    }
    return last
  }
}
