public import JSON
import Lifecycle

/// The status as an aligned table: a line for each function.
public enum StatusTable {
  public static func text(_ document: StatusDocument, _ options: TableOptions = TableOptions()) -> String {
    let forms = [(false, 2), (true, 2), (true, 1)]
    var table = TextTable(columns: [])
    for (isShort, gap) in forms {
      table = self.table(document, isShort: isShort, isWide: options.isWide, gap: gap)
      guard let width = options.width, table.width > width else { break }
    }
    return table.text(options)
  }

  /// What is to be said about the agent itself, a line each: version, addresses, store.
  public static func summary(_ document: StatusDocument) -> [String] {
    let agent = document.agent
    var lines = [
      "Kelvin \(document.version), agent at \(agent.listen), up \(Quantities.age(document.uptime)), "
        + "windows of \(Quantities.age(agent.window))"
    ]
    if let host = document.host { lines.append("host at \(host.listen), functions: \(host.functions)") }
    if let store = document.store {
      let problem = store.problem.map { " (\($0))" } ?? ""
      lines.append("store \(store.path): \(store.state)\(problem)")
    }
    let limit = document.account.concurrencyLimit.map { " of \($0)" } ?? ""
    lines.append("concurrent executions now: \(document.account.concurrentExecutions)\(limit)")
    return lines.map(DisplayText.safe)
  }

  private static func table(_ document: StatusDocument, isShort: Bool, isWide: Bool, gap: Int) -> TextTable {
    var columns = [
      TextTable.Column(title: "Function", alignment: .left, leastWidth: 8),
      TextTable.Column(title: "Memory", alignment: .right), TextTable.Column(title: "Timeout", alignment: .right),
      TextTable.Column(title: "Reserved", alignment: .right),
      TextTable.Column(
        title: isShort ? "Provisioned" : "Provisioned (requested/allocated/available)", alignment: .left),
      TextTable.Column(title: isShort ? "Instances" : "Instances now", alignment: .left),
    ]
    if isWide {
      columns += [isShort ? "Storage" : "Temporary storage", "Invocations", "Throttled", "Errors", "504s"].map {
        TextTable.Column(title: $0, alignment: .right)
      }
    }
    var table = TextTable(columns: columns, gap: gap)
    table.rows = document.functions.map { cells($0, isShort: isShort) + (isWide ? wideCells($0) : []) }
    return table
  }

  private static func cells(_ function: FunctionDocument, isShort: Bool) -> [String] {
    let name = function.version.map { "\(function.function):\($0)" } ?? function.function
    let limits = function.limits
    return [
      DisplayText.safe(name), limits.map { Quantities.bytes($0.memoryLimitBytes) } ?? "",
      limits.map { Quantities.duration($0.timeout.count) } ?? "",
      limits.map { ConcurrencyText.reserved($0.reserved) } ?? "",
      limits.map(provisioned) ?? "", instances(function, isShort: isShort),
    ]
  }

  private static func wideCells(_ function: FunctionDocument) -> [String] {
    [
      function.limits.map { Quantities.bytes($0.temporaryStorageLimitBytes) } ?? "",
      String(function.totals.invocations),
      String(function.totals.throttles), String(function.totals.errors), String(function.totals.timeouts),
    ]
  }

  private static func provisioned(_ limits: FunctionDocument.Limits) -> String {
    guard let provisioned = limits.provisioned else { return "none" }
    return ConcurrencyText.provisioned(
      requested: provisioned.requested, allocated: provisioned.allocated, available: provisioned.available,
      status: provisioned.status)
  }

  private static func instances(_ function: FunctionDocument, isShort: Bool) -> String {
    let states = [(function.initializing, "initializing"), (function.busy, "busy"), (function.idle, "idle")]
    let all = states.reduce(0) { $0 + $1.0 }
    guard all > 0, !isShort else { return String(all) }
    return "\(all) (" + states.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }.joined(separator: ", ") + ")"
  }
}
