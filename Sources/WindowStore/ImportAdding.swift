internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Windows

/// Adds facts to those that are kept, inside a transaction of its caller's.
struct ImportAdding {
  private struct Stream {
    var id: Int64
    var isNamed: Bool
    var function: String
    var first: Int64
    var last: Int64
  }

  private let streams: [ImportedStream]
  private let facts: [ImportedFact]
  private let grid: WindowGrid
  private let oldest: Timestamp
  private let latest: Timestamp
  /// Of spans, by their positions; they may overlap.
  private var spans: [ClosedRange<Int64>] = []
  private(set) var counts = ImportedCounts()

  /// - Parameters:
  ///   - streams: Those that the facts name by their positions.
  ///   - oldest: Older facts are not kept.
  init(_ streams: [ImportedStream], _ facts: [ImportedFact], window: Nanoseconds, oldest: Timestamp, now: Timestamp) {
    self.streams = streams
    self.facts = facts
    grid = WindowGrid(length: ImportSpan.length(window: window))
    self.oldest = oldest
    latest = now + .seconds(86_400)
  }

  mutating func run(in database: Database) throws {
    var newOfInstances: [Int: Timestamp] = [:]
    var times: [Int: ClosedRange<Int64>] = [:]
    var ids: [Int: Int64] = [:]
    let insert = try database.cachedStatement(
      sql: "INSERT OR IGNORE INTO import_facts (time, stream, data, instance) VALUES (?, ?, ?, ?)")
    for fact in facts {
      guard fact.time >= oldest else {
        counts.tooOld += 1
        continue
      }
      guard fact.time <= latest else {
        counts.inFuture += 1
        continue
      }
      let id: Int64
      if let known = ids[fact.stream] {
        id = known
      } else {
        id = try stream(streams[fact.stream], at: fact.time.nanoseconds, in: database)
        ids[fact.stream] = id
      }
      try insert.execute(arguments: [fact.time.nanoseconds, id, Data(fact.bytes), fact.isOfInstance ? 1 : 0])
      guard database.changesCount > 0 else {
        counts.known += 1
        continue
      }
      counts.new += 1
      mark(from: fact.time, to: fact.time)
      let known = times[fact.stream] ?? fact.time.nanoseconds...fact.time.nanoseconds
      times[fact.stream] =
        min(known.lowerBound, fact.time.nanoseconds)...max(known.upperBound, fact.time.nanoseconds)
      if fact.isOfInstance, streams[fact.stream].name != nil {
        newOfInstances[fact.stream] = min(newOfInstances[fact.stream] ?? fact.time, fact.time)
      }
    }
    for index in streams.indices {
      try update(index, times[index], newOfInstances[index], in: database)
    }
    for range in unitedSpans {
      for index in range { try ImportSchema.markSpan(grid.start(index).nanoseconds, in: database) }
    }
  }

  private mutating func mark(from first: Timestamp, to last: Timestamp) {
    let range = grid.index(of: first - ImportSpan.margin)...grid.index(of: max(first, last) + ImportSpan.margin)
    if spans.last != range { spans.append(range) }
  }

  /// The same without overlaps: thousands of streams may each last as long as facts are kept.
  private var unitedSpans: [ClosedRange<Int64>] {
    var united: [ClosedRange<Int64>] = []
    for range in spans.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      if let last = united.last, range.lowerBound <= last.upperBound {
        united[united.count - 1] = last.lowerBound...max(last.upperBound, range.upperBound)
      } else {
        united.append(range)
      }
    }
    return united
  }

  private func find(_ stream: ImportedStream, in database: Database) throws -> Stream? {
    let statement = try database.cachedStatement(
      sql: "SELECT id, function, first, last FROM import_streams WHERE name = ? AND owner = ?")
    guard let row = try Row.fetchOne(statement, arguments: [stream.name ?? "", stream.owner]),
      let id = row.integer(0), let function = row.text(1), let first = row.integer(2), let last = row.integer(3)
    else { return nil }
    return Stream(id: id, isNamed: stream.name != nil, function: function, first: first, last: last)
  }

  private func stream(_ stream: ImportedStream, at time: Int64, in database: Database) throws -> Int64 {
    if let known = try find(stream, in: database) { return known.id }
    try database.execute(
      sql: "INSERT INTO import_streams (name, owner, function, first, last) VALUES (?, ?, ?, ?, ?)",
      arguments: [stream.name ?? "", stream.owner, stream.function ?? "", time, time])
    return database.lastInsertedRowID
  }

  /// Takes what is known of a stream together with what was known, in a way that depends on no order, and marks what that bears on.
  private mutating func update(
    _ index: Int, _ times: ClosedRange<Int64>?, _ newOfInstance: Timestamp?, in database: Database
  ) throws {
    let seen = streams[index].lastSeen.flatMap { $0 <= latest ? $0.nanoseconds : nil }
    guard let known = try find(streams[index], in: database) else {
      // Of its lines so far no one is a fact, but one that comes may last until then.
      if let seen, seen >= oldest.nanoseconds { _ = try self.stream(streams[index], at: seen, in: database) }
      return
    }
    var stream = known
    if let times {
      stream.first = min(stream.first, times.lowerBound)
      stream.last = max(stream.last, times.upperBound)
    }
    if let seen { stream.last = max(stream.last, seen) }
    if let function = streams[index].function, !function.isEmpty {
      stream.function = stream.function.isEmpty ? function : min(stream.function, function)
    }
    let (last, lastBefore) = (Timestamp(nanoseconds: stream.last), Timestamp(nanoseconds: known.last))
    // One without an end lasts up to the last line of its stream.
    if last > lastBefore { mark(from: lastBefore, to: lastBefore) }
    if let newOfInstance { mark(from: newOfInstance, to: last) }
    if stream.function != known.function { mark(from: Timestamp(nanoseconds: stream.first), to: last) }
    try database.cachedStatement(
      sql: "UPDATE import_streams SET function = ?, first = ?, last = ? WHERE id = ?"
    ).execute(arguments: [stream.function, stream.first, stream.last, stream.id])
  }
}

extension ImportedStream {
  /// Whose the lines are that no stream is known of.
  fileprivate var owner: String { name == nil ? function ?? "" : "" }
}
