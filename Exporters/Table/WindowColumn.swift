import Text
package import Documents
package import Lifecycle
import Windows

/// One value of a window in the table and in CSV.
package struct WindowColumn: Sendable {
  /// The head in a table with room, beside the columns before it.
  package var title: String
  /// The head in a narrow table.
  package var shortTitle: String
  /// The title where no other column stands before it.
  package var name: String
  /// The name in CSV, with its unit.
  package var field: String
  /// For people; empty where there is no value.
  package var cell: @Sendable (WindowDocument) -> String
  /// For programs, in base units; empty where there is no value.
  package var value: @Sendable (WindowDocument) -> String

  /// The columns of the table, the most important first.
  package static func columns(isWide: Bool) -> [WindowColumn] { isWide ? standard + wide : standard }

  /// The columns of windows of event sources, the most important first.
  package static func columns(of trigger: Trigger) -> [WindowColumn] {
    EventSourceNumber.all(of: trigger).flatMap { number in
      number.columns.map { ($0.place, WindowColumn(number, $0)) }
    }.sorted { $0.0 < $1.0 }.map(\.1)
  }

  /// The columns of requests over HTTP, the most important first.
  package static let http: [WindowColumn] = [
    count("Requests", "Requ.", "requests") { $0.httpRequests },
    count("4xx", "4xx", "responses_4xx") { $0.httpResponses("4xx") },
    count("5xx", "5xx", "responses_5xx") { $0.httpResponses("5xx") },
    count("504s", "504s", "gateway_timeouts") { $0[count: .httpGatewayTimeouts] },
    count("Throttled", "Thrott.", "throttles") { $0[count: .httpThrottles] },
    response("Response time avg", "avg", "Response time avg", "response_avg_seconds") { $0.mean },
    response("p95", "p95", "Response time p95", "response_p95_seconds") { $0.p95 },
    response("max", "max", "Response time max", "response_max_seconds") { $0.maximum },
  ]

  private static func count(
    _ title: String, _ shortTitle: String, _ field: String, _ read: @escaping @Sendable (WindowDocument) -> UInt64
  ) -> WindowColumn {
    WindowColumn(
      title: title, shortTitle: shortTitle, name: title, field: field, cell: { String(read($0)) },
      value: { String(read($0)) })
  }

  private static func response(
    _ title: String, _ shortTitle: String, _ name: String, _ field: String,
    _ read: @escaping @Sendable (DistributionDocument) -> Int64?
  ) -> WindowColumn {
    let length: @Sendable (WindowDocument) -> Int64? = { window in
      let distribution = window[distribution: .httpDuration]
      return distribution.count > 0 ? read(distribution) : nil
    }
    return WindowColumn(
      title: title, shortTitle: shortTitle, name: name, field: field,
      cell: { length($0).map { Quantities.duration($0) } ?? "" },
      value: { length($0).map { DecimalText.seconds(nanoseconds: Int128($0)) } ?? "" })
  }

  /// The value of a window for people, or for programs; empty where there is none.
  func text(_ read: KeyPath<WindowColumn, @Sendable (WindowDocument) -> String>, of window: WindowDocument) -> String {
    if window.isFromLogs, WindowDocument.columnsUnknownToLogs.contains(field) { return "" }
    return self[keyPath: read](window)
  }

  private static let standard = placed.filter { $0.place < TallyNumber.Column.firstWidePlace }.map(\.column)
  private static let wide = placed.filter { $0.place >= TallyNumber.Column.firstWidePlace }.map(\.column)

  private static let placed: [(place: Int, column: WindowColumn)] =
    (TallyNumber.all.flatMap { number in number.columns.map { ($0.place, WindowColumn(number, $0)) } } + peaks)
    .sorted { $0.place < $1.place }

  private static let peaks: [(place: Int, column: WindowColumn)] = [
    (60, maximum("Concurrent (max)", "Conc.", "concurrency_max") { $0.concurrencyMax }),
    (120, maximum("Instances (max)", "Inst.", "instances_max") { $0.instancesMax }),
    (200, maximum("Provisioned (max)", "Prov.", "provisioned_concurrency_max") { $0.provisionedConcurrencyMax }),
  ]

  private static func maximum(
    _ title: String, _ shortTitle: String, _ field: String, _ read: @escaping @Sendable (WindowDocument) -> Int64
  ) -> WindowColumn {
    WindowColumn(
      title: title, shortTitle: shortTitle, name: title, field: field, cell: { String(max(0, read($0))) },
      value: { String(max(0, read($0))) })
  }

}

