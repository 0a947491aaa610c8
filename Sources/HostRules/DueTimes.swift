import HeapModule
package import Lifecycle

/// Finds what is due first among many things, of which each has one time, or none.
///
/// A change costs the logarithm of their number.
package struct DueTimes<Key: Hashable & Comparable> {
  private struct Due: Comparable {
    var time: Timestamp
    var key: Key
    static func < (left: Due, right: Due) -> Bool {
      left.time == right.time ? left.key < right.key : left.time < right.time
    }
  }

  private var times: [Key: Timestamp] = [:]
  /// Times that were changed stay there until they come first, or are half of it.
  private var heap = Heap<Due>()

  /// Without any.
  package init() {}

  /// Says when something is due; `nil`: never.
  package mutating func set(_ key: Key, to time: Timestamp?) {
    guard times[key] != time else { return }
    times[key] = time
    if let time { heap.insert(Due(time: time, key: key)) }
    if heap.count > 2 * times.count + 64 { heap = Heap(times.map { Due(time: $1, key: $0) }) }
    // Behind a change, the first is always one that holds.
    while let first = heap.min, times[first.key] != first.time { heap.removeMin() }
  }

  /// What is due first, and when; of several at one time, the smallest.
  package var first: (key: Key, time: Timestamp)? { heap.min.map { ($0.key, $0.time) } }
}
