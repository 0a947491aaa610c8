import Lifecycle

/// The requests that finished last, so that an end that is reported again is not counted again.
///
/// Two generations of a set: at least the last `limit` requests are remembered, at most twice as many. Memory is at
/// most 64 bytes times the limit; a request costs one or two probes and no allocation once a generation has grown.
struct RecentRequests: Sendable {
  private let limit: Int
  private var current = RequestSet()
  private var previous = RequestSet()

  /// - Parameter limit: At least 1.
  init(limit: Int) { self.limit = limit }

  func contains(_ request: RequestID) -> Bool { current.contains(request) || previous.contains(request) }

  /// - Returns: Whether the request was not remembered yet.
  mutating func insert(_ request: RequestID) -> Bool {
    if previous.contains(request) { return false }
    guard current.insert(request) else { return false }
    if current.count >= limit {
      swap(&current, &previous)
      current.removeAllKeepingCapacity()
    }
    return true
  }
}

/// A set of requests with open addressing: identifiers are random already, so mixing two words is hash enough.
///
/// A sender that chose identifiers to collide would slow down only its own agent: probes are bounded by the set's size.
private struct RequestSet: Sendable {
  private var slots: [Identifier128] = []
  private var holdsZero = false
  private(set) var count = 0

  func contains(_ request: RequestID) -> Bool {
    guard request.value != .zero else { return holdsZero }
    guard !slots.isEmpty else { return false }
    return slots[position(of: request.value)] == request.value
  }

  mutating func insert(_ request: RequestID) -> Bool {
    guard request.value != .zero else {
      defer { holdsZero = true }
      return !holdsZero
    }
    if count * 2 >= slots.count { grow() }
    let position = position(of: request.value)
    guard slots[position] != request.value else { return false }
    slots[position] = request.value
    count += 1
    return true
  }

  mutating func removeAllKeepingCapacity() {
    for position in slots.indices { slots[position] = .zero }
    holdsZero = false
    count = 0
  }

  /// Where a value is, or the free slot where it would go.
  private func position(of value: Identifier128) -> Int {
    let mask = slots.count - 1
    var position = Int(truncatingIfNeeded: (value.high ^ value.low &* 0x9E37_79B9_7F4A_7C15) >> 7) & mask
    while true {
      let slot = slots[position]
      if slot == value || slot == .zero { return position }
      position = (position &+ 1) & mask
    }
  }

  private mutating func grow() {
    let old = slots
    slots = Array(repeating: .zero, count: max(64, old.count * 2))
    for value in old where value != .zero { slots[position(of: value)] = value }
  }
}
