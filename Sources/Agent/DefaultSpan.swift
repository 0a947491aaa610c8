internal import Lifecycle
internal import Windows

/// The span of a query that names none: from the oldest data, at most twelve hours back. The length of a window follows
/// from it, unless the query sets one.
enum DefaultSpan {
  /// Reads the windows of a query.
  ///
  /// - Parameter read: The windows of a query in ascending order of start, without those in which nothing happened.
  /// - Returns: The query with the span that it was given, and its windows.
  static func answer(
    _ items: [(name: String, value: String?)], _ context: WindowQuery.Context,
    _ read: (WindowQuery) throws -> [WindowRollup]
  ) throws -> (query: WindowQuery, rollups: [WindowRollup]) {
    var query = try WindowQuery(items, context)
    var rollups = try read(query)
    guard !items.contains(where: { ["range", "from", "to", "points"].contains($0.name) }) else {
      return (query, rollups)
    }
    // Shorter windows tell better where data begins; each step asks for less than the one before.
    while let first = rollups.first?.start {
      let closer = try WindowQuery(items, context, from: first)
      guard closer.resolution < query.resolution else { break }
      query = closer
      rollups = try read(query)
    }
    if rollups.isEmpty { query = try WindowQuery(items, context, from: context.now) }
    if let first = rollups.first?.start { query.from = first }
    return (query, rollups)
  }
}
