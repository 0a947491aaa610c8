import Foundation
import GRDB
import Lifecycle
import Testing
import Windows

@testable import WindowStore

private let minute = Nanoseconds.seconds(60)
private let orders = FunctionID("orders")
/// 2026-11-23T10:00:00Z, the start of a window in every tier.
private let ten = Timestamp(seconds: 1_795_428_000)

private func open(_ directory: String) throws(StoreError) -> WindowStore {
  try WindowStore.open(directory: directory, window: minute, retention: Retention(window: minute))
}

/// A checkpoint after some invocations, with a final window.
private func checkpoint(_ invocations: UInt64, minutes: Int64 = 0) -> Checkpoint {
  var checkpoint = Checkpoint(time: ten + .seconds(60 * minutes + 59))
  var totals = Tally()
  totals.invocations[.http] = invocations
  checkpoint.functions = [
    FunctionCheckpoint(
      function: orders, firstSeen: ten, totals: totals, concurrencyNanoseconds: 0, endedConcurrencyNanoseconds: 0,
      limits: [])
  ]
  var rollup = Rollup()
  rollup.tally.invocations[.http] = invocations
  checkpoint.windows = [
    WindowCheckpoint(scope: .function(orders), start: ten + .seconds(60 * minutes), rollup: rollup, isFinal: true)
  ]
  return checkpoint
}

private func invocations(_ store: WindowStore) throws -> UInt64? {
  try store.load()?.functions.first?.totals.invocations.total
}

private func finalWindows(_ store: WindowStore) throws -> Int {
  let selection = WindowSelection(
    scope: .function(orders), from: ten, to: ten + .seconds(3_600), tier: minute, resolution: minute)
  return try store.reader.finalWindows(selection, since: nil).rollups.count
}

private func mode(_ path: String) throws -> Int {
  try #require(FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int)
}

/// What may happen to a store under a running agent.
struct Removal: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var remove: @Sendable (TemporaryDirectory) throws -> Void
}

@Suite struct `Store loss tests` {
  private let directory = TemporaryDirectory()

  @Test(arguments: [
    Removal(testDescription: "the directory is removed") { try FileManager.default.removeItem(atPath: $0.path) },
    Removal(testDescription: "the directory is moved away") {
      try FileManager.default.moveItem(atPath: $0.path, toPath: $0.path + "-moved")
    },
    Removal(testDescription: "an empty directory is put in its place") {
      try FileManager.default.removeItem(atPath: $0.path)
      try FileManager.default.createDirectory(atPath: $0.path, withIntermediateDirectories: false)
    },
    Removal(testDescription: "the database is removed") { try FileManager.default.removeItem(atPath: $0.database) },
    Removal(testDescription: "all its files are removed") { directory in
      for name in try FileManager.default.contentsOfDirectory(atPath: directory.path) {
        try FileManager.default.removeItem(atPath: directory.path + "/" + name)
      }
    },
    Removal(testDescription: "its log is removed") { try FileManager.default.removeItem(atPath: $0.database + "-wal") },
  ])
  func `a store that is taken away is noticed and written again whole`(_ removal: Removal) throws {
    defer { try? FileManager.default.removeItem(atPath: directory.path + "-moved") }
    let store = try open(directory.path)
    try store.save(checkpoint(5))
    try removal.remove(directory)
    let error = try #require(storeError { () throws(StoreError) in try store.save(checkpoint(7, minutes: 1)) })
    #expect(error.code == .gone)
    #expect(try store.restore(after: error.message) == .whole)
    try store.save(checkpoint(7, minutes: 1))
    #expect(store.history.removals == 1 || testHasLock(removal))
    #expect(store.history.removal?.contains("while Kelvin ran") == true)
    #expect(try finalWindows(store) == 2)
    try store.close()
    let again = try open(directory.path)
    #expect(try invocations(again) == 7)
    #expect(try finalWindows(again) == 2)
    #expect(again.history.lost == nil)
  }

  /// With all files the lock's goes too, which is noticed by itself.
  private func testHasLock(_ removal: Removal) -> Bool { removal.testDescription == "all its files are removed" }

  @Test func `an idle store is looked after as well`() throws {
    let store = try open(directory.path)
    try store.save(checkpoint(1))
    try store.verify()
    try FileManager.default.removeItem(atPath: directory.path)
    #expect(storeError { () throws(StoreError) in try store.verify() }?.code == .gone)
  }

  @Test func `a database that was cut keeps what is in memory and is put aside`() throws {
    let store = try open(directory.path)
    try store.save(checkpoint(5))
    try store.close()
    let again = try open(directory.path)
    _ = try again.load()
    try again.save(checkpoint(6, minutes: 1))
    try FileHandle(forWritingTo: URL(fileURLWithPath: directory.database)).truncate(atOffset: 4_096)
    let error = try #require(storeError { () throws(StoreError) in try again.save(checkpoint(7, minutes: 2)) })
    #expect(error.code == .gone)
    #expect(error.message.contains("was truncated"))
    #expect(try again.restore(after: error.message) == .empty)
    #expect(again.savedInvocations == 0)
    try again.save(checkpoint(7, minutes: 2))
    #expect(try invocations(again) == 7)
    #expect(FileManager.default.fileExists(atPath: directory.database + ".damaged"))
    #expect(again.history.removal?.contains("older windows are lost") == true)
  }

