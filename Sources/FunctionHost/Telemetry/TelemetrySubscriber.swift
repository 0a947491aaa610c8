import LambdaRecords
import Lifecycle
import NIOCore

/// One extension's subscription: its buffer, and when what is in it is sent. Used on the host's loop.
///
/// One batch is under way at a time. A batch that the listener does not acknowledge is sent again, after a time that
/// doubles; after ``attemptsMax`` attempts it is given up and counted as dropped.
final class TelemetrySubscriber {
  static let attemptsMax = 12
  private static let delayMin = Nanoseconds.milliseconds(50)
  private static let delayMax = Nanoseconds.seconds(2)
  /// How long a listener may take to acknowledge.
  private static let answerTimeout = Nanoseconds.seconds(5)

  let name: String
  let subscription: Subscription
  private let loop: any EventLoop
  private let clock: SteadyClock
  private let delivery: TelemetryDelivery
  private let counters: HostCounters
  private var buffer: TelemetryBuffer
  private var sending: TelemetryBuffer.Batch?
  private var isUnderWay = false
  private var attempts = 0
  /// For what is due, or for the next attempt.
  private var timer: Scheduled<Void>?
  private var answerTimer: Scheduled<Void>?
  private var isPaused = false
  private var isClosed = false
  /// Whether everything that waits is to be sent without waiting for more.
  private var isFlushing = false
  private var whenIdle: [EventLoopPromise<Void>] = []

  init(
    name: String, _ subscription: Subscription, on loop: any EventLoop, clock: SteadyClock, counters: HostCounters
  ) {
    self.counters = counters
    self.name = name
    self.subscription = subscription
    self.loop = loop
    self.clock = clock
    delivery = TelemetryDelivery(to: subscription.destination, on: loop)
    buffer = TelemetryBuffer(subscription)
  }

  func take(_ item: TelemetryItem) {
    guard subscription.types.contains(item.type) else { return }
    let now = clock.now()
    let before = buffer.dropped.records
    for record in item.buffers(subscription.schema) { buffer.append(record, at: now) }
    counters.count(.telemetryRecord, buffer.dropped.records - before)
    pump()
  }

  /// Records were not kept for this subscriber before it came.
  func missed(_ records: Int) { counters.count(.telemetryRecord, records) }

  /// Whether nothing waits and nothing is under way.
  var isIdle: Bool { sending == nil && buffer.isEmpty }

  /// Completes when nothing waits and nothing is under way, or nothing will be sent any more.
  func idle() -> EventLoopFuture<Void> {
    let promise = loop.makePromise(of: Void.self)
    if isIdle || isClosed { promise.succeed() } else { whenIdle.append(promise) }
    return promise.futureResult
  }

  private func becameIdle() {
    let promises = whenIdle
    whenIdle = []
    for promise in promises { promise.succeed() }
  }

  /// Sends what waits.
  func flush() {
    isFlushing = true
    timer?.cancel()
    timer = nil
    if sending != nil, !isUnderWay { attempt() } else { pump() }
  }

  /// The instance is frozen: its listener cannot answer.
  func pause() { isPaused = true }

  func resume() {
    guard isPaused else { return }
    isPaused = false
    if sending != nil, !isUnderWay { attempt() } else { pump() }
  }

  func close() {
    // What is not delivered now never will be.
    if !isClosed { counters.count(.telemetryRecord, buffer.count + (sending?.ownCount ?? 0)) }
    isClosed = true
    timer?.cancel()
    answerTimer?.cancel()
    delivery.cancel()
    becameIdle()
  }

  private func pump() {
    guard sending == nil, !isPaused, !isClosed, let dueAt = buffer.dueAt else {
      if buffer.isEmpty { isFlushing = false }
      if isIdle { becameIdle() }
      return
    }
    let now = clock.now()
    if isFlushing || buffer.isFull || dueAt <= now {
      timer?.cancel()
      timer = nil
      sending = buffer.takeBatch(at: now)
      attempts = 0
      if sending != nil { attempt() }
    } else if timer == nil {
      schedule(dueAt - now) { $0.pump() }
    }
  }

