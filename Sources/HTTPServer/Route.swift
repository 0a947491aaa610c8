public import NIOHTTP1

/// One thing that a server is asked for, as a value: where, how, by whom, within which limits, and who answers.
public struct Route<Handler: Sendable>: Sendable {
  /// Its name in metrics: small letters, digits and hyphens, or an operation's name of the API that it belongs to. Routes of one name are
  /// counted together.
  public var name: String
  /// The methods that it takes; at least one. `HEAD` is only taken where it is named.
  public var methods: [HTTPMethod]
  /// The path, with at most two places for names: `{name}` for one segment, `{name*}` for the rest; `{}` is one segment that
  /// nobody asks for.
  public var path: String
  /// What is taken of its requests.
  public var limits: RouteLimits
  /// Who may ask.
  public var access: RouteAccess
  /// Who answers.
  public var handler: Handler

  /// A route.
  public init(
    _ name: String, _ methods: [HTTPMethod], _ path: String, limits: RouteLimits = RouteLimits(),
    access: RouteAccess = .ownPages, handler: Handler
  ) {
    self.name = name
    self.methods = methods
    self.path = path
    self.limits = limits
    self.access = access
    self.handler = handler
  }
}

/// Who may ask for a route. The front that has the routes asks ``BrowserGuard``, or looks at the peer.
public enum RouteAccess: Hashable, Sendable {
  /// People and programs of this machine, and the server's own pages, but no web page of another origin.
  case ownPages
  /// Those, and a person who follows a link on a page of another origin.
  case ownPagesAndLinks
  /// Whoever the rules of what is asked for let in, such as those of a function's URL.
  case ownRules
  /// The processes for which the server listens, and no others.
  case members
  /// Those, and one that had gone before it could be looked at: the request proves by what it names that it may.
  case membersAndGone
}

/// What is taken of the requests of a route.
public struct RouteLimits: Sendable {
  /// The largest body, in bytes; 0: a request with one is refused before the body is read. Of a body that is inflated, what is
  /// sent is held to this, and what comes out of it to ``InflationLimits/bytesMax``.
  public var bodyBytesMax: Int
  /// The largest sum of request target, header names and values, in bytes; `nil`: that of the server.
  public var headerBytesMax: Int?
  /// How bodies with `Content-Encoding: gzip` are inflated. `nil`: the handler is given every body as it was sent.
  public var inflation: InflationLimits?
  /// Whether the body may be followed by trailer fields, which the handler finds in ``HTTPRequest/trailers``. Elsewhere a
  /// request with trailer fields is refused with 400: a proxy in between may have merged them into the header, where they would have
  /// meant something (RFC 9110 6.5.1).
  public var takesTrailers: Bool
  /// The protocols to which a request may ask to change by `Upgrade`, in lower case. Their handler may answer with
  /// ``HTTPResponse/switchingProtocols(to:headers:_:)``.
  public var upgrades: [String]

  /// Limits; by default neither body, trailers nor upgrade are taken.
  public init(
    bodyBytesMax: Int = 0, headerBytesMax: Int? = nil, inflation: InflationLimits? = nil, takesTrailers: Bool = false,
    upgrades: [String] = []
  ) {
    self.bodyBytesMax = bodyBytesMax
    self.headerBytesMax = headerBytesMax
    self.inflation = inflation
    self.takesTrailers = takesTrailers
    self.upgrades = upgrades
  }
}

/// What a compressed body may grow to, beside ``RouteLimits/bodyBytesMax``.
public struct InflationLimits: Hashable, Sendable {
  /// The most bytes that come out for each byte that went in, once more than ``bytesUnasked`` have come out; at least 1. Text
  /// compresses to a tenth or a twentieth, a bomb to a thousandth.
  public var ratioMax: Int
  /// Up to here no ratio is looked at, in bytes.
  public var bytesUnasked: Int
  /// The most bytes that come out; `nil`: as many as may go in.
  public var bytesMax: Int?

  /// Limits; by default 200, above 64 KiB.
  public init(ratioMax: Int = 200, bytesUnasked: Int = 64 << 10, bytesMax: Int? = nil) {
    precondition(ratioMax > 0, "BUG: a ratio of \(ratioMax)")
    self.ratioMax = ratioMax
    self.bytesUnasked = bytesUnasked
    self.bytesMax = bytesMax
  }
}
