import Lifecycle

/// An identifier of sixteen random bytes.
protocol IdentifierKey: Sendable {
  init(_ value: Identifier128)
  var value: Identifier128 { get }
}

extension RequestID: IdentifierKey {}
extension InstanceID: IdentifierKey {}

/// A dictionary with open addressing for keys that are random already.
///
/// The standard dictionary hashes keys against chosen collisions, which costs more than all else that is done for an
/// event; a sender that chose its identifiers to collide would slow down nobody but the agent that it sends to, and not
/// without bound, as tables are bounded by what is in progress.
struct IdentifierMap<Key: IdentifierKey, Value: Sendable>: Sendable {
  /// How many slots are taken.
  private var taken = 0
  /// How often a key was added or removed, or all moved.
  private(set) var changes = 0
  /// `Identifier128.zero` where a slot is free.
  private var keys: [Identifier128] = []
  private var values: [Value?] = []
  /// The value of the key that marks free slots.
  private var valueOfZero: Value?

  var count: Int { taken + (valueOfZero == nil ? 0 : 1) }

  var isEmpty: Bool { count == 0 }

  subscript(key: Key) -> Value? {
    get {
      guard key.value != .zero else { return valueOfZero }
      guard taken > 0 else { return nil }
      return values[slot(of: key.value)]
    }
    set {
      guard let newValue else {
        removeValue(forKey: key)
        return
      }
      guard key.value != .zero else {
        valueOfZero = newValue
        return
      }
      values[claim(key.value)] = newValue
    }
  }

  func contains(_ key: Key) -> Bool {
    guard key.value != .zero else { return valueOfZero != nil }
    return taken > 0 && keys[slot(of: key.value)] != .zero
  }

  /// Changes a value in place.
  ///
  /// - Returns: What `change` returned; `nil` if there is no such key.
  mutating func modify<Result>(_ key: Key, _ change: (inout Value) -> Result) -> Result? {
    guard key.value != .zero else { return valueOfZero == nil ? nil : change(&valueOfZero!) }
    guard taken > 0 else { return nil }
    let slot = slot(of: key.value)
    guard values[slot] != nil else { return nil }
    return change(&values[slot]!)
  }

  /// Where the value of a key is, as long as ``changes`` stays the same; `nil` if there is none, or if the key is zero.
  @inline(__always) func slot(ofKnown key: Key) -> Int? {
    guard taken > 0, key.value != .zero else { return nil }
    let slot = slot(of: key.value)
    return keys[slot] == .zero ? nil : slot
  }

  @discardableResult
  mutating func removeValue(forKey key: Key) -> Value? {
    guard key.value != .zero else {
      defer { valueOfZero = nil }
      return valueOfZero
    }
    guard taken > 0 else { return nil }
    var free = slot(of: key.value)
    guard let removed = values[free] else { return nil }
    taken -= 1
    changes &+= 1
    // What follows in the same run moves up, so that no probe stops too early.
    let mask = keys.count - 1
    var next = (free + 1) & mask
    while keys[next] != .zero {
      let home = IdentifierMap.home(of: keys[next], mask)
      if (next - home) & mask >= (next - free) & mask {
        keys[free] = keys[next]
        values.swapAt(free, next)
        free = next
      }
      next = (next + 1) & mask
    }
    keys[free] = .zero
    values[free] = nil
    return removed
  }

  mutating func removeAll(where isRemoved: (Key, Value) -> Bool) {
    for (key, value) in self where isRemoved(key, value) { removeValue(forKey: key) }
  }

  private static func home(of key: Identifier128, _ mask: Int) -> Int {
    Int(truncatingIfNeeded: (key.high ^ key.low &* 0x9E37_79B9_7F4A_7C15) >> 7) & mask
  }

  /// Where a key is, or the free slot where it would go; the table is not empty.
  private func slot(of key: Identifier128) -> Int {
    let mask = keys.count - 1
    var slot = IdentifierMap.home(of: key, mask)
    while keys[slot] != .zero && keys[slot] != key { slot = (slot + 1) & mask }
    return slot
  }

  private mutating func claim(_ key: Identifier128) -> Int {
    if (taken + 1) * 2 > keys.count { grow() }
    let slot = slot(of: key)
    if keys[slot] == .zero {
      keys[slot] = key
      taken += 1
      changes &+= 1
    }
    return slot
  }

  private mutating func grow() {
    changes &+= 1
    let (oldKeys, oldValues) = (keys, values)
    let capacity = Swift.max(16, oldKeys.count * 2)
    keys = Array(repeating: .zero, count: capacity)
    values = Array(repeating: nil, count: capacity)
    for position in oldKeys.indices where oldKeys[position] != .zero {
      let slot = slot(of: oldKeys[position])
      keys[slot] = oldKeys[position]
      values[slot] = oldValues[position]
    }
  }
}

extension IdentifierMap where Value == InstanceRecord {
  // Each reads or writes one field in place: a record that was passed on would be copied, with a reference counted up and down.

  /// The position of the function of the instance at a place that ``slot(ofKnown:)`` told.
  @inline(__always) func position(at slot: Int) -> Int { values[slot]!.position }

  /// Counts an invocation of that instance.
  @inline(__always) mutating func countInvocation(at slot: Int) { values[slot]!.invocations &+= 1 }
}

extension IdentifierMap: Sequence {
  /// The pairs as they are now; what is changed during an iteration is not seen by it.
  func makeIterator() -> AnyIterator<(Key, Value)> {
    var position = 0
    let (keys, values) = (keys, values)
    var valueOfZero = valueOfZero
    return AnyIterator {
      if let value = valueOfZero {
        valueOfZero = nil
        return (Key(.zero), value)
      }
      while position < keys.count {
        defer { position += 1 }
        if let value = values[position] { return (Key(keys[position]), value) }
      }
      return nil
    }
  }
}
