import Catalogue
import ExporterSupport
import Foundation
import Lifecycle
import TestSupport
import Testing
import Windows

/// What every exporter has to do, whatever its format.
@Suite struct `Exporter conformance tests` {
  @Test(arguments: ExporterUnderTest.all, ExportedAccount.all)
  func `every exporter shows the same numbers of the same account`(
    _ exporter: ExporterUnderTest, _ account: ExportedAccount
  ) throws {
    let shown = try exporter.read(account, exporter.bytes(account))
    let unknown = Set(shown.keys).subtracting(account.functions.map { $0.function })
    #expect(exporter.omitsIdle ? unknown.isSubset(of: [nil]) : unknown == [nil])
    for (function, rollup) in account.functions {
      var expected: [ShownItem: Int128] = [:]
      for number in TallyNumber.all {
        for item in exporter.items(number) {
          expected[item] = number.billionths(item, of: rollup.tally)
          // Of functions that it says nothing of, it is absent.
          if number.metric?.isShown != nil, expected[item] == 0, shown[function]?[item] == nil { expected[item] = nil }
        }
      }
      for peak in exporter.peaks { expected[peak] = rollup.peaks.billionths(peak) }
      guard let items = shown[function] else {
        #expect(exporter.omitsIdle && expected.values.allSatisfy { $0 == 0 }, "\(function) is missing")
        continue
      }
      for (item, billionths) in expected { expect(items, item, billionths) }
    }
    if let items = shown[nil] { expect(items, .concurrencyMax, account.account.peaks.billionths(.concurrencyMax)) }
  }

  private func expect(_ items: [ShownItem: ShownNumber], _ item: ShownItem, _ billionths: Int128) {
    guard let found = items[item] else {
      Issue.record("\(item) is missing")
      return
    }
    #expect(found.isSame(as: billionths), "\(item): \(found) in place of \(billionths) billionths")
  }

  @Test(arguments: ExporterUnderTest.all, ExportedAccount.all)
  func `every exporter writes the same bytes of the same account, whatever the order of its windows`(
    _ exporter: ExporterUnderTest, _ account: ExportedAccount
  ) {
    var other = account
    var random = SplitMix(seed: 1)
    other.functions.shuffle(using: &random)
    #expect(exporter.bytes(other) == exporter.bytes(account))
  }

  @Test func `every number of a tally is a metric, a member and, where its row says so, a column`() {
    let families = Catalogue.families.map(\.name)
    let exposition = ExporterUnderTest.all.filter { $0.items(TallyNumber.all[0]) != [] }
    #expect(exposition.count == ExporterUnderTest.all.count)
    for number in TallyNumber.all {
      guard let metric = number.metric else {
        // What follows from other metrics is in documents only.
        #expect(!ExporterUnderTest.all.filter { !$0.items(number).isEmpty }.isEmpty)
        continue
      }
      #expect(families.filter { $0 == metric.name }.count == 1)
      let silent = ExporterUnderTest.all.filter { $0.items(number).isEmpty }.map(\.testDescription)
      #expect(number.columns.isEmpty ? silent == ["CSV", "table"] : Set(silent).isSubset(of: ["table"]), "\(silent)")
    }
  }

  @Test(arguments: TallyNumber.all)
  func `the documentation of the API names every member, or what it has in common with others`(
    _ number: TallyNumber
  ) throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    let page = try String(contentsOf: root.appendingPathComponent("docs/formats/api.md"), encoding: .utf8)
    for member in [number.member] + [number.partsMember].compactMap({ $0 }) {
      #expect(page.contains("\"\(member)\":"), "\(member)")
    }
  }
}

extension TallyNumber {
  /// An item of a tally in billionths of the unit that exporters show.
  fileprivate func billionths(_ item: ShownItem, of tally: Tally) -> Int128 {
    let unit: Int128 = 1_000_000_000
    switch (item, content) {
    case (.seconds, _): return total(of: tally)
    case (.sum, .distribution(let measure, let access, _)):
      return access.read(tally).sum * (measure == .duration ? 1 : unit)
    case (.maximum, .distribution(let measure, let access, _)):
      return Int128(access.read(tally).maximum) * (measure == .duration ? 1 : unit)
    default: return total(of: tally) * unit
    }
  }
}

extension Peaks {
  fileprivate func billionths(_ item: ShownItem) -> Int128 {
    switch item {
    case .instancesMax: Int128(instances) * 1_000_000_000
    case .provisionedConcurrencyMax: Int128(provisionedConcurrency) * 1_000_000_000
    default: Int128(concurrency) * 1_000_000_000
    }
  }
}
