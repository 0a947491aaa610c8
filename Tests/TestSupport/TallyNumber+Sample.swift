import Testing
package import Windows

extension TallyNumber {
  /// Adds to a tally what leaves no other number of it changed: `amount` of a count and of its first word, one more of each further
  /// word, `amount` nanoseconds, or `amount` values of `amount` each.
  package func add(_ amount: UInt64, to tally: inout Tally) {
    switch content {
    case .count(let access, _): access.change(&tally) { $0 &+= amount }
    case .words(let names, let access, _):
      access.change(&tally) { counts in for word in names.indices { counts[word] &+= amount + UInt64(word) } }
    case .time(let access, _): access.change(&tally) { $0 += Int128(amount) }
    case .distribution(_, let access, _):
      access.change(&tally) { distribution in for _ in 0..<amount { distribution.record(Int64(amount)) } }
    }
  }

  /// What ``add(_:to:)`` adds: the count of all words, of values, or nanoseconds.
  package func total(_ amount: UInt64) -> Int128 {
    guard case .words(let names, _, _) = content else { return Int128(amount) }
    return Int128(names.count) * Int128(amount) + Int128(names.count * (names.count - 1) / 2)
  }

  /// The same of a tally.
  package func total(of tally: Tally) -> Int128 {
    switch content {
    case .count(let access, _): return Int128(access.read(tally))
    case .words(_, let access, _):
      let counts = access.read(tally)
      return counts.indices.reduce(0) { $0 + Int128(counts[$1]) }
    case .time(let access, _): return access.read(tally)
    case .distribution(_, let access, _): return Int128(access.read(tally).count)
    }
  }
}

extension TallyNumber: CustomTestStringConvertible {
  package var testDescription: String { "\(field)" }
}
