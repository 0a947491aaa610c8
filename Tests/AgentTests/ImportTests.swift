import Documents
import Foundation
import LambdaRecords
import Lifecycle
import LogImport
import TestSupport
import WindowStore
import Windows

@testable import Agent

import Testing

/// What is in a store is a function of the set of facts: neither their order nor how often they came matters.
@Suite struct `Imports that are kept` {
  private static let begin = Timestamp(seconds: 1_795_514_400)
  private static let now = Timestamp(seconds: 1_795_600_000)

  /// Lines of a day in which everything happens that lines tell, at the ends of spans, too.
  private static func log(_ generator: inout SplitMix) -> [String] {
    var lines: [(Int64, String)] = []
    for number in 0..<400 {
      let stream = "2026/11/24/[$LATEST]0a0000000000000000000000000000" + String(10 + number % 7)
      let id = "5e1f0000-0000-4000-8000-000000000" + String(100 + number)
      // Around the full hours, and somewhere.
      var start = Int64(number / 7) * 600_000 + Int64(number % 7) * 900 - 1_500 + Int64(generator.next() % 700)
      if number % 50 == 0 { start += 3_599_000 }
      let length = Int64(generator.next() % 400_000)
      func add(_ at: Int64, _ text: String) { lines.append((at, "\(stream) \(text)")) }
      if generator.next() % 9 == 0 {
        add(start, "INIT_REPORT Init Duration: 88.01 ms\tPhase: init\tStatus: error\tError Type: X")
      }
      if number % 11 != 0 { add(start, "START RequestId: \(id) Version: $LATEST") }
      if number % 13 == 0 { add(start + length / 2, "[ERROR] ValueError: none\nTraceback (most recent call last):") }
      if number % 17 == 0 { continue }
      add(start + length, "END RequestId: \(id)")
      if number % 19 == 0 {
        add(start + length, "\(time(start + length)) \(id) Task timed out after \(length / 1_000).00 seconds")
      }
      add(
        start + length,
        "REPORT RequestId: \(id)\tDuration: \(length).00 ms\tBilled Duration: \(length) ms\tMemory Size: 128 MB\t"
          + "Max Memory Used: \(generator.next() % 128) MB\t" + (number % 5 == 0 ? "Init Duration: 12.5 ms\t" : ""))
    }
    return lines.map { "\(time($0.0)) \($0.1)\n" }
  }

  private static func time(_ milliseconds: Int64) -> String {
    let time = begin + .milliseconds(milliseconds)
    let seconds = time.nanoseconds / 1_000_000_000
    let date = Date(timeIntervalSince1970: Double(seconds))
    let formatter = ISO8601DateFormatter()
    let text = formatter.string(from: date).dropLast()
    return "\(text).\(String(1_000 + time.nanoseconds / 1_000_000 % 1_000).dropFirst())Z"
  }

  private struct Store: ~Copyable {
    let directory = NSTemporaryDirectory() + "kelvin-imports-" + UUID().uuidString
    let store: WindowStore

    init() throws {
      store = try WindowStore.open(
        directory: directory, window: .seconds(60), retention: Retention(window: .seconds(60)))
    }

    // What is left over is in the system's directory for temporary files: no reason to fail a test.
    deinit {
      try? store.close()
      try? FileManager.default.removeItem(atPath: directory)
    }

    /// Reads a file and keeps its facts, as an agent does.
    func take(_ lines: [String], function: String? = "orders") throws -> ImportedCounts {
      var (counts, problem): (ImportedCounts, (any Error)?) = (ImportedCounts(), nil)
      let importer = LogImporter(window: .seconds(60)) { [store] batch in
        // Over the wire and back.
        guard let batch = FactBatch(bytes: batch.bytes.span) else {
          Issue.record("a batch cannot be read")
          return
        }
        do {
          let part = try store.add(
            batch.streams.map { ImportedStream(name: $0.name, function: $0.function, lastSeen: $0.lastSeen) },
            batch.facts.map {
              ImportedFact(stream: $0, time: $1.time, bytes: $1.bytes, isOfInstance: $1.isOfInstance)
            }, now: `Imports that are kept`.now)
          counts.new += part.new
          counts.known += part.known
          counts.tooOld += part.tooOld
        } catch {
          problem = error
        }
      }
      importer.begin("a.log", function: function)
      importer.append(Array(lines.joined().utf8).span)
      _ = importer.endFile()
      _ = importer.finish()
      if let problem { throw problem }
      return counts
    }

