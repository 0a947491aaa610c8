import Documents
import Lifecycle

/// Totals of the last seconds, from which rates are computed: the growth of a total, divided by its time.
struct TotalsHistory {
  /// Rates are over about this time, so that they can be read; over longer if it is asked more rarely.
  static let horizon = Nanoseconds.seconds(10)

  private struct Sample {
    var time: Timestamp
    var totals: [String: FunctionDocument.Totals]
  }

  private var samples: [Sample] = []

  /// Takes the totals of a status that is newer than those before; one that is not changes nothing.
  mutating func add(_ status: StatusDocument) {
    if let last = samples.last, status.time <= last.time { return }
    samples.append(
      Sample(
        time: status.time,
        totals: Dictionary(
          status.functions.map { ($0.displayName, $0.totals) }, uniquingKeysWith: { first, _ in first })))
    while samples.count > 2, status.time - samples[1].time >= Self.horizon { samples.removeFirst() }
  }

  /// Per second; `nil` before there are two samples, and where a total went down because another agent answers now.
  func rate(of function: String, _ total: (FunctionDocument.Totals) -> UInt64) -> Double? {
    guard let first = samples.first, let last = samples.last, last.time > first.time else { return nil }
    guard let now = last.totals[function].map(total) else { return nil }
    // A function that was not there yet had counted nothing.
    let before = first.totals[function].map(total) ?? 0
    guard now >= before else { return nil }
    return Double(now - before) / (last.time - first.time).seconds
  }
}
