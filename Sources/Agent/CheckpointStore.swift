internal import Lifecycle
internal import WindowStore
internal import Windows

/// What an agent needs of a store. Every call may block.
protocol CheckpointStore: Sendable {
  func load() throws(StoreError) -> Checkpoint?
  func save(_ checkpoint: Checkpoint) throws(StoreError)
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows
  func close() throws(StoreError)
  var damagedRows: Int { get }
  var sizeBytes: Int64 { get }
}

extension WindowStore: CheckpointStore {
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    try reader.finalWindows(selection, since: since)
  }
}
