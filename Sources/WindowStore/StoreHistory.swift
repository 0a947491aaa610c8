package import Lifecycle

/// What happened to a store since it was opened, for its owner.
package struct StoreHistory: Sendable, Equatable {
  /// How often the directory or a file of the store was found removed, replaced or cut.
  package internal(set) var removals: UInt64 = 0
  /// A sentence about the last time, and what was done; `nil` if there was none.
  package internal(set) var removal: String?
  /// Checkpoints that had been written and are not in the store any more; `nil` if it has all.
  package internal(set) var lost: LostCheckpoints?
  /// Rows that were skipped because they could not be read, or held impossible values.
  package internal(set) var damagedRows = 0
  /// Whether every user of the machine may change what is in the directory.
  package internal(set) var isOpenToOthers = false

  /// Makes the history of a store in which all was well.
  package init() {}
}

/// Checkpoints at the end of a store that a damaged log lost, or an older copy of the database never had.
package struct LostCheckpoints: Sendable, Equatable {
  /// How many are missing at the end; at least 1.
  package var count: UInt64
  /// The clock at the last checkpoint that is there; `nil` if none is.
  package var from: Timestamp?
  /// The clock at the last one that was written.
  package var to: Timestamp
  /// How many invocations fewer the store has.
  package var invocations: UInt64

  /// Makes what the database lacks of what the record beside it says was written.
  package init(count: UInt64, from: Timestamp?, to: Timestamp, invocations: UInt64) {
    self.count = count
    self.from = from
    self.to = to
    self.invocations = invocations
  }
}

/// How much of a store was written again after it had been removed.
package enum Restoration: Sendable, Equatable {
  /// All that the last checkpoint left in it.
  case whole
  /// Nothing: its files could not be read any more. What the aggregator holds has to be saved anew.
  case empty
}
