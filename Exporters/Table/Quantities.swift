package import Lifecycle

/// Quantities as people read them: at most three digits before the unit changes.
package enum Quantities {
  /// `850 ns`, `12 ms`, `1.34 s`, `900 s`.
  package static func duration(_ nanoseconds: Int64) -> String {
    scaled(nanoseconds, [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")], carry: 1_000)
  }

  /// `61.3 MB`, `10 GB`; as AWS counts memory, a megabyte is 2^20 bytes.
  package static func bytes(_ bytes: Int64) -> String {
    scaled(bytes, [(1, "B"), (1 << 10, "KB"), (1 << 20, "MB"), (1 << 30, "GB")], carry: 1_024)
  }

  /// How long ago or how old, in the two largest units: `4 s`, `12 min 5 s`, `3 h 20 min`, `2 d 1 h`.
  package static func age(_ length: Nanoseconds) -> String {
    let seconds = max(0, length.count) / 1_000_000_000
    let units: [(Int64, String)] = [(86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")]
    guard let first = units.firstIndex(where: { seconds >= $0.0 }) else { return "0 s" }
    let head = "\(seconds / units[first].0) \(units[first].1)"
    guard first + 1 < units.count else { return head }
    let (length, name) = units[first + 1]
    let rest = seconds % units[first].0 / length
    return rest == 0 ? head : "\(head) \(rest) \(name)"
  }

  /// Rounds half up to three significant digits, in the first unit in which fewer than `carry` are left.
  private static func scaled(_ value: Int64, _ units: [(size: Int64, name: String)], carry: Int128) -> String {
    let magnitude = Int128(value.magnitude)
    let sign = value < 0 ? "-" : ""
    for (position, unit) in units.enumerated() {
      let size = Int128(unit.size)
      let isLast = position == units.count - 1
      for (decimals, factor) in [(2, Int128(100)), (1, 10), (0, 1)] {
        let rounded = (magnitude * factor + size / 2) / size
        if decimals > 0 && rounded >= 1_000 { continue }
        if decimals == 0 && rounded >= carry && !isLast { break }
        return "\(sign)\(text(rounded, decimals: decimals)) \(unit.name)"
      }
    }
    return "\(sign)\(magnitude) \(units[0].name)"
  }

  /// - Parameters:
  ///   - value: In units of the last decimal; below 1,000 where there are decimals.
  ///   - decimals: 0 to 2. Zeros at the end are left out.
  private static func text(_ value: Int128, decimals: Int) -> String {
    let (whole, fraction) = value.quotientAndRemainder(dividingBy: decimals == 0 ? 1 : decimals == 1 ? 10 : 100)
    switch fraction {
    case 0: return String(whole)
    case _ where decimals == 1: return "\(whole).\(fraction)"
    case _ where fraction % 10 == 0: return "\(whole).\(fraction / 10)"
    default: return "\(whole).\(fraction < 10 ? "0" : "")\(fraction)"
    }
  }
}
