/// A row of bars, one character each.
package enum Sparkline {
  private static let bars: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

  /// A bar for each value, from 0 to the largest of them (or `top`, if that is larger); a dot for 0, a blank for none.
  ///
  /// What is not 0 has a bar, however small it is beside the largest.
  package static func text(_ values: [Double?], top: Double = 0) -> String {
    let top = values.reduce(top) { max($0, $1 ?? 0) }
    return String(
      values.map { value -> Character in
        guard let value else { return " " }
        guard value > 0, top > 0 else { return "·" }
        let level = Int((min(value / top, 1) * Double(bars.count)).rounded(.up))
        return bars[min(max(level, 1), bars.count) - 1]
      })
  }

  /// Values by position, folded so that they fit `width` cells: as many positions to a cell as it takes, and the same
  /// positions to the same cell whichever is the newest.
  ///
  /// - Parameters:
  ///   - values: By position.
  ///   - positions: The positions to show, counted from the epoch; there are none before 0.
  ///   - merge: How two values of one cell become one: `max` for maxima, `+` for sums.
  /// - Returns: The cells, oldest first, and how many positions a whole one holds.
  package static func folded(
    _ values: [Int64: Double], _ positions: ClosedRange<Int64>, width: Int, _ merge: (Double, Double) -> Double
  ) -> (cells: [Double?], positionsPerCell: Int64) {
    let (oldest, newest) = (max(0, positions.lowerBound), positions.upperBound)
    guard width > 0, newest >= oldest else { return ([], 1) }
    var size = max(1, (newest - oldest) / Int64(width))
    while newest / size - oldest / size + 1 > Int64(width) { size += 1 }
    let first = oldest / size
    let count = Int(newest / size - first + 1)
    var cells = [Double?](repeating: nil, count: count)
    for (position, value) in values where position >= oldest && position <= newest {
      let cell = Int(position / size - first)
      cells[cell] = cells[cell].map { merge($0, value) } ?? value
    }
    return (cells, size)
  }
}
