public import Lifecycle
import Text
public import Windows

/// An event source as it is now, a part of ``StatusDocument``: its totals, and what waits and is in progress there.
public struct EventSourceDocument: Sendable, Equatable {
  /// Which source it is.
  public var source: EventSourceID
  /// When Kelvin first saw it.
  public var firstSeen: Timestamp
  /// What was counted since then, by the members of a window's document.
  public var totals: [NamedCount]
  /// What there is now, of what it tells, by the names of levels.
  public var levels: [NamedCount]
  /// How long the oldest thing that waits has waited; `nil` if the source does not tell that.
  public var oldestAge: Nanoseconds?

  /// Converts what the aggregator knows at `now`.
  public init(_ snapshot: EventSourceSnapshot, now: Timestamp) {
    source = snapshot.source
    firstSeen = snapshot.firstSeen
    totals = EventSourceNumber.all(of: source.trigger).compactMap { number in
      guard case .count(let counter) = number.content else { return nil }
      return NamedCount(number.member, snapshot.totals[counter])
    }
    levels = EventSourceLevel.allCases.compactMap { level in
      snapshot.present[level].map { NamedCount(EventSourceDocument.member(level), UInt64(max(0, $0))) }
    }
    oldestAge = snapshot.present.oldestAge(at: now)
  }

  /// Converts those sources that are there at `now`.
  package static func all(_ snapshots: [EventSourceSnapshot], now: Timestamp) -> [EventSourceDocument] {
    snapshots.filter { !$0.present.isGone }.map { EventSourceDocument($0, now: now) }
  }

  private init(_ source: EventSourceID) {
    self.source = source
    firstSeen = Timestamp(nanoseconds: 0)
    (totals, levels) = ([], [])
  }

  /// How many there are of a level now; `nil` if the source does not tell that.
  public subscript(level: EventSourceLevel) -> UInt64? {
    levels.first { $0.name == EventSourceDocument.member(level) }?.count
  }

  private static func member(_ level: EventSourceLevel) -> String {
    switch level {
    case .waiting: "waiting"
    case .delayed: "delayed"
    case .inFlight: "inFlight"
    case .groupsInFlight: "groupsInFlight"
    case .connections: "connections"
    }
  }

  func write(to writer: inout JSONWriter) {
    writer.object { document in
      document.member(source.trigger.sourceMember, source.name)
      document.member("firstSeen", RFC3339.text(firstSeen))
      for level in levels { document.member(level.name, level.count) }
      if let oldestAge { document.member("oldestAgeSeconds", nanoseconds: Int128(oldestAge.count)) }
      totals.write("totals", to: &document)
    }
  }

  /// - Returns: `nil` for a kind of source that this version does not know.
  static func read(from reader: inout JSONReader) throws(JSONError) -> EventSourceDocument? {
    var document = EventSourceDocument(EventSourceID(.http, ""))
    let members = EventSourceLevel.allCases.map(member)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      if let trigger = Trigger.eventSources.first(where: { $0.sourceMember == name }) {
        document.source = EventSourceID(trigger, try reader.string())
      } else if members.contains(name) {
        document.levels.append(NamedCount(name, try reader.unsigned()))
      } else if name == "firstSeen" {
        document.firstSeen = try reader.time()
      } else if name == "oldestAgeSeconds" {
        document.oldestAge = try reader.duration()
      } else if name == "totals" {
        document.totals = try [NamedCount](from: &reader)
      } else {
        try reader.skip()
      }
    }
    return document.source.trigger == .http ? nil : document
  }
}

/// The answer of `GET /api/v1/event-sources`: queues, schedules and other event sources that are there.
public struct EventSourcesDocument: Sendable, Equatable {
  /// The instant that all of it is of.
  public var time: Timestamp
  /// In ascending order.
  public var eventSources: [EventSourceDocument]

  /// Converts what was there at `time`.
  public init(time: Timestamp, snapshots: [EventSourceSnapshot]) {
    self.time = time
    eventSources = EventSourceDocument.all(snapshots, now: time)
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 64 + 512 * eventSources.count)
    writer.object { document in
      document.member("time", RFC3339.text(time))
      document.key("eventSources")
      document.array { for source in eventSources { source.write(to: &$0) } }
    }
    return writer.bytes
  }
}
