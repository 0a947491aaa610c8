/// What became of the events of a reporter, since it was made.
package struct ReporterStatistics: Sendable, Equatable {
  /// Events that were offered.
  package var offered: UInt64 = 0
  /// Events that the agent has acknowledged, duplicates and rejected ones included.
  package var acknowledged: UInt64 = 0
  /// Events that there was no room for, that the agent will never take, or that were left when the reporter had to end.
  package var dropped: UInt64 = 0
  /// Batches that were acknowledged.
  package var batches: UInt64 = 0
  /// Attempts that were not acknowledged.
  package var failures: UInt64 = 0
  /// Events that are in the file, also those of an earlier process: they are sent later, or by the next process. Not among ``waiting``.
  package var spilled: Int = 0
  /// Events that wait in memory or are on their way from there.
  package var waiting: Int = 0
  /// Why the last attempt failed; `nil` once one has succeeded.
  package var problem: String?

  /// Before anything was offered.
  package init() {}
}
