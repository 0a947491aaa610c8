public import Lifecycle

/// One count for each word of a closed set, without allocation.
///
/// Adding is commutative and associative; counts wrap only past 2^64.
public struct WordCounts<Key: Word>: Sendable, Equatable {
  // The largest set of words, ThrottleReason, has six.
  @usableFromInline var counts: InlineArray<6, UInt64>

  /// Every word at 0.
  @inlinable public init() { counts = InlineArray(repeating: 0) }

  /// How often a word was counted.
  @inlinable public subscript(key: Key) -> UInt64 {
    get { counts[Int(key.rawValue)] }
    set { counts[Int(key.rawValue)] = newValue }
  }

  /// The sum over all words.
  public var total: UInt64 {
    var sum: UInt64 = 0
    for index in counts.indices { sum &+= counts[index] }
    return sum
  }

  /// Adds the counts of each word.
  public mutating func merge(_ other: WordCounts) {
    for index in counts.indices { counts[index] &+= other.counts[index] }
  }

  /// Whether each word was counted as often in both.
  public static func == (left: WordCounts, right: WordCounts) -> Bool {
    left.counts.indices.allSatisfy { left.counts[$0] == right.counts[$0] }
  }
}
