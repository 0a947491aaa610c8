import DequeModule
import HeapModule
package import Lifecycle

/// Decides which messages of one queue may be given, to whom, and when again. It knows messages by their sequence numbers,
/// which grow; bodies are elsewhere.
///
/// In a FIFO queue a group is a line: while one of its messages is in flight, none of the group is given, and one that comes
/// back stands before those that were sent after it. In a standard queue there is one line, and what comes back stands at its end.
package struct QueueRules: Sendable {
  /// A message that was just given.
  package struct Delivery: Hashable, Sendable {
    /// Which one.
    package var sequence: Int64
    /// How often it was given, this time included.
    package var receives: Int
    /// When it was sent.
    package var sentAt: Timestamp
    /// Since when it could have been given.
    package var waitingSince: Timestamp
  }

  /// A message of the queue, or one that has left it.
  package struct Message: Hashable, Sendable {
    /// Its place in the order of all messages.
    package var sequence: Int64
    /// Its group; empty in a standard queue.
    package var group: String
    /// When it was sent.
    package var sentAt: Timestamp
  }

  /// What happened because of the time.
  package struct Changes: Equatable, Sendable {
    /// Messages that were received too often; they have left the queue.
    package var deadLetters: [Message] = []
    /// Messages that were too old; they have left the queue.
    package var expired: [Message] = []

    /// Nothing.
    package init() {}
  }

  private struct Group: Sendable {
    var name: String
    var head = MessageSlot.none
    var tail = MessageSlot.none
    /// Those in the line and those in flight.
    var members = 0
    var inFlight = 0
    /// Whether it is in ``QueueRules/ready``, where it may stand without reason.
    var isListed = false
  }

  private struct Due: Comparable, Sendable {
    var time: Timestamp
    var sequence: Int64
    var position: Int32
    static func < (left: Due, right: Due) -> Bool {
      left.time == right.time ? left.sequence < right.sequence : left.time < right.time
    }
  }

  /// Whether groups are lines.
  package let isFIFO: Bool
  /// How often a message is given before it is a dead letter; `nil`: any number of times.
  package var maximumReceives: Int?
  /// How long a message is kept.
  package var retention: Nanoseconds

  private var slots = MessageSlots()
  private var groups: ContiguousArray<Group> = []
  private var freeGroups: [Int32] = []
  private var indices: [String: Int32] = [:]
  /// Groups whose first message may be given, in the order in which they came to be.
  private var ready = Deque<Int32>()
  private var due = Heap<Due>()
  /// Where those messages are that were given before.
  private var received: [Int64: Int32] = [:]
  private var oldestSlot = MessageSlot.none
  private var newestSlot = MessageSlot.none

  /// Messages that could be given, or wait behind others of their group.
  package private(set) var waitingCount = 0
  /// Messages that wait for a time.
  package private(set) var delayedCount = 0
  /// Messages that somebody has.
  package private(set) var inFlightCount = 0
  /// Groups of which somebody has a message; 0 in a standard queue.
  package private(set) var groupsInFlightCount = 0

  /// An empty queue.
  package init(isFIFO: Bool, maximumReceives: Int? = nil, retention: Nanoseconds = .seconds(4 * 86_400)) {
    self.isFIFO = isFIFO
    self.maximumReceives = maximumReceives
    self.retention = retention
  }

  /// All messages.
  package var count: Int { slots.count }

  /// When the oldest message was sent, whatever it waits for; `nil` if there is none.
  package var oldest: Timestamp? { oldestSlot == MessageSlot.none ? nil : slots[oldestSlot].sentAt }

  /// Whether `take` would give something. May say yes for nothing, never no.
  package var mayGive: Bool { !ready.isEmpty }

  /// When ``advance(to:)`` has something to do; `nil`: never.
  package var nextDue: Timestamp? {
    // One in flight is not taken away from whoever has it.
    let expiry =
      oldestSlot == MessageSlot.none || slots[oldestSlot].state == .inFlight ? nil : oldest.map { $0 + retention }
    guard let first = due.min?.time else { return expiry }
    return expiry.map { min($0, first) } ?? first
  }

  /// Puts a message at the end.
  ///
  /// - Parameters:
  ///   - sequence: Above those of all that are in the queue.
  ///   - group: Its line in a FIFO queue. A standard queue has only one.
  ///   - availableAt: Before that it is not given.
  ///   - receives: How often it was given before.
  ///   - hiddenUntil: Until when somebody has it; `nil`: nobody.
  package mutating func add(
    _ sequence: Int64, group name: String, sentAt: Timestamp, availableAt: Timestamp, receives: Int = 0,
    hiddenUntil: Timestamp? = nil, at now: Timestamp
  ) {
    let group = index(of: isFIFO ? name : "")
    let isDelayed = availableAt > now
    var slot = MessageSlot(
      sequence: sequence, sentAt: sentAt, time: isDelayed ? availableAt : max(sentAt, availableAt),
      receives: UInt32(clamping: receives), group: group, state: isDelayed ? .delayed : .waiting)
    slot.older = newestSlot
    if let hiddenUntil, hiddenUntil > now { (slot.state, slot.time) = (.inFlight, hiddenUntil) }
    let position = slots.add(slot)
    if newestSlot == MessageSlot.none { oldestSlot = position } else { slots[newestSlot].newer = position }
    newestSlot = position
    groups[Int(group)].members += 1
    if receives > 0 { received[sequence] = position }
    switch slot.state {
    case .waiting: waitingCount += 1
    case .delayed:
      delayedCount += 1
      due.insert(Due(time: slot.time, sequence: sequence, position: position))
    case .inFlight:
      due.insert(Due(time: slot.time, sequence: sequence, position: position))
      hold(position)
      return
    }
    if isFIFO || slot.state == .waiting { append(position, to: group) }
    list(group)
  }

  /// Gives messages: in a FIFO queue as many as possible of one group, then of the next.
  ///
  /// - Parameters:
  ///   - limit: The most; at least 1.
  ///   - fromOneGroup: Whether all have to be of one group.
  ///   - until: When they come back by themselves; `nil`: never.
  /// - Returns: In order; of a group, all before the first that cannot be given.
  package mutating func take(
    _ limit: Int, fromOneGroup: Bool, until: Timestamp?, at now: Timestamp
  ) -> [Delivery] {
    var deliveries: [Delivery] = []
    while deliveries.count < limit, let group = ready.first {
      guard isReady(group) else {
        unlist()
        continue
      }
      if isFIFO {
        // Whoever asks for all groups is not given the second message of a group after the first of another.
        unlist()
      }
      while deliveries.count < limit {
        let position = groups[Int(group)].head
        guard position != MessageSlot.none, slots[position].state == .waiting else { break }
        deliveries.append(give(position, until: until, at: now))
      }
      if !isFIFO, !isReady(group) { unlist() }
      if fromOneGroup { break }
    }
    return deliveries
  }

  private mutating func give(_ position: Int32, until: Timestamp?, at now: Timestamp) -> Delivery {
    let group = Int(slots[position].group)
    groups[group].head = slots[position].next
    if groups[group].head == MessageSlot.none { groups[group].tail = MessageSlot.none }
    let since = slots[position].time
    slots[position].next = MessageSlot.none
    slots[position].receives += 1
    slots[position].state = .inFlight
    slots[position].time = until ?? Timestamp(nanoseconds: .max)
    let (sequence, time) = (slots[position].sequence, slots[position].time)
    if until != nil { due.insert(Due(time: time, sequence: sequence, position: position)) }
    received[sequence] = position
    waitingCount -= 1
    hold(position)
    return Delivery(
      sequence: sequence, receives: Int(slots[position].receives), sentAt: slots[position].sentAt, waitingSince: since)
  }

  /// How often a message was given that is in flight; `nil` if it is not.
  package func receives(inFlight sequence: Int64) -> Int? {
    guard let position = received[sequence], slots[position].state == .inFlight else { return nil }
    return Int(slots[position].receives)
  }

  /// How often a message was given that was given before and is still there, in flight or not.
  package func receives(of sequence: Int64) -> Int? { received[sequence].map { Int(slots[$0].receives) } }

  /// Takes a message out that was given before: whoever had it is done with it.
  ///
  /// - Returns: Whether it was there.
  package mutating func remove(_ sequence: Int64) -> Bool {
    guard let position = received[sequence] else { return false }
    _ = takeOut(position)
    return true
  }

  /// Has a message in flight come back at another time than it would.
  ///
  /// - Returns: Whether it is in flight.
  package mutating func hide(_ sequence: Int64, until time: Timestamp) -> Bool {
    guard let position = received[sequence], slots[position].state == .inFlight else { return false }
    slots[position].time = time
    due.insert(Due(time: time, sequence: sequence, position: position))
    return true
  }

  /// Puts messages in flight back, which were not processed.
  ///
  /// - Parameter availableAt: When each is given again, by its count of receives.
  /// - Returns: Those that were received too often; they have left the queue.
  package mutating func fail(
    _ sequences: [Int64], at now: Timestamp, availableAt: (_ receives: Int) -> Timestamp
  ) -> [Message] {
    var deadLetters: [Message] = []
    for sequence in sequences {
      guard let position = received[sequence], slots[position].state == .inFlight else { continue }
      // Whoever has it may have said when it comes back.
      let said = slots[position].time
      let time = said.nanoseconds == .max ? availableAt(Int(slots[position].receives)) : said
      if let message = comeBack(position, at: time, now) { deadLetters.append(message) }
    }
    return deadLetters
  }

  /// Puts messages in flight back as if they had not been given.
  package mutating func giveBack(_ sequences: [Int64], at now: Timestamp) {
    for sequence in sequences {
      guard let position = received[sequence], slots[position].state == .inFlight else { continue }
      slots[position].receives -= 1
      release(position)
      stand(position, at: now, now)
      if slots[position].receives == 0 { received[sequence] = nil }
    }
  }

  /// Does what is due.
  package mutating func advance(to now: Timestamp) -> Changes {
    var changes = Changes()
    while let first = due.min, first.time <= now {
      due.removeMin()
      let slot = slots[first.position]
      // Of a message that has gone, or that was given another time since.
      guard slot.sequence == first.sequence, slot.time == first.time else { continue }
      switch slot.state {
      case .waiting: continue
      case .inFlight:
        if let message = comeBack(first.position, at: now, now) { changes.deadLetters.append(message) }
      case .delayed:
        delayedCount -= 1
        waitingCount += 1
        slots[first.position].state = .waiting
        if !isFIFO { append(first.position, to: slot.group) }
        list(slot.group)
      }
    }
    while oldestSlot != MessageSlot.none, slots[oldestSlot].sentAt + retention <= now,
      slots[oldestSlot].state != .inFlight
    {
      changes.expired.append(takeOut(oldestSlot))
    }
    return changes
  }

  /// The oldest messages, whatever they wait for, at most so many.
  package func first(_ limit: Int) -> [Message] {
    var messages: [Message] = []
    var position = oldestSlot
    while messages.count < limit, position != MessageSlot.none {
      messages.append(message(position))
      position = slots[position].newer
    }
    return messages
  }

  /// Takes messages out that nobody has, of the oldest so many: for a move to another queue.
  package mutating func takeOut(ofFirst limit: Int, _ isChosen: (Int64) -> Bool) -> [Message] {
    var messages: [Message] = []
    var position = oldestSlot
    var count = 0
    while count < limit, position != MessageSlot.none {
      count += 1
      let newer = slots[position].newer
      if slots[position].state != .inFlight, isChosen(slots[position].sequence) { messages.append(takeOut(position)) }
      position = newer
    }
    return messages
  }

  /// Forgets all messages.
  package mutating func purge() {
    self = QueueRules(isFIFO: isFIFO, maximumReceives: maximumReceives, retention: retention)
  }
}

