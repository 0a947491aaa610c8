import ExporterSupport
import Lifecycle
import TestSupport
import Testing
import Windows

/// What functions did, as a scrape's snapshot and as a window: every exporter is given the same.
struct ExportedAccount: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var functions: [(function: FunctionID, rollup: Rollup)]

  /// The peaks are those of the merged stream, so they are no sum.
  var account: Rollup {
    var rollup = Rollup()
    for (_, own) in functions { rollup.tally.merge(own.tally) }
    rollup.peaks.concurrency = functions.map(\.rollup.peaks.concurrency).max().map { $0 / 2 + 3 } ?? 0
    return rollup
  }

  var snapshot: Snapshot {
    Snapshot(
      time: Samples.morning + .seconds(61), windowLength: Samples.minute,
      lastClosedWindowEnd: Samples.morning + Samples.minute,
      functions: functions.sorted { $0.function < $1.function }.map { function, rollup in
        var snapshot = FunctionSnapshot(function: function, firstSeen: Samples.morning)
        snapshot.totals = rollup.tally
        snapshot.concurrencyNanoseconds = rollup.concurrencyNanoseconds
        snapshot.lastClosed = rollup.peaks
        return snapshot
      },
      account: AccountSnapshot(
        concurrentExecutions: 0, concurrencyLimit: nil, lastClosed: account.peaks), statistics: AggregatorStatistics())
  }

  /// One of each function, and that of the account.
  var windows: [WindowRollup] {
    let scopes = functions.map { (Scope.function($0.function), $0.rollup) } + [(Scope.account, account)]
    return scopes.map { scope, rollup in
      WindowRollup(
        scope: scope, start: Samples.morning, length: Samples.minute, isClosed: true, rollup: rollup)
    }
  }

  static let all: [ExportedAccount] =
    [
      ExportedAccount(testDescription: "nothing", functions: []),
      ExportedAccount(testDescription: "a function that did nothing", functions: [(FunctionID("idle"), Rollup())]),
      ExportedAccount(testDescription: "every number, each another", functions: [(FunctionID("f"), everyNumber)]),
      ExportedAccount(
        testDescription: "versions",
        functions: [("f", "1"), ("f", "2"), ("f", FunctionID.latest), ("g", "live")].enumerated().map { place, name in
          (FunctionID(name.0, version: name.1), rollup(seed: UInt64(place)))
        }),
      ExportedAccount(
        testDescription: "odd names",
        functions: oddNames.enumerated().map { place, name in
          (FunctionID(name, version: place % 2 == 0 ? FunctionID.latest : name), rollup(seed: UInt64(place)))
        }),
      ExportedAccount(testDescription: "the largest numbers", functions: [(FunctionID("huge"), largest)]),
    ]
    + TallyNumber.all.map { number in
      var rollup = Rollup()
      number.add(3, to: &rollup.tally)
      return ExportedAccount(testDescription: "only \(number.field)", functions: [(FunctionID("f"), rollup)])
    }
    + (1...4).map { seed in
      ExportedAccount(
        testDescription: "random numbers \(seed)",
        functions: (0..<seed).map { (FunctionID("f\($0)"), rollup(seed: UInt64(100 * seed + $0))) })
    }

  private static let oddNames = [
    "quote\"quote", "back\\slash", "line\nfeed", "tab\ttab", "käse-日本-😀", "\u{0}zero", "\u{1B}[31mred", "comma,semi;",
    "=cmd()", "@at", "{a=\"b\"} 1", "a\u{202E}b", "null", "<script>", String(repeating: "x", count: 140),
  ]

  private static var everyNumber: Rollup {
    var rollup = Rollup()
    for (place, number) in TallyNumber.all.enumerated() { number.add(UInt64(place + 2), to: &rollup.tally) }
    rollup.peaks.concurrency = 40
    rollup.peaks.instances = 41
    rollup.peaks.provisionedConcurrency = 39
    return rollup
  }

  private static var largest: Rollup {
    var rollup = Rollup()
    for number in TallyNumber.all {
      switch number.content {
      case .count(let access, _): access.change(&rollup.tally) { $0 = .max }
      case .words(_, let access, _): access.change(&rollup.tally) { $0[1] = .max }
      case .time(let access, _): access.change(&rollup.tally) { $0 = 1 << 100 }
      case .distribution(_, let access, _):
        access.change(&rollup.tally) { for _ in 0..<3 { $0.record(.max) } }
      }
    }
    rollup.peaks.concurrency = .max
    rollup.peaks.instances = .max
    rollup.peaks.provisionedConcurrency = .max
    return rollup
  }

  private static func rollup(seed: UInt64) -> Rollup {
    var random = SplitMix(seed: seed)
    var rollup = Rollup()
    for number in TallyNumber.all where Bool.random(using: &random) {
      number.add(UInt64.random(in: 1...60, using: &random), to: &rollup.tally)
    }
    rollup.peaks.concurrency = Int64.random(in: 1...1_000, using: &random)
    rollup.peaks.instances = Int64.random(in: 0...1_000, using: &random)
    rollup.peaks.provisionedConcurrency = Int64.random(in: 0...1_000, using: &random)
    return rollup
  }
}
