import Lifecycle
import TestSupport
import Testing

@testable import Windows

/// Timelines with thousands of edges a window, so that gathering, merging, scattering and splitting are all met.
@Suite struct `Concurrency timeline tests` {
  static let length: Int64 = 1_000_000
  static let grid = WindowGrid(length: Nanoseconds(length))
  static let windows: ClosedRange<Int64> = -1...3

  struct Execution: Equatable {
    var start: Int64
    /// Exclusive; `nil` while it lasts.
    var end: Int64?
    var tag: UInt8

    func contains(_ instant: Int64) -> Bool { start <= instant && instant < (end.map { max($0, start + 1) } ?? .max) }
  }

  struct Story: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var executions: Int
    /// How long executions last at most.
    var lasting: Int64
    /// Instants are multiples of it, so that ends and starts meet.
    var grain: Int64
    /// How many executions late an execution may arrive.
    var disorder: Int
    /// Of a hundred executions, how many have no end.
    var running = 2
  }

  static let stories = [
    Story(testDescription: "short, in order", executions: 4_000, lasting: 400, grain: 1, disorder: 0),
    Story(testDescription: "short, almost in order", executions: 4_000, lasting: 400, grain: 1, disorder: 40),
    Story(testDescription: "short, a thousand late", executions: 4_000, lasting: 400, grain: 1, disorder: 1_000),
    Story(testDescription: "short, in any order", executions: 4_000, lasting: 400, grain: 1, disorder: 4_000),
    Story(
      testDescription: "over windows, in any order", executions: 5_000, lasting: 2_500_000, grain: 1, disorder: 5_000),
    Story(testDescription: "on few instants", executions: 5_000, lasting: 200_000, grain: 50_000, disorder: 5_000),
    Story(testDescription: "without length", executions: 3_000, lasting: 1, grain: 500, disorder: 3_000, running: 0),
  ]

  private func executions(_ story: Story, _ random: inout SplitMix) -> [Execution] {
    var executions: [Execution] = []
    for _ in 0..<story.executions {
      let start = Int64.random(in: 0..<(3 * Self.length), using: &random) / story.grain * story.grain
      let duration = Int64.random(in: -5..<story.lasting, using: &random) / story.grain * story.grain
      let lasts = Int.random(in: 0..<100, using: &random) < story.running
      executions.append(
        Execution(start: start, end: lasts ? nil : start + duration, tag: UInt8.random(in: 0...3, using: &random)))
    }
    executions.sort { ($0.end ?? $0.start) < ($1.end ?? $1.start) }
    let keyed = executions.indices.map { position in
      (position + (story.disorder > 0 ? Int.random(in: 0..<story.disorder, using: &random) : 0), executions[position])
    }
    return keyed.sorted { $0.0 < $1.0 }.map(\.1)
  }

  private func insert(_ execution: Execution, _ timeline: inout ConcurrencyTimeline) {
    let start = Timestamp(nanoseconds: execution.start)
    timeline.insertStart(start, tag: execution.tag)
    if let end = execution.end { timeline.insertEnd(Timestamp(nanoseconds: end), start: start, tag: execution.tag) }
  }

  private func remove(_ execution: Execution, _ timeline: inout ConcurrencyTimeline) {
    let start = Timestamp(nanoseconds: execution.start)
    timeline.removeStart(start, tag: execution.tag)
    if let end = execution.end { timeline.removeEnd(Timestamp(nanoseconds: end), start: start, tag: execution.tag) }
  }

  /// Peaks by counting every start and end once, in order of time: written apart from the timeline, and plainly.
  private func peak(_ executions: [Execution], _ from: Int64, _ to: Int64) -> Int64 {
    var changes: [Int64: Int64] = [:]
    var running: Int64 = 0
    for execution in executions {
      let end = execution.end.map { max($0, execution.start + 1) } ?? .max
      if execution.start <= from && end > from { running += 1 }
      if execution.start > from && execution.start < to { changes[execution.start, default: 0] += 1 }
      if end > from && end < to { changes[end, default: 0] -= 1 }
    }
    var peak = running
    for instant in changes.keys.sorted() {
      running += changes[instant] ?? 0
      peak = max(peak, running)
    }
    return peak
  }

  private func integral(_ executions: [Execution], _ window: Int64, _ watermark: Int64) -> Int128 {
    let (from, to) = (window * Self.length, min((window + 1) * Self.length, watermark))
    return executions.reduce(0) { sum, execution in
      let end = min(execution.end.map { max($0, execution.start + 1) } ?? .max, to)
      return sum + Int128(max(0, end - max(execution.start, from)))
    }
  }

  private func expect(
    _ timeline: inout ConcurrencyTimeline, _ executions: [Execution], from first: Int64 = windows.lowerBound,
    _ place: SourceLocation = #_sourceLocation
  ) {
    let marked = executions.filter { $0.tag == 1 }
    for window in first...Self.windows.upperBound {
      let (from, to) = (window * Self.length, (window + 1) * Self.length)
      let level = timeline.peak(inWindow: window)
      #expect(level.all == peak(executions, from, to), "window \(window)", sourceLocation: place)
      #expect(level.marked == peak(marked, from, to), "window \(window)", sourceLocation: place)
      for watermark in [from, from + 333_333, to + 5] {
        #expect(
          timeline.integral(inWindow: window, until: Timestamp(nanoseconds: watermark))
            == integral(executions, window, watermark), "window \(window) until \(watermark)", sourceLocation: place)
      }
    }
    #expect(timeline.current.all == Int64(executions.count { $0.end == nil }), sourceLocation: place)
  }

  @Test(arguments: stories)
  func `peaks and integrals are those of a plain count`(_ story: Story) {
    var random = SplitMix(seed: 11)
    let executions = executions(story, &random)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    for execution in executions { insert(execution, &timeline) }
    expect(&timeline, executions)
  }

  @Test(arguments: stories)
  func `reading in between changes nothing`(_ story: Story) {
    var random = SplitMix(seed: 12)
    let executions = executions(story, &random)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    for (count, execution) in executions.enumerated() {
      insert(execution, &timeline)
      if count % 271 == 0 { _ = timeline.peak(inWindow: Int64.random(in: 0...2, using: &random)) }
      if count % 1_501 == 1_500 { expect(&timeline, Array(executions[...count])) }
    }
    expect(&timeline, executions)
  }

  @Test(arguments: stories)
  func `what is taken back leaves no trace`(_ story: Story) {
    var random = SplitMix(seed: 13)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    var left: [Execution] = []
    for (count, execution) in executions(story, &random).enumerated() {
      insert(execution, &timeline)
      left.append(execution)
      if count % 3 == 0 { remove(left.remove(at: Int.random(in: 0..<left.count, using: &random)), &timeline) }
    }
    expect(&timeline, left)
    while let last = left.popLast(), left.count > 50 { remove(last, &timeline) }
    left = []
    var emptied = timeline
    for window in Self.windows { #expect(emptied.peak(inWindow: window).all <= 51) }
  }

  @Test(arguments: stories)
  func `chunks that emptied are dealt anew without repeating an edge`(_ story: Story) {
    var random = SplitMix(seed: 17)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    var left: [Execution] = []
    let all = executions(story, &random)
    for execution in all { insert(execution, &timeline) }
    // Most of them go, so that chunks are nearly empty when what is left is merged with a few more.
    for execution in all {
      if Int.random(in: 0..<10, using: &random) < 8 { remove(execution, &timeline) } else { left.append(execution) }
    }
    expect(&timeline, left)
    for execution in executions(story, &random).prefix(40) {
      insert(execution, &timeline)
      left.append(execution)
      _ = timeline.peak(inWindow: 2)
    }
    expect(&timeline, left)
  }

  @Test(arguments: stories)
  func `dropped windows leave what was in progress`(_ story: Story) {
    var random = SplitMix(seed: 14)
    let executions = executions(story, &random)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    for (count, execution) in executions.enumerated() {
      insert(execution, &timeline)
      if count == executions.count / 2 { timeline.dropWindows(before: 1) }
    }
    expect(&timeline, executions, from: 1)
    timeline.dropWindows(before: 2)
    timeline.dropWindows(before: 0)
    expect(&timeline, executions, from: 2)
  }

  @Test(arguments: stories)
  func `the peak of any stretch of a window is that of a plain count`(_ story: Story) {
    var random = SplitMix(seed: 15)
    let executions = executions(story, &random)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    for execution in executions { insert(execution, &timeline) }
    for _ in 0..<12 {
      let window = Int64.random(in: 0...2, using: &random)
      let from = window * Self.length + Int64.random(in: 0..<Self.length, using: &random) / 50_000 * 50_000
      let to = Int64.random(in: (from + 1)...((window + 1) * Self.length), using: &random)
      let level = timeline.peak(from: Timestamp(nanoseconds: from), to: Timestamp(nanoseconds: to))
      #expect(level.all == peak(executions, from, to), "\(from)..<\(to)")
    }
  }

  @Test(arguments: stories)
  func `a timeline restored from its edges is the same`(_ story: Story) {
    var random = SplitMix(seed: 16)
    let executions = executions(story, &random)
    var timeline = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    for execution in executions { insert(execution, &timeline) }
    timeline.dropWindows(before: 1)
    var restored = ConcurrencyTimeline(grid: Self.grid, markedTag: 1)
    restored.dropWindows(before: 1)
    for window in timeline.windowsWithEdges(from: .min).reversed() {
      restored.restore(window: window, edges: timeline.edges(inWindow: window))
    }
    restored.restoreBase(current: timeline.current)
    expect(&restored, executions, from: 1)
  }

  struct EdgeCase: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var spans: [(Int64, Int64)]
    /// By window, from 0.
    var peaks: [Int64]
  }

  @Test(arguments: [
    EdgeCase(testDescription: "an end and a start at one instant", spans: [(10, 20), (20, 30)], peaks: [1, 0]),
    EdgeCase(testDescription: "an end with its window", spans: [(10, 1_000_000)], peaks: [1, 0]),
    EdgeCase(testDescription: "an end a nanosecond later", spans: [(10, 1_000_001)], peaks: [1, 1]),
    EdgeCase(testDescription: "a start with a window", spans: [(1_000_000, 1_000_001)], peaks: [0, 1]),
    EdgeCase(
      testDescription: "one window's end is the next one's start", spans: [(0, 1_000_000), (1_000_000, 2_000_000)],
      peaks: [1, 1, 0]),
    EdgeCase(testDescription: "no length at a window's last instant", spans: [(999_999, 999_999)], peaks: [1, 0]),
    EdgeCase(testDescription: "no length twice at one instant", spans: [(5, 5), (5, 5)], peaks: [2]),
    EdgeCase(testDescription: "an end before its start", spans: [(50, 40), (51, 60)], peaks: [1]),
    EdgeCase(testDescription: "before the epoch", spans: [(-1, 1)], peaks: [1]),
    EdgeCase(testDescription: "over three windows", spans: [(999_999, 2_000_001), (5, 6)], peaks: [1, 1, 1, 0]),
  ])
  func `a window's peak counts half-open spans`(_ given: EdgeCase) {
    for spans in [given.spans, given.spans.reversed()] {
      var timeline = ConcurrencyTimeline(grid: Self.grid)
      for (start, end) in spans {
        timeline.insert(from: Timestamp(nanoseconds: start), to: Timestamp(nanoseconds: end))
      }
      for (window, peak) in given.peaks.enumerated() {
        #expect(timeline.peak(inWindow: Int64(window)).all == peak, "window \(window)")
      }
    }
  }

  @Test func `an execution at the end of time does not trap`() {
    var timeline = ConcurrencyTimeline(grid: Self.grid)
    timeline.insert(from: Timestamp(nanoseconds: .max), to: Timestamp(nanoseconds: .max))
    timeline.insert(from: Timestamp(nanoseconds: 0), to: Timestamp(nanoseconds: .max))
    #expect(timeline.peak(inWindow: 0).all == 1)
  }
}
