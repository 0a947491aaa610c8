internal import Synchronization
internal import NIOHTTP1

/// Why a server, or the front behind it, turned somebody or something away.
public enum HTTPRefusal: Int, CaseIterable, Sendable {
  /// A connection over ``HTTPServerLimits/connectionsMax``.
  case connectionLimit
  /// A connection of a peer that is not to be there (``HTTPServerAnswers/stranger``).
  case stranger
  /// A connection that was closed before it had sent a whole request, to make room for others.
  case madeRoom
  /// A connection that could not be accepted yet, for want of files or memory; it is tried again.
  case acceptFailed
  /// A connection that could not be set up.
  case setupFailed
  /// A request that is not well-formed, or breaks a rule of HTTP.
  case malformed
  /// A header over its limit.
  case headerTooLarge
  /// A body over its limit, or one that inflates to more than its limit.
  case bodyTooLarge
  /// A body where none is taken.
  case bodyNotTaken
  /// A body in a coding that is not undone.
  case contentCoding
  /// A request that found no room, because others held all the memory for requests.
  case noRoom
  /// A request that ended before its body was whole.
  case truncated
  /// A request, or the taking of an answer, that took too long.
  case timeout
  /// A request of a web page of another origin, or for a foreign host.
  case foreignPage
  /// A request without the credentials that it needs.
  case credentials
  /// A request of somebody who sends too many.
  case rate
  /// A connection whose handshake of TLS failed.
  case handshake

  /// Its name in metrics.
  public var name: String {
    switch self {
    case .connectionLimit: "connection-limit"
    case .stranger: "stranger"
    case .madeRoom: "made-room"
    case .acceptFailed: "accept-failed"
    case .setupFailed: "setup-failed"
    case .malformed: "malformed"
    case .headerTooLarge: "header-too-large"
    case .bodyTooLarge: "body-too-large"
    case .bodyNotTaken: "body-not-taken"
    case .contentCoding: "content-coding"
    case .noRoom: "no-room"
    case .truncated: "truncated"
    case .timeout: "timeout"
    case .foreignPage: "foreign-page"
    case .credentials: "credentials"
    case .rate: "rate"
    case .handshake: "tls-handshake"
    }
  }
}

/// What the servers of one listener did: of an agent's or a host's one, or of all those of instances together. May be used from any
/// thread; nothing waits.
public final class ListenerStatistics: Sendable {
  private static let classes = 5

  /// The listener's name in metrics.
  public let name: String
  /// The names of its routes, each once, and of all other requests at the end.
  private let routes: [String]
  /// For each route, where its name stands.
  private let places: [Int]
  private let answers: CounterArray
  private let refusals = CounterArray(count: HTTPRefusal.allCases.count)
  private let open = Atomic<Int>(0)
  private let accepted = Atomic<Int>(0)
  private let requests = Atomic<Int>(0)
  private let dropped = Atomic<Int>(0)

  /// - Parameters:
  ///   - name: The listener's name in metrics.
  ///   - routes: Those of its servers.
  public init(_ name: String, _ routes: any RouteFinder) {
    self.name = name
    var names: [String] = []
    places = routes.names.map { name in
      if let place = names.firstIndex(of: name) { return place }
      names.append(name)
      return names.count - 1
    }
    self.routes = names + ["other"]
    answers = CounterArray(count: self.routes.count * ListenerStatistics.classes)
  }

  /// Counts something that was turned away.
  public func count(_ refusal: HTTPRefusal) { refusals.add(at: refusal.rawValue) }

  /// Counts an answer. Classes below 200 are counted as 1xx, those above 599 as 5xx.
  func count(_ status: HTTPResponseStatus, of match: RouteMatch) {
    let route = match.position.map { places[$0] } ?? routes.count - 1
    let statusClass = min(max(Int(status.code) / 100, 1), ListenerStatistics.classes)
    answers.add(at: route * ListenerStatistics.classes + statusClass - 1)
  }

  func countRequest() { requests.add(1, ordering: .relaxed) }
  func countDroppedAnswer() { dropped.add(1, ordering: .relaxed) }
  func countAccepted() { accepted.add(1, ordering: .relaxed) }
  func countOpen(_ change: Int) { open.add(change, ordering: .relaxed) }

  /// What was counted until now.
  public var counts: ListenerCounts {
    var counts = ListenerCounts(listener: name)
    counts.connections = open.load(ordering: .relaxed)
    counts.droppedAnswers = dropped.load(ordering: .relaxed)
    counts.refusals = HTTPRefusal.allCases.map { refusals[$0.rawValue] }
    for position in 0..<answers.count where answers[position] > 0 {
      let (route, statusClass) = position.quotientAndRemainder(dividingBy: ListenerStatistics.classes)
      counts.requests.append(
        .init(route: routes[route], statusClass: statusClass + 1, count: answers[position]))
    }
    return counts
  }

  var counters: HTTPServerCounters {
    let refused = { [refusals] (refusal: HTTPRefusal) in refusals[refusal.rawValue] }
    return HTTPServerCounters(
      connectionsAccepted: accepted.load(ordering: .relaxed),
      connectionsOpen: open.load(ordering: .relaxed),
      connectionsRefused: refused(.connectionLimit) + refused(.stranger),
      connectionsClosedForOthers: refused(.madeRoom),
      acceptsFailed: refused(.acceptFailed),
      connectionsFailed: refused(.setupFailed),
      requests: requests.load(ordering: .relaxed),
      requestsRefused: [
        HTTPRefusal.malformed, .headerTooLarge, .bodyTooLarge, .bodyNotTaken, .contentCoding, .noRoom, .truncated,
      ].reduce(0) { $0 + refused($1) },
      requestsWithoutRoom: refused(.noRoom),
      transfersTimedOut: refused(.timeout),
      answersDropped: dropped.load(ordering: .relaxed))
  }
}

/// What a listener's servers did until now.
public struct ListenerCounts: Sendable, Equatable {
  /// How often a route was answered so.
  public struct Requests: Sendable, Equatable {
    /// The route's name; `other` for what is for none.
    public var route: String
    /// The first digit of the status: 1 to 5.
    public var statusClass: Int
    /// How often.
    public var count: Int

    /// Answers that are alike.
    public init(route: String, statusClass: Int, count: Int) {
      self.route = route
      self.statusClass = statusClass
      self.count = count
    }
  }

  /// The listener's name.
  public var listener: String
  /// Connections open now, without those that were turned away.
  public var connections = 0
  /// Answers that nobody waited for any more when they came.
  public var droppedAnswers = 0
  /// Of each ``HTTPRefusal``, in their order, how often it came to that.
  public var refusals = Array(repeating: 0, count: HTTPRefusal.allCases.count)
  /// Answers by route and class of status, those that were given at least once.
  public var requests: [Requests] = []

  /// Counts at 0.
  public init(listener: String) { self.listener = listener }
}
