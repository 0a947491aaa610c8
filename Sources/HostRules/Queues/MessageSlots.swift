import Lifecycle

/// One message of a queue as it is kept in memory: 48 bytes, whatever its body.
struct MessageSlot: Sendable {
  enum State: UInt8 {
    /// It can be given.
    case waiting
    /// It waits for `time`.
    case delayed
    /// Somebody has it, until `time`.
    case inFlight
  }

  static let none: Int32 = -1

  var sequence: Int64
  var sentAt: Timestamp
  /// Since when it waits, or until when it is delayed or in flight.
  var time: Timestamp
  var receives: UInt32
  var group: Int32
  var state: State
  /// The next one of its group's line; of a free slot the next free one.
  var next = MessageSlot.none
  /// The neighbours in the order of arrival.
  var older = MessageSlot.none
  var newer = MessageSlot.none
}

/// Slots with stable positions, in pieces: growing copies nothing.
struct MessageSlots: Sendable {
  private static let shift: Int32 = 12
  private static let mask: Int32 = 1 << shift - 1

  private var pieces: ContiguousArray<ContiguousArray<MessageSlot>> = []
  private var free = MessageSlot.none
  private var end: Int32 = 0
  private(set) var count = 0

  subscript(position: Int32) -> MessageSlot {
    _read { yield pieces[Int(position >> MessageSlots.shift)][Int(position & MessageSlots.mask)] }
    _modify { yield &pieces[Int(position >> MessageSlots.shift)][Int(position & MessageSlots.mask)] }
  }

  mutating func add(_ slot: MessageSlot) -> Int32 {
    count += 1
    if free != MessageSlot.none {
      let position = free
      free = self[position].next
      self[position] = slot
      return position
    }
    if end & MessageSlots.mask == 0 {
      var piece = ContiguousArray<MessageSlot>()
      piece.reserveCapacity(Int(MessageSlots.mask) + 1)
      pieces.append(piece)
    }
    pieces[pieces.count - 1].append(slot)
    end += 1
    return end - 1
  }

  mutating func remove(_ position: Int32) {
    count -= 1
    // No sequence is negative, so whoever still knows the position sees that the message has gone.
    self[position].sequence = -1
    self[position].next = free
    free = position
  }
}