extension WindowColumn {
  /// A column of a number.
  private init(_ number: TallyNumber, _ column: TallyNumber.Column) {
    (title, shortTitle, name, self.field) = (column.title, column.shortTitle, column.name, column.field)
    let field = number.field
    guard case .distribution(let measure, _, _) = number.content else {
      cell = { String($0[count: field]) }
      value = cell
      return
    }
    let read: @Sendable (DistributionDocument) -> Int64?
    switch column.value {
    case .count:
      cell = { String($0[distribution: field].count) }
      value = cell
      return
    case .mean: read = { $0.mean }
    case .p95: read = { $0.count > 0 ? $0.p95 : nil }
    case .maximum: read = { $0.count > 0 ? $0.maximum : nil }
    }
    switch measure {
    case .duration:
      cell = { window in read(window[distribution: field]).map { Quantities.duration($0) } ?? "" }
      value = { window in
        read(window[distribution: field]).map { DecimalText.seconds(nanoseconds: Int128($0)) } ?? ""
      }
    case .bytes:
      cell = { window in read(window[distribution: field]).map { Quantities.bytes($0) } ?? "" }
      value = { window in read(window[distribution: field]).map { String($0) } ?? "" }
    }
  }
}

extension WindowColumn {
  /// A column of a number of event sources.
  private init(_ number: EventSourceNumber, _ column: EventSourceNumber.Column) {
    (title, shortTitle, name, field) = (column.title, column.shortTitle, column.name, column.field)
    let length: @Sendable (WindowDocument) -> Int64?
    switch number.content {
    case .count(let counter):
      cell = { String($0.eventSource?[counter] ?? 0) }
      value = cell
      return
    case .level(let level):
      cell = { String($0.eventSource?[level] ?? 0) }
      value = cell
      return
    case .oldestAge: length = { $0.eventSource?.oldestAge.count }
    case .distribution(let duration):
      let isMean = column.value == .mean
      length = { window in
        guard let distribution = window.eventSource?[duration], distribution.count > 0 else { return nil }
        return isMean ? distribution.mean : distribution.maximum
      }
    }
    cell = { window in length(window).map { Quantities.duration($0) } ?? "" }
    value = { window in length(window).map { DecimalText.seconds(nanoseconds: Int128($0)) } ?? "" }
  }
}

extension WindowDocument {
  /// Whether nothing happened in it that a table shows. An instance that only waits is nothing that happens.
  var isIdle: Bool { eventSource?.isIdle ?? (!hasCounts && concurrencyMax == 0 && overlappingMax == 0) }

  /// Requests over HTTP: invocations and what was refused.
  package var httpRequests: UInt64 {
    let invocations = self[parts: .invocations].first { $0.name == Trigger.http.name }?.count ?? 0
    return invocations &+ self[count: .httpThrottles]
  }

  fileprivate func httpResponses(_ code: String) -> UInt64 {
    self[parts: .httpResponses].first { $0.name == code }?.count ?? 0
  }

  /// How a row names its function: `(all)` for the account, `name:version` where there is a version.
  var functionText: String {
    if let eventSource { return DisplayText.safe(eventSource.source.name) }
    guard let function else { return "(all)" }
    return DisplayText.safe(version.map { "\(function):\($0)" } ?? function)
  }
}
