import HTTPServer
import NIOCore
import NIOHTTP1
import Testing

@testable import FunctionHost
@testable import LambdaAPI

struct OperationCase: CustomTestStringConvertible, Sendable {
  var method: HTTPMethod
  var path: String
  var operation: String
  var parameters: [String]

  init(_ method: HTTPMethod, _ path: String, _ operation: ControlPlaneOperation, alias: String? = nil) {
    self.method = method
    self.path = path
    self.operation = operation.rawValue
    let parts = path.split(separator: "/").map(String.init)
    parameters = (parts.count > 2 ? [parts[2]] : []) + (alias.map { [$0] } ?? [])
  }

  init(_ method: HTTPMethod, _ path: String, unsupported name: String) {
    self.method = method
    self.path = path
    operation = name
    parameters = path.contains("/functions/f") ? ["f"] : []
  }

  var testDescription: String { "\(method) \(path)" }
}

private func find(_ method: HTTPMethod, _ path: String) -> RouteMatch {
  FrontRoutes.shared.find(HTTPRequestHead(version: .http1_1, method: method, uri: path))
}

private func operationName(_ method: HTTPMethod, _ path: String) -> String? {
  find(method, path).position.map { FrontRoutes.shared[$0].name }
}

@Suite struct `Routes of the control plane` {
  @Test(arguments: [
    OperationCase(.POST, "/2015-03-31/functions/f/invocations", .invoke),
    OperationCase(.POST, "/2021-11-15/functions/f/response-streaming-invocations", .invokeWithResponseStream),
    OperationCase(.POST, "/2014-11-13/functions/f/invoke-async", .invokeAsync),
    OperationCase(.PUT, "/2017-10-31/functions/f/concurrency", .putConcurrency),
    OperationCase(.GET, "/2019-09-30/functions/f/concurrency", .getConcurrency),
    OperationCase(.DELETE, "/2017-10-31/functions/f/concurrency", .deleteConcurrency),
    OperationCase(.PUT, "/2019-09-30/functions/f/provisioned-concurrency", .putProvisioned),
    OperationCase(.GET, "/2019-09-30/functions/f/provisioned-concurrency", .getProvisioned),
    OperationCase(.DELETE, "/2019-09-30/functions/f/provisioned-concurrency", .deleteProvisioned),
    OperationCase(.GET, "/2015-03-31/functions/f", .getFunction),
    OperationCase(.GET, "/2015-03-31/functions/f/configuration", .getFunctionConfiguration),
    OperationCase(.PUT, "/2015-03-31/functions/f/configuration", .updateFunctionConfiguration),
    OperationCase(.GET, "/2015-03-31/functions", .listFunctions),
    OperationCase(.GET, "/2016-08-19/account-settings", .getAccountSettings),
    OperationCase(.POST, "/2015-03-31/functions/f/versions", .publishVersion),
    OperationCase(.GET, "/2015-03-31/functions/f/versions", .listVersions),
    OperationCase(.POST, "/2015-03-31/functions/f/aliases", .createAlias),
    OperationCase(.GET, "/2015-03-31/functions/f/aliases", .listAliases),
    OperationCase(.GET, "/2015-03-31/functions/f/aliases/a", .getAlias, alias: "a"),
    OperationCase(.PUT, "/2015-03-31/functions/f/aliases/a", .updateAlias, alias: "a"),
    OperationCase(.DELETE, "/2015-03-31/functions/f/aliases/a", .deleteAlias, alias: "a"),
    OperationCase(.PUT, "/2019-09-25/functions/f/event-invoke-config", .putEventInvokeConfig),
    OperationCase(.POST, "/2019-09-25/functions/f/event-invoke-config", .updateEventInvokeConfig),
    OperationCase(.GET, "/2019-09-25/functions/f/event-invoke-config", .getEventInvokeConfig),
    OperationCase(.DELETE, "/2019-09-25/functions/f/event-invoke-config", .deleteEventInvokeConfig),
    OperationCase(.GET, "/2019-09-25/functions/f/event-invoke-config/list", .listEventInvokeConfigs),
    OperationCase(.GET, "/2021-10-31/functions/f/url", .getFunctionURL),
    OperationCase(.GET, "/2021-10-31/functions/f/urls", .listFunctionURLs),
  ])
  func `knows what the host has`(_ given: OperationCase) {
    let match = find(given.method, given.path)
    #expect(match.position.map { FrontRoutes.shared[$0].name } == given.operation)
    #expect(match.parameters == given.parameters)
  }