// MARK: Lines

extension QueueRules {
  private mutating func index(of name: String) -> Int32 {
    if let index = indices[name] { return index }
    let index: Int32
    if let free = freeGroups.popLast() {
      index = free
      groups[Int(index)] = Group(name: name)
    } else {
      index = Int32(groups.count)
      groups.append(Group(name: name))
    }
    indices[name] = index
    return index
  }

  private func isReady(_ group: Int32) -> Bool {
    let line = groups[Int(group)]
    return line.head != MessageSlot.none && (!isFIFO || line.inFlight == 0) && slots[line.head].state == .waiting
  }

  private mutating func list(_ group: Int32) {
    guard !groups[Int(group)].isListed, isReady(group) else { return }
    groups[Int(group)].isListed = true
    ready.append(group)
  }

  /// Takes the first group off the list.
  private mutating func unlist() {
    guard let group = ready.popFirst() else { return }
    groups[Int(group)].isListed = false
    forgetIfEmpty(group)
  }

  private mutating func forgetIfEmpty(_ group: Int32) {
    // One that is still listed is forgotten when its turn comes.
    guard groups[Int(group)].members == 0, !groups[Int(group)].isListed, isFIFO else { return }
    indices[groups[Int(group)].name] = nil
    groups[Int(group)].name = ""
    freeGroups.append(group)
  }

