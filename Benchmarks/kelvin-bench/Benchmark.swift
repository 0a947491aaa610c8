import CAllocationCounter
import Glibc

/// Something that is measured.
struct Benchmark: Sendable {
  var name: String
  var run: @Sendable () -> [Figure]
}

/// One number that was measured.
struct Figure: Sendable {
  var name: String
  var value: Double
  var unit: String
  var target: Target

  enum Target: Sendable {
    case atMost(Double)
    case atLeast(Double)
    /// Only shown.
    case none
  }

  var isMet: Bool? {
    switch target {
    case .atMost(let bound): value <= bound
    case .atLeast(let bound): value >= bound
    case .none: nil
    }
  }
}

/// What it took to do something.
struct Cost {
  /// Processor time of the process, in nanoseconds.
  var nanoseconds: Double
  var allocations: UInt64

  static func of(_ work: () -> Void) -> Cost {
    let allocations = allocation_count()
    let start = processorTime()
    work()
    return Cost(nanoseconds: Double(processorTime() - start), allocations: allocation_count() - allocations)
  }

  /// The cheapest of several runs, which disturbs the figure least on a machine that others use too.
  static func least(ofRuns runs: Int, _ work: () -> Void) -> Cost {
    var least = of(work)
    for _ in 1..<max(2, runs) {
      let cost = of(work)
      least.nanoseconds = min(least.nanoseconds, cost.nanoseconds)
      least.allocations = min(least.allocations, cost.allocations)
    }
    return least
  }

  private static func processorTime() -> Int64 {
    var time = timespec()
    // SAFETY: `time` lives for the call; the clock always exists.
    unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }
}

/// The table of all figures.
enum Report {
  static func text(_ figures: [Figure]) -> String {
    let rows =
      [["Benchmark", "Measured", "Wanted", ""]]
      + figures.map { figure in
        [figure.name, "\(number(figure.value)) \(figure.unit)", wanted(figure), verdict(figure)]
      }
    let widths = (0..<4).map { column in rows.map { $0[column].count }.max() ?? 0 }
    return rows.map { row in
      let padding = (0..<4).map { String(repeating: " ", count: widths[$0] - row[$0].count) }
      let line = "\(row[0])\(padding[0])  \(padding[1])\(row[1])  \(padding[2])\(row[2])  \(row[3])"
      return String(line.reversed().drop { $0 == " " }.reversed()) + "\n"
    }.joined()
  }

  private static func wanted(_ figure: Figure) -> String {
    switch figure.target {
    case .atMost(let bound): "at most \(number(bound)) \(figure.unit)"
    case .atLeast(let bound): "at least \(number(bound)) \(figure.unit)"
    case .none: ""
    }
  }

  private static func verdict(_ figure: Figure) -> String {
    figure.isMet.map { $0 ? "met" : "MISSED" } ?? ""
  }

  private static func number(_ value: Double) -> String {
    if value >= 100 || value == value.rounded() { return String(Int64(value.rounded())) }
    let hundredths = Int64((value * 100).rounded())
    let fraction = String(hundredths % 100)
    return "\(hundredths / 100).\(fraction.count < 2 ? "0" : "")\(fraction)"
  }
}