  @Test(arguments: [
    OperationCase(.POST, "/2015-03-31/functions", unsupported: "CreateFunction"),
    OperationCase(.DELETE, "/2015-03-31/functions/f", unsupported: "DeleteFunction"),
    OperationCase(.PUT, "/2015-03-31/functions/f/code", unsupported: "UpdateFunctionCode"),
    OperationCase(.POST, "/2021-10-31/functions/f/url", unsupported: "CreateFunctionUrlConfig"),
    OperationCase(.PUT, "/2021-10-31/functions/f/url", unsupported: "UpdateFunctionUrlConfig"),
    OperationCase(.DELETE, "/2021-10-31/functions/f/url", unsupported: "DeleteFunctionUrlConfig"),
    OperationCase(.GET, "/2024-08-31/functions/f/recursion-config", unsupported: "GetFunctionRecursionConfig"),
    OperationCase(.PUT, "/2025-11-30/functions/f/function-scaling-config", unsupported: "PutFunctionScalingConfig"),
    OperationCase(.GET, "/2025-11-30/capacity-providers", unsupported: "ListCapacityProviders"),
    OperationCase(.GET, "/2025-12-01/durable-executions/e/history", unsupported: "GetDurableExecutionHistory"),
    OperationCase(.GET, "/2017-03-31/tags/arn:aws:lambda:x", unsupported: "ListTags"),
    OperationCase(.GET, "/2018-10-31/layers", unsupported: "ListLayers"),
    OperationCase(.DELETE, "/2018-10-31/layers/l/versions/1/policy/s", unsupported: "RemoveLayerVersionPermission"),
    OperationCase(.GET, "/2015-03-31/event-source-mappings", unsupported: "ListEventSourceMappings"),
  ])
  func `knows what only AWS has`(_ given: OperationCase) {
    let match = find(given.method, given.path)
    #expect(match.position.map { FrontRoutes.shared[$0].name } == given.operation)
    #expect(match.parameters == given.parameters)
  }

  @Test func `tells two operations on one path by the query`() {
    let path = "/2019-09-30/functions/f/provisioned-concurrency"
    for (query, operation) in [
      ("?List=ALL", ControlPlaneOperation.listProvisioned), ("?Marker=x&List=ALL&MaxItems=1", .listProvisioned),
      ("?Qualifier=1", .getProvisioned), ("?List=all", .getProvisioned), ("?List", .getProvisioned),
    ] {
      let items = HTTPRequest(target: "/" + query).queryItems ?? []
      #expect(ControlPlaneOperation.getProvisioned.told(by: items) == operation, "\(query)")
      #expect(ControlPlaneOperation.putProvisioned.told(by: items) == .putProvisioned)
      #expect(operationName(.GET, path + query) == "GetProvisionedConcurrencyConfig")
    }
  }

  @Test func `passes over a slash at the end, as older clients send it`() {
    #expect(operationName(.GET, "/2015-03-31/functions/") == "ListFunctions")
    #expect(operationName(.POST, "/2014-11-13/functions/f/invoke-async/") == "InvokeAsync")
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
    guard case .wrongMethod(let methods) = find(method, path).outcome else {
      Issue.record("\(path) takes \(method)")
      return
    }
    #expect(methods.map(\.rawValue).sorted() == allowed)
  }

  @Test(arguments: [
    "/", "//", "/2015-03-31", "/2015-03-31/functions//invocations", "/2015-03-30/functions/f/invocations",
    "/2015-03-31/functions/f/invocations/x", "/2015-03-31/functions/f/concurrency", "/2015-03-31/functions/f/x/",
    "/2019-09-30/functions/f/Concurrency", "/metrics", "/2015-03-31/functions/f/aliases/a/b",
  ])
  func `knows nothing else`(_ path: String) {
    for method in [HTTPMethod.GET, .POST, .PUT, .DELETE] {
      #expect(find(method, path) == .notFound, "\(method)")
    }
  }

  @Test func `reaches every operation that there is`() {
    // The one that only the query tells apart is tried above.
    let reached = Set(FrontRoutes.shared.names.compactMap(ControlPlaneOperation.init)).union([.listProvisioned])
    #expect(reached == Set(ControlPlaneOperation.allCases))
  }

  @Test func `lets a function's host name come before every path`() {
    var head = HTTPRequestHead(version: .http1_1, method: .PATCH, uri: "/2015-03-31/functions?a=b")
    head.headers.add(name: "Host", value: "Orders.localhost:27316")
    let match = FrontRoutes.shared.find(head)
    #expect(match.position.map { FrontRoutes.shared[$0].name } == "function-url")
    #expect(FunctionURLTarget(parameters: match.parameters)?.rawPath == "/2015-03-31/functions")
    #expect(FunctionURLTarget(parameters: match.parameters)?.isHostName == true)
    head.headers.replaceOrAdd(name: "Host", value: "localhost")
    #expect(FrontRoutes.shared.find(head).position != match.position)
    let url = find(.GET, "/url/orders/a%2Fb?c")
    #expect(url.position == match.position && url.parameters == ["orders", "/a%2Fb"])
  }
}
