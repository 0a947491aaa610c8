import HTTPServer
import NIOHTTP1
import Testing

@testable import LambdaAPI

struct RouteCase: CustomTestStringConvertible, Sendable {
  var method: HTTPMethod
  var path: String
  var route: ControlPlaneRoute

  init(_ method: HTTPMethod, _ path: String, _ operation: ControlPlaneOperation, alias: String = "") {
    self.method = method
    self.path = path
    let parts = path.split(separator: "/").map(String.init)
    route = .operation(operation, function: parts.count > 2 ? parts[2] : "", alias: alias)
  }

  init(_ method: HTTPMethod, _ path: String, unsupported name: String) {
    self.method = method
    self.path = path
    route = .unsupported(name)
  }

  var testDescription: String { "\(method) \(path)" }

  func parsed() -> ControlPlaneRoute {
    let parts = path.split(separator: "?", maxSplits: 1)
    let segments = parts[0].dropFirst().split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    let items = (parts.count > 1 ? parts[1] : "").split(separator: "&").map { item in
      let pair = item.split(separator: "=", maxSplits: 1)
      return HTTPQueryItem(name: String(pair[0]), value: pair.count > 1 ? String(pair[1]) : nil)
    }
    return ControlPlaneRoute(method, segments: segments, query: items)
  }
}

@Suite("Routes of the control plane")
struct ControlPlaneRouteTests {
  @Test(arguments: [
    RouteCase(.POST, "/2015-03-31/functions/f/invocations", .invoke),
    RouteCase(.POST, "/2021-11-15/functions/f/response-streaming-invocations", .invokeWithResponseStream),
    RouteCase(.POST, "/2014-11-13/functions/f/invoke-async", .invokeAsync),
    RouteCase(.PUT, "/2017-10-31/functions/f/concurrency", .putConcurrency),
    RouteCase(.GET, "/2019-09-30/functions/f/concurrency", .getConcurrency),
    RouteCase(.DELETE, "/2017-10-31/functions/f/concurrency", .deleteConcurrency),
    RouteCase(.PUT, "/2019-09-30/functions/f/provisioned-concurrency", .putProvisioned),
    RouteCase(.GET, "/2019-09-30/functions/f/provisioned-concurrency", .getProvisioned),
    RouteCase(.DELETE, "/2019-09-30/functions/f/provisioned-concurrency", .deleteProvisioned),
    RouteCase(.GET, "/2015-03-31/functions/f", .getFunction),
    RouteCase(.GET, "/2015-03-31/functions/f/configuration", .getFunctionConfiguration),
    RouteCase(.PUT, "/2015-03-31/functions/f/configuration", .updateFunctionConfiguration),
    RouteCase(.GET, "/2015-03-31/functions", .listFunctions),
    RouteCase(.GET, "/2016-08-19/account-settings", .getAccountSettings),
    RouteCase(.POST, "/2015-03-31/functions/f/versions", .publishVersion),
    RouteCase(.GET, "/2015-03-31/functions/f/versions", .listVersions),
    RouteCase(.POST, "/2015-03-31/functions/f/aliases", .createAlias),
    RouteCase(.GET, "/2015-03-31/functions/f/aliases", .listAliases),
    RouteCase(.GET, "/2015-03-31/functions/f/aliases/a", .getAlias, alias: "a"),
    RouteCase(.PUT, "/2015-03-31/functions/f/aliases/a", .updateAlias, alias: "a"),
    RouteCase(.DELETE, "/2015-03-31/functions/f/aliases/a", .deleteAlias, alias: "a"),
    RouteCase(.PUT, "/2019-09-25/functions/f/event-invoke-config", .putEventInvokeConfig),
    RouteCase(.POST, "/2019-09-25/functions/f/event-invoke-config", .updateEventInvokeConfig),
    RouteCase(.GET, "/2019-09-25/functions/f/event-invoke-config", .getEventInvokeConfig),
    RouteCase(.DELETE, "/2019-09-25/functions/f/event-invoke-config", .deleteEventInvokeConfig),
    RouteCase(.GET, "/2019-09-25/functions/f/event-invoke-config/list", .listEventInvokeConfigs),
    RouteCase(.GET, "/2021-10-31/functions/f/url", .getFunctionURL),
    RouteCase(.GET, "/2021-10-31/functions/f/urls", .listFunctionURLs),
  ])
  func `knows what the host has`(_ given: RouteCase) {
    #expect(given.parsed() == given.route)
  }

