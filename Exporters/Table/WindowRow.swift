package import Documents
package import Lifecycle

/// What one line of the table stands for.
package enum WindowRow: Equatable {
  /// A window in which something happened.
  case window(WindowDocument)
  /// A window in which nothing happened, by its start.
  case idle(Timestamp)
  /// As many such windows in a row, by the start of the newest.
  case idleRun(newest: Timestamp, count: Int64)

  /// The most windows of a range that all get a line of their own. In a longer range, runs of idle windows share one.
  static let windowsLimit: Int64 = 10_000
  /// The most idle windows that are never folded.
  static let shortRun: Int64 = 3

  /// Every window of the document's range, newest first.
  package static func rows(_ document: WindowsDocument) -> [WindowRow] {
    let length = document.resolution.count
    let windows = document.windows.filter { !$0.isIdle }
    let oldest = index(document.from, length)
    let newest = max(index(document.to - Nanoseconds(1), length), windows.first.map { index($0.start, length) } ?? .min)
    guard newest >= oldest else { return windows.map { .window($0) } }
    let folds = newest - oldest >= windowsLimit
    var rows: [WindowRow] = []
    var next = newest  // the newest window that has no row yet
    for window in windows {
      let position = index(window.start, length)
      appendIdle(next, downTo: position + 1, length, folds, &rows)
      rows.append(.window(window))
      next = min(next, position - 1)
    }
    appendIdle(next, downTo: oldest, length, folds, &rows)
    return rows
  }

  private static func appendIdle(
    _ newest: Int64, downTo oldest: Int64, _ length: Int64, _ folds: Bool, _ rows: inout [WindowRow]
  ) {
    guard newest >= oldest else { return }
    if folds && newest - oldest >= shortRun {
      rows.append(.idleRun(newest: Timestamp(nanoseconds: newest * length), count: newest - oldest + 1))
    } else {
      for index in (oldest...newest).reversed() { rows.append(.idle(Timestamp(nanoseconds: index * length))) }
    }
  }

  /// Windows are counted from the epoch.
  private static func index(_ time: Timestamp, _ length: Int64) -> Int64 {
    let (quotient, remainder) = time.nanoseconds.quotientAndRemainder(dividingBy: length)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