    func compute() throws {
      while let span = try store.nextImportSpan() {
        try store.save(
          ImportedWindows.of(span, in: store), of: span, live: [], now: `Imports that are kept`.now)
      }
    }

    func windows(_ scope: Scope = .account, tier: Nanoseconds = .seconds(60)) throws -> [WindowRollup] {
      try store.reader.windows(
        WindowSelection(
          scope: scope, from: `Imports that are kept`.begin - .seconds(86_400),
          to: `Imports that are kept`.begin + .seconds(4 * 86_400),
          tier: tier, resolution: tier), closedBefore: `Imports that are kept`.now)
    }
  }

  private struct SplitMix {
    var state: UInt64
    mutating func next() -> UInt64 {
      state &+= 0x9E37_79B9_7F4A_7C15
      var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
      mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
      return mixed ^ (mixed >> 31)
    }

    mutating func shuffle<Element>(_ elements: inout [Element]) {
      for index in stride(from: elements.count - 1, to: 0, by: -1) {
        elements.swapAt(index, Int(next() % UInt64(index + 1)))
      }
    }
  }

  @Test(arguments: 1...3)
  func `any split, order and repetition of a log gives the windows of all at once`(_ seed: UInt64) throws {
    var generator = SplitMix(state: seed)
    let lines = `Imports that are kept`.log(&generator)
    let whole = try Store()
    _ = try whole.take(lines)
    try whole.compute()
    let parts = try Store()
    var pieces: [[String]] = []
    var rest = lines[...]
    while !rest.isEmpty {
      let piece = rest.prefix(1 + Int(generator.next() % 300))
      rest = rest.dropFirst(piece.count)
      pieces.append(Array(piece))
      if generator.next() % 4 == 0 { pieces.append(Array(lines[piece.startIndex...].prefix(200))) }
    }
    generator.shuffle(&pieces)
    for piece in pieces {
      _ = try parts.take(piece)
      // Some are computed between, as when another import ends.
      if generator.next() % 3 == 0 { try parts.compute() }
    }
    try parts.compute()
    for tier in [60, 300, 3_600] {
      for scope in [Scope.account, .function(FunctionID("orders"))] {
        let expected = try whole.windows(scope, tier: .seconds(Int64(tier)))
        #expect(try parts.windows(scope, tier: .seconds(Int64(tier))) == expected)
        #expect(!expected.isEmpty && expected.allSatisfy(\.isFromLogs))
      }
    }
  }

  @Test func `the windows are those that a dry run counts`() throws {
    var generator = SplitMix(state: 42)
    let lines = `Imports that are kept`.log(&generator).sorted()
    let store = try Store()
    let counts = try store.take(lines)
    try store.compute()
    let importer = LogImporter()
    importer.begin("a.log", function: "orders")
    importer.append(Array(lines.joined().utf8).span)
    _ = importer.endFile()
    let lives = importer.finish()
    let dry = ImportDocument(
      lives, importer.intake, range: nil, resolution: .seconds(60), now: `Imports that are kept`.now)
    let windows = try store.windows()
    let stored = WindowsDocument(
      resolution: .seconds(60), from: `Imports that are kept`.begin, to: `Imports that are kept`.begin, rollups: windows
    ).windows
    let shown: [WindowDocument] = try #require(dry.windows).windows
    let expected = shown.filter { $0.hasCounts || $0.concurrencyMax > 0 }
    #expect(stored.map(\.start) == expected.map(\.start))
    for (one, two) in zip(stored, expected) {
      #expect((one.invocations, one.errors, one.coldStarts) == (two.invocations, two.errors, two.coldStarts))
      #expect(one.concurrencyMax == two.concurrencyMax && one.duration == two.duration, "\(one.start)")
    }
    #expect(counts.new > 1_000)
    #expect(try store.take(lines).new == 0)
    #expect(try store.store.nextImportSpan() == nil, "what was known is not computed again")
  }

