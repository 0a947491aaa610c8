internal import Lifecycle
internal import WindowStore
internal import Windows

/// Combines final windows from the store with open ones in memory, so that every window counts once.
enum WindowAnswer {
  /// - Parameters:
  ///   - memory: Windows of the first tier of all scopes, taken before `stored` was read: a window that became final in
  ///     between is in both, and then the store's is used.
  ///   - closed: Windows that end at or before it are closed.
  /// - Returns: In ascending order of start.
  static func merge(
    _ query: WindowQuery, memory: [WindowRollup], stored: FinalWindows, closedBefore closed: Timestamp
  ) -> [WindowRollup] {
    let grid = WindowGrid(length: query.resolution)
    var rollups = stored.rollups
    for window in memory where window.start >= query.from && window.start < query.to {
      guard !stored.keys.contains(WindowKey(scope: window.scope, start: window.start)) else { continue }
      let start = grid.start(grid.index(of: window.start))
      switch (query.scope, window.scope) {
      case (.account, .function): rollups[start, default: Rollup()].tally.merge(window.rollup.tally)
      case (let asked, let scope) where asked == scope: rollups[start, default: Rollup()].merge(window.rollup)
      default: break
      }
    }
    return rollups.filter { !$0.value.isEmpty }.sorted { $0.key < $1.key }.map { start, rollup in
      WindowRollup(
        scope: query.scope, start: start, length: query.resolution, isClosed: start + query.resolution <= closed,
        rollup: rollup)
    }
  }
}
