package import EventPipeline
package import Lifecycle
internal import Synchronization
package import WindowStore
package import Windows

/// Reading what is kept.
extension FileJournal {
  /// Hands over batches that are kept and lie after a position.
  package func replay(
    after position: JournalPosition, _ body: (EventBatch, JournalPosition) -> Void
  ) throws(StoreError) {
    batches.skip(to: position.number)
    try replay(batches, after: position.number) { bytes, record in
      guard record.kind == .batch, let batch = BatchCodec.decode(bytes, record.payload) else { return false }
      body(batch, JournalPosition(record.position))
      return true
    }
  }

  /// Hands over the entries that are kept and lie after a position.
  package func replayEntries(after position: JournalPosition, _ body: (JournalEntry, JournalPosition) -> Void)
    throws(StoreError)
  {
    entries.skip(to: position.number)
    try replay(entries, after: position.number) { bytes, record in
      var reader = RecordReader(bytes, record.payload)
      switch record.kind {
      case .event:
        guard let event = EventCodec.read(&reader), reader.remaining == 0 else { return false }
        body(.event(event), JournalPosition(record.position))
      case .mark:
        guard let mark = MarkCodec.read(&reader), reader.remaining == 0 else { return false }
        body(.mark(mark), JournalPosition(record.position))
      case .batch: return false
      }
      return true
    }
  }

  /// - Parameter body: Says whether it could read a record.
  private func replay(
    _ log: SegmentedLog, after position: UInt64, _ body: ([UInt8], SegmentScan.Record) -> Bool
  ) throws(StoreError) {
    let (paths, truncated) = log.content
    let after = max(position, truncated)
    var (replayed, damaged): (UInt64, UInt64) = (0, 0)
    for path in paths {
      let bytes = try FoundSegment.read(path)
      guard case .header(let header) = SegmentHeader.read(bytes) else { continue }
      var scan = SegmentScan(bytes, header)
      while let record = scan.next() {
        guard record.position > after else { continue }
        if body(bytes, record) { replayed += 1 } else { damaged += 1 }
      }
    }
    state.withLock { state in
      state.statistics.replayed &+= replayed
      state.statistics.damaged &+= damaged
    }
  }
}
