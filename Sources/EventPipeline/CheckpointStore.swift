package import Lifecycle
package import WindowStore
package import Windows

/// The store as a pipeline and the readers of windows need it. Every call may block.
package protocol CheckpointStore: Sendable {
  /// What was saved last; `nil` before the first checkpoint.
  ///
  /// - Throws: ``StoreError`` if it cannot be read.
  func load() throws(StoreError) -> Checkpoint?
  /// Keeps what changed: all of it is durable when this returns, and none if it throws.
  ///
  /// - Throws: ``StoreError``, with ``StoreError/Code/gone`` if the store was removed.
  func save(_ checkpoint: Checkpoint) throws(StoreError)
  /// The final windows of a selection, and which windows since an instant are final.
  ///
  /// - Throws: ``StoreError`` if they cannot be read.
  func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows
  /// Looks whether the store still is where it was.
  ///
  /// - Throws: ``StoreError`` with ``StoreError/Code/gone`` if it is not, or why it cannot be written any more.
  func verify() throws(StoreError)
  /// Writes again what ``verify()`` or ``save(_:)`` found gone.
  ///
  /// - Parameter reason: What was found, for ``history``.
  /// - Throws: ``StoreError``: why it cannot be made again.
  func restore(after reason: String) throws(StoreError) -> Restoration
  /// Gives room on the disk to the last checkpoint; false if there is none.
  func releaseReserve() -> Bool
  /// Takes note that the journal had so many invocations which the database has not, be they new or of checkpoints that it lost.
  func recovered(invocations: UInt64)
  /// Ends all access; later calls throw.
  ///
  /// - Throws: ``StoreError`` if the store could not be closed in order; what was saved is safe anyway.
  func close() throws(StoreError)
  /// What happened to the store since it was opened.
  var history: StoreHistory { get }
  /// The invocations in the last checkpoint that was saved or loaded.
  var savedInvocations: UInt64 { get }
  /// The size of the store on disk, in bytes.
  var sizeBytes: Int64 { get }
  /// What keeps imports; `nil` if nothing does.
  var imports: WindowStore? { get }
}

extension CheckpointStore {
  /// None, unless a store says otherwise.
  package var imports: WindowStore? { nil }
}

extension WindowStore: CheckpointStore {
  /// This store.
  package var imports: WindowStore? { self }

  /// The final windows of a selection, read as ``WindowReader`` does.
  package func finalWindows(_ selection: WindowSelection, since: Timestamp?) throws(StoreError) -> FinalWindows {
    try reader.finalWindows(selection, since: since)
  }
}
