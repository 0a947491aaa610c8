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
    var live = stored.rollups
    var imported = stored.imported
    var liveKeys: Set<WindowKey> = []
    func add(_ rollup: Rollup, of scope: Scope, at start: Timestamp, to rollups: inout [Timestamp: Rollup]) {
      let start = grid.start(grid.index(of: start))
      switch (query.scope, scope) {
      case (.account, .function): rollups[start, default: Rollup()].tally.merge(rollup.tally)
      case (let asked, let scope) where asked == scope: rollups[start, default: Rollup()].merge(rollup)
      default: break
      }
    }
    for window in memory where window.start >= query.from && window.start < query.to {
      let key = WindowKey(scope: window.scope, start: window.start)
      if !window.rollup.isEmpty { liveKeys.insert(key) }
      guard !stored.keys.contains(key) else { continue }
      add(window.rollup, of: window.scope, at: window.start, to: &live)
    }
    for (key, rollup) in stored.importedRecently where !liveKeys.contains(key) {
      add(rollup, of: key.scope, at: key.start, to: &imported)
    }
    return WindowReader.windows(live, imported, query.selection, closedBefore: closed)
  }
}
