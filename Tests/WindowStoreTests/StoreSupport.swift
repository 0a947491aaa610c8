import Foundation
import Lifecycle
import Windows

@testable import WindowStore

/// A directory that is deleted with the value that owns it.
final class TemporaryDirectory: Sendable {
  let path: String

  init() {
    path = NSTemporaryDirectory() + "kelvin-store-" + UUID().uuidString
    try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  }

  // What is left over is in the system's directory for temporary files: no reason to fail a test.
  deinit { try? FileManager.default.removeItem(atPath: path) }

  var database: String { path + "/kelvin.db" }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(_ seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// A number of random magnitude, often zero.
  mutating func magnitude(bits: Int = 40) -> UInt64 {
    Bool.random(using: &self) ? 0 : next() >> UInt64(64 - Int.random(in: 1...bits, using: &self))
  }
}

extension Rollup {
  static func random(_ generator: inout SeededGenerator) -> Rollup {
    var rollup = Rollup()
    rollup.tally = .random(&generator)
    rollup.peaks.concurrency = Int64(generator.magnitude())
    rollup.peaks.provisionedConcurrency = Int64(generator.magnitude())
    rollup.peaks.provisionedUtilization = Bool.random(using: &generator) ? 0 : Double(generator.magnitude()) / 7
    rollup.peaks.instances = Int64(generator.magnitude())
    rollup.peaks.overlapping = Int64(generator.magnitude())
    rollup.peaks.unreservedConcurrency = Int64(generator.magnitude())
    rollup.peaks.claimedConcurrency = Int64(generator.magnitude())
    rollup.concurrencyNanoseconds = Int128(generator.magnitude()) << 40
    return rollup
  }
}

extension EventSourceTally {
  static func random(_ generator: inout SeededGenerator) -> EventSourceTally {
    var tally = EventSourceTally()
    for key in EventSourceCounter.allCases { tally[key] = generator.magnitude(bits: 64) }
    for key in EventSourceDuration.allCases where Bool.random(using: &generator) {
      tally[key].recordRandom(&generator)
    }
    return tally
  }
}

extension EventSourceRollup {
  static func random(_ generator: inout SeededGenerator) -> EventSourceRollup {
    var rollup = EventSourceRollup()
    rollup.tally = .random(&generator)
    for key in EventSourceLevel.allCases { rollup.peaks[key] = Int64(generator.magnitude()) }
    rollup.peaks.oldestAge = Nanoseconds(Int64(generator.magnitude()))
    return rollup
  }
}

extension EventSourceCheckpoint {
  static func random(_ source: EventSourceID, _ generator: inout SeededGenerator) -> EventSourceCheckpoint {
    var present = EventSourcePresent()
    for level in EventSourceLevel.allCases where Bool.random(using: &generator) {
      present.levels.append(
        .init(
          level: level, time: Timestamp(nanoseconds: Int64(generator.magnitude(bits: 60))),
          value: Int64(generator.magnitude())))
    }
    present.oldest = Bool.random(using: &generator) ? nil : Timestamp(nanoseconds: Int64(generator.magnitude(bits: 60)))
    present.oldestTold = present.oldest.map { $0 + .seconds(1) }
    present.isGone = Bool.random(using: &generator)
    return EventSourceCheckpoint(
      source: source, firstSeen: Timestamp(nanoseconds: Int64(generator.magnitude(bits: 60))),
      totals: .random(&generator), present: present, isRemote: Bool.random(using: &generator))
  }
}

extension Tally {
  static func random(_ generator: inout SeededGenerator) -> Tally {
    var tally = Tally()
    for key in Trigger.allCases { tally.invocations[key] = generator.magnitude() }
    tally.errors = generator.magnitude()
    for key in TimeoutSource.allCases { tally.timeouts[key] = generator.magnitude() }
    tally.crashes = generator.magnitude()
    tally.outOfMemory = generator.magnitude()
    for key in ThrottleReason.allCases { tally.throttles[key] = generator.magnitude(bits: 64) }
    tally.coldStarts = generator.magnitude()
    for key in InitializationType.allCases { tally.initializations[key] = generator.magnitude() }
    tally.initializationFailures = generator.magnitude()
    tally.warmUpFailures = generator.magnitude()
    tally.provisionedInvocations = generator.magnitude()
    tally.spilloverInvocations = generator.magnitude()
    for key in StopReason.allCases { tally.instanceStops[key] = generator.magnitude() }
    tally.billedNanoseconds = Int128(generator.magnitude()) << 33
    tally.duration.recordRandom(&generator)
    tally.initialization.recordRandom(&generator)
    tally.warmUp.recordRandom(&generator)
    tally.memoryUsed.recordRandom(&generator)
    tally.instanceLifetime.recordRandom(&generator)
    for key in ResponseClass.allCases { tally.httpResponses[key] = generator.magnitude() }
    tally.httpGatewayTimeouts = generator.magnitude()
    tally.httpThrottles = generator.magnitude()
    tally.httpDuration.recordRandom(&generator)
    return tally
  }
}

extension Distribution {
  mutating func recordRandom(_ generator: inout SeededGenerator) {
    for _ in 0..<Int.random(in: 0...40, using: &generator) { record(Int64(generator.magnitude(bits: 62))) }
    // Both sides of a classic bound that cuts a bucket.
    if Bool.random(using: &generator) { for value in [10_000_000, 10_000_001] { record(Int64(value)) } }
  }
}

/// One of each answer of a call that may throw.
func storeError(_ body: () throws(StoreError) -> Void) -> StoreError? {
  do {
    try body()
    return nil
  } catch {
    return error
  }
}
