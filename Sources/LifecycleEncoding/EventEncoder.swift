// Compiles in Embedded Swift, as all that encodes batches: standard library only, no existential, no reflection.
public import Lifecycle

/// Writes batches as protobuf (docs/formats/events.md), with one buffer for all of them.
///
/// The events of a batch come out grouped by subject, in the order in which subjects first occur, and then by kind, as their
/// tables are numbered; events of one kind and subject keep their order.
///
/// - Complexity: O(events). Once its memory has grown, nothing is allocated.
public struct EventEncoder: Sendable {
  private var writer = WireWriter()
  private var subjects = SubjectTable()
  private var rows = EventRows()
  /// For each event, the next one of the same subject; -1 for the last.
  private var following: [Int32] = []

  /// Makes an encoder that has written nothing.
  public init() {}

  /// The bytes of what was encoded last; empty before that.
  public var bytes: [UInt8] { writer.bytes }

  /// Writes a batch in place of what was encoded before. At most 2^31 events.
  public mutating func encode(_ batch: EventBatch) {
    encode(batch.events, source: batch.source, sequence: batch.sequence)
  }

  /// Writes events of a source in place of what was encoded before. At most 2^31 events.
  ///
  /// - Parameters:
  ///   - source: Who sends them.
  ///   - sequence: The batch's number, from 1.
  public mutating func encode(_ events: [LifecycleEvent], source: SourceID, sequence: UInt64) {
    begin(source, sequence)
    subjects.removeAll()
    following.removeAll(keepingCapacity: true)
    for index in events.indices {
      following.append(-1)
      let previous = subjects.add(events[index].subject, Int32(truncatingIfNeeded: index))
      if previous >= 0 { following[Int(previous)] = Int32(truncatingIfNeeded: index) }
    }
    for group in subjects.groups.indices {
      var index = subjects.groups[group].first
      while index >= 0 {
        rows.add(events[Int(index)].kind)
        index = following[Int(index)]
      }
      write(subjects.groups[group].subject)
    }
  }

  /// Writes a batch of one event in place of what was encoded before, with less work than an array of one takes.
  public mutating func encode(_ event: LifecycleEvent, source: SourceID, sequence: UInt64) {
    begin(source, sequence)
    rows.add(event.kind)
    write(event.subject)
  }

  private mutating func begin(_ source: SourceID, _ sequence: UInt64) {
    writer.bytes.removeAll(keepingCapacity: true)
    writer.identifier(1, (source.value.high, source.value.low))
    writer.number(2, sequence)
  }

  private mutating func write(_ subject: LifecycleEvent.Subject) {
    let start = writer.begin(3)
    switch subject {
    case .account: break
    case .function(let function): write(function)
    case .instance(let instance, let function):
      write(function)
      writer.identifier(3, (instance.value.high, instance.value.low))
    case .source(let source):
      writer.words(20, [source.trigger]) { $0.rawValue }
      writer.text(21, source.name)
    }
    rows.write(to: &writer)
    writer.end(start)
    rows.removeAll()
  }

  private mutating func write(_ function: FunctionID) {
    writer.text(1, function.name)
    if function.version != FunctionID.latest { writer.text(2, function.version) }
  }
}

/// The subjects of a batch: which of its events are of the same.
struct SubjectTable: Sendable {
  struct Group: Sendable {
    var subject: LifecycleEvent.Subject
    var hash: UInt64
    /// The first and the last event.
    var first: Int32
    var last: Int32
  }

  private(set) var groups: [Group] = []
  /// Open addressing: in the upper half the round in which an entry was made, in the lower half the position of its group.
  private var slots = [UInt64](repeating: 0, count: 16)
  /// Entries of earlier rounds are free, so that a batch of one event clears no table.
  private var round: UInt64 = 1

  mutating func removeAll() {
    groups.removeAll(keepingCapacity: true)
    round += 1
    if round > UInt64(UInt32.max) {
      round = 1
      for index in slots.indices { slots[index] = 0 }
    }
  }

  /// Adds an event.
  ///
  /// - Returns: The event before it of the same subject; -1 for the first.
  mutating func add(_ subject: LifecycleEvent.Subject, _ event: Int32) -> Int32 {
    if let last = groups.indices.last, groups[last].subject == subject { return append(event, to: last) }
    let hash = SubjectTable.hash(subject)
    var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
    while slots[slot] >> 32 == round {
      let group = Int(slots[slot] & 0xFFFF_FFFF)
      if groups[group].hash == hash, groups[group].subject == subject { return append(event, to: group) }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = round << 32 | UInt64(groups.count)
    groups.append(Group(subject: subject, hash: hash, first: event, last: event))
    if groups.count * 2 > slots.count { grow() }
    return -1
  }

  private mutating func append(_ event: Int32, to group: Int) -> Int32 {
    let previous = groups[group].last
    groups[group].last = event
    return previous
  }

  private mutating func grow() {
    slots = [UInt64](repeating: 0, count: slots.count * 4)
    for group in groups.indices {
      var slot = Int(truncatingIfNeeded: groups[group].hash) & (slots.count - 1)
      while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
      slots[slot] = round << 32 | UInt64(group)
    }
  }

  private static func hash(_ subject: LifecycleEvent.Subject) -> UInt64 {
    switch subject {
    case .account: return 0
    case .function(let function):
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325
      for byte in function.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      for byte in function.version.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      return hash ^ hash >> 32
    case .instance(let instance, _):
      let mixed = (instance.value.high ^ instance.value.low) &* 0x9E37_79B9_7F4A_7C15
      return mixed ^ mixed >> 32
    case .source(let source):
      var hash: UInt64 = 0xCBF2_9CE4_8422_2325 ^ UInt64(source.trigger.rawValue)
      for byte in source.name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
      return hash ^ hash >> 32
    }
  }
}