  @Test func `an initialization that failed makes one invocation cold, in stored windows as in a dry run`() throws {
    func line(_ second: Int64, _ text: String) -> String {
      "\(`Imports that are kept`.time(second * 1_000)) \(`Imports that are kept`.stream) \(text)\n"
    }
    var lines = [line(3_600, "INIT_REPORT Init Duration: 88.01 ms\tPhase: invoke\tStatus: error\tError Type: X")]
    for (number, second) in [3_605, 6_000, 8_400, 10_860].enumerated() {
      lines.append(
        line(
          Int64(second),
          "REPORT RequestId: 5e1f0000-0000-4000-8000-00000000000\(number)\tDuration: 9.00 ms\tBilled Duration: 9 ms\t"
            + "Memory Size: 128 MB\tMax Memory Used: 60 MB\t"))
    }
    let store = try Store()
    _ = try store.take(lines)
    try store.compute()
    let importer = LogImporter()
    importer.begin("a.log", function: "orders")
    importer.append(Array(lines.joined().utf8).span)
    _ = importer.endFile()
    #expect(try store.windows().map(\.rollup.tally.coldStarts) == [1, 0, 0, 0])
    #expect(importer.finish().counts.coldStarts == 1)
  }

  @Test func `an invocation without an end lasts until its stream's last line, whichever half comes first`() throws {
    func line(_ second: Int64, _ text: String) -> String {
      "\(`Imports that are kept`.time(second * 1_000)) \(`Imports that are kept`.stream) \(text)\n"
    }
    let early = [line(7_190, "START RequestId: \(`Imports that are kept`.id) Version: $LATEST")]
    let late = [line(7_260, "charged"), line(7_501, "charged")]
    for halves in [[early + late], [early, late], [late, early]] {
      let store = try Store()
      for half in halves { _ = try store.take(half) }
      try store.compute()
      #expect(try store.windows().map(\.rollup.peaks.concurrency) == [1, 1, 1, 1, 1, 1, 1], "\(halves.count)")
    }
  }

  @Test func `lines that name no function count once another file names it`() throws {
    var generator = SplitMix(state: 7)
    let lines = `Imports that are kept`.log(&generator)
    let store = try Store()
    _ = try store.take(lines, function: nil)
    try store.compute()
    #expect(try store.windows().isEmpty)
    #expect(try store.take(lines).new == 0)
    try store.compute()
    let whole = try Store()
    _ = try whole.take(lines)
    try whole.compute()
    #expect(try store.windows() == whole.windows())
    #expect(try !store.windows().isEmpty)
  }

  @Test func `what is older than what is kept is left out`() throws {
    let store = try Store()
    let counts = try store.take([
      "2025-01-01T00:00:00.000Z \(`Imports that are kept`.stream) START RequestId: \(`Imports that are kept`.id) Version: 1\n"
    ])
    #expect(counts.tooOld == 1 && counts.new == 0)
    #expect(try store.store.nextImportSpan() == nil)
  }

  private static let stream = "2026/11/24/[$LATEST]0a000000000000000000000000000001"
  private static let id = "5e1f0000-0000-4000-8000-000000000001"

  @Test func `a window that live events reach later gives up what was imported`() throws {
    let store = try Store()
    let at = `Imports that are kept`.begin + .seconds(5)
    for (number, second) in [(1, 0), (2, 60)] {
      let id = "5e1f0000-0000-4000-8000-00000000000\(number)"
      _ = try store.take([
        "\(`Imports that are kept`.time(Int64(second) * 1_000)) \(`Imports that are kept`.stream) START RequestId: \(id) Version: 1\n",
        "\(`Imports that are kept`.time(Int64(second) * 1_000 + 900)) \(`Imports that are kept`.stream) REPORT RequestId: \(id)\tDuration: 900.00 ms\tBilled Duration: 900 ms\tMemory Size: 128 MB\tMax Memory Used: 60 MB\n",
      ])
    }
    try store.compute()
    let orders = Scope.function(FunctionID("orders"))
    #expect(try store.windows(orders).count == 2)
    var rollup = Rollup()
    rollup.tally.invocations[.direct] = 7
    var checkpoint = Checkpoint(time: `Imports that are kept`.now)
    checkpoint.windows = [
      WindowCheckpoint(scope: orders, start: `Imports that are kept`.begin, rollup: rollup, isFinal: true)
    ]
    try store.store.save(checkpoint)
    #expect(try store.store.nextImportSpan() != nil)
    try store.compute()
    let windows = try store.windows(orders)
    #expect(windows.map(\.rollup.tally.invocations.total) == [7, 1])
    #expect(windows.map(\.isFromLogs) == [false, true])
    #expect(try store.windows(orders, tier: .seconds(3_600)).map(\.rollup.tally.invocations.total) == [8])
    let held = try store.store.heldWindows(from: at - .seconds(60), to: at + .seconds(600))
    #expect(held == [HeldWindows(function: FunctionID("orders"), windows: 1)])
  }
}