  @Test(arguments: [
    RouteCase(.POST, "/2015-03-31/functions", unsupported: "CreateFunction"),
    RouteCase(.DELETE, "/2015-03-31/functions/f", unsupported: "DeleteFunction"),
    RouteCase(.PUT, "/2015-03-31/functions/f/code", unsupported: "UpdateFunctionCode"),
    RouteCase(.POST, "/2021-10-31/functions/f/url", unsupported: "CreateFunctionUrlConfig"),
    RouteCase(.PUT, "/2021-10-31/functions/f/url", unsupported: "UpdateFunctionUrlConfig"),
    RouteCase(.DELETE, "/2021-10-31/functions/f/url", unsupported: "DeleteFunctionUrlConfig"),
    RouteCase(.GET, "/2024-08-31/functions/f/recursion-config", unsupported: "GetFunctionRecursionConfig"),
    RouteCase(.PUT, "/2025-11-30/functions/f/function-scaling-config", unsupported: "PutFunctionScalingConfig"),
    RouteCase(.GET, "/2025-11-30/capacity-providers", unsupported: "ListCapacityProviders"),
    RouteCase(.GET, "/2025-12-01/durable-executions/e/history", unsupported: "GetDurableExecutionHistory"),
    RouteCase(.GET, "/2017-03-31/tags/arn:aws:lambda:x", unsupported: "ListTags"),
    RouteCase(.GET, "/2018-10-31/layers", unsupported: "ListLayers"),
    RouteCase(.DELETE, "/2018-10-31/layers/l/versions/1/policy/s", unsupported: "RemoveLayerVersionPermission"),
    RouteCase(.GET, "/2015-03-31/event-source-mappings", unsupported: "ListEventSourceMappings"),
  ])
  func `knows what only AWS has`(_ given: RouteCase) {
    #expect(given.parsed() == given.route)
  }

  @Test func `tells two operations on one path by the query`() {
    let path = "/2019-09-30/functions/f/provisioned-concurrency"
    for (query, operation) in [
      ("?List=ALL", ControlPlaneOperation.listProvisioned), ("?Marker=x&List=ALL&MaxItems=1", .listProvisioned),
      ("?Qualifier=1", .getProvisioned), ("?List=all", .getProvisioned), ("?List", .getProvisioned),
    ] {
      let parsed = RouteCase(.GET, path + query, operation).parsed()
      #expect(parsed == .operation(operation, function: "f", alias: ""), "\(query)")
    }
    #expect(
      RouteCase(.PUT, path + "?List=ALL", .putProvisioned).parsed()
        == .operation(.putProvisioned, function: "f", alias: ""))
  }

  @Test func `passes over a slash at the end, as older clients send it`() {
    #expect(
      RouteCase(.GET, "/2015-03-31/functions/", .listFunctions).parsed()
        == .operation(.listFunctions, function: "", alias: ""))
    #expect(
      RouteCase(.POST, "/2014-11-13/functions/f/invoke-async/", .invokeAsync).parsed()
        == .operation(.invokeAsync, function: "f", alias: ""))
  }

  @Test(arguments: [
    (HTTPMethod.PATCH, "/2015-03-31/functions/f", ["DELETE", "GET"]),
    (.GET, "/2015-03-31/functions/f/invocations", ["POST"]),
    (.GET, "/2017-10-31/functions/f/concurrency", ["DELETE", "PUT"]),
    (.PUT, "/2019-09-30/functions/f/concurrency", ["GET"]),
    (.POST, "/2016-08-19/account-settings", ["GET"]),
    (.POST, "/2015-03-31/functions/f/aliases/a", ["DELETE", "GET", "PUT"]),
  ])
  func `says which methods a path has`(_ method: HTTPMethod, _ path: String, _ allowed: [String]) {
    #expect(RouteCase(method, path, .invoke).parsed() == .wrongMethod(allowed: allowed))
  }

  @Test(arguments: [
    "/", "//", "/2015-03-31", "/2015-03-31/functions//invocations", "/2015-03-30/functions/f/invocations",
    "/2015-03-31/functions/f/invocations/x", "/2015-03-31/functions/f/concurrency", "/2015-03-31/functions/f/x/",
    "/2019-09-30/functions/f/Concurrency", "/metrics", "/2015-03-31/functions/f/aliases/a/b",
  ])
  func `knows nothing else`(_ path: String) {
    for method in [HTTPMethod.GET, .POST, .PUT, .DELETE] {
      #expect(RouteCase(method, path, .invoke).parsed() == .unknown, "\(method)")
    }
  }

  @Test func `reaches every operation that there is`() {
    let reached = Set(
      ControlPlaneOperation.allCases.filter { operation in
        paths.contains { path in
          [HTTPMethod.GET, .POST, .PUT, .DELETE].contains {
            if case .operation(operation, _, _) = RouteCase($0, path, operation).parsed() { true } else { false }
          }
        }
      })
    #expect(reached == Set(ControlPlaneOperation.allCases))
  }

  private let paths = [
    "/2015-03-31/functions/f/invocations", "/2021-11-15/functions/f/response-streaming-invocations",
    "/2014-11-13/functions/f/invoke-async", "/2017-10-31/functions/f/concurrency",
    "/2019-09-30/functions/f/concurrency", "/2019-09-30/functions/f/provisioned-concurrency",
    "/2019-09-30/functions/f/provisioned-concurrency?List=ALL", "/2015-03-31/functions/f",
    "/2015-03-31/functions/f/configuration", "/2015-03-31/functions", "/2016-08-19/account-settings",
    "/2015-03-31/functions/f/versions", "/2015-03-31/functions/f/aliases", "/2015-03-31/functions/f/aliases/a",
    "/2021-10-31/functions/f/url", "/2021-10-31/functions/f/urls",
    "/2019-09-25/functions/f/event-invoke-config", "/2019-09-25/functions/f/event-invoke-config/list",
  ]
}
