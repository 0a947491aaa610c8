import Text
package import Documents

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

  private static let standard: [WindowColumn] = [
    count("Invocations", "Invoc.", "invocations") { $0.invocations },
    count("Throttled", "Thrott.", "throttles") { $0.throttles },
    count("Errors", "Errors", "errors") { $0.errors },
    count("504s", "504s", "timeouts") { $0.timeouts },
    count("Cold starts", "Cold", "cold_starts") { $0.coldStarts },
    count("Concurrent (max)", "Conc.", "concurrency_max") { UInt64(clamping: $0.concurrencyMax) },
    duration("Duration avg", "avg", "duration_avg_seconds") { $0.duration.mean },
    duration("p95", "p95", "duration_p95_seconds", name: "Duration p95") {
      $0.duration.count > 0 ? $0.duration.p95 : nil
    },
    duration("max", "max", "duration_max_seconds", name: "Duration max") {
      $0.duration.count > 0 ? $0.duration.maximum : nil
    },
  ]

  private static let wide: [WindowColumn] = [
    count("Crashes", "Crash", "crashes") { $0.crashes },
    count("Out of memory", "OOM", "out_of_memory") { $0.outOfMemory },
    count("Instances (max)", "Inst.", "instances_max") { UInt64(clamping: $0.instancesMax) },
    count("Initializations", "Inits", "initializations") { $0.initializations },
    duration("Initialization avg", "avg", "initialization_avg_seconds") { $0.initialization.mean },
    duration("max", "max", "initialization_max_seconds", name: "Initialization max") {
      $0.initialization.count > 0 ? $0.initialization.maximum : nil
    },
    count("Warm-ups", "Warm", "warmups") { $0.warmUp.count },
    duration("Warm-up avg", "avg", "warmup_avg_seconds") { $0.warmUp.mean },
    duration("max", "max", "warmup_max_seconds", name: "Warm-up max") { $0.warmUp.count > 0 ? $0.warmUp.maximum : nil },
    WindowColumn(
      title: "Memory (max)", shortTitle: "Mem.", name: "Memory (max)", field: "memory_used_max_bytes",
      cell: { $0.memoryUsed.count > 0 ? Quantities.bytes($0.memoryUsed.maximum) : "" },
      value: { $0.memoryUsed.count > 0 ? String($0.memoryUsed.maximum) : "" }),
    count("Provisioned (max)", "Prov.", "provisioned_concurrency_max") {
      UInt64(clamping: $0.provisionedConcurrencyMax)
    },
    count("Spillover", "Spill", "spillover_invocations") { $0.spillover },
  ]

  private static func count(
    _ title: String, _ shortTitle: String, _ field: String, _ read: @escaping @Sendable (WindowDocument) -> UInt64
  ) -> WindowColumn {
    WindowColumn(
      title: title, shortTitle: shortTitle, name: title, field: field, cell: { String(read($0)) },
      value: { String(read($0)) })
  }

  private static func duration(
    _ title: String, _ shortTitle: String, _ field: String, name: String? = nil,
    _ read: @escaping @Sendable (WindowDocument) -> Int64?
  ) -> WindowColumn {
    WindowColumn(
      title: title, shortTitle: shortTitle, name: name ?? title, field: field,
      cell: { window in read(window).map { Quantities.duration($0) } ?? "" },
      value: { window in read(window).map { DecimalText.seconds(nanoseconds: Int128($0)) } ?? "" })
  }
}

extension WindowDocument {
  /// Whether nothing happened in it that a table shows.
  var isIdle: Bool {
    invocations == 0 && throttles == 0 && errors == 0 && timeouts == 0 && coldStarts == 0 && concurrencyMax == 0
      && crashes == 0 && outOfMemory == 0 && initializations == 0 && initializationFailures == 0 && warmUp.count == 0
      && spillover == 0 && instanceStops == 0 && overlappingMax == 0
  }

  /// How a row names its function: `(all)` for the account, `name:version` where there is a version.
  var functionText: String {
    guard let function else { return "(all)" }
    return DisplayText.safe(version.map { "\(function):\($0)" } ?? function)
  }
}
