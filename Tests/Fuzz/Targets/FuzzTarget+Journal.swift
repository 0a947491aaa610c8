import EventPipeline
import Lifecycle

@testable import EventJournal

extension FuzzTarget {
  /// Files of the journal, as a damaged disk may bring them.
  static let journal: [FuzzTarget] = [
    FuzzTarget("journal-segments") { bytes in
      guard case .header(let header) = SegmentHeader.read(bytes) else { return }
      var scan = SegmentScan(bytes, header)
      var last = header.base
      while let record = scan.next() {
        require(record.position > last, "positions go back")
        last = record.position
        _ = BatchCodec.decode(bytes, record.payload)
        var reader = RecordReader(bytes, record.payload)
        _ = EventCodec.read(&reader)
      }
      for damage in scan.damages { require(damage.records > 0 && damage.offset < bytes.count, "no damage at all") }
    },
    FuzzTarget("journal-records") { bytes in
      if let batch = BatchCodec.decode(bytes, bytes.indices), let written = try? BatchCodec.encode(batch) {
        let again = BatchCodec.decode(written, written.indices)
        require(again == batch, "a batch reads differently")
      }
      var reader = RecordReader(bytes, bytes.indices)
      _ = MarkCodec.read(&reader)
      _ = SourceTable.read(bytes, identity: 7)
    },
  ]
}
