package import Lifecycle
internal import WindowStore
package import Windows

/// What the pipeline's lock guards: the aggregator, and what of it is on its way to the store.
///
/// Readers get it from `EventPipeline.read(at:_:)`, after everything that waited was folded.
package struct Folding: Sendable {
  private static let keptCapacity = 65_536
  /// How many entries may gather in the journal before a checkpoint is due although nothing changed.
  private static let marksLimit: UInt64 = 1_000

  var aggregator: Aggregator
  private let queue: EventQueue
  private var batch: [LifecycleEvent] = []
  /// Taken from the aggregator and not yet handed to the store, in order.
  private var due: [Checkpoint] = []
  private var isSaving = false
  /// What anonymous senders told since a checkpoint was taken.
  private var told: [ToldLife] = []
  /// Windows that are final and that the store may not have yet; the aggregator has forgotten them.
  private var unsavedFinals: [WindowKey: Rollup] = [:]
  var boundary: Timestamp
  /// The last batch of the journal that was applied.
  var applied = JournalPosition.start
  /// The last entry of the journal that was.
  var recorded = JournalPosition.start
  /// Whether anything happened since the last checkpoint was taken.
  var isChanged = false
  /// Whether time alone changes totals, because something is in progress.
  private var isBusy = false
  private var lastTaken: Timestamp?
  /// The last entry of the journal in the last checkpoint that was taken.
  private var recordedInLast = JournalPosition.start

  init(_ configuration: AggregatorConfiguration, queue: EventQueue) {
    aggregator = Aggregator(configuration)
    self.queue = queue
    boundary = aggregator.finalBoundary
  }

  /// Applies batches that the journal keeps, behind the events that wait in the queue.
  ///
  /// - Parameter position: That of the last batch.
  /// - Returns: Which events of each batch are not counted.
  mutating func apply(
    _ batches: [EventBatch], through position: JournalPosition, _ now: Timestamp
  ) -> [Completion] {
    drain(JournalMark(time: now, isRead: false, batches: position), isDue: true)
    applied = max(applied, position)
    return apply(batches, now)
  }

  @discardableResult
  mutating func apply(_ batches: [EventBatch], _ now: Timestamp) -> [Completion] { batches.map { apply($0, now) } }

  private mutating func apply(_ batch: EventBatch, _ now: Timestamp) -> Completion {
    var exceptions = Completion.Exceptions()
    let duplicates = aggregator.eventsDuplicate
    if batch.source.isAnonymous {
      exceptions.rejected = applyAnonymous(batch.events, now)
    } else {
      exceptions.rejected = aggregator.apply(batch.events, now: now, isRemote: true)
    }
    exceptions.duplicates = Int(aggregator.eventsDuplicate &- duplicates)
    isChanged = true
    return exceptions == Completion.Exceptions() ? .applied : .appliedInPart(exceptions)
  }

  /// Applies events that may be told again, and takes note of those that count.
  ///
  /// - Returns: Those that are not counted.
  private mutating func applyAnonymous(_ events: [LifecycleEvent], _ now: Timestamp) -> [RejectedEvent] {
    var rejected: [RejectedEvent] = []
    for index in Folding.order(of: events) {
      let event = events[index]
      let before = aggregator.eventsDuplicate
      if let reason = aggregator.apply(event, now: now, isRemote: true) {
        rejected.append(RejectedEvent(index: index, reason: reason))
      } else if aggregator.eventsDuplicate == before, let life = ToldLife(event) {
        told.append(life)
      }
    }
    // So many only gather while nothing can be saved.
    if told.count > 2 * ToldLife.limit { told.removeFirst(told.count - ToldLife.limit) }
    return rejected.sorted { $0.index < $1.index }
  }

  /// The places of events as they come, but for those of event sources, which take each other's in the order of their times.
  private static func order(of events: [LifecycleEvent]) -> [Int] {
    let told = events.indices.filter { if case .source = events[$0].subject { true } else { false } }
    var order = Array(events.indices)
    for (place, index) in zip(told, told.sorted { (events[$0].kind.latest, $0) < (events[$1].kind.latest, $1) }) {
      order[place] = index
    }
    return order
  }

  /// Counts events that could not be read.
  mutating func count(rejected: [RejectedEvent]) { for event in rejected { aggregator.count(event.reason) } }

  /// Folds what waits in the queue and lets time pass. Every reader does so first, so that whoever was just answered
  /// finds its own invocation.
  ///
  /// - Parameter isRead: Whether somebody reads what comes out.
  mutating func catchUp(_ now: Timestamp, isRead: Bool) {
    drain(JournalMark(time: now, isRead: isRead, batches: applied), isDue: isRead && aggregator.isInProgress)
    advance(now)
  }

  /// Applies the events that wait in the queue.
  private mutating func drain(_ mark: JournalMark, isDue: Bool) {
    let position = queue.drain(into: &batch, mark, isDue: isDue)
    recorded = max(recorded, position ?? recorded)
    // Readers of an idle process leave marks that no change would take out of the journal.
    if recorded.number - recordedInLast.number > Self.marksLimit { isChanged = true }
    aggregator.apply(batch, now: mark.time)
    if !batch.isEmpty { isChanged = true }
    // The room of a burst is given back; that of steady traffic goes back to the queue.
    if batch.capacity > Self.keptCapacity { batch = [] }
  }

  mutating func advance(_ now: Timestamp) {
    aggregator.advance(to: now)
    // Final windows are only in a checkpoint from here on, so it is taken before anyone can miss them.
    if aggregator.finalBoundary != boundary {
      boundary = aggregator.finalBoundary
      take(now)
    }
  }

  // MARK: Checkpoints

  /// What is not in the store yet of ``Checkpoint/told``.
  var toldSince: [ToldLife] { due.flatMap(\.told) + told }

  /// The next checkpoint to save, if one is due and none is being saved.
  ///
  /// - Parameter interval: How long to let changes gather.
  mutating func nextCheckpoint(_ now: Timestamp, interval: Nanoseconds) -> Checkpoint? {
    guard !isSaving else { return nil }
    if due.isEmpty, isChanged || isBusy, Nanoseconds.remaining(of: interval, since: lastTaken, now) <= .zero {
      take(now)
    }
    guard !due.isEmpty else { return nil }
    isSaving = true
    return due.removeFirst()
  }

  /// How long until a checkpoint is due although nothing arrives; zero or less if it is time.
  func nextDue(_ now: Timestamp, interval: Nanoseconds) -> Nanoseconds {
    guard due.isEmpty else { return .zero }
    let finality = aggregator.nextFinality - now
    return isChanged || isBusy ? min(finality, .remaining(of: interval, since: lastTaken, now)) : finality
  }

  /// Takes a last checkpoint whether or not one is due.
  mutating func lastCheckpoint(_ now: Timestamp) {
    catchUp(now, isRead: false)
    take(now)
  }

  private mutating func take(_ now: Timestamp) {
    var checkpoint = aggregator.checkpoint(now: now)
    checkpoint.journal = applied
    checkpoint.entries = recorded
    checkpoint.told = told
    told = []
    recordedInLast = recorded
    for window in checkpoint.windows where window.isFinal {
      unsavedFinals[WindowKey(scope: window.scope, start: window.start)] = window.rollup
    }
    isBusy = checkpoint.live.executions.contains { $0.presumedEnd == nil }
    isChanged = false
    lastTaken = now
    due.append(checkpoint)
  }

  mutating func saved(_ checkpoint: Checkpoint) {
    isSaving = false
    for window in checkpoint.windows where window.isFinal {
      unsavedFinals[WindowKey(scope: window.scope, start: window.start)] = nil
    }
  }

  /// Makes all that is in memory due, because the store has nothing any more.
  mutating func saveAnew(_ now: Timestamp) {
    isChanged = true
    aggregator.checkpointFailed(Checkpoint(time: now))
  }

  /// Makes what was not saved due again, after the interval.
  mutating func failed(_ checkpoint: Checkpoint) {
    isSaving = false
    isChanged = true
    // The aggregator puts what it is given before what it has, so the latest goes first.
    for unsaved in due.reversed() { aggregator.checkpointFailed(unsaved) }
    told = checkpoint.told + due.flatMap(\.told) + told
    due = []
    aggregator.checkpointFailed(checkpoint)
  }
}

