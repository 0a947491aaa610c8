internal import Lifecycle
internal import WindowStore
internal import Windows

/// What an agent needs of a store. Every call may block.
protocol CheckpointStore: Sendable {
  func load() throws(StoreError) -> Checkpoint?
  func save(_ checkpoint: Checkpoint) throws(StoreError)
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows
  /// Looks whether the store still is where it was.
  func verify() throws(StoreError)
  /// Writes again what ``verify()`` or ``save(_:)`` found gone.
  func restore(after reason: String) throws(StoreError) -> Restoration
  /// Gives room on the disk to the last checkpoint; false if there is none.
  func releaseReserve() -> Bool
  func close() throws(StoreError)
  var history: StoreHistory { get }
  /// The invocations in the last checkpoint that was saved or loaded.
  var savedInvocations: UInt64 { get }
  var sizeBytes: Int64 { get }
}

extension WindowStore: CheckpointStore {
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    try reader.finalWindows(selection, since: since)
  }
}
