import Glibc
import Lifecycle
import Logging
import NIOCore
import NIOPosix
import Schedules
import Text

/// Keeps how far schedules have come: one small file that is replaced as a whole, written beside the event loop. Used on the host's loop.
final class ScheduleStore {
  /// What is kept of one schedule. Of another expression or zone, nothing that was kept before holds.
  struct Entry: Hashable, Sendable {
    var expression: String
    var zone: String
    var progress: ScheduleProgress
  }

  /// The largest file that is read, in bytes: 10,000 schedules, each with names of 256 bytes and an expression of 256 bytes
  /// that is all escapes, and with as many unfinished runs as there may be, each of which takes less than 128 bytes.
  static let bytesMax = 10_000 * (3 * 256 + 2 * Schedule.bytesMax + ScheduleRuns.runsMax * 128)
  /// No run fails as often; what says so was not written here.
  private static let failuresMax = 1_000_000

  private let path: String
  private let loop: any EventLoop
  private let logger: Logger
  /// Started by the first write: most hosts have no schedules.
  private let threads = NIOThreadPool(numberOfThreads: 1)
  private var isStarted = false
  private var isWriting = false
  /// Says what is to be written when the write in progress is over.
  private var next: (() -> [String: Entry])?
  private var whenWritten: EventLoopPromise<Void>?
  private var isFailing = false

  init(path: String, on loop: any EventLoop, logger: Logger) {
    self.path = path
    self.loop = loop
    self.logger = logger
  }

  /// Writes what there is to be kept when the write begins; however often this is called meanwhile, that is asked for once.
  ///
  /// - Returns: Completes when this, or something newer, is on the disk, or the disk has not taken it; never fails.
  @discardableResult
  func save(_ entries: @escaping () -> [String: Entry]) -> EventLoopFuture<Void> {
    if !isStarted { threads.start() }
    isStarted = true
    next = entries
    let promise = whenWritten ?? loop.makePromise(of: Void.self)
    whenWritten = promise
    if !isWriting { write() }
    return promise.futureResult
  }

  /// Ends the thread, once everything is written.
  func stop() -> EventLoopFuture<Void> {
    guard isStarted else { return loop.makeSucceededVoidFuture() }
    let written = whenWritten?.futureResult ?? loop.makeSucceededVoidFuture()
    return written.assumeIsolated().map { [threads] in threads.shutdownGracefully { _ in } }.nonisolated()
  }

  private func write() {
    guard let entries = next.take()?(), let promise = whenWritten.take() else { return }
    isWriting = true
    let path = path
    threads.runIfActive(eventLoop: loop) { ScheduleStore.replace(path, with: ScheduleStore.document(entries)) }
      .assumeIsolated().whenComplete { result in
        self.isWriting = false
        // Fails when the thread has ended, and then nobody writes any more.
        if case .success(let problem?) = result, !self.isFailing {
          self.logger.error(
            "The progress of schedules cannot be kept: after a restart, runs may be missing or come twice.",
            metadata: ["file": "\(path)", "reason": "\(problem)"])
        }
        if case .success(let problem) = result { self.isFailing = problem != nil }
        promise.succeed()
        self.write()
      }
  }

  // MARK: The file