  private func attempt() {
    guard let sending, !isUnderWay, !isPaused, !isClosed else { return }
    isUnderWay = true
    attempts += 1
    limitAnswer()
    delivery.send(sending).assumeIsolated().whenComplete { result in
      self.answerTimer?.cancel()
      self.isUnderWay = false
      if case .success = result { self.delivered() } else { self.notDelivered() }
    }
  }

  private func delivered() {
    sending = nil
    pump()
  }

  private func notDelivered() {
    guard !isClosed, let batch = sending else { return }
    counters.count(.telemetryDelivery)
    // A frozen listener is not to blame; it is asked again when it can answer.
    if isPaused {
      attempts -= 1
      return
    }
    guard attempts < TelemetrySubscriber.attemptsMax else {
      sending = nil
      counters.count(.telemetryRecord, batch.ownCount)
      buffer.lose(batch, at: clock.now())
      isFlushing = false
      return pump()
    }
    let doubled = Nanoseconds(TelemetrySubscriber.delayMin.count << Int64(attempts - 1))
    schedule(min(TelemetrySubscriber.delayMax, doubled)) { $0.attempt() }
  }

  private func schedule(_ delay: Nanoseconds, _ body: @escaping (TelemetrySubscriber) -> Void) {
    timer?.cancel()
    timer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(max(0, delay.count))) { [weak self] in
      self?.timer = nil
      if let self { body(self) }
    }
  }

  /// A listener for TCP has no answer to give: what it has not read yet is bounded by its socket and our buffer.
  private func limitAnswer() {
    guard case .http = subscription.destination else { return }
    answerTimer = loop.assumeIsolated().scheduleTask(in: .nanoseconds(TelemetrySubscriber.answerTimeout.count)) {
      [weak self] in
      guard let self, isUnderWay else { return }
      if isPaused { limitAnswer() } else { delivery.cancel() }
    }
  }
}

/// The telemetry of an instance that has extensions.
final class InstanceTelemetry {
  /// What is kept for those that subscribe later in the initialization: room for some lines of the longest length.
  private static let backlogBytesMax = 1 << 20

  private(set) var subscribers: [TelemetrySubscriber] = []
  private var backlog: [TelemetryItem] = []
  private var backlogBytes = 0
  /// Records that the backlog had no room for.
  private var backlogDropped = TelemetryBuffer.Dropped()
  /// Whether subscriptions are taken.
  private(set) var isOpen = true

  func take(_ item: TelemetryItem) {
    if isOpen { keep(item) }
    for subscriber in subscribers { subscriber.take(item) }
  }

  /// Takes a subscriber, in the place of its last subscription if it has one; it is told what happened before it came.
  func add(_ subscriber: TelemetrySubscriber, at now: Timestamp) {
    subscribers.removeAll { other in
      guard other.name == subscriber.name else { return false }
      other.close()
      return true
    }
    subscribers.append(subscriber)
    for item in backlog { subscriber.take(item) }
    guard backlogDropped.records > 0 else { return }
    subscriber.missed(backlogDropped.records)
    subscriber.take(.platform(PlatformEvent(time: now, kind: .logsDropped(backlogDropped.record))))
  }

  /// The initialization is over: no more subscriptions.
  func endSubscriptions() {
    isOpen = false
    backlog = []
  }

  func flush() { for subscriber in subscribers { subscriber.flush() } }
  func pause() { for subscriber in subscribers { subscriber.pause() } }
  func resume() { for subscriber in subscribers { subscriber.resume() } }
  func close() { for subscriber in subscribers { subscriber.close() } }

  private func keep(_ item: TelemetryItem) {
    guard backlogBytes + item.cost <= InstanceTelemetry.backlogBytesMax else {
      backlogDropped.records += 1
      backlogDropped.bytes += item.cost
      return
    }
    backlog.append(item)
    backlogBytes += item.cost
  }
}
