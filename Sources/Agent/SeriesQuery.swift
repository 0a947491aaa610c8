internal import Documents
internal import Lifecycle
internal import WindowStore

/// Which columns of which functions a request to `/api/v1/series` asks for.
struct SeriesQuery: Sendable {
  static let functionsLimit = 50
  static let pointsDefault = 200

  /// One for each function, or one for the account. All have the same grid.
  var windows: [WindowQuery]
  /// Each once, in the order in which they were asked for.
  var columns: [SeriesColumn]

  /// - Throws: ``QueryProblem`` that names the parameter, its value and what is valid.
  init(_ items: [(name: String, value: String?)], _ context: WindowQuery.Context) throws(QueryProblem) {
    var functions: [FunctionID] = []
    var rest: [(name: String, value: String?)] = []
    var chosen: [SeriesColumn]?
    for (name, value) in items {
      switch name {
      case "function":
        let function = try FunctionID(parameter: name, value)
        if !functions.contains(function) { functions.append(function) }
        guard functions.count <= Self.functionsLimit else {
          throw QueryProblem(name, value ?? "", "more than \(Self.functionsLimit) functions are asked for")
        }
      case "columns":
        guard chosen == nil else { throw QueryProblem(name, value ?? "", "is given more than once") }
        chosen = try Self.columns(value ?? "")
      default: rest.append((name, value))
      }
    }
    if !rest.contains(where: { $0.name == "points" || $0.name == "resolution" }) {
      rest.append(("points", String(Self.pointsDefault)))
    }
    let grid = try WindowQuery(rest, context)
    windows =
      functions.isEmpty
      ? [grid]
      : functions.map { function in
        var query = grid
        query.function = function
        return query
      }
    columns = chosen ?? SeriesColumn.allCases
    try limitValues(grid, context)
  }

  /// All functions together hold no more windows than one answer may.
  private func limitValues(_ grid: WindowQuery, _ context: WindowQuery.Context) throws(QueryProblem) {
    let rows = (grid.to - grid.from).count / grid.resolution.count * Int64(windows.count)
    guard rows <= Int64(context.rowsLimit) else {
      throw QueryProblem(
        "points", "\(rows / Int64(windows.count))",
        "of \(windows.count) functions are more than \(context.rowsLimit) windows; ask for fewer")
    }
  }

  private static func columns(_ text: String) throws(QueryProblem) -> [SeriesColumn] {
    var columns: [SeriesColumn] = []
    for name in text.split(separator: ",", omittingEmptySubsequences: false) {
      guard let column = SeriesColumn(rawValue: String(name)) else {
        let valid = SeriesColumn.allCases.map(\.rawValue).joined(separator: ", ")
        throw QueryProblem("columns", String(name.prefix(40)), "there is no such column; valid are \(valid)")
      }
      if !columns.contains(column) { columns.append(column) }
    }
    return columns
  }
}
