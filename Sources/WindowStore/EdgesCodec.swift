/// The stored form of a timeline's edges: a version, their number, and the difference of each to the one before.
/// Edges ascend; what does not is damage.
enum EdgesCodec {
  static let version: UInt8 = 1

  static func encode(_ edges: [UInt64]) -> [UInt8] {
    var writer = ByteWriter()
    writer.byte(version)
    writer.unsigned(UInt64(edges.count))
    var previous: UInt64 = 0
    for edge in edges {
      // Wraps instead of trapping: edges out of order are a mistake that the reader finds.
      writer.unsigned(edge &- previous)
      previous = edge
    }
    return writer.bytes
  }

  static func decode(_ bytes: [UInt8]) throws(StoreError) -> [UInt64] {
    var reader = ByteReader(bytes, what: "timeline")
    try reader.expectVersion(version)
    let count = try reader.count()
    var edges: [UInt64] = []
    edges.reserveCapacity(count)
    var previous: UInt64 = 0
    for _ in 0..<count {
      let (next, overflow) = previous.addingReportingOverflow(try reader.unsigned())
      guard !overflow else { throw reader.damage }
      edges.append(next)
      previous = next
    }
    try reader.expectEnd()
    return edges
  }
}
