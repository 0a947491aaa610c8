import Lifecycle
import TestSupport
import Testing

@testable import Windows

@Suite struct `Identifier map tests` {
  /// Keys whose place in a table is the same: they differ only in bits that are shifted out, or far above a table's size.
  private func key(_ number: UInt64) -> RequestID {
    switch number % 4 {
    case 0: RequestID(Identifier128(high: number, low: 0))
    case 1: RequestID(Identifier128(high: number << 48, low: 0))
    case 2: RequestID(Identifier128(high: 0, low: number))
    default: RequestID(Identifier128(high: 15 << 7 | number, low: 0))
    }
  }

  @Test(arguments: 1...12 as ClosedRange<UInt64>)
  func `a map does what a dictionary does, collisions, removals and the nil key included`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var map = IdentifierMap<RequestID, Int>()
    var model: [RequestID: Int] = [:]
    for step in 0..<3_000 {
      let key = key(UInt64.random(in: 0..<120, using: &random))
      switch Int.random(in: 0..<10, using: &random) {
      case 0...3:
        map[key] = step
        model[key] = step
      case 4:
        let changed = map.modify(key) { $0 += 1 } != nil
        #expect(changed == (model[key] != nil))
        if let value = model[key] { model[key] = value + 1 }
      case 5:
        map[key] = nil
        model[key] = nil
      case 6...8:
        let (removed, expected) = (map.removeValue(forKey: key), model.removeValue(forKey: key))
        #expect(removed == expected)
      default:
        let divisor = Int.random(in: 2...9, using: &random)
        if step % 7 == 0 {
          map.removeAll { $1 % divisor == 0 }
          model = model.filter { $1 % divisor != 0 }
        }
      }
      #expect(map.count == model.count && map.isEmpty == model.isEmpty)
      #expect(map[key] == model[key] && map.contains(key) == (model[key] != nil))
    }
    #expect(Dictionary(uniqueKeysWithValues: Array(map)) == model)
  }
}

@Suite struct `Recent requests tests` {
  private func request(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 0, low: number)) }

  @Test(arguments: [1, 2, 7, 100])
  func `the last requests are remembered, and those long ago are not`(limit: Int) {
    var recent = RecentRequests(limit: limit)
    for number in 0..<UInt64(10 * limit) {
      #expect(!recent.contains(request(number)))
      let isNew = recent.insert(request(number))
      #expect(isNew)
      let remembered = number < UInt64(limit) ? 0 : number - UInt64(limit) + 1
      for past in remembered...number {
        #expect(recent.contains(request(past)))
        let isNew = recent.insert(request(past))
        #expect(!isNew)
      }
      if number > 2 * UInt64(limit) { #expect(!recent.contains(request(number - 2 * UInt64(limit) - 1))) }
    }
  }
}

