import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
private let orders = FunctionID("orders")
private let mail = FunctionID("mail", version: "7")
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)

private func open(_ directory: TemporaryDirectory, window: Nanoseconds = minute) throws(StoreError) -> WindowStore {
  try WindowStore.open(directory: directory.path, window: window, retention: Retention(window: window))
}

private func window(
  _ scope: Scope, _ minutes: Int64, _ rollup: Rollup, final: Bool = true
) -> WindowCheckpoint {
  WindowCheckpoint(scope: scope, start: ten + .seconds(60 * minutes), rollup: rollup, isFinal: final)
}

private func errors(_ count: UInt64, concurrency: Int64 = 0) -> Rollup {
  var rollup = Rollup()
  rollup.tally.errors = count
  rollup.peaks.concurrency = concurrency
  return rollup
}

private func selection(
  _ scope: Scope, minutes: Range<Int64> = 0..<60, tier: Nanoseconds = minute, resolution: Nanoseconds? = nil
) -> WindowSelection {
  WindowSelection(
    scope: scope, from: ten + .seconds(minutes.lowerBound * 60), to: ten + .seconds(minutes.upperBound * 60),
    tier: tier, resolution: resolution ?? tier)
}

/// What the store on disk does beyond what every store has to do, which is tested beside the pipeline that uses stores.
@Suite struct `Window store tests` {
  private let directory = TemporaryDirectory()

  @Test func `what was told last is known again, and no more than is needed`() throws {
    func told(_ numbers: Range<UInt64>) -> [ToldLife] {
      numbers.map { number in
        let start = ten + .milliseconds(Int64(number))
        return ToldLife(
          kind: number % 7 == 0 ? .initialization : .invocation, identity: Identifier128(high: number, low: ~number),
          start: start, end: start + .milliseconds(3))
      }
    }
    let few = told(0..<5)
    let many = told(5..<UInt64(ToldLife.limit))
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.told = few
    try store.save(checkpoint)
    checkpoint.told = many
    try store.save(checkpoint)
    #expect(try store.load()?.told == few + many, "less than is kept at least")
    checkpoint.told = told(9..<10)
    try store.save(checkpoint)
    checkpoint.told = []
    try store.save(checkpoint)
    try store.close()
    #expect(try open(directory).load()?.told == few + many + told(9..<10))
    let next = try open(directory)
    checkpoint.told = many + few
    try next.save(checkpoint)
    #expect(try next.load()?.told == many + few, "those before are not needed any more")
  }

  @Test func `a store of a version that knew nothing of told lives is continued`() throws {
    let old = try open(directory)
    try old.save(Checkpoint(time: ten))
    try old.pool.write { try $0.execute(sql: "DROP TABLE told") }
    try old.close()
    #expect(try WindowReader.open(directory: directory.path).check(directory: directory.path).isWhole)
    let store = try open(directory)
    var checkpoint = try #require(try store.load())
    #expect(checkpoint.told.isEmpty)
    checkpoint.told = [ToldLife(kind: .invocation, identity: .zero, start: ten, end: ten)]
    try store.save(checkpoint)
    #expect(try store.load()?.told == checkpoint.told)
  }

  @Test func `what was saved is loaded again`() throws {
    var generator = SeededGenerator(1)
    var saved = Checkpoint(time: ten + .seconds(90))
    saved.functions = [
      FunctionCheckpoint(
        function: orders, firstSeen: ten, totals: .random(&generator), concurrencyNanoseconds: 1 << 80,
        endedConcurrencyNanoseconds: 1 << 79, limits: [.example]
      ),
      FunctionCheckpoint(
        function: mail, firstSeen: ten, totals: Tally(), concurrencyNanoseconds: 0,
        endedConcurrencyNanoseconds: 0, limits: []),
    ]
    saved.windows = [
      window(.account, 0, .random(&generator), final: false), window(.function(orders), 0, errors(5)),
      window(.function(orders), 1, .random(&generator), final: false),
    ]
    saved.timelines = [
      TimelineCheckpoint(function: orders, kind: .executions, start: ten, edges: [1]),
      TimelineCheckpoint(function: orders, kind: .executions, start: ten + minute, edges: [1, 2, 1 << 38]),
      TimelineCheckpoint(function: orders, kind: .overlaps, start: ten + minute, edges: [8]),
      TimelineCheckpoint(function: mail, kind: .instances, start: ten, edges: []),
    ]
    saved.live = .example
    do {
      let store = try open(directory)
      try store.save(saved)
      try store.close()
    }
    let store = try open(directory)
    let loaded = try #require(try store.load())
    #expect(loaded.time == saved.time)
    #expect(loaded.functions == saved.functions)
    #expect(loaded.windows == [saved.windows[0], saved.windows[2]])
    #expect(loaded.timelines == Array(saved.timelines[1...2]))
    #expect(loaded.lateTallies.isEmpty)
    #expect(loaded.live == saved.live)
    #expect(store.damagedRows == 0)
  }

