internal import Dispatch
internal import Foundation
internal import GRDB
internal import Lifecycle
internal import Synchronization
package import WindowStore

/// Keeps messages of queues and asynchronous events on the disk.
///
/// One thread of its own writes. All that is handed in while it waits for the disk goes into its next transaction, so that many
/// senders share one wait. Nothing is answered before it is on the disk. Any thread may hand in; what one thread hands in is done
/// in its order.
package final class QueueStore: Sendable {
  /// What calls back: it is given the answers of one transaction at a time, on the store's thread, and must not block.
  package typealias Executor = @Sendable (_ answers: [@Sendable () -> Void]) -> Void

  fileprivate enum Work {
    case request(QueueRequest, @Sendable (Result<QueueAnswer, StoreError>) -> Void)
    case fact(QueueFact, @Sendable () -> Void)
  }

  private struct Pending {
    var works: [Work] = []
    var isScheduled = false
    var isClosed = false
  }

  /// The most that goes into one transaction.
  private static let groupMax = 2_000
  /// How long the store waits before it tries again to write facts.
  private static let retryDelay = DispatchTimeInterval.milliseconds(500)
  /// Sequence numbers of one opening: 2 to the power of 40 of them.
  private static let epochShift: Int64 = 40

  /// The file; `nil`: the store is in memory, and ends with the process.
  package let path: String?
  /// Sequence numbers of this opening begin here, above all of earlier ones.
  package let firstSequence: Int64

  private let database: DatabaseQueue
  private let thread = DispatchQueue(label: "kelvin.queues")
  private let pending = Mutex(Pending())
  private let failing = Atomic(false)
  private let executor: Executor

  /// Opens the store in a directory, which is made if it is not there.
  ///
  /// - Parameters:
  ///   - directory: The data directory; `nil`: the store is in memory.
  ///   - executor: Where answers are given.
  /// - Throws: ``StoreError`` with `inaccessible` if the directory or the file cannot be made or written, `busy` if another
  ///   process has it, `corrupt` if the file is damaged or none of Kelvin's, `newer` if a newer Kelvin wrote it.
  package init(directory: String?, executor: @escaping Executor) throws(StoreError) {
    self.executor = executor
    path = directory.map { $0 + "/" + QueueSchema.fileName }
    let name = path ?? "in memory"
    do {
      var configuration = Configuration()
      configuration.label = "kelvin.queues"
      if let directory, let path {
        try DataDirectory.create(directory)
        try DataDirectory.prepareFile(path)
        // Before anything else: nobody else may have the file, and no file of shared memory is needed.
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA locking_mode = EXCLUSIVE") }
        database = try DatabaseQueue(path: path, configuration: configuration)
      } else {
        database = try DatabaseQueue(configuration: configuration)
      }
      let epoch = try database.writeWithoutTransaction { database in
        try Self.makeDurable(database)
        var epoch: Int64 = 0
        try database.inTransaction(.immediate) {
          try QueueSchema.prepare(database, path: name)
          epoch = try QueueSchema.nextEpoch(database)
          return .commit
        }
        return epoch
      }
      firstSequence = epoch << Self.epochShift
    } catch {
      throw StoreError(error, path: name)
    }
  }

  private static func makeDurable(_ database: Database) throws {
    try database.execute(sql: "PRAGMA journal_mode = WAL")
    try database.execute(sql: "PRAGMA synchronous = FULL")
    try database.execute(sql: "PRAGMA journal_size_limit = 67108864")
    // 16 MiB of pages, whatever lies in the queues.
    try database.execute(sql: "PRAGMA cache_size = -16384")
    guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
      throw StoreError(.failed, "the database does not let commits wait for the disk")
    }
  }

  /// Whether facts wait because the disk does not take them.
  package var isFailing: Bool { failing.load(ordering: .relaxed) }

  /// Reads what was kept. To be called before anything is handed in.
  ///
  /// - Parameters:
  ///   - queues: Is given all queues, first.
  ///   - message: Is given every message, in the order of sequence numbers.
  /// - Returns: The asynchronous events, in the order in which they were accepted.
  /// - Throws: ``StoreError`` if the database cannot be read.
  package func load(
    queues: ([QueueRecord]) -> Void, message: (IndexedMessage) -> Void
  ) throws(StoreError) -> [EventRecord] {
    do {
      return try database.writeWithoutTransaction { database in
        queues(try QueueReading.queues(in: database))
        try QueueReading.messages(in: database, message)
        return try QueueReading.events(in: database)
      }
    } catch {
      throw StoreError(error, path: path ?? "in memory")
    }
  }

  /// Hands in a request.
  ///
  /// - Parameter answer: Called once by the executor. It fails with ``StoreError``, of code `full` if the disk is; nothing of the
  ///   request is kept then.
  package func request(
    _ request: QueueRequest, _ answer: @escaping @Sendable (Result<QueueAnswer, StoreError>) -> Void
  ) {
    hand(in: .request(request, answer))
  }

  /// Hands in a fact.
  ///
  /// - Parameter done: Called by the executor once the fact is on the disk.
  package func note(_ fact: QueueFact, _ done: @escaping @Sendable () -> Void = {}) { hand(in: .fact(fact, done)) }

  /// Writes what was handed in, and closes the file. What is handed in afterwards fails, facts are dropped.
  ///
  /// - Throws: ``StoreError`` if facts are left that the disk did not take, or the file cannot be closed.
  package func close() throws(StoreError) {
    let result = Result<Void, any Error> {
      try thread.sync {
        drain(isLast: true)
        pending.withLock { $0.isClosed = true }
        if let left = unwritten.withLock({ $0 }) { throw left }
        // All of it into the file itself, so that it can be copied alone.
        if path != nil { _ = try? database.writeWithoutTransaction { try $0.checkpoint(.truncate) } }
        try database.close()
      }
    }
    do { try result.get() } catch { throw StoreError(error, path: path ?? "in memory") }
  }

  /// Why the last transaction failed, until one succeeds.
  private let unwritten = Mutex<StoreError?>(nil)

  private func hand(in work: Work) {
    let isFirst = pending.withLock { pending in
      pending.works.append(work)
      defer { pending.isScheduled = true }
      return !pending.isScheduled
    }
    if isFirst { thread.async { self.drain(isLast: false) } }
  }

  /// Runs on the store's thread.
  private func drain(isLast: Bool) {
    while true {
      let (works, isClosed) = pending.withLock { pending in
        let count = min(pending.works.count, Self.groupMax)
        let works = Array(pending.works.prefix(count))
        pending.works.removeFirst(count)
        if works.isEmpty { pending.isScheduled = false }
        return (works, pending.isClosed)
      }
      if works.isEmpty { return }
      if isClosed {
        refuse(works, StoreError(.failed, "the store of queues is closed"))
        continue
      }
      guard let left = write(works) else { continue }
      // They are first again, before what came meanwhile.
      pending.withLock { $0.works.insert(contentsOf: left, at: 0) }
      if isLast { return }
      if !left.isEmpty {
        thread.asyncAfter(deadline: .now() + Self.retryDelay) { self.drain(isLast: false) }
        return
      }
    }
  }

  /// - Returns: `nil` if all was written, else the facts that were not.
  private func write(_ works: [Work]) -> [Work]? {
    do {
      var answers: [QueueAnswer] = []
      answers.reserveCapacity(works.count)
      let failures = try database.writeWithoutTransaction { database in
        if works.contains(where: \.writes) {
          try database.inTransaction(.immediate) {
            var writing = QueueWriting(database: database)
            for work in works { answers.append(try writing.perform(work)) }
            try writing.forgetOldKeys()
            return .commit
          }
        } else {
          answers = Array(repeating: .done, count: works.count)
        }
        return Self.read(works, into: &answers, database)
      }
      failing.store(false, ordering: .relaxed)
      unwritten.withLock { $0 = nil }
      give(works, answers, failures)
      return nil
    } catch {
      let error = StoreError(error, path: path ?? "in memory")
      unwritten.withLock { $0 = error }
      let facts = works.filter { if case .fact = $0 { true } else { false } }
      failing.store(!facts.isEmpty, ordering: .relaxed)
      refuse(works, error)
      return facts
    }
  }

  /// Messages are read after the transaction, so that one that cannot be read keeps nothing else from the disk.
  private static func read(_ works: [Work], into answers: inout [QueueAnswer], _ database: Database) -> [Int: any Error]
  {
    var failures: [Int: any Error] = [:]
    for (position, work) in works.enumerated() {
      guard case .request(.read(let sequences), _) = work else { continue }
      do {
        answers[position] = .messages(try QueueReading.messages(sequences, in: database))
      } catch {
        failures[position] = error
      }
    }
    return failures
  }

  private func give(_ works: [Work], _ answers: [QueueAnswer], _ failures: [Int: any Error]) {
    let path = path ?? "in memory"
    executor(
      works.enumerated().map { position, work in
        switch work {
        case .fact(_, let done): return done
        case .request(_, let answer):
          if let failure = failures[position] {
            let error = StoreError(failure, path: path)
            return { answer(.failure(error)) }
          }
          let value = answers[position]
          return { answer(.success(value)) }
        }
      })
  }

  private func refuse(_ works: [Work], _ error: StoreError) {
    executor(
      works.compactMap { work in
        if case .request(_, let answer) = work { { answer(.failure(error)) } } else { nil }
      })
  }
}

extension QueueStore.Work {
  fileprivate var writes: Bool {
    switch self {
    case .request(.read, _), .request(.barrier, _): false
    case .request, .fact: true
    }
  }
}

extension QueueWriting {
  fileprivate mutating func perform(_ work: QueueStore.Work) throws -> QueueAnswer {
    switch work {
    case .request(let request, _): return try perform(request)
    case .fact(let fact, _):
      try perform(fact)
      return .done
    }
  }
}