@Suite struct `Step function tests` {
  @Test(arguments: 1...40 as ClosedRange<UInt64>)
  func `values and stretches are those of a plain search, in any order of statements`(seed: UInt64) {
    var random = SplitMix(seed: seed)
    var steps = StepFunction()
    var sum = StepFunction()
    var stated: [Int64: Int64] = [:]
    for _ in 0..<25 {
      let (time, value) = (Int64.random(in: 0..<30, using: &random), Int64.random(in: 0..<6, using: &random))
      sum.add(steps.set(value, at: Timestamp(nanoseconds: time)))
      stated[time] = max(stated[time] ?? 0, value)
    }
    func value(_ time: Int64) -> Int64 { stated.filter { $0.key <= time }.max { $0.key < $1.key }?.value ?? 0 }
    for time in -1...31 as ClosedRange<Int64> {
      #expect(steps.value(at: Timestamp(nanoseconds: time)) == value(time))
      #expect(sum.value(at: Timestamp(nanoseconds: time)) == value(time))
    }
    var covered: Int64 = 4
    for stretch in steps.stretches(from: Timestamp(nanoseconds: 4), to: Timestamp(nanoseconds: 22)) {
      #expect(stretch.from.nanoseconds == covered && stretch.to > stretch.from)
      for time in covered..<stretch.to.nanoseconds { #expect(stretch.value == value(time)) }
      covered = stretch.to.nanoseconds
    }
    #expect(covered == 22)
    steps.forget(before: Timestamp(nanoseconds: 15))
    for time in 15...31 as ClosedRange<Int64> { #expect(steps.value(at: Timestamp(nanoseconds: time)) == value(time)) }
    #expect(steps.steps.count { $0.time.nanoseconds <= 15 } <= 1)
  }
}

@Suite struct `Window grid tests` {
  @Test(
    arguments: [
      (0, 0), (59, 0), (60, 1), (-1, -1), (-60, -1), (-61, -2), (.max, .max / 60), (.min, .min / 60 - 1),
    ] as [(Int64, Int64)])
  func `a window holds its start and not its end`(time: Int64, index: Int64) {
    let grid = WindowGrid(length: Nanoseconds(60))
    #expect(grid.index(of: Timestamp(nanoseconds: time)) == index)
    #expect(grid.start(index).nanoseconds <= time)
    #expect(grid.end(index).nanoseconds >= time)
  }
}

@Suite struct `Retention tests` {
  @Test(
    arguments: [
      (1, [1, 300, 3_600]), (60, [60, 300, 3_600]), (7, [7]), (8, [8, 3_600]), (300, [300, 3_600]),
      (900, [900, 3_600]),
      (3_600, [3_600]),
    ] as [(Int64, [Int64])])
  func `tiers are multiples of each other, and the last one is kept longest`(window: Int64, lengths: [Int64]) {
    let tiers = Retention(window: .seconds(window)).tiers
    #expect(tiers.map(\.length) == lengths.map { Nanoseconds.seconds($0) })
    #expect(tiers.map(\.kept) == tiers.map(\.kept).sorted())
    #expect(tiers.last?.kept == .seconds(455 * 86_400) || lengths == [300, 3_600])
  }

  struct TierCase: Sendable {
    var resolution: Int64
    var ageSeconds: Int64
    var length: Int64
  }

  @Test(arguments: [
    TierCase(resolution: 60, ageSeconds: 0, length: 60),
    TierCase(resolution: 60, ageSeconds: 15 * 86_400, length: 60),
    TierCase(resolution: 600, ageSeconds: 0, length: 300),
    TierCase(resolution: 3_600, ageSeconds: 0, length: 3_600),
    TierCase(resolution: 86_400, ageSeconds: 455 * 86_400, length: 3_600),
    TierCase(resolution: 120, ageSeconds: 86_400, length: 60),
    TierCase(resolution: 600, ageSeconds: 63 * 86_400, length: 300),
  ])
  func `the coarsest tier that divides the resolution and still holds the age is read`(_ given: TierCase) {
    let now = Timestamp(seconds: 1_790_000_000)
    let tier = Retention(window: .seconds(60)).tier(
      resolution: .seconds(given.resolution), from: now - .seconds(given.ageSeconds), now: now)
    #expect(tier.length == .seconds(given.length))
    #expect(Retention(window: .seconds(60)).horizon(of: tier, now: now) <= now - .seconds(given.ageSeconds))
  }

  @Test(
    arguments: [
      (0, 60), (3_599, 60), (3_600, 600), (43_199, 600), (43_200, 3_600), (259_199, 3_600), (259_200, 14_400),
      (604_799, 14_400), (604_800, 86_400), (40_000_000, 86_400),
    ] as [(Int64, Int64)])
  func `a range's resolution changes exactly at 1 h, 12 h, 3 d and 7 d`(range: Int64, length: Int64) {
    #expect(Resolution.suited(to: .seconds(range), window: .seconds(60)) == .seconds(length))
    #expect(Resolution.suited(to: .seconds(range), window: .seconds(3_600)) == .seconds(max(3_600, length)))
    #expect(Resolution.suited(to: .seconds(range), window: .seconds(7)).count % 7_000_000_000 == 0)
  }
}
