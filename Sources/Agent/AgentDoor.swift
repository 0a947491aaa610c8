internal import Access
internal import HTTPServer
internal import Lifecycle
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// Decides which requests the agent answers: those of people and programs and of the agent's own page, but of no other
/// web page; where credentials are needed, only with them; and of nobody more than so many a second.
struct AgentDoor: Sendable {
  private let browserGuard: BrowserGuard
  private let access: AccessControl?
  private let rate: RequestRate
  private let clock: SteadyClock
  private let statistics: ListenerStatistics

  init(_ configuration: AgentConfiguration, clock: SteadyClock, statistics: ListenerStatistics) {
    access = configuration.access
    browserGuard = BrowserGuard(
      allowedHosts: configuration.allowedHosts, takesAnyHost: configuration.access != nil || configuration.knowsClients)
    rate = RequestRate(perSecond: max(1, configuration.requestsPerSecond))
    self.clock = clock
    self.statistics = statistics
  }

  /// Has a request served, or answers it.
  ///
  /// - Parameter serve: Called if nothing speaks against it.
  func admit(
    _ request: HTTPRequest, on loop: any EventLoop, threads: NIOThreadPool,
    _ serve: @escaping @Sendable () -> EventLoopFuture<HTTPResponse>
  ) -> EventLoopFuture<HTTPResponse> {
    if let refusal = refusal(request) {
      statistics.count(.foreignPage)
      return loop.makeSucceededFuture(refusal)
    }
    let verdict = verdict(request.headers, request.route)
    guard verdict == .needsTime else { return admit(verdict, request, loop, serve) }
    return threads.runIfActive(eventLoop: loop) { self.verdict(request.headers, request.route, mayWait: true) }
      .flatMap { admit($0, request, loop, serve) }
  }

  private func admit(
    _ verdict: AccessControl.Verdict?, _ request: HTTPRequest, _ loop: any EventLoop,
    _ serve: () -> EventLoopFuture<HTTPResponse>
  ) -> EventLoopFuture<HTTPResponse> {
    if case .refused(let refusal) = verdict {
      statistics.count(.credentials)
      return loop.makeSucceededFuture(AgentDoor.answer(refusal))
    }
    let sender =
      if case .granted(let subject) = verdict { subject } else { request.remoteAddress?.ipAddress ?? "" }
    guard rate.admits(sender, at: clock.now()) else {
      statistics.count(.rate)
      return loop.makeSucceededFuture(Routes.tooMany)
    }
    return serve()
  }

  /// The answer to a request with a body that nobody need read; `nil` if it has to be.
  func bodyRefusal(_ head: HTTPRequestHead, _ match: RouteMatch) -> HTTPResponse? {
    guard case .refused(let refusal) = verdict(head.headers, match) else { return nil }
    return AgentDoor.answer(refusal)
  }

  /// What the credentials of a request open; `nil` where none are needed.
  private func verdict(_ headers: HTTPHeaders, _ match: RouteMatch, mayWait: Bool = false) -> AccessControl.Verdict? {
    guard let access, let role = AgentRoutes.role(of: match) else { return nil }
    var fields = headers["Authorization"]
    // Firehose sends its access key in a field of its own, and nothing else.
    if fields.isEmpty, match.position.map({ AgentRoutes.table[$0].name }) == AgentRoutes.firehose {
      fields = headers["X-Amz-Firehose-Access-Key"].map { "Bearer \($0)" }
    }
    return access.verdict(fields.count == 1 ? fields[0] : nil, needs: role, mayWait: mayWait)
  }

  private static func answer(_ refusal: AccessControl.Refusal) -> HTTPResponse {
    func unauthorized(_ code: String, _ sentence: String) -> HTTPResponse {
      var response = Routes.error(.unauthorized, code, sentence)
      // A browser asks for a name and a password: the password may be a token.
      response.headers.add(name: "WWW-Authenticate", value: #"Basic realm="Kelvin", charset="UTF-8""#)
      response.headers.add(name: "WWW-Authenticate", value: #"Bearer realm="Kelvin""#)
      return response
    }
    switch refusal {
    case .missing:
      return unauthorized(
        "credentials-needed",
        "This agent answers requests with credentials only: send Authorization: Bearer TOKEN, with a token of its tokenFile."
      )
    case .wrong:
      return unauthorized("credentials-wrong", "Nobody is known by these credentials.")
    case .lacksRole(let subject):
      return Routes.error(
        .forbidden, "role-missing", "The token \(subject) is not for this: its roles stand in the agent's tokenFile.")
    case .busy:
      return Routes.busy("Too many passwords are being checked; try again in a moment.")
    }
  }

  /// The answer to a request that is refused because of who caused it; `nil` if nothing speaks against it.
  private func refusal(_ request: HTTPRequest) -> HTTPResponse? {
    guard let refusal = browserGuard.refusal(request) else { return nil }
    // A link to the page, or from Prometheus' list of targets to the scrape: the person reads it, the page with the link does not.
    if case .foreignSite = refusal, BrowserGuard.isNavigation(request),
      let position = request.route.position, AgentRoutes.table[position].access == .ownPagesAndLinks
    {
      return nil
    }
    return Routes.error(.forbidden, "forbidden", AgentDoor.sentence(refusal))
  }

  private static func sentence(_ refusal: BrowserGuard.Refusal) -> String {
    switch refusal {
    case .foreignHost(let host):
      "The request is for the host '\(host)', which is not a name of this machine's loopback: a web page may have "
        + "sent it here. Ask for localhost or 127.0.0.1, or add the name to host.allowedHosts in kelvin.yaml."
    case .foreignOrigin(let origin):
      "A web page of the origin '\(origin)' sent this request, and the agent answers only its own page. Open that "
        + "page, or ask from a program."
    case .foreignSite(let site):
      "A web page of another origin made the browser send this request (Sec-Fetch-Site: \(site)), and the agent "
        + "answers only its own page. Type the address into the browser, or ask from a program."
    }
  }
}
