internal import Text
internal import Documents
internal import Lifecycle
internal import WindowStore
internal import Windows

/// Which windows a request asks for, and from where they are read: the parameters of `/api/v1/windows`, understood.
struct WindowQuery: Sendable, Hashable {
  /// `nil`: an event source or the account.
  var function: FunctionID?
  /// `nil`: a function or the account.
  var source: EventSourceID?
  /// The start of the first window; a multiple of the resolution.
  var from: Timestamp
  /// The end of the last window; a multiple of the resolution.
  var to: Timestamp
  /// The length of the windows of the answer.
  var resolution: Nanoseconds
  /// The length of the stored windows to fold.
  var tier: Nanoseconds

  /// The facts that a query is checked against.
  struct Context {
    var now: Timestamp
    var retention: Retention
    var rowsLimit: Int

    var window: Nanoseconds { retention.tiers[0].length }
  }

  /// The range when none is given.
  static let rangeDefault = Nanoseconds.seconds(12 * 3_600)

  /// - Parameter start: Where the span begins, which then ends now, for a query that names none.
  /// - Throws: ``QueryProblem`` that names the parameter, its value and what is valid.
  init(
    _ items: [(name: String, value: String?)], _ context: Context, from start: Timestamp? = nil
  ) throws(QueryProblem) {
    let parameters = try Parameters(items)
    function = try parameters.function()
    source = try parameters.source()
    var (first, end) = try parameters.span(now: context.now)
    if let start { (first, end) = (min(start, context.now), context.now + Nanoseconds(1)) }
    let asked = try WindowQuery.length(parameters, of: end - first, window: context.window)
    tier = WindowQuery.tier(resolution: asked, from: first, context)
    // Windows that are kept only in a coarser tier cannot be divided again.
    resolution = Resolution.rounded(asked, to: tier)
    let grid = WindowGrid(length: resolution)
    from = grid.start(grid.index(of: first))
    to = grid.end(grid.index(of: end - Nanoseconds(1)))
    let rows = (to - from).count / resolution.count
    guard rows <= Int64(context.rowsLimit) else {
      let least = Resolution.rounded(
        Nanoseconds((end - first).count / Int64(max(1, context.rowsLimit - 1)) + 1), to: context.window)
      throw QueryProblem(
        "resolution", parameters["resolution"] ?? "(none)",
        """
        the span holds \(rows) windows of \(DurationText.text(nanoseconds: resolution.count)), more than \
        \(context.rowsLimit); ask for a resolution of \(DurationText.text(nanoseconds: least.count)) or more, or for a \
        shorter range
        """)
    }
  }

  /// The length of window that is asked for, or that suits the range.
  private static func length(
    _ parameters: Parameters, of range: Nanoseconds, window: Nanoseconds
  ) throws(QueryProblem) -> Nanoseconds {
    let points = try parameters.points()
    if let resolution = try parameters.resolution(window: window) { return resolution }
    if let points { return Resolution.fitting(range, points: points, window: window) }
    return Resolution.suited(to: range, window: window)
  }

  /// The tier that gives the resolution at the least cost; where none does any more, the finest one that still holds
  /// windows of that age.
  private static func tier(resolution: Nanoseconds, from: Timestamp, _ context: Context) -> Nanoseconds {
    let suited = context.retention.tier(resolution: resolution, from: from, now: context.now).length
    guard resolution.count % suited.count != 0 else { return suited }
    let finest = context.retention.tiers.first { from >= context.retention.horizon(of: $0, now: context.now) }
    return finest?.length ?? suited
  }

  var scope: Scope { source.map(Scope.source) ?? function.map(Scope.function) ?? .account }

  var selection: WindowSelection {
    WindowSelection(scope: scope, from: from, to: to, tier: tier, resolution: resolution)
  }
}

/// A problem with a parameter.
struct QueryProblem: Error, Hashable {
  var parameter: String
  var value: String
  /// What is valid instead.
  var valid: String

  init(_ parameter: String, _ value: String, _ valid: String) {
    self.parameter = parameter
    self.value = value
    self.valid = valid
  }

  var message: String { "\(parameter)=\(value): \(valid)" }
}

private struct Parameters {
  private static let names =
    ["function"] + Trigger.eventSources.map(\.sourceMember) + ["range", "resolution", "points", "from", "to"]
  private var values: [String: String] = [:]

