import Lifecycle
import Windows

extension Benchmark {
  /// The maximum of a window with 600,000 edges, read after a late execution was added.
  static let timeline = Benchmark(name: "timeline") {
    let origin: Int64 = 1_795_428_000 * 1_000_000_000
    let grid = WindowGrid(length: .seconds(60))
    let window = grid.index(of: Timestamp(nanoseconds: origin))
    var timeline = ConcurrencyTimeline(grid: grid)
    var random = Random(state: 1)
    func insert(_ start: Int64, longest: Int64) {
      let end = start + Int64.random(in: 0..<longest, using: &random)
      timeline.insert(from: Timestamp(nanoseconds: start), to: Timestamp(nanoseconds: end))
    }
    for index in 0..<Int64(300_000) { insert(origin + index * 190_000, longest: 100_000_000) }
    var peak = timeline.peak(inWindow: window)
    var reads: [Double] = []
    for _ in 0..<1_001 {
      insert(origin + Int64.random(in: 0..<50_000_000_000, using: &random), longest: 5_000_000_000)
      reads.append(Cost.of { peak = timeline.peak(inWindow: window) }.nanoseconds / 1e3)
    }
    precondition(peak.all > 100, "BUG: a peak of \(peak.all)")
    reads.sort()
    return [
      Figure(
        name: "maximum of 600,000 edges after a late insert, median", value: reads[500], unit: "us",
        target: .atMost(50)),
      Figure(name: "the same, 99th percentile", value: reads[990], unit: "us", target: .none),
    ]
  }
}
