public import Lifecycle

extension Resolution {
  /// Lengths that people read time in; each tier of a store divides those above it.
  private static let round: [Int64] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 10_800, 14_400, 21_600, 28_800, 43_200, 86_400,
    172_800, 345_600, 604_800,
  ]

  /// The least round multiple of `window` of which at most `points` fill a range.
  public static func fitting(_ range: Nanoseconds, points: Int64, window: Nanoseconds) -> Nanoseconds {
    precondition(points > 0 && window > .zero, "BUG: \(points) points of windows of \(window)")
    let least = max(window, Nanoseconds((max(range, Nanoseconds(1)).count - 1) / points + 1))
    let lengths = round.lazy.map { Nanoseconds.seconds($0) }
    return lengths.first { $0 >= least && $0.count % window.count == 0 } ?? rounded(least, to: window)
  }
}
