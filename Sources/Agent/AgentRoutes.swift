internal import Access
internal import Documents
internal import HTTPServer
internal import Lifecycle
internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix

/// What the agent is asked for: one value for each path.
enum AgentRoutes {
  typealias Handler = @Sendable (Agent, HTTPRequest, any EventLoop) -> EventLoopFuture<HTTPResponse>

  static let table = RouteTable<Handler>([
    asset("page", "/", .page, access: .ownPagesAndLinks),
    asset("script", "/assets/kelvin.js", .script),
    asset("style", "/assets/kelvin.css", .style),
    asset("charts", "/assets/dygraph.min.js", .charts),
    document("metrics", "/metrics", access: .ownPagesAndLinks) { $0.metrics($1) },
    document("windows", "/api/v1/windows") { $0.windows($1) },
    document("status", "/api/v1/status") { agent, request in
      Routes.document(agent.status().json(), type: "application/json", for: request)
    },
    document("instances", "/api/v1/instances") { agent, request in
      Routes.document(agent.instances().json(), type: "application/json", for: request)
    },
    document("sources", "/api/v1/sources") { agent, request in
      Routes.document(agent.sources().json(), type: "application/json", for: request)
    },
    document("event-sources", "/api/v1/event-sources") { agent, request in
      Routes.document(agent.eventSources().json(), type: "application/json", for: request)
    },
    document("functions", "/api/v1/functions") { $0.functions($1) },
    document("series", "/api/v1/series") { $0.series($1) },
    intake("events") { $0.takeEvents($1, on: $2) },
    intake("telemetry") { $0.takeRecords($1, on: $2) },
    intake("logs") { $0.takeRecords($1, on: $2) },
    intake("import") { $0.takeImport($1, on: $2) },
    intake(firehose) { agent, request, loop in
      agent.takeRecords(request, on: loop) { $0.firehose(request, now: agent.clock.now()) }
    },
    atOnce("live", "/api/v1/live") { agent, request in
      agent.isReady ? agent.live.answer(request) : Routes.starting
    },
    Route("reload", [.POST], "/-/reload") { agent, _, loop in
      agent.host.reload.map { HTTPResponse.reloaded(by: $0, on: loop) }
        ?? loop.makeSucceededFuture(Routes.noConfiguration)
    },
    atOnce("healthy", "/-/healthy") { _, _ in .text(.ok, "Kelvin is healthy.\n") },
    atOnce("ready", "/-/ready") { agent, _ in
      agent.isProcessReady
        ? .text(.ok, "Kelvin is ready.\n") : .text(.serviceUnavailable, "Kelvin is starting.\n")
    },
  ])

  /// What somebody must be allowed to be answered; `nil` where everybody is.
  ///
  /// Whether it runs may be asked by anybody, such as the probe of an orchestrator.
  static func role(of match: RouteMatch) -> AccessRole? {
    guard let position = match.position else { return .read }
    let route = table[position]
    guard !openNames.contains(route.name) else { return nil }
    if route.name == "reload" { return .control }
    return route.methods.contains(.POST) ? .ingest : .read
  }

  private static let openNames = ["healthy", "ready"]

  /// The route whose clients have a key in a header field of their own.
  static let firehose = "firehose"

  /// What takes events, in whatever form.
  private static func intake(_ name: String, _ handler: @escaping Handler) -> Route<Handler> {
    Route(
      name, [.POST], "/v1/\(name)",
      limits: RouteLimits(
        bodyBytesMax: 6 << 20, inflation: InflationLimits(ratioMax: 200, bytesUnasked: 1 << 20, bytesMax: 64 << 20)),
      handler: handler)
  }

  /// What needs no lock and no file.
  private static func atOnce(
    _ name: String, _ path: String, _ answer: @escaping @Sendable (Agent, HTTPRequest) -> HTTPResponse
  ) -> Route<Handler> {
    Route(name, [.GET, .HEAD], path) { agent, request, loop in loop.makeSucceededFuture(answer(agent, request)) }
  }

  /// What folds, reads or formats: on a thread that may wait, once there is something to read.
  private static func document(
    _ name: String, _ path: String, access: RouteAccess = .ownPages,
    _ answer: @escaping @Sendable (Agent, HTTPRequest) -> HTTPResponse
  ) -> Route<Handler> {
    Route(name, [.GET, .HEAD], path, access: access) { agent, request, loop in
      guard agent.isReady else { return loop.makeSucceededFuture(Routes.starting) }
      return agent.threads.runIfActive(eventLoop: loop) { answer(agent, request) }
    }
  }

  /// A file of the page, which may be read from the disk.
  private static func asset(
    _ name: String, _ path: String, _ file: PageAssets.File, access: RouteAccess = .ownPages
  ) -> Route<Handler> {
    Route(name, [.GET, .HEAD], path, access: access) { agent, request, loop in
      agent.threads.runIfActive(eventLoop: loop) { agent.assets.answer(file, request) }
    }
  }
}

extension Agent {
  /// Answers a request: at once what needs no lock, on a thread that may wait what folds, reads or formats.
  func answer(_ request: HTTPRequest, on loop: any EventLoop) -> EventLoopFuture<HTTPResponse> {
    switch request.route.outcome {
    case .found(let position): AgentRoutes.table[position].handler(self, request, loop)
    case .wrongMethod(let allowed): loop.makeSucceededFuture(Routes.methodNotAllowed(allowed))
    case .notFound, .malformed: loop.makeSucceededFuture(Routes.notFound)
    }
  }
}
