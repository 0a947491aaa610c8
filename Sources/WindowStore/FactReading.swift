internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Reads what bears on the windows of a span, inside a transaction of its caller's.
struct FactReading {
  private struct Row {
    var stream: Int64
    var time: Timestamp
    var bytes: [UInt8]
  }

  /// The streams that have lines before `?1`, and at `?2` or later.
  static let streamsQuery = "SELECT id, name, function, last FROM import_streams WHERE first < ?1 AND last >= ?2"
  /// Of these, what bears on later lines and lies before `?2`: from the streams to their facts, and not the other way round.
  static let olderQuery = """
    SELECT f.time, f.stream, f.data FROM import_streams s
    CROSS JOIN import_facts f INDEXED BY import_facts_instances ON f.stream = s.id AND f.instance = 1
    WHERE s.first < ?1 AND s.last >= ?2 AND s.name <> '' AND f.time < ?2 ORDER BY f.time
    """

  private let span: ImportSpan
  private var streams: [Int64: ImportedStream] = [:]
  /// Facts of one instant.
  private var instant: [Row] = []

  init(_ span: ImportSpan) { self.span = span }

  /// - Parameter take: What is done with each fact, in an order that depends on nothing but the set of facts.
  mutating func run(
    _ database: Database, _ take: (Int64, ImportedStream, Timestamp, [UInt8]) -> Void
  ) throws {
    let from = (span.start - ImportSpan.margin).nanoseconds
    let to = (span.end + ImportSpan.margin).nanoseconds
    let rows = try GRDB.Row.fetchCursor(
      database, sql: FactReading.streamsQuery, arguments: [to, from])
    while let row = try rows.next() {
      guard let id = row.integer(0), let name = row.text(1), let function = row.text(2), let last = row.integer(3)
      else { continue }
      streams[id] = ImportedStream(
        name: name.isEmpty ? nil : name, function: function.isEmpty ? nil : function,
        lastSeen: Timestamp(nanoseconds: last))
    }
    try read(database, FactReading.olderQuery, [to, from], take)
    try read(
      database, "SELECT time, stream, data FROM import_facts WHERE time >= ?2 AND time < ?1 ORDER BY time",
      [to, from], take)
  }

  private mutating func read(
    _ database: Database, _ sql: String, _ arguments: StatementArguments,
    _ take: (Int64, ImportedStream, Timestamp, [UInt8]) -> Void
  ) throws {
    let rows = try GRDB.Row.fetchCursor(database, sql: sql, arguments: arguments)
    while let row = try rows.next() {
      guard let time = row.integer(0), let stream = row.integer(1), streams[stream] != nil else { continue }
      let fact = Row(stream: stream, time: Timestamp(nanoseconds: time), bytes: row.bytes(2))
      if let last = instant.last, last.time != fact.time { handOn(take) }
      instant.append(fact)
    }
    handOn(take)
  }

  /// Numbers of streams are in the order in which they came, so their names decide.
  private mutating func handOn(_ take: (Int64, ImportedStream, Timestamp, [UInt8]) -> Void) {
    if instant.count > 1 {
      instant.sort { left, right in
        if left.stream != right.stream, let one = streams[left.stream], let two = streams[right.stream], one != two {
          return FactReading.isBefore(one, two)
        }
        return left.bytes.lexicographicallyPrecedes(right.bytes)
      }
    }
    for fact in instant {
      if let stream = streams[fact.stream] { take(fact.stream, stream, fact.time, fact.bytes) }
    }
    instant.removeAll(keepingCapacity: true)
  }

  /// Streams of which more is known come first: they decide whose a request is that is in both.
  private static func isBefore(_ one: ImportedStream, _ two: ImportedStream) -> Bool {
    if (one.function == nil) != (two.function == nil) { return two.function == nil }
    if (one.name == nil) != (two.name == nil) { return two.name == nil }
    return (one.name ?? "", one.function ?? "") < (two.name ?? "", two.function ?? "")
  }
}
