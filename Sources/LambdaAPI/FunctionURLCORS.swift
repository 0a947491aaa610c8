package import Text
package import HTTPServer
package import NIOHTTP1

/// Which pages of other origins may call a function's URL, as AWS has it (`Cors` of a function URL's configuration).
package struct FunctionURLCORS: Hashable, Sendable {
  /// Origins as browsers write them, such as `http://localhost:5173`; `*` stands for all.
  package var allowOrigins: [String]
  /// Methods; `*` stands for all. With none, a page has those that need no preflight: GET, HEAD and POST.
  package var allowMethods: [String]
  /// Header fields that a page may send beside the usual ones; `*` stands for all.
  package var allowHeaders: [String]
  /// Header fields of an answer that a page may read beside the usual ones.
  package var exposeHeaders: [String]
  /// Whether a page may send cookies and the like.
  package var allowCredentials: Bool
  /// How long a browser may remember the answer to a preflight, in seconds.
  package var maxAge: Int

  /// Makes rules by which, unless given otherwise, no page of another origin may call.
  package init(
    allowOrigins: [String] = [], allowMethods: [String] = [], allowHeaders: [String] = [],
    exposeHeaders: [String] = [], allowCredentials: Bool = false, maxAge: Int = 0
  ) {
    self.allowOrigins = allowOrigins
    self.allowMethods = allowMethods
    self.allowHeaders = allowHeaders
    self.exposeHeaders = exposeHeaders
    self.allowCredentials = allowCredentials
    self.maxAge = maxAge
  }

  /// Whether a request may come from anywhere.
  package var takesEveryOrigin: Bool { allowOrigins.contains("*") }

  /// Whether pages of an origin may call.
  package func takes(origin: String) -> Bool {
    takesEveryOrigin || allowOrigins.contains { $0.lowercased() == origin.lowercased() }
  }

  /// Whether a page may call with this method.
  package func takes(method: HTTPMethod) -> Bool {
    if allowMethods.isEmpty { return [.GET, .HEAD, .POST].contains(method) }
    return allowMethods.contains { $0 == "*" || $0.uppercased() == method.rawValue }
  }

  /// The answer to a browser that asks before it sends a request (a preflight): without the function.
  package func preflightAnswer(_ request: HTTPRequest) -> HTTPResponse {
    var headers = grant(to: request)
    if let wanted = request.headers.first(name: "Access-Control-Request-Method"), !allowMethods.isEmpty {
      add("Access-Control-Allow-Methods", allowMethods, wanted: wanted, to: &headers)
    }
    if let wanted = request.headers.first(name: "Access-Control-Request-Headers"), !allowHeaders.isEmpty {
      add("Access-Control-Allow-Headers", allowHeaders, wanted: wanted, to: &headers)
    }
    headers.add(name: "Access-Control-Max-Age", value: String(maxAge))
    return HTTPResponse(status: .ok, headers: headers)
  }

  /// Adds to an answer what lets the page read it. The function's own fields stay beside them, as on AWS, where a function
  /// that sends them, too, makes the browser refuse the answer.
  package func add(to response: inout HTTPResponse, for request: HTTPRequest) {
    response.headers.add(contentsOf: grant(to: request))
    if !exposeHeaders.isEmpty {
      response.headers.add(name: "Access-Control-Expose-Headers", value: exposeHeaders.joined(separator: ","))
    }
  }

  private func grant(to request: HTTPRequest) -> HTTPHeaders {
    var headers = HTTPHeaders([("Vary", "Origin")])
    guard let origin = request.headers.first(name: "Origin"), takes(origin: origin) else { return headers }
    // AWS names the origin also where all are allowed; a browser with credentials takes nothing else.
    headers.add(name: "Access-Control-Allow-Origin", value: origin)
    if allowCredentials { headers.add(name: "Access-Control-Allow-Credentials", value: "true") }
    return headers
  }

  /// With credentials `*` is no wildcard for a browser (Fetch, 3.3.3), so what it asked for is named.
  private func add(_ name: String, _ list: [String], wanted: String, to headers: inout HTTPHeaders) {
    let isWildcard = list.contains("*")
    let value = isWildcard ? (allowCredentials ? wanted : "*") : list.joined(separator: ",")
    headers.add(name: name, value: value)
  }

  /// The member `Cors` of a function URL's configuration.
  package func write(into writer: inout JSONWriter) {
    writer.object {
      if allowCredentials { $0.key("AllowCredentials"); $0.boolean(true) }
      for (name, list) in [
        ("AllowHeaders", allowHeaders), ("AllowMethods", allowMethods), ("AllowOrigins", allowOrigins),
        ("ExposeHeaders", exposeHeaders),
      ] where !list.isEmpty {
        $0.key(name)
        $0.array { for text in list { $0.string(text) } }
      }
      if maxAge > 0 { $0.key("MaxAge"); $0.integer(Int64(maxAge)) }
    }
  }
}
