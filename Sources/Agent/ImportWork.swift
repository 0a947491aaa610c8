internal import Dispatch
internal import LambdaRecords
internal import Lifecycle
internal import LogImport
internal import Logging
internal import Synchronization
internal import WindowStore
internal import Windows

/// Computes the windows of imports, one span after the other, on a thread of its own: no reader and no scrape waits for it.
///
/// Which spans are left to do is in the store, so that a kill loses nothing of it.
final class ImportWork: Sendable {
  private struct State {
    var store: WindowStore?
    /// Whether the thread is at work.
    var isBusy = false
    /// Whether more came since it last looked.
    var isAsked = false
    var problem: String?
    /// How many batches came of imports that go on.
    var batches: UInt64 = 0
    var waiting: [CheckedContinuation<Void, Never>] = []
  }

  /// How long after the last facts of an import that did not say its end its windows are computed.
  private static let patience = DispatchTimeInterval.seconds(10)

  private let queue = DispatchQueue(label: "kelvin.imports", qos: .utility)
  /// Another one, so that no batch of facts waits for windows, nor a reader for a batch.
  private let intake = DispatchQueue(label: "kelvin.import-intake")
  private let state = Mutex(State())
  private let now: @Sendable () -> Timestamp
  private let live: @Sendable (ImportSpan) -> Set<WindowKey>
  private let logger: Logger

  /// - Parameters:
  ///   - now: The clock.
  ///   - live: The windows that begin in a span and that live events reached, as far as they are in memory.
  init(
    now: @escaping @Sendable () -> Timestamp, live: @escaping @Sendable (ImportSpan) -> Set<WindowKey>, logger: Logger
  ) {
    self.now = now
    self.live = live
    self.logger = logger
  }

  /// Runs what reads and keeps facts, one batch after the other.
  func onIntakeThread(_ body: @escaping @Sendable () -> Void) { intake.async(execute: body) }

  /// Goes on with what a store has left to do, and does what comes.
  func start(_ store: WindowStore) {
    state.withLock { $0.store = store }
    store.whenImportsChange { [weak self] in self?.wake() }
    wake()
  }

  /// Ends after the span that is being computed.
  func stop() async {
    let store = state.withLock { state in
      defer { state.store = nil }
      return state.store
    }
    store?.whenImportsChange(nil)
    await withCheckedContinuation { continuation in
      let isIdle = state.withLock { state in
        if state.isBusy { state.waiting.append(continuation) }
        return !state.isBusy
      }
      if isIdle { continuation.resume() }
    }
  }

  /// Why spans could not be computed when that was last tried; `nil` if they were.
  var problem: String? { state.withLock { $0.problem } }

  /// Looks for spans to compute once no more facts come: each that comes would have its span computed again.
  func wakeSoon() {
    let batch = state.withLock { state in
      state.batches &+= 1
      return state.batches
    }
    queue.asyncAfter(deadline: .now() + ImportWork.patience) { [weak self] in
      guard let self, self.state.withLock({ $0.batches }) == batch else { return }
      self.wake()
    }
  }

  /// Looks for spans to compute, unless that is being done.
  func wake() {
    let begins = state.withLock { state in
      guard state.store != nil else { return false }
      state.isAsked = true
      defer { state.isBusy = true }
      return !state.isBusy
    }
    if begins { queue.async { self.run() } }
  }

  private func run() {
    while let store = next() {
      do throws(StoreError) {
        while state.withLock({ $0.store != nil }), let span = try store.nextImportSpan() {
          try compute(span, store)
        }
        state.withLock { $0.problem = nil }
      } catch {
        // The next import, or the next start, tries again.
        let isNew = state.withLock { state in
          defer { state.problem = error.message }
          return state.problem == nil
        }
        if isNew { logger.error("windows of an import could not be computed", metadata: ["error": "\(error.message)"]) }
      }
    }
  }

  /// The store, if there is something to do; else the thread ends.
  private func next() -> WindowStore? {
    let (store, waiting) = state.withLock { state -> (WindowStore?, [CheckedContinuation<Void, Never>]) in
      if state.isAsked, let store = state.store {
        state.isAsked = false
        return (store, [])
      }
      state.isBusy = false
      defer { state.waiting = [] }
      return (nil, state.waiting)
    }
    for continuation in waiting { continuation.resume() }
    return store
  }

  private func compute(_ span: ImportSpan, _ store: WindowStore) throws(StoreError) {
    let windows = try ImportedWindows.of(span, in: store)
    try store.save(windows, of: span, live: live(span), now: now())
  }
}

extension ImportedWindows {
  /// The windows that follow from the facts which a store keeps.
  ///
  /// - Throws: `StoreError` if they cannot be read.
  static func of(_ span: ImportSpan, in store: WindowStore) throws(StoreError) -> [WindowRollup] {
    var windows = ImportedWindows(from: span.start, to: span.end, window: store.window)
    try store.readFacts(of: span) { number, stream, time, bytes in
      windows.take(
        bytes.span, at: time, of: number,
        FactBatch.Stream(name: stream.name, function: stream.function, lastSeen: stream.lastSeen))
    }
    return windows.finish()
  }
}