  @Test func `coarse tiers equal a fold of the fine one`() throws {
    let store = try open(directory)
    var generator = SeededGenerator(2)
    var all: [WindowRollup] = []
    for scope in [Scope.account, .function(orders), .function(mail)] {
      for minutes in Int64(0)..<120 where Bool.random(using: &generator) {
        var rollup = Rollup.random(&generator)
        if scope == .account { rollup.tally = Tally() }
        all.append(
          WindowRollup(
            scope: scope, start: ten + .seconds(60 * minutes), length: minute, isClosed: true, rollup: rollup))
      }
    }
    for part in stride(from: 0, to: all.count, by: 7) {
      var checkpoint = Checkpoint(time: ten)
      checkpoint.windows = all[part..<min(part + 7, all.count)].map {
        WindowCheckpoint(scope: $0.scope, start: $0.start, rollup: $0.rollup, isFinal: true)
      }
      try store.save(checkpoint)
    }
    for tier in [minute, .seconds(300), .seconds(3600)] {
      for scope in [Scope.function(orders), .function(mail)] {
        let expected = Resolution.fold(all.filter { $0.scope == scope }, into: .seconds(3600), closedBefore: ten)
        let found = try store.reader.finalWindows(
          selection(scope, minutes: 0..<120, tier: tier, resolution: .seconds(3600)), since: nil)
        #expect(found.rollups == Dictionary(uniqueKeysWithValues: expected.map { ($0.start, $0.rollup) }))
      }
    }
  }

  @Test func `windows past their tier's retention are deleted and coarser ones stay`() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = [
      window(.function(orders), 0, errors(3)), window(.function(orders), 1, errors(4), final: false),
    ]
    try store.save(checkpoint)
    try store.save(Checkpoint(time: ten + .seconds(15 * 86_400 + 59)))
    #expect(try store.reader.finalWindows(selection(.function(orders)), since: nil).rollups.count == 1)
    try store.save(Checkpoint(time: ten + .seconds(15 * 86_400 + 60)))
    #expect(try store.reader.finalWindows(selection(.function(orders)), since: nil).rollups.isEmpty)
    #expect(
      try store.reader.finalWindows(selection(.function(orders), tier: .seconds(300)), since: nil).rollups.count == 1)
    #expect(try store.load()?.windows.count == 1, "a window that is not final is kept until it is")
  }

  @Test func `retention deletes a bounded number of rows at a time`() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = (0..<6_000).map { window(.function(orders), $0, errors(1)) }
    try store.save(checkpoint)
    let whole = selection(.function(orders), minutes: 0..<6_000)
    try store.save(Checkpoint(time: ten + .seconds(100 * 86_400)))
    #expect(try store.reader.finalWindows(whole, since: nil).rollups.count == 1_000)
    try store.save(Checkpoint(time: ten + .seconds(100 * 86_400)))
    #expect(try store.reader.finalWindows(whole, since: nil).rollups.isEmpty)
  }

  @Test func `many functions are looked up with the same answer`() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = (0..<100).flatMap { number in
      let scope = Scope.function(FunctionID("f\(number)"))
      return [window(scope, 0, errors(UInt64(number) + 1)), window(scope, 3, errors(UInt64(number) + 2))]
    }
    try store.save(checkpoint)
    let found = try store.reader.finalWindows(selection(.function(FunctionID("f42"))), since: ten)
    #expect(found.rollups == [ten: errors(43), ten + .seconds(180): errors(44)])
    #expect(found.keys.count == 2)
    #expect(try store.reader.functions().count == 100)
    #expect(try store.reader.finalWindows(selection(.function(FunctionID("none"))), since: ten).rollups.isEmpty)
  }

  @Test func `an open store waits for the disk at every commit`() throws {
    #expect(try open(directory).synchronousLevel() == 2)
  }
}

@Suite struct `Window reader tests` {
  private let directory = TemporaryDirectory()