  @Test func `another database in its place is left alone`() throws {
    let store = try open(directory.path)
    try store.save(checkpoint(5))
    try FileManager.default.removeItem(atPath: directory.database)
    try Data("someone else's".utf8).write(to: URL(fileURLWithPath: directory.database))
    let error = try #require(storeError { () throws(StoreError) in try store.save(checkpoint(6)) })
    #expect(error.code == .gone)
    let refusal = try #require(
      storeError { () throws(StoreError) in _ = try store.restore(after: error.message) })
    #expect(refusal.message.contains("move that file away"))
    #expect(try String(contentsOfFile: directory.database, encoding: .utf8) == "someone else's")
    try FileManager.default.removeItem(atPath: directory.database)
    #expect(try store.restore(after: error.message) == .whole)
    try store.save(checkpoint(6))
    #expect(try invocations(store) == 6)
  }

  @Test func `nobody gets in by deleting kelvin lock`() throws {
    let store = try open(directory.path)
    try FileManager.default.removeItem(atPath: directory.path + "/kelvin.lock")
    #expect(storeError { () throws(StoreError) in _ = try open(directory.path) }?.code == .busy)
    try store.verify()
    #expect(store.history.removals == 1)
    #expect(FileManager.default.fileExists(atPath: directory.path + "/kelvin.lock"))
    try store.verify()
    #expect(store.history.removals == 1)
    #expect(storeError { () throws(StoreError) in _ = try open(directory.path) }?.code == .busy)
  }

  @Test func `a Kelvin that locks only the file is kept out, and keeps out`() throws {
    let path = directory.path + "/kelvin.lock"
    let store = try open(directory.path)
    let file = try #require(FileHandle(forUpdatingAtPath: path))
    #expect(flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == -1)
    try store.close()
    #expect(flock(file.fileDescriptor, LOCK_EX | LOCK_NB) == 0)
    #expect(storeError { () throws(StoreError) in _ = try open(directory.path) }?.code == .busy)
  }

  @Test func `what a damaged log lost is told with its time and its count`() throws {
    do {
      let store = try open(directory.path)
      try store.save(checkpoint(5))
      // As after a kill: the last checkpoints are only in the log.
      try FileManager.default.copyItem(atPath: directory.database, toPath: directory.path + "/copy")
      let early = try Data(contentsOf: URL(fileURLWithPath: directory.database + "-wal")).count
      try store.save(checkpoint(383, minutes: 1))
      try store.save(checkpoint(400, minutes: 2))
      var log = try Data(contentsOf: URL(fileURLWithPath: directory.database + "-wal"))
      for position in (early + 30)..<(early + 60) { log[position] ^= 0xFF }
      let record = try Data(contentsOf: URL(fileURLWithPath: directory.path + "/kelvin.last"))
      try store.close()
      try FileManager.default.removeItem(atPath: directory.database)
      try FileManager.default.moveItem(atPath: directory.path + "/copy", toPath: directory.database)
      try log.write(to: URL(fileURLWithPath: directory.database + "-wal"))
      try record.write(to: URL(fileURLWithPath: directory.path + "/kelvin.last"))
    }
    let store = try open(directory.path)
    #expect(try invocations(store) == 5)
    #expect(
      store.history.lost
        == LostCheckpoints(count: 2, from: ten + .seconds(59), to: ten + .seconds(179), invocations: 395))
    try store.save(checkpoint(6, minutes: 3))
    try store.close()
    #expect(try open(directory.path).history.lost == nil)
  }

  @Test func `a store of an older Kelvin has lost nothing`() throws {
    let store = try open(directory.path)
    try store.save(checkpoint(5))
    try store.close()
    try FileManager.default.removeItem(atPath: directory.path + "/kelvin.last")
    try DatabaseQueue(path: directory.database).write {
      try $0.execute(sql: "DELETE FROM meta WHERE key = 'checkpoint sequence'")
    }
    #expect(try open(directory.path).history == StoreHistory())
  }

  @Test func `directory and files are their owner's alone`() throws {
    let path = directory.path + "/data"
    let store = try open(path)
    try store.save(checkpoint(5))
    #expect(try mode(path) == 0o700)
    for name in ["kelvin.db", "kelvin.db-wal", "kelvin.db-shm", "kelvin.lock", "kelvin.last"] {
      #expect(try mode(path + "/" + name) == 0o600, "\(name)")
    }
    #expect(!store.history.isOpenToOthers)
  }

  @Test func `a directory that everybody may write is told`() throws {
    try FileManager.default.setAttributes([.posixPermissions: 0o777], ofItemAtPath: directory.path)
    #expect(try open(directory.path).history.isOpenToOthers)
  }

  @Test(arguments: ["kelvin.db", "kelvin.lock"])
  func `a link in the place of a file is not followed`(_ name: String) throws {
    let target = directory.path + "/target"
    try FileManager.default.createSymbolicLink(atPath: directory.path + "/" + name, withDestinationPath: target)
    let error = storeError { () throws(StoreError) in _ = try open(directory.path) }
    #expect(error?.code == .inaccessible)
    #expect(!FileManager.default.fileExists(atPath: target))
  }

  @Test func `room is kept back and given once`() throws {
    let store = try open(directory.path)
    let path = directory.path + "/" + StoreReserve.fileName
    #expect(DataDirectory.sizeBytes(ofFile: path) > 0)
    #expect(store.releaseReserve())
    #expect(!store.releaseReserve())
    #expect(!FileManager.default.fileExists(atPath: path))
  }
}
