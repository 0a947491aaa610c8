internal import NIOCore

/// Receives the bytes of a request, and counts them against its own limit and those that it shares.
struct BodyIntake {
  /// What follows from a part.
  enum Step: Equatable {
    case taken
    case tooLarge
    /// Others hold all the memory there is.
    case noRoom
    /// It is taken, but the next may only be read once there is room.
    case wait
    /// What was to be inflated is not gzip, or is damaged.
    case damaged
  }

  /// What a request holds of a budget until it is answered.
  struct Hold: Sendable {
    fileprivate var budget: BodyBudget?
    fileprivate var bytes = 0

    func release() { budget?.release(bytes) }
  }

  // A body that is announced and does not come holds no more than this; what has come is doubled each time.
  private static let firstBytes = 256 << 10

  private(set) var bytes = ByteBuffer()
  private(set) var limits = BodyLimits(bodyBytesMax: 0)
  private var expected = 0
  private var hold = Hold()
  private var inflater: Inflater?
  /// What has come of a body that is inflated.
  private var deflatedBytes = 0

  /// Whether nothing is missing of what was begun: only what is inflated knows.
  var isWhole: Bool { inflater?.isWhole ?? true }

  /// Begins with a request's head.
  ///
  /// - Parameters:
  ///   - expected: The body's bytes; 0 if they are not known.
  ///   - limits: Those of the route.
  mutating func begin(expected: Int, limits: BodyLimits) -> Step {
    self.limits = limits
    self.expected = expected
    inflater = nil
    guard expected <= limits.bodyBytesMax else { return .tooLarge }
    if let inflation = limits.inflation {
      deflatedBytes = 0
      // How large it will be is not known.
      self.expected = 0
      hold.budget = limits.budget
      self.limits.contentBytesMax = inflation.bytesMax ?? limits.bodyBytesMax
      inflater = Inflater.begin(inflation, bytesMax: self.limits.contentBytesMax)
      return inflater == nil ? .noRoom : .taken
    }
    guard let budget = limits.budget else { return .taken }
    hold.budget = budget
    // One that will not find room is refused before it is read; in a server that lets bodies wait, all of it is reserved at
    // once, because bodies that have a part each could wait for each other.
    guard !limits.waitsForRoom else { return reserve(expected, budget) }
    guard budget.hasRoom(for: expected) else { return .noRoom }
    return reserve(min(expected, BodyIntake.firstBytes), budget)
  }

  /// Takes the next part of the body.
  mutating func append(_ part: ByteBuffer) -> Step {
    guard let inflater else { return add(part) }
    deflatedBytes += part.readableBytes
    guard deflatedBytes <= limits.bodyBytesMax else { return .tooLarge }
    var step = Step.taken
    let outcome = inflater.append(part) { content in
      step = add(content)
      return step == .taken
    }
    switch outcome {
    case .taken, .stopped: return step
    case .tooLarge: return .tooLarge
    case .damaged: return .damaged
    }
  }

  private mutating func add(_ part: ByteBuffer) -> Step {
    let count = bytes.readableBytes + part.readableBytes
    guard count <= limits.contentBytesMax else { return .tooLarge }
    var step = Step.taken
    if count > hold.bytes, let budget = limits.budget {
      let doubled = min(max(2 * count, BodyIntake.firstBytes), expected > 0 ? expected : limits.contentBytesMax)
      // Without a length it may end here: then what it has is enough.
      step = reserve(max(count, expected > 0 ? doubled : count) - hold.bytes, budget)
      guard step != .noRoom else { return .noRoom }
    }
    if bytes.readableBytes == 0, expected <= part.readableBytes {
      bytes = part
    } else {
      // Of its whole size at once: growing by doubling would hold the body twice for a moment. Memory that is not written
      // to is not in use.
      if bytes.capacity < expected { bytes.reserveCapacity(expected) }
      bytes.writeImmutableBuffer(part)
    }
    return step
  }

  /// Reserves what a body that waits still lacks.
  mutating func retry() -> Step {
    guard let budget = limits.budget else { return .taken }
    return reserve(max(expected, bytes.readableBytes) - hold.bytes, budget)
  }

  mutating func takeBytes() -> ByteBuffer {
    defer {
      bytes = ByteBuffer()
      inflater = nil
    }
    return bytes
  }

  /// Hands over what is reserved; the new owner releases it.
  mutating func takeHold() -> Hold {
    defer { hold = Hold() }
    return hold
  }

  private mutating func reserve(_ count: Int, _ budget: BodyBudget) -> Step {
    guard count > 0 else { return .taken }
    guard budget.reserve(count, of: max(expected, hold.bytes + count)) else {
      return limits.waitsForRoom ? .wait : .noRoom
    }
    hold.bytes += count
    return .taken
  }
}