  init(_ items: [(name: String, value: String?)]) throws(QueryProblem) {
    for (name, value) in items {
      guard Parameters.names.contains(name) else {
        throw QueryProblem(
          name, value ?? "", "there is no such parameter; valid are \(Parameters.names.joined(separator: ", "))")
      }
      guard values[name] == nil else { throw QueryProblem(name, value ?? "", "is given more than once") }
      guard let value, !value.isEmpty else { throw QueryProblem(name, "", "has no value") }
      values[name] = value
    }
  }

  subscript(_ name: String) -> String? { values[name] }

  /// `name`, or `name:version`.
  func function() throws(QueryProblem) -> FunctionID? {
    guard let text = values["function"] else { return nil }
    return try FunctionID(parameter: "function", text)
  }

  /// At most one of `function` and the kinds of event sources says whose windows they are.
  func source() throws(QueryProblem) -> EventSourceID? {
    let given = Trigger.eventSources.filter { values[$0.sourceMember] != nil }
    guard let trigger = given.first, let name = values[trigger.sourceMember] else { return nil }
    guard given.count == 1, values["function"] == nil else {
      let other = values["function"] == nil ? given[1].sourceMember : "function"
      throw QueryProblem(trigger.sourceMember, name, "cannot be combined with \(other); leave one of the two out")
    }
    guard name.utf8.count <= FunctionID.nameBytesLimit else {
      throw QueryProblem(trigger.sourceMember, name, "must have at most \(FunctionID.nameBytesLimit) bytes")
    }
    return EventSourceID(trigger, name)
  }

  func resolution(window: Nanoseconds) throws(QueryProblem) -> Nanoseconds? {
    guard let resolution = try duration("resolution") else { return nil }
    guard resolution.count % window.count == 0 else {
      throw QueryProblem(
        "resolution", values["resolution"] ?? "",
        "must be a multiple of the windows' length, \(DurationText.text(nanoseconds: window.count))")
    }
    return resolution
  }

  /// How many windows are to be about enough.
  func points() throws(QueryProblem) -> Int64? {
    guard let text = values["points"] else { return nil }
    guard values["resolution"] == nil else {
      throw QueryProblem("points", text, "cannot be combined with resolution; leave one of the two out")
    }
    guard let points = Int64(text), (1...2_000).contains(points) else {
      throw QueryProblem("points", text, "must be a number from 1 to 2000")
    }
    return points
  }

  /// The instants that the query spans, the second one excluded.
  func span(now: Timestamp) throws(QueryProblem) -> (from: Timestamp, to: Timestamp) {
    let range = try duration("range")
    let from = try time("from")
    let to = try time("to")
    switch (from, to, range) {
    case (_?, _?, _?):
      throw QueryProblem(
        "range", values["range"] ?? "", "cannot be combined with both from and to; leave one of the three out")
    case (let from?, let to?, nil):
      guard from < to else { throw QueryProblem("to", values["to"] ?? "", "must be later than from") }
      return (from, to)
    case (let from?, nil, let range?): return (from, from + range)
    case (let from?, nil, nil):
      guard from < now else { throw QueryProblem("from", values["from"] ?? "", "must not lie in the future") }
      return (from, now)
    case (nil, let to?, let range): return (epoch(to - (range ?? WindowQuery.rangeDefault)), to)
    case (nil, nil, let range): return (epoch(now - (range ?? WindowQuery.rangeDefault)), now + Nanoseconds(1))
    }
  }

  private func epoch(_ time: Timestamp) -> Timestamp { max(time, Timestamp(nanoseconds: 0)) }

  private func duration(_ name: String) throws(QueryProblem) -> Nanoseconds? {
    guard let text = values[name] else { return nil }
    do {
      let duration = Nanoseconds(try DurationText.nanoseconds(text))
      if duration >= .seconds(1) { return duration }
    } catch {
      throw QueryProblem(name, text, error.message)
    }
    throw QueryProblem(name, text, "is too short; the shortest is 1s")
  }

  private func time(_ name: String) throws(QueryProblem) -> Timestamp? {
    guard let text = values[name] else { return nil }
    guard let time = RFC3339.time(text) ?? Parameters.unixTime(text) else {
      throw QueryProblem(name, text, "must be a time such as 2026-11-23T10:00:00Z, or seconds since 1970")
    }
    guard time >= Timestamp(seconds: 1), time <= Timestamp(seconds: 8_000_000_000) else {
      throw QueryProblem(name, text, "must lie between 1970 and 2223")
    }
    return time
  }

  private static func unixTime(_ text: String) -> Timestamp? {
    DecimalText.nanoseconds(ofSeconds: text).map(Timestamp.init(nanoseconds:))
  }
}