  private mutating func append(_ position: Int32, to group: Int32) {
    slots[position].next = MessageSlot.none
    let tail = groups[Int(group)].tail
    if tail == MessageSlot.none {
      groups[Int(group)].head = position
    } else {
      slots[tail].next = position
    }
    groups[Int(group)].tail = position
  }

  /// Puts a message into its group's line where its sequence number says: before all but those that came back, too.
  private mutating func insert(_ position: Int32, into group: Int32) {
    let sequence = slots[position].sequence
    var before = MessageSlot.none
    var after = groups[Int(group)].head
    while after != MessageSlot.none, slots[after].sequence < sequence {
      before = after
      after = slots[after].next
    }
    slots[position].next = after
    if before == MessageSlot.none { groups[Int(group)].head = position } else { slots[before].next = position }
    if after == MessageSlot.none { groups[Int(group)].tail = position }
  }

  private mutating func hold(_ position: Int32) {
    inFlightCount += 1
    let group = Int(slots[position].group)
    groups[group].inFlight += 1
    if isFIFO, groups[group].inFlight == 1 { groupsInFlightCount += 1 }
  }

  private mutating func release(_ position: Int32) {
    inFlightCount -= 1
    let group = Int(slots[position].group)
    groups[group].inFlight -= 1
    if isFIFO, groups[group].inFlight == 0 { groupsInFlightCount -= 1 }
  }