  /// Reads what was kept. Blocks on the file system.
  ///
  /// - Returns: Nothing if there is no file, or it is damaged: `complain` is told of that.
  static func load(_ path: String, complain: (String) -> Void) -> [String: Entry] {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
    guard descriptor >= 0 else {
      if errno != ENOENT { complain(reason()) }
      return [:]
    }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 65_536)
    while bytes.count <= bytesMax {
      let count = unsafe Glibc.read(descriptor, &part, part.count)
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { break }
      bytes += part[..<count]
    }
    guard let entries = entries(bytes) else {
      complain("it is damaged")
      return [:]
    }
    return entries
  }

  /// `nil` if the bytes are not what ``document(_:)`` writes.
  static func entries(_ bytes: [UInt8]) -> [String: Entry]? {
    guard bytes.count <= bytesMax, let document = try? JSONValue(bytes.span, JSONRules(depthLimit: 8)),
      document["version"]?.int == 1, let schedules = document["schedules"]?.object
    else { return nil }
    var entries: [String: Entry] = [:]
    for member in schedules {
      guard let expression = member.value["expression"]?.string, let zone = member.value["timezone"]?.string,
        let anchor = member.value["anchor"]?.string.flatMap({ RFC3339.nanoseconds($0) }),
        let done = member.value["done"]?.string.flatMap({ RFC3339.nanoseconds($0) }),
        let unfinished = unfinished(member.value["unfinished"])
      else { return nil }
      entries[member.name] = Entry(
        expression: expression, zone: zone,
        progress: ScheduleProgress(
          anchor: Timestamp(nanoseconds: anchor), done: Timestamp(nanoseconds: done), unfinished: unfinished))
    }
    return entries
  }

  private static func unfinished(_ value: JSONValue?) -> [ScheduleProgress.Unfinished]? {
    guard let value else { return [] }
    guard let list = value.array, list.count <= ScheduleRuns.runsMax else { return nil }
    var runs: [ScheduleProgress.Unfinished] = []
    for item in list {
      guard let time = item["time"]?.string.flatMap({ RFC3339.nanoseconds($0) }),
        let failures = item["failures"]?.int, (0...failuresMax).contains(failures),
        let request = item["request"]?.string.flatMap({ Identifier128(text: $0) })
      else { return nil }
      runs.append(.init(time: Timestamp(nanoseconds: time), failures: failures, request: RequestID(request)))
    }
    return runs
  }

  static func document(_ entries: [String: Entry]) -> [UInt8] {
    var writer = JSONWriter()
    writer.object {
      $0.member("version", 1)
      $0.key("schedules")
      $0.object { schedules in
        for (name, entry) in entries.sorted(by: { $0.key < $1.key }) {
          schedules.key(name)
          schedules.object {
            $0.member("expression", entry.expression)
            $0.member("timezone", entry.zone)
            $0.member("anchor", RFC3339.text(nanoseconds: entry.progress.anchor.nanoseconds))
            $0.member("done", RFC3339.text(nanoseconds: entry.progress.done.nanoseconds))
            write(entry.progress.unfinished, &$0)
          }
        }
      }
    }
    return writer.bytes + [UInt8(ascii: "\n")]
  }

  private static func write(_ runs: [ScheduleProgress.Unfinished], _ writer: inout JSONWriter) {
    guard !runs.isEmpty else { return }
    writer.key("unfinished")
    writer.array { list in
      for run in runs {
        list.object {
          $0.member("time", RFC3339.text(nanoseconds: run.time.nanoseconds))
          $0.member("failures", run.failures)
          $0.member("request", (run.request?.value ?? .zero).uuidText)
        }
      }
    }
  }

  /// Puts bytes in the place of a file, durably: who reads it finds the old ones or the new ones, also after a loss of power. Blocks on
  /// the file system.
  ///
  /// - Returns: Why that was not possible; then the old ones are still there.
  private static func replace(_ path: String, with bytes: [UInt8]) -> String? {
    let folder = path.lastIndex(of: "/").map { String(path[..<$0]) } ?? "."
    // There already, nearly always; and if it cannot be made, opening a file in it says why.
    unsafe mkdir(folder, 0o755)
    let temporary = "\(path).new"
    let descriptor = unsafe open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0o644)
    guard descriptor >= 0 else { return reason() }
    defer { close(descriptor) }
    var written = 0
    while written < bytes.count {
      let count = unsafe bytes.withUnsafeBytes { bytes in
        // SAFETY: `written` is less than the count of the bytes, which are there during the call.
        unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { return reason() }
      written += count
    }
    guard fsync(descriptor) == 0, unsafe rename(temporary, path) == 0 else { return reason() }
    // The name itself is durable once its folder is.
    let directory = unsafe open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard directory >= 0 else { return reason() }
    defer { close(directory) }
    return fsync(directory) == 0 ? nil : reason()
  }

  private static func reason() -> String { unsafe String(cString: strerror(errno)) }
}