  @Test func `a reader sees the last checkpoint while an agent has the store`() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = [
      window(.function(orders), 0, errors(3)), window(.function(orders), 1, errors(4), final: false),
    ]
    try store.save(checkpoint)
    let reader = try WindowReader.open(directory: directory.path)
    #expect(reader.window == minute)
    #expect(try reader.functions() == [orders])
    #expect(try reader.checkpointTime() == ten)
    let both = selection(.function(orders), resolution: .seconds(300))
    #expect(try reader.windows(both, closedBefore: ten).map(\.rollup) == [errors(7)])
    #expect(try reader.windows(both, closedBefore: ten).map(\.isClosed) == [false])
    checkpoint.windows = [window(.function(orders), 1, errors(5), final: true)]
    try store.save(checkpoint)
    #expect(try reader.windows(both, closedBefore: ten + .seconds(300)).map(\.rollup) == [errors(8)])
    #expect(try reader.windows(both, closedBefore: ten + .seconds(300)).map(\.isClosed) == [true])
  }

  @Test func `a reader needs no agent`() throws {
    do {
      let store = try open(directory)
      var checkpoint = Checkpoint(time: ten)
      checkpoint.windows = [window(.function(orders), 0, errors(3))]
      try store.save(checkpoint)
      try store.close()
    }
    let reader = try WindowReader.open(directory: directory.path)
    #expect(try reader.windows(selection(.function(orders)), closedBefore: ten).map(\.rollup) == [errors(3)])
  }

  @Test func `a closed store is whole in its one file`() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = [window(.function(orders), 0, errors(3))]
    try store.save(checkpoint)
    try store.close()
    let copy = TemporaryDirectory()
    try FileManager.default.copyItem(atPath: directory.database, toPath: copy.database)
    let reader = try WindowReader.open(directory: copy.path)
    #expect(try reader.windows(selection(.function(orders)), closedBefore: ten).map(\.rollup) == [errors(3)])
  }

  @Test func `readers and a writer go on at the same time`() async throws {
    let store = try open(directory)
    try store.save(Checkpoint(time: ten))
    let path = directory.path
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask {
        for count in 1...50 {
          var checkpoint = Checkpoint(time: ten)
          // Both in one transaction: whoever sees one sees the other.
          checkpoint.windows = [
            window(.function(orders), 0, errors(UInt64(count)), final: false),
            window(.function(orders), 1, errors(UInt64(count)), final: false),
          ]
          try store.save(checkpoint)
        }
      }
      for _ in 0..<2 {
        group.addTask {
          let reader = try WindowReader.open(directory: path)
          for _ in 0..<50 {
            let found = try reader.windows(selection(.function(orders)), closedBefore: ten)
            #expect(Set(found.map(\.rollup.tally.errors)).count <= 1)
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test func `there is nothing to read where no agent ever ran`() {
    let error = storeError { () throws(StoreError) in _ = try WindowReader.open(directory: directory.path) }
    #expect(error?.code == .absent)
    #expect(error?.message.contains(directory.path) == true)
  }
}

@Suite struct `Store opening tests` {
  private let directory = TemporaryDirectory()

  private func change(_ sql: String) throws {
    let queue = try DatabaseQueue(path: directory.database)
    try queue.write { try $0.execute(sql: sql) }
    try queue.close()
  }

  private func makeStore() throws {
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.functions = [
      FunctionCheckpoint(
        function: orders, firstSeen: ten, totals: Tally(), concurrencyNanoseconds: 0,
        endedConcurrencyNanoseconds: 0, limits: []),
      FunctionCheckpoint(
        function: mail, firstSeen: ten, totals: Tally(), concurrencyNanoseconds: 0,
        endedConcurrencyNanoseconds: 0, limits: []),
    ]
    checkpoint.windows = [
      window(.function(orders), 0, errors(3)), window(.function(orders), 1, errors(4), final: false),
    ]
    checkpoint.timelines = [TimelineCheckpoint(function: orders, kind: .executions, start: ten + minute, edges: [1])]
    try store.save(checkpoint)
    try store.close()
  }

  @Test func `a store of a newer Kelvin is left alone`() throws {
    try makeStore()
    try change("UPDATE meta SET value = 3 WHERE key = 'format version'")
    let opening = storeError { () throws(StoreError) in _ = try open(directory) }
    #expect(opening?.code == .newer)
    #expect(opening?.message.contains("was written by a newer Kelvin") == true)
    let reading = storeError { () throws(StoreError) in _ = try WindowReader.open(directory: directory.path) }
    #expect(reading?.code == .newer)
  }

  @Test func `windows of another length are not mixed`() throws {
    try makeStore()
    let error = storeError { () throws(StoreError) in _ = try open(directory, window: .seconds(30)) }
    #expect(error?.code == .otherWindow)
    #expect(error?.message.contains("60.0 s") == true)
    #expect(throws: Never.self) { _ = try open(directory) }
  }

  @Test func `a file that is no database is corrupt`() throws {
    try Data("this is a text of more than sixteen bytes, and no database at all".utf8)
      .write(to: URL(fileURLWithPath: directory.database))
    #expect(storeError { () throws(StoreError) in _ = try open(directory) }?.code == .corrupt)
    #expect(
      storeError { () throws(StoreError) in _ = try WindowReader.open(directory: directory.path) }?.code == .corrupt)
  }

  @Test func `a database of something else is not touched`() throws {
    try change("CREATE TABLE other (x)")
    let error = storeError { () throws(StoreError) in _ = try open(directory) }
    #expect(error?.code == .corrupt)
    #expect(error?.message.contains("that Kelvin did not write") == true)
  }

  @Test(arguments: ["format version", "window nanoseconds"])
  func `a store without its description is corrupt`(_ key: String) throws {
    try makeStore()
    try change("DELETE FROM meta WHERE key = '\(key)'")
    #expect(storeError { () throws(StoreError) in _ = try open(directory) }?.code == .corrupt)
  }

  @Test func `a damaged row is passed over and counted`() throws {
    try makeStore()
    try change("UPDATE totals SET data = x'01FF' WHERE function = (SELECT id FROM functions WHERE name = 'orders')")
    try change("UPDATE rollups SET data = x'' WHERE final = 0")
    try change("UPDATE timelines SET data = x'0105'")
    try change("UPDATE live SET data = x'09'")
    let store = try open(directory)
    let loaded = try #require(try store.load())
    #expect(loaded.functions.map(\.function) == [mail])
    #expect(loaded.windows.isEmpty)
    #expect(loaded.timelines.isEmpty)
    #expect(loaded.live == LiveState())
    #expect(store.damagedRows == 4)
  }

  @Test func `a damaged coarse row does not stop checkpoints`() throws {
    try makeStore()
    try change("UPDATE rollups SET data = x'07' WHERE length > 60000000000")
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = [window(.function(orders), 2, errors(6))]
    try store.save(checkpoint)
    let found = try store.reader.finalWindows(selection(.function(orders), tier: .seconds(300)), since: nil)
    #expect(found.rollups == [ten: errors(6)])
    #expect(store.damagedRows == 2)
  }

  @Test func `two agents never share a directory`() throws {
    let first = try open(directory)
    let error = storeError { () throws(StoreError) in _ = try open(directory) }
    #expect(error?.code == .busy)
    #expect(error?.message.contains("in use by another Kelvin (process \(getpid()))") == true)
    try first.close()
  }

  @Test func `a directory is free again when its store is gone`() throws {
    do { _ = try open(directory) }
    #expect(throws: Never.self) { _ = try open(directory) }
  }

  @Test func `directories above are made`() throws {
    let deep = directory.path + "/a/b/c"
    _ = try WindowStore.open(directory: deep, window: minute, retention: Retention(window: minute))
    #expect(FileManager.default.fileExists(atPath: deep + "/kelvin.db"))
  }

  @Test(arguments: ["", "/below"])
  func `a file where the directory should be is named`(_ below: String) throws {
    let path = directory.path + "/file"
    try Data().write(to: URL(fileURLWithPath: path))
    let error = storeError { () throws(StoreError) in
      _ = try WindowStore.open(directory: path + below, window: minute, retention: Retention(window: minute))
    }
    #expect(error?.code == .inaccessible)
    #expect(error?.message.contains(path) == true)
  }

  @Test func `a checkpoint that fails half way leaves nothing behind`() throws {
    try makeStore()
    try change("CREATE TRIGGER stop BEFORE INSERT ON live BEGIN SELECT RAISE(ABORT, 'stop'); END")
    let store = try open(directory)
    var checkpoint = Checkpoint(time: ten + minute)
    checkpoint.functions = [
      FunctionCheckpoint(
        function: FunctionID("new"), firstSeen: ten, totals: Tally(), concurrencyNanoseconds: 0,
        endedConcurrencyNanoseconds: 0, limits: [])
    ]
    checkpoint.windows = [window(.function(orders), 1, errors(4)), window(.function(FunctionID("new")), 1, errors(1))]
    #expect(storeError { () throws(StoreError) in try store.save(checkpoint) }?.code == .failed)
    #expect(try store.load()?.time == ten)
    #expect(try store.load()?.windows.count == 1)
    #expect(try store.reader.functions() == [mail, orders])
    try store.close()
    try change("DROP TRIGGER stop")
    // Numbers that the failed transaction gave away are not used again by mistake.
    let again = try open(directory)
    try again.save(checkpoint)
    #expect(try again.load()?.windows.isEmpty == true)
    #expect(try again.reader.functions() == [mail, FunctionID("new"), orders])
  }

  @Test func `a full disk is told from other failures`() throws {
    let store = try open(directory)
    try store.limitPages()
    var generator = SeededGenerator(5)
    var checkpoint = Checkpoint(time: ten)
    checkpoint.windows = (0..<500).map { window(.function(orders), $0, .random(&generator)) }
    let error = storeError { () throws(StoreError) in try store.save(checkpoint) }
    #expect(error?.code == .full)
    #expect(try store.load() == nil)
  }
}
