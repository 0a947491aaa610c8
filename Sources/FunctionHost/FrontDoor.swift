import HTTPServer
import LambdaAPI
import NIOCore
import NIOHTTP1

/// Decides which requests the host accepts: those of programs on this machine, but not those of web pages, unless a
/// function's URL is open to the page's origin.
struct FrontDoor: Sendable {
  enum Decision: Sendable {
    /// The request is served. With `cors`, its answer says who may read it.
    case serve(cors: FunctionURLCORS?)
    /// A browser asks what it may send: answered here, without the function.
    case preflight(HTTPResponse)
    case refuse(AWSError)
  }

  private let browserGuard: BrowserGuard
  private let opened: [String: FunctionURLCORS]

  init(_ configuration: HostConfiguration) {
    browserGuard = BrowserGuard(allowedHosts: configuration.allowedHosts)
    var opened: [String: FunctionURLCORS] = [:]
    for function in configuration.functions where function.cors != nil { opened[function.name] = function.cors }
    self.opened = opened
  }

  /// The rules for the URL of a function; `nil` if it has none.
  func cors(of function: String) -> FunctionURLCORS? { opened[function] }

  /// - Parameter function: The function whose URL the request is for; `nil` if it is for AWS's API.
  func decide(_ request: HTTPRequest, for function: String?) -> Decision {
    let cors = opened.isEmpty ? nil : function.flatMap { opened[$0] }
    let refusal = browserGuard.refusal(request)
    guard let cors else {
      return refusal.map { .refuse(AWSError($0, function: function)) } ?? .serve(cors: nil)
    }
    if let refusal, !FrontDoor.takes(refusal, request, cors) {
      return .refuse(AWSError(refusal, function: function))
    }
    return FrontDoor.isPreflight(request) ? .preflight(cors.preflightAnswer(request)) : .serve(cors: cors)
  }

  /// - Parameter origins: Of web pages that may open a WebSocket beside the host's own; `*` stands for all.
  func decide(_ request: HTTPRequest, forSocketOpenTo origins: [String], named name: String) -> Decision {
    guard let refusal = browserGuard.refusal(request) else { return .serve(cors: nil) }
    if case .foreignOrigin(let origin) = refusal, origins.contains(origin) || origins.contains("*") {
      return .serve(cors: nil)
    }
    return .refuse(
      AWSError(refusal, opening: ", or write the page's origin at websockets.\(name).allowOrigins in kelvin.yaml"))
  }

  private static func isPreflight(_ request: HTTPRequest) -> Bool {
    request.method == .OPTIONS && request.headers.contains(name: "Origin")
      && request.headers.contains(name: "Access-Control-Request-Method")
  }

  /// Whether a function's own rules take what the guard refuses.
  private static func takes(
    _ refusal: BrowserGuard.Refusal, _ request: HTTPRequest, _ cors: FunctionURLCORS
  ) -> Bool {
    switch refusal {
    // A name that was pointed here makes its page the function's own: no rule for other origins can mean that.
    case .foreignHost: return false
    case .foreignOrigin(let origin):
      // The answer to a preflight says itself which methods there are.
      return cors.takes(origin: origin) && (isPreflight(request) || cors.takes(method: request.method))
    // An image, a link, a form: the browser does not say from where, so only a function that is open to all takes it.
    case .foreignSite: return cors.takesEveryOrigin && cors.takes(method: request.method)
    }
  }
}

extension AWSError {
  /// - Parameter function: Whose URL was called, if it was one.
  init(_ refusal: BrowserGuard.Refusal, function: String?) {
    self.init(
      refusal,
      opening: function.map { ", or open the function's URL to the page by functions.\($0).cors in kelvin.yaml" } ?? "")
  }

  /// - Parameter opening: How the configuration could let such requests in; begins with a comma.
  init(_ refusal: BrowserGuard.Refusal, opening: String) {
    let message =
      switch refusal {
      case .foreignHost(let host):
        "The request is for the host '\(host)', which is not a name of this machine's loopback: a web page may have "
          + "sent it here. Ask for localhost or 127.0.0.1, or add the name to host.allowedHosts in kelvin.yaml."
      case .foreignOrigin(let origin):
        "A web page of the origin '\(origin)' sent this request, and this host refuses requests of web pages. Send it "
          + "from a program\(opening)."
      case .foreignSite(let site):
        "A web page of another origin made the browser send this request (Sec-Fetch-Site: \(site)), and this host "
          + "refuses requests of web pages. Type the address into the browser\(opening)."
      }
    self.init(status: 403, code: "AccessDeniedException", message: message)
  }
}
