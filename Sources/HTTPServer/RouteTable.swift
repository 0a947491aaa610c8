public import NIOHTTP1
internal import Text

/// What a request's method and path turned out to ask for.
public struct RouteMatch: Sendable, Equatable {
  /// Which route it is, if any.
  public enum Outcome: Sendable, Equatable {
    /// The route with this position in its table.
    case found(Int)
    /// There is the path, but not with this method.
    case wrongMethod(allowed: [HTTPMethod])
    /// There is no such path.
    case notFound
    /// A name in the path has an escape that is malformed, or is not UTF-8.
    case malformed
  }

  /// Which route it is.
  public var outcome: Outcome
  /// What stands in the places of the path, percent-decoded, in their order. Empty unless a route was found.
  public var parameters: [String]

  /// A match.
  public init(_ outcome: Outcome, parameters: [String] = []) {
    self.outcome = outcome
    self.parameters = parameters
  }

  /// The position of the route that was found.
  ///
  /// Not inlined: the optimizer of Swift 6.3.1 stops in who asks, with "Found ownership error".
  public var position: Int? {
    @inline(never) get { if case .found(let position) = outcome { position } else { nil } }
  }

  /// No route.
  public static let notFound = RouteMatch(.notFound)
}

/// The routes of a listener as its server sees them: it asks once for each request, before the body is read.
public protocol RouteFinder: Sendable {
  /// The names of the routes, for metrics.
  var names: [String] { get }
  /// The route that a request asks for.
  func find(_ head: HTTPRequestHead) -> RouteMatch
  /// What is taken of the requests of a route, by its position.
  func limits(of position: Int) -> RouteLimits
  /// The largest ``RouteLimits/headerBytesMax``; 0 if no route has one.
  var headerBytesMax: Int { get }
}

/// Routes, found by path and method.
public struct RouteTable<Handler: Sendable>: RouteFinder {
  private struct Path: Sendable {
    var pattern: PathPattern
    var methods: [(method: HTTPMethod, route: Int)] = []
  }

  /// The routes in the order in which they were given.
  public let routes: [Route<Handler>]
  private let paths: [Path]
  private let toleratesSlash: Bool

  /// Makes a table. Routes of one path stand together as one; of two paths that fit, the first counts.
  ///
  /// - Parameters:
  ///   - routes: No two with the same path and method.
  ///   - toleratesSlash: Whether one more slash at the end of a path makes no difference.
  public init(_ routes: [Route<Handler>], toleratesSlash: Bool = false) {
    var paths: [Path] = []
    for (position, route) in routes.enumerated() {
      let index = paths.firstIndex { $0.pattern.text == route.path } ?? paths.endIndex
      if index == paths.endIndex { paths.append(Path(pattern: PathPattern(route.path))) }
      for method in route.methods {
        precondition(
          !paths[index].methods.contains { $0.method == method }, "BUG: two routes for \(method) \(route.path)")
        paths[index].methods.append((method, position))
      }
    }
    self.routes = routes
    self.paths = paths
    self.toleratesSlash = toleratesSlash
  }

  /// The route with a position.
  public subscript(position: Int) -> Route<Handler> {
    _read { yield routes[position] }
  }

  /// The names of the routes, in their order.
  public var names: [String] { routes.map(\.name) }

  /// The limits of the route with a position.
  public func limits(of position: Int) -> RouteLimits { routes[position].limits }

  /// The largest limit of a header of a route's own, in bytes; 0 if none has one.
  public var headerBytesMax: Int { routes.compactMap(\.limits.headerBytesMax).max() ?? 0 }

  /// The route that a request asks for.
  public func find(_ head: HTTPRequestHead) -> RouteMatch { find(head.method, target: head.uri) }

  /// The route for a method and a request target, of which only the path counts.
  ///
  /// - Complexity: O(number of paths), each of which is mostly told apart by a few bytes.
  public func find(_ method: HTTPMethod, target: String) -> RouteMatch {
    let bytes = target.utf8Span.span
    var end = 0
    while end < bytes.count, bytes[end] != UInt8(ascii: "?") { end += 1 }
    let path = bytes.extracting(0..<end)
    for candidate in paths {
      guard let places = candidate.pattern.match(path, toleratesSlash: toleratesSlash) else { continue }
      guard let route = candidate.methods.first(where: { $0.method == method })?.route else {
        return RouteMatch(.wrongMethod(allowed: candidate.methods.map(\.method)))
      }
      guard places.count > 0 else { return RouteMatch(.found(route)) }
      return RouteTable.match(route, places, target)
    }
    return .notFound
  }

  private static func match(_ route: Int, _ places: PathPattern.Places, _ target: String) -> RouteMatch {
    var match = RouteMatch(.found(route))
    let bytes = target.utf8
    for position in 0..<places.count {
      let start = bytes.index(bytes.startIndex, offsetBy: places[position].lowerBound)
      let end = bytes.index(start, offsetBy: places[position].count)
      guard let name = PercentEncoding.decoded(bytes[start..<end], plusIsSpace: false) else {
        return RouteMatch(.malformed)
      }
      match.parameters.append(name)
    }
    return match
  }
}

/// No routes: everything is for the server's one handler.
struct NoRoutes: RouteFinder {
  var names: [String] { [] }
  var headerBytesMax: Int { 0 }
  func find(_ head: HTTPRequestHead) -> RouteMatch { .notFound }
  func limits(of position: Int) -> RouteLimits { RouteLimits() }
}

extension HTTPResponse {
  /// The same with `Allow`, which an answer with 405 has to have (RFC 9110 15.5.6).
  public func allowing(_ methods: [HTTPMethod]) -> HTTPResponse {
    var response = self
    response.headers.replaceOrAdd(name: "Allow", value: methods.map(\.rawValue).joined(separator: ", "))
    return response
  }
}
