internal import HTTPServer
internal import Documents
internal import Lifecycle
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import Synchronization

/// Sends changes to readers of `/api/v1/live`, as server-sent events.
///
/// One timer serves them all, and only while there is one. On each tick a document is made once for all who ask for the same
/// and sent to those who have not seen it; a reader that is slow misses states in between and gets the newest.
final class LiveStreams: Sendable {
  /// What all queries show, of one instant.
  typealias Source = @Sendable ([LiveQuery]) -> (time: Timestamp, documents: [LiveDocument])

  private struct Follower {
    var query: LiveQuery
    var stream: HTTPBodyStream
    /// The edition it was sent last; 0 before the first.
    var edition: UInt64 = 0
    var quietTicks = 0
  }

  private struct Newest {
    var members: [UInt8]
    var edition: UInt64
  }

  private struct State {
    var followers: [UInt64: Follower] = [:]
    var newest: [LiveQuery: Newest] = [:]
    var timer: RepeatedTask?
    var source: Source?
    var isTicking = false
    /// Someone came during a tick that does not know of them.
    var isTickMissed = false
    var numbers: UInt64 = 0

    mutating func next() -> UInt64 {
      numbers &+= 1
      return numbers
    }
  }

  /// Something to write, once the lock is let go.
  private struct Delivery {
    var follower: UInt64
    var stream: HTTPBodyStream
    var piece: ByteBuffer
    /// `nil` for a sign of life.
    var edition: UInt64?
  }

  /// At least this often something is sent, so that the agent notices a reader that has gone silently.
  private static let signOfLife = Nanoseconds.seconds(15)

  private let state = Mutex(State())
  private let limit: Int
  private let interval: Nanoseconds

  init(limit: Int, interval: Nanoseconds) {
    self.limit = limit
    self.interval = interval
  }

  /// Says where documents come from; called once, before the first request. The source may wait for locks.
  func serve(_ source: @escaping Source) { state.withLock { $0.source = source } }

  /// How many readers follow.
  var followers: Int { state.withLock { $0.followers.count } }

  /// Answers with a stream that has begun, or says why not.
  func answer(_ request: HTTPRequest) -> HTTPResponse {
    guard let items = request.queryItems else { return Routes.badEscape }
    do throws(QueryProblem) {
      return open(try LiveQuery(items.map { ($0.name, $0.value) }))
    } catch {
      return Routes.error(.badRequest, "invalid-parameter", error.message)
    }
  }

  private func open(_ query: LiveQuery) -> HTTPResponse {
    let number = state.withLock { $0.next() }
    let stream = HTTPBodyStream(onEnd: { [weak self] in self?.remove(number) })
    let isAdmitted = state.withLock { state in
      guard state.followers.count < limit else { return false }
      state.followers[number] = Follower(query: query, stream: stream)
      // To schedule is to put into a queue: nothing runs under this lock.
      if state.timer == nil { state.timer = schedule() }
      return true
    }
    guard isAdmitted else {
      var response = Routes.error(
        .serviceUnavailable, "too-many-readers", "\(limit) readers follow already; try again in a moment.")
      response.headers.add(name: "Retry-After", value: "5")
      return response
    }
    tickSoon()
    return HTTPResponse(
      status: .ok,
      headers: [
        "Content-Type": "text/event-stream", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff",
      ], stream: stream)
  }

  private func remove(_ number: UInt64) {
    state.withLock { state in
      state.followers[number] = nil
      guard state.followers.isEmpty else { return }
      state.timer?.cancel()
      state.timer = nil
      state.newest = [:]
    }
  }

  // MARK: Ticks

  private func schedule() -> RepeatedTask {
    let delay = TimeAmount.nanoseconds(interval.count)
    return MultiThreadedEventLoopGroup.singleton.any().scheduleRepeatedTask(initialDelay: delay, delay: delay) {
      [weak self] _ in self?.tickSoon()
    }
  }

  /// Ticks on a thread that may wait: a scrape may hold the lock that the documents need.
  private func tickSoon() {
    let isFree = state.withLock { state in
      guard !state.isTicking else {
        state.isTickMissed = true
        return false
      }
      state.isTicking = true
      return true
    }
    // A pool that has ended takes no work, and then there are no readers either.
    if isFree { NIOThreadPool.singleton.submit { [weak self] _ in self?.tick() } }
  }

  private func tick() {
    let (queries, source) = state.withLock { state in
      state.isTickMissed = false
      return (Array(Set(state.followers.values.lazy.map(\.query))), state.source)
    }
    if let source, !queries.isEmpty { publish(queries, source(queries)) }
    let isDue = state.withLock { state in
      state.isTicking = false
      return state.isTickMissed
    }
    if isDue { tickSoon() }
  }

  private func publish(_ queries: [LiveQuery], _ shown: (time: Timestamp, documents: [LiveDocument])) {
    let members = zip(queries, shown.documents).map { ($0, $1.members()) }
    let deliveries = state.withLock { state -> [Delivery] in
      var newest: [LiveQuery: Newest] = [:]
      for (query, members) in members {
        if let known = state.newest[query], known.members == members {
          newest[query] = known
        } else {
          newest[query] = Newest(members: members, edition: state.next())
        }
      }
      state.newest = newest
      return due(&state, at: shown.time)
    }
    for delivery in deliveries where delivery.stream.write(delivery.piece) == .taken {
      state.withLock { state in
        if let edition = delivery.edition { state.followers[delivery.follower]?.edition = edition }
        state.followers[delivery.follower]?.quietTicks = 0
      }
    }
  }

  private func due(_ state: inout State, at time: Timestamp) -> [Delivery] {
    let quietLimit = Int(max(1, Self.signOfLife.count / interval.count))
    var events: [UInt64: ByteBuffer] = [:]
    var deliveries: [Delivery] = []
    for (number, follower) in state.followers {
      guard let newest = state.newest[follower.query] else { continue }
      if newest.edition != follower.edition {
        let event = events[newest.edition] ?? Self.event(newest.members, time)
        events[newest.edition] = event
        deliveries.append(
          Delivery(follower: number, stream: follower.stream, piece: event, edition: newest.edition))
      } else if follower.quietTicks >= quietLimit {
        deliveries.append(
          Delivery(follower: number, stream: follower.stream, piece: ByteBuffer(staticString: ":\n\n"), edition: nil))
      }
      state.followers[number]?.quietTicks += 1
    }
    return deliveries
  }

  /// A server-sent event (HTML, section 9.2). JSON here has no line breaks.
  private static func event(_ members: [UInt8], _ time: Timestamp) -> ByteBuffer {
    var piece = ByteBuffer(staticString: "data: ")
    piece.writeBytes(LiveDocument.json(time: time, members: members))
    piece.writeStaticString("\n\n")
    return piece
  }
}
