import Glibc
import Lifecycle
import QueueStore
import Synchronization
import TestSupport
import Testing
import WindowStore

/// A folder that goes with the test.
private final class Folder: Sendable {
  let path: String

  init() {
    var template = Array("/tmp/kelvin-queues-XXXXXX".utf8CString)
    path = unsafe template.withUnsafeMutableBufferPointer { buffer in
      unsafe buffer.baseAddress.flatMap { unsafe mkdtemp($0) }.map { unsafe String(cString: $0) } ?? "/nowhere"
    }
  }

  func write(_ text: String, to name: String) {
    guard let file = unsafe fopen("\(path)/\(name)", "w") else { return }
    unsafe fputs(text, file)
    unsafe fclose(file)
  }

  deinit {
    for name in ["queues.sqlite", "queues.sqlite-wal", "queues.sqlite-shm"] { unsafe unlink("\(path)/\(name)") }
    unsafe rmdir(path)
  }
}

@Suite struct `The store of queues` {
  private let time = Timestamp(seconds: 1_000)

  private func open(_ folder: Folder) throws -> QueueStore {
    try QueueStore(directory: folder.path) { answers in for answer in answers { answer() } }
  }

  private func ask(_ store: QueueStore, _ request: QueueRequest) async throws -> QueueAnswer {
    try await withCheckedContinuation { continuation in
      store.request(request) { continuation.resume(returning: $0) }
    }.get()
  }

  private func message(
    _ store: QueueStore, _ number: Int64, key: String = "", queue: Int64 = 1, until: Int64 = 300
  ) -> NewMessage {
    NewMessage(
      sequence: store.firstSequence + number, queue: queue, id: Identifier128(high: 1, low: UInt64(number)), group: "g",
      deduplicationID: key,
      deduplication: key.isEmpty ? nil : .init(key: Array(key.utf8), until: time + .seconds(until)),
      sentAt: time + .seconds(number), availableAt: time, body: "body \(number)", attributes: "", trace: "")
  }

  private func load(_ store: QueueStore) throws -> (queues: [String], messages: [IndexedMessage]) {
    var (queues, messages): ([String], [IndexedMessage]) = ([], [])
    _ = try store.load {
      queues = $0.map(\.name)
    } message: {
      messages.append($0)
    }
    return (queues, messages)
  }

  private func keepQueue(_ store: QueueStore) async throws {
    _ = try await ask(
      store, .keepQueue(QueueRecord(id: 1, name: "q", settings: "{}", createdAt: time, modifiedAt: time)))
  }

  @Test func `what was answered is there after an end, in its order`() async throws {
    let folder = Folder()
    var store = try open(folder)
    let first = store.firstSequence
    try await keepQueue(store)
    _ = try await ask(store, .send((1...3).map { message(store, $0) }))
    store.note(.received([.init(sequence: first + 1, receives: 2, hiddenUntil: time + .seconds(9))], at: time))
    store.note(.removed([first + 2]))
    try store.close()
    store = try open(folder)
    #expect(store.firstSequence > first)
    let (queues, messages) = try load(store)
    #expect(queues == ["q"])
    #expect(messages.map(\.sequence) == [first + 1, first + 3])
    #expect(messages.map(\.receives) == [2, 0])
    #expect(messages.map(\.hiddenUntil) == [time + .seconds(9), nil])
    guard case .messages(let stored) = try await ask(store, .read([first + 1, first + 2])) else { return }
    #expect(stored.map(\.body) == ["body 1"])
    #expect(stored.map(\.firstReceivedAt) == [time])
    try store.close()
  }