  /// - Returns: The message if it left the queue instead, as a dead letter.
  private mutating func comeBack(_ position: Int32, at time: Timestamp, _ now: Timestamp) -> Message? {
    if let maximumReceives, Int(slots[position].receives) >= maximumReceives { return takeOut(position) }
    release(position)
    stand(position, at: time, now)
    return nil
  }

  private func message(_ position: Int32) -> Message {
    let slot = slots[position]
    return Message(sequence: slot.sequence, group: groups[Int(slot.group)].name, sentAt: slot.sentAt)
  }

  /// Has a message stand in line again that nobody has any more.
  private mutating func stand(_ position: Int32, at time: Timestamp, _ now: Timestamp) {
    let group = slots[position].group
    let isDelayed = time > now
    slots[position].time = isDelayed ? time : now
    slots[position].state = isDelayed ? .delayed : .waiting
    if isDelayed {
      delayedCount += 1
      due.insert(Due(time: time, sequence: slots[position].sequence, position: position))
    } else {
      waitingCount += 1
    }
    if isFIFO { insert(position, into: group) } else if !isDelayed { append(position, to: group) }
    list(group)
  }

  private mutating func takeOut(_ position: Int32) -> Message {
    let (slot, message) = (slots[position], message(position))
    switch slot.state {
    case .inFlight: release(position)
    case .waiting:
      waitingCount -= 1
      unlink(position, from: slot.group)
    case .delayed:
      delayedCount -= 1
      if isFIFO { unlink(position, from: slot.group) }
    }
    if slot.older == MessageSlot.none { oldestSlot = slot.newer } else { slots[slot.older].newer = slot.newer }
    if slot.newer == MessageSlot.none { newestSlot = slot.older } else { slots[slot.newer].older = slot.older }
    if slot.receives > 0 { received[slot.sequence] = nil }
    groups[Int(slot.group)].members -= 1
    slots.remove(position)
    list(slot.group)
    forgetIfEmpty(slot.group)
    return message
  }

  /// - Complexity: O(messages that stand before it in its line).
  private mutating func unlink(_ position: Int32, from group: Int32) {
    let next = slots[position].next
    var before = MessageSlot.none
    var each = groups[Int(group)].head
    while each != position, each != MessageSlot.none {
      before = each
      each = slots[each].next
    }
    guard each == position else { preconditionFailure("BUG: a message is not in the line of its group \(group)") }
    if before == MessageSlot.none { groups[Int(group)].head = next } else { slots[before].next = next }
    if next == MessageSlot.none { groups[Int(group)].tail = before }
  }
}
