internal import HTTPServer
internal import NIOHTTP1

/// Decides which requests the agent answers: those of people and programs of this machine and of the agent's own page,
/// but of no other web page.
struct AgentDoor: Sendable {
  private let browserGuard: BrowserGuard

  init(allowedHosts: [String]) { browserGuard = BrowserGuard(allowedHosts: allowedHosts) }

  /// The answer to a request that is refused; `nil` if it is to be served.
  func refusal(_ request: HTTPRequest) -> HTTPResponse? {
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