  @Test func `a duplicate is answered with the first one, until its time is up`() async throws {
    let folder = Folder()
    let store = try open(folder)
    try await keepQueue(store)
    let messages = [
      message(store, 1, key: "k", until: 4), message(store, 2, key: "k", until: 6), message(store, 3, key: "other"),
      message(store, 5, key: "k", until: 9), message(store, 6, key: "k", queue: 2),
    ]
    guard case .sent(let sent) = try await ask(store, .send(messages)) else { return }
    #expect(sent.map(\.isDuplicate) == [false, true, false, false, false])
    #expect(sent.map { $0.sequence - store.firstSequence } == [1, 1, 3, 5, 6])
    #expect(sent[1].id == messages[0].id)
    try store.close()
  }

  @Test func `a message that moves has another number and its old name`() async throws {
    let folder = Folder()
    let store = try open(folder)
    let first = store.firstSequence
    _ = try await ask(store, .send([message(store, 1), message(store, 2), message(store, 3)]))
    store.note(.moved([(first + 1, first + 9)], queue: 2, source: "q", sentAt: nil))
    store.note(.purged(queue: 1, upTo: first + 2))
    _ = try await ask(store, .barrier)
    let messages = try load(store).messages
    #expect(messages.map(\.sequence) == [first + 3, first + 9])
    #expect(messages.map(\.queue) == [1, 2])
    guard case .messages(let stored) = try await ask(store, .read([first + 9])) else { return }
    #expect(stored.map(\.id) == [Identifier128(high: 1, low: 1)])
    #expect(stored.map(\.deadLetterSource) == ["q"])
    store.note(.queueRemoved(2))
    _ = try await ask(store, .barrier)
    #expect(try load(store).messages.map(\.sequence) == [first + 3])
    try store.close()
  }

  @Test func `events are kept until they are done with`() async throws {
    let folder = Folder()
    var store = try open(folder)
    let requests = (1...2).map { RequestID(Identifier128(high: 0, low: $0)) }
    for request in requests {
      _ = try await ask(
        store,
        .keepEvent(
          EventRecord(
            request: request, function: "f", version: "$LATEST", arn: "arn", qualifier: "", trace: "",
            clientContext: nil,
            settings: "{}",
            acceptedAt: time, due: time, errors: 0, throttles: 0, payload: [1, 2, 3])))
    }
    store.note(.eventDelayed(requests[0], due: time + .seconds(60), errors: 1, throttles: 2))
    store.note(.eventRemoved(requests[1]))
    try store.close()
    store = try open(folder)
    let events = try store.load { _ in
    } message: { _ in
    }
    #expect(events.map(\.request) == [requests[0]])
    #expect(events.map(\.errors) == [1])
    #expect(events.map(\.due) == [time + .seconds(60)])
    #expect(events.map(\.payload) == [[1, 2, 3]])
    try store.close()
  }

  @Test func `one process has the file`() throws {
    let folder = Folder()
    let store = try open(folder)
    let error = #expect(throws: StoreError.self) { try open(folder) }
    #expect(error?.code == .busy)
    try store.close()
    try open(folder).close()
  }

  @Test func `a file that is none of ours is refused`() throws {
    let folder = Folder()
    folder.write(
      "this is no database, and it is longer than a header of SQLite would be: \(String(repeating: "x", count: 900))",
      to: "queues.sqlite")
    #expect(throws: StoreError.self) { try open(folder) }
    let missing = #expect(throws: StoreError.self) {
      try QueueStore(directory: "/proc/nothing/here") { _ in }
    }
    #expect(missing?.code == .inaccessible)
  }

  @Test func `the file is its owner's alone`() throws {
    let folder = Folder()
    let store = try open(folder)
    for name in ["queues.sqlite", "queues.sqlite-wal"] {
      var status = stat()
      #expect(unsafe stat("\(folder.path)/\(name)", &status) == 0)
      #expect(status.st_mode & 0o077 == 0, "\(name)")
    }
    try store.close()
  }

  @Test func `what is handed in after the end fails`() async throws {
    let folder = Folder()
    let store = try open(folder)
    try store.close()
    await #expect(throws: StoreError.self) { try await ask(store, .send([message(store, 1)])) }
  }
}