/// What readers ask for. Nothing here changes what the next one sees: `mutating`, because timelines sum up chunks on reading.
extension Folding {
  /// Everything that a scrape shows.
  ///
  /// - Complexity: O(functions).
  package mutating func snapshot(_ now: Timestamp) -> Snapshot { aggregator.snapshot(now: now) }

  /// Some functions, in the order in which they are asked for; unknown ones are left out.
  package mutating func snapshots(of functions: [FunctionID], _ now: Timestamp) -> [FunctionSnapshot] {
    aggregator.snapshots(of: functions, now: now)
  }

  /// The live instances, in ascending order of function, then of start.
  package func instances(_ now: Timestamp) -> [InstanceSnapshot] { aggregator.instances(now: now) }

  /// The live instances of one function, in ascending order of start.
  package func instances(of function: FunctionID) -> [InstanceSnapshot] { aggregator.instances(of: function) }

  /// What all functions together do now.
  package func activity() -> Activity { aggregator.activity() }

  /// Whether anything of a function has ever been seen.
  package func knows(_ function: FunctionID) -> Bool { aggregator.knows(function) }

  /// The event sources that were ever seen, in ascending order.
  package mutating func eventSources(_ now: Timestamp) -> [EventSourceSnapshot] { aggregator.eventSources(now: now) }

  /// Whether anything of an event source has ever been seen.
  package func knows(_ source: EventSourceID) -> Bool { aggregator.knows(source) }

  /// The names of all event sources of a trigger that were ever seen, in ascending order.
  package func eventSources(of trigger: Trigger) -> [String] { aggregator.eventSources(of: trigger) }

  /// How many functions have ever been seen.
  package var functionCount: Int { aggregator.statistics.functions }

  /// The invocations of all functions.
  ///
  /// - Complexity: O(functions).
  mutating func invocations(_ now: Timestamp) -> UInt64 {
    aggregator.snapshot(now: now).functions.reduce(0) { $0 &+ $1.totals.invocations.total }
  }

  /// The windows that start in `[from, to)` and that the store may not have as final, of all scopes.
  package mutating func windows(from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    aggregator.windows(from: from, to: to, now: now) + unsaved(from, to) { _ in true }
  }

  /// The windows of one scope that start in `[from, to)` and that the store may not have as final.
  ///
  /// - Complexity: That of its own windows, whatever the number of functions, but for the finals that are being saved.
  package mutating func windows(of scope: Scope, from: Timestamp, to: Timestamp, now: Timestamp) -> [WindowRollup] {
    aggregator.windows(of: scope, from: from, to: to, now: now) + unsaved(from, to) { $0 == scope }
  }

  /// Finals that start in `[from, to)` and are on their way to the store.
  private func unsaved(_ from: Timestamp, _ to: Timestamp, _ isAsked: (Scope) -> Bool) -> [WindowRollup] {
    unsavedFinals.compactMap { key, rollup in
      guard key.start >= from, key.start < to, isAsked(key.scope) else { return nil }
      return WindowRollup(
        scope: key.scope, start: key.start, length: aggregator.configuration.window, isClosed: true, rollup: rollup)
    }
  }
}
