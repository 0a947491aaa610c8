package import Documents
import Lifecycle

/// The status as an aligned table: a line for each function.
package enum StatusTable {
  /// The table: with short heads and closer columns if it would be too wide otherwise; every line ends with a line
  /// feed.
  package static func text(_ document: OverviewDocument, _ options: TableOptions = TableOptions()) -> String {
    let forms = [(false, 2), (true, 2), (true, 1)]
    var table = TextTable(columns: [])
    for (isShort, gap) in forms {
      table = self.table(document, Form(document, isShort: isShort, isWide: options.isWide), gap: gap)
      guard let width = options.width, table.width > width else { break }
    }
    return table.text(options)
  }

  /// What is to be said beside the functions, a line each: version, addresses, store, control plane, account.
  package static func summary(_ document: OverviewDocument) -> [String] {
    var lines = document.status.map(agentLines) ?? []
    let isSaid = document.status?.host.map { "http://\($0.listen)" } == document.control?.endpoint
    if let control = document.control, !isSaid {
      let region = control.region.map { " (\($0))" } ?? ""
      lines.append("functions of \(control.endpoint)\(region)")
    }
    let limit = document.concurrencyLimit.map(String.init)
    let unreserved = document.control?.account.map { ", \($0.unreservedConcurrency) unreserved" } ?? ""
    if let status = document.status {
      let total = limit.map { " of \($0)" } ?? ""
      lines.append("concurrent executions now: \(status.account.concurrentExecutions)\(total)\(unreserved)")
      lines += eventSourceLines(status.eventSources)
    } else {
      lines.append("concurrency of the account: \(limit ?? "unknown")\(unreserved)")
    }
    return lines.map(DisplayText.safe)
  }

  /// Why functions cannot start, where the agent knows it: a line for each, and where more of it is. At most 20.
  package static func startFailures(_ document: OverviewDocument) -> [String] {
    let failed = document.functions.compactMap { function in function.activity?.startFailure.map { (function.name, $0) }
    }
    var lines = failed.prefix(startFailuresLimit).map { name, failure in
      let words = failure.lines.isEmpty ? "" : "; its last lines: \(failure.lines.joined(separator: " / "))"
      let reason = failure.reason + words
      let end = reason.last.map { ".?!".contains($0) } == true ? "" : "."
      return DisplayText.safe("\(name) cannot start: \(reason)\(end) The whole log: kelvin logs \(name)")
    }
    if failed.count > startFailuresLimit {
      lines.append("\(failed.count - startFailuresLimit) more cannot start, either.")
    }
    return lines
  }

  private static let startFailuresLimit = 20

  private static func agentLines(_ document: StatusDocument) -> [String] {
    let agent = document.agent
    var lines = [
      "Kelvin \(document.version), agent at \(agent.listen), up \(Quantities.age(document.uptime)), "
        + "windows of \(Quantities.age(agent.window))"
    ]
    if let host = document.host { lines.append("host at \(host.listen), functions: \(host.functions)") }
    if let isolation = document.host?.isolation {
      lines.append("isolation: \(isolation.summary)")
      lines += isolation.shortcomings.map { "  \($0)" }
    }
    if let store = document.store {
      let problem = store.problem.map { " (\($0))" } ?? ""
      var sizes = store.sizeBytes.map { ", \(Quantities.bytes($0))" } ?? ""
      if let bytes = store.journalBytes, bytes > 0 { sizes += ", \(Quantities.bytes(bytes)) in the journal" }
      lines.append("store \(store.path): \(store.state)\(problem)\(sizes)")
    }
    return lines + document.sources.prefix(sourcesLimit).map { line($0, document.time) }
      + (document.sources.count > sourcesLimit
        ? ["\(document.sources.count - sourcesLimit) more sources; GET /api/v1/status lists all"] : [])
  }

  private static let sourcesLimit = 10

  private static func batches(_ count: UInt64, _ kind: String) -> String {
    "\(count) \(kind) \(count == 1 ? "batch" : "batches")"
  }

  private static func line(_ source: SourceDocument, _ now: Timestamp) -> String {
    let silence = Quantities.age(Nanoseconds(max(0, (now - source.lastHeard).count)))
    var parts = [
      "heard \(silence) ago", "lag \(Quantities.duration(max(0, source.lag.count)))", "\(source.events) events",
    ]
    if source.rejected > 0 { parts.append("\(source.rejected) rejected") }
    if source.duplicateBatches > 0 { parts.append(batches(source.duplicateBatches, "duplicate")) }
    if source.missingBatches > 0 { parts.append(batches(source.missingBatches, "missing")) }
    return "source \(source.source): \(parts.joined(separator: ", "))"
  }

  /// Which columns there are.
  private struct Form {
    let isShort: Bool
    let isWide: Bool
    /// Without an agent nobody knows what runs.
    let hasActivity: Bool
    /// States are worth a column only if some function is not simply active.
    let hasStates: Bool

    init(_ document: OverviewDocument, isShort: Bool, isWide: Bool) {
      self.isShort = isShort
      self.isWide = isWide
      hasActivity = document.status != nil
      hasStates = document.functions.contains { $0.state != nil && $0.state != "Active" }
    }

    var columns: [TextTable.Column] {
      var columns = [
        TextTable.Column(title: "Function", alignment: .left, leastWidth: 8),
        TextTable.Column(title: "Memory", alignment: .right), TextTable.Column(title: "Timeout", alignment: .right),
      ]
      if hasStorage {
        columns.append(TextTable.Column(title: isShort ? "Storage" : "Temporary storage", alignment: .right))
      }
      columns += [
        TextTable.Column(title: "Reserved", alignment: .right),
        TextTable.Column(
          title: isShort ? "Provisioned" : "Provisioned (requested/allocated/available)", alignment: .left),
      ]
      if hasStates { columns.append(TextTable.Column(title: "State", alignment: .left)) }
      if hasActivity {
        columns.append(TextTable.Column(title: isShort ? "Instances" : "Instances now", alignment: .left))
      }
      if hasTotals {
        columns += ["Invocations", "Throttled", "Errors", "504s"].map { TextTable.Column(title: $0, alignment: .right) }
      }
      return columns
    }

    /// The first to go where there is too little room.
    var hasStorage: Bool { isWide || !isShort }
    var hasTotals: Bool { isWide && hasActivity }
  }

  private static func table(_ document: OverviewDocument, _ form: Form, gap: Int) -> TextTable {
    var table = TextTable(columns: form.columns, gap: gap)
    table.rows = document.functions.map { cells($0, form) }
    return table
  }

  private static func cells(_ function: OverviewDocument.Function, _ form: Form) -> [String] {
    let name = function.version.map { "\(function.name):\($0)" } ?? function.name
    var cells = [
      DisplayText.safe(name), function.memoryLimitBytes.map(Quantities.bytes) ?? "",
      function.timeout.map { Quantities.duration($0.count) } ?? "",
    ]
    if form.hasStorage { cells.append(function.temporaryStorageLimitBytes.map(Quantities.bytes) ?? "") }
    // An agent that has heard nothing of a function says nothing of it; a control plane that cannot say is another matter.
    let unknown = function.memoryLimitBytes == nil ? "" : "unknown"
    cells += [reserved(function) ?? unknown, provisioned(function) ?? unknown]
    if form.hasStates { cells.append(function.state.map(DisplayText.safe) ?? "") }
    if form.hasActivity { cells.append(function.activity.map { instances($0, isShort: form.isShort) } ?? "") }
    if form.hasTotals { cells += function.activity.map(totals) ?? ["", "", "", ""] }
    return cells
  }

  private static func reserved(_ function: OverviewDocument.Function) -> String? {
    switch function.reserved {
    case .unknown: nil
    case .none: ConcurrencyText.reserved(nil)
    case .some(let reserved): ConcurrencyText.reserved(reserved)
    }
  }

  private static func provisioned(_ function: OverviewDocument.Function) -> String? {
    switch function.provisioned {
    case .unknown: return nil
    case .none: return "none"
    case .some(let total, nil):
      return ConcurrencyText.provisioned(
        requested: total.requested, allocated: total.allocated, available: total.available, status: total.status)
    case .some(_, let parts?):
      // Kelvin's own alias goes without saying.
      let areNamed = parts.map(\.qualifier) != ["current"]
      let texts = parts.map { part in
        let numbers = ConcurrencyText.provisioned(
          requested: part.requested, allocated: part.allocated, available: part.available, status: part.status,
          reason: part.statusReason)
        return areNamed ? "\(part.qualifier) \(numbers)" : numbers
      }
      return DisplayText.safe(texts.joined(separator: "; "))
    }
  }

  private static func totals(_ function: FunctionDocument) -> [String] {
    let totals = function.totals
    return [totals.invocations, totals.throttles, totals.errors, totals.timeouts].map { String($0) }
  }

  private static func instances(_ function: FunctionDocument, isShort: Bool) -> String {
    let states = [(function.initializing, "initializing"), (function.busy, "busy"), (function.idle, "idle")]
    let all = states.reduce(0) { $0 + $1.0 }
    guard all > 0, !isShort else { return String(all) }
    return "\(all) (" + states.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ") + ")"
  }
}
