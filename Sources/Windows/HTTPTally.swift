public import Lifecycle

/// The class of the status that a caller over HTTP got.
public enum ResponseClass: UInt8, Word {
  /// The source of the event did not say.
  case unknown
  /// 100 to 199.
  case informational
  /// 200 to 299.
  case success
  /// 300 to 399.
  case redirection
  /// 400 to 499.
  case clientError
  /// 500 to 599.
  case serverError

  /// The words of metrics of HTTP servers: `2xx`.
  public var name: String {
    switch self {
    case .unknown: "unknown"
    case .informational: "1xx"
    case .success: "2xx"
    case .redirection: "3xx"
    case .clientError: "4xx"
    case .serverError: "5xx"
    }
  }

  /// The class of a status; ``unknown`` for what is none.
  @inline(__always) init(status: UInt16) {
    let hundreds = status / 100
    self = hundreds <= 5 ? ResponseClass(rawValue: UInt8(truncatingIfNeeded: hundreds)) ?? .unknown : .unknown
  }
}

/// What can be added up about the requests over HTTP of a function.
struct HTTPTally: Sendable {
  static let empty = HTTPTally()

  var responses = WordCounts<ResponseClass>()
  var gatewayTimeouts: UInt64 = 0
  var throttles: UInt64 = 0
  /// Empty while all invocations came over HTTP, as those of most functions do: then it is the duration of all.
  var duration = Distribution(.duration)
}

extension Tally {
  // Each is read for itself: lending out the whole would allocate a frame for every series of a scrape.

  /// The answers to requests over HTTP by class of status, those to throttled requests included.
  public var httpResponses: WordCounts<ResponseClass> {
    get { httpIfAny?.value.responses ?? WordCounts() }
    _modify { yield &http.responses }
  }

  /// Requests over HTTP that were answered with 504; they are in ``httpResponses``, too.
  public var httpGatewayTimeouts: UInt64 {
    get { httpIfAny?.value.gatewayTimeouts ?? 0 }
    _modify { yield &http.gatewayTimeouts }
  }

  /// Requests over HTTP that were refused with 429; they are in ``httpResponses``, too, but not in ``invocations``.
  public var httpThrottles: UInt64 {
    get { httpIfAny?.value.throttles ?? 0 }
    _modify { yield &http.throttles }
  }

  /// How long each invocation over HTTP ran, from its hand-over to its end.
  public var httpDuration: Distribution {
    get {
      if let own = httpIfAny?.value.duration, !own.isEmpty { return own }
      return hasOnlyHTTP ? duration : Distribution(.duration)
    }
    _modify { yield &http.duration }
  }

  /// Whether ``httpDuration`` follows from the rest, so that nobody need keep it.
  package var impliesHTTPDuration: Bool { httpIfAny?.value.duration.isEmpty ?? true }

  private var hasOnlyHTTP: Bool { invocations[.http] > 0 && invocations[.http] == invocations.total }

  /// What ``httpDuration`` is of both together; `nil` if it follows from the rest.
  func mergedHTTPDuration(with other: Tally) -> Distribution? {
    let (own, others) = (httpDuration, other.httpDuration)
    let isImplied = impliesHTTPDuration && other.impliesHTTPDuration
    let isAlone = (hasOnlyHTTP || invocations.total == 0) && (other.hasOnlyHTTP || other.invocations.total == 0)
    if own.isEmpty && others.isEmpty || isImplied && isAlone { return nil }
    var merged = own
    merged.merge(others)
    return merged
  }

  /// Counts a request over HTTP that was refused for lack of concurrency.
  mutating func countThrottledHTTP() {
    http.throttles &+= 1
    http.responses[.clientError] &+= 1
  }

  /// Adds answers.
  mutating func addHTTP(_ responses: WordCounts<ResponseClass>, gatewayTimeouts: UInt64) {
    http.responses.merge(responses)
    http.gatewayTimeouts &+= gatewayTimeouts
  }

  /// Sees to it that durations over HTTP are kept apart once there are others. Called when new invocations are counted, and their durations
  /// not yet.
  ///
  /// - Parameter before: The invocations without the new ones.
  /// - Returns: Whether the durations of the new ones over HTTP are to be added to ``httpDuration``.
  mutating func keepsHTTPDurations(before: (http: UInt64, all: UInt64)) -> Bool {
    guard invocations[.http] > 0, !hasOnlyHTTP else { return false }
    if before.http > 0, before.http == before.all, impliesHTTPDuration { http.duration = duration }
    return true
  }
}
