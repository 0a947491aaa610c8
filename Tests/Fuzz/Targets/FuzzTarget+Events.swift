import Lifecycle
import LifecycleEncoding
import LifecycleWire

extension FuzzTarget {
  /// The readers of batches of events. What was read is written, and then reads the same.
  static let events: [FuzzTarget] = [
    FuzzTarget("event-batches") { bytes in
      var decoder = EventDecoder()
      guard let batch = try? decoder.decode(bytes.span) else { return }
      check(batch)
      var encoder = EventEncoder()
      encoder.encode(batch.events, source: batch.source ?? someone, sequence: batch.sequence ?? 1)
      guard let again = try? decoder.decode(encoder.bytes.span) else { fatalError("what was written cannot be read") }
      require(again.rejected.isEmpty && again.events.count == batch.events.count, "events are lost on the way")
      let written = encoder.bytes
      encoder.encode(again.events, source: again.source ?? someone, sequence: again.sequence ?? 1)
      require(encoder.bytes == written, "a batch is written differently")
    },
    FuzzTarget("event-lines") { bytes in
      guard let batch = try? EventLines.read(bytes.span) else { return }
      check(batch)
      let written = batch.events.flatMap(EventLines.line)
      guard let again = try? EventLines.read(written.span) else { fatalError("what was written cannot be read") }
      require(again.rejected.isEmpty && again.events == batch.events, "events are lost on the way")
    },
  ]

  /// For a batch without a source, which is nobody's.
  private static let someone = SourceID(Identifier128(high: 1, low: 1))

  private static func check(_ batch: DecodedBatch) {
    let indices = Set(batch.indices)
    require(indices.count == batch.events.count, "two events have one place")
    require(indices.isDisjoint(with: batch.rejected.map(\.index)), "an event was taken and rejected")
    let order = batch.rejected.map(\.index)
    require(order == order.sorted() && Set(order).count == order.count, "rejected events are out of order")
    require(batch.sequence != 0, "a batch has the number 0")
  }
}
