import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import NIOPosix
import Sandboxes
import TestSupport
import Testing

@testable import FunctionHost
import LambdaAPI

@Suite struct `Fault document tests` {
  @Test(arguments: [
    (ProcessExit.Status.exited(0), "Runtime exited without providing a reason"),
    (.exited(127), "Runtime exited with error: exit status 127"),
    (.signaled(11), "Runtime exited with error: signal: segmentation fault"),
    (.signaled(9), "Runtime exited with error: signal: killed"),
    (.signaled(34), "Runtime exited with error: signal: signal 34"),
  ])
  func `says how a process ended`(ending: ProcessExit.Status, sentence: String) {
    #expect(ending.sentence == sentence)
  }
}

@Suite struct `Instance route tests` {
  private static let id = RequestID(Identifier128(high: 0x1111_1111_2222_4333, low: 0x8444_5555_5555_5555))
  private static let text = "11111111-2222-4333-8444-555555555555"

  @Test(
    arguments: [
      (HTTPMethod.GET, "/2018-06-01/runtime/invocation/next", "runtime-next", nil),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/response", "runtime-response", id),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/error", "runtime-error", id),
      (.POST, "/2018-06-01/runtime/invocation/nonsense/response", "runtime-response", RequestID(.zero)),
      (.POST, "/2018-06-01/runtime/init/error", "runtime-init-error", nil),
      (.PUT, "/kelvin/v1/overlap-ended/\(text)", "overlap-ended", id),
      (.PUT, "/kelvin/v1/warmup", "warm-up", nil), (.PUT, "/kelvin/v1/configuration", "configuration", nil),
      (.GET, "/ping", "ping", nil), (.GET, "/2018-06-01/ping", "ping", nil),
      (.PUT, "/2022-07-01/telemetry", "telemetry", nil), (.PUT, "/2020-08-15/logs", "logs", nil),
      (.POST, "/2020-01-01/extension/register", "extension-register", nil),
      (.GET, "/2020-01-01/extension/event/next", "extension-next", nil),
      (.POST, "/2020-01-01/extension/init/error", "extension-init-error", nil),
      (.POST, "/2020-01-01/extension/exit/error", "extension-exit-error", nil),
    ] as [(HTTPMethod, String, String, RequestID?)])
  func `knows its paths`(method: HTTPMethod, path: String, name: String, invocation: RequestID?) throws {
    let match = InstanceRoutes.table.find(method, target: path)
    #expect(match.position.map { InstanceRoutes.table[$0].name } == name)
    guard let invocation else { return }
    var request = HTTPRequest(target: path)
    request.route = match
    #expect(InstanceRoutes.invocation(request) == invocation)
    #expect(InstanceRoutes.answered(request) == (name == "runtime-response" ? invocation : nil))
  }

  @Test(
    arguments: [
      (HTTPMethod.POST, "/2018-06-01/runtime/invocation/next", .wrongMethod(allowed: [.GET])),
      (.GET, "/2020-01-01/extension/register", .wrongMethod(allowed: [.POST])),
      (.HEAD, "/2018-06-01/ping", .wrongMethod(allowed: [.GET])),
      (.POST, "/2018-06-01/runtime/invocation/\(text)", .notFound),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/other", .notFound),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/response/", .notFound),
      (.POST, "/2018-06-01/runtime/invocation//response", .notFound), (.GET, "/", .notFound),
    ] as [(HTTPMethod, String, RouteMatch.Outcome)])
  func `knows what is none`(method: HTTPMethod, path: String, outcome: RouteMatch.Outcome) {
    #expect(InstanceRoutes.table.find(method, target: path).outcome == outcome)
  }

  @Test func `takes of somebody who has gone what proves itself`() {
    let taken = InstanceRoutes.table.routes.filter { $0.access == .membersAndGone }.map(\.name)
    #expect(taken == ["runtime-response", "runtime-error", "overlap-ended"])
  }
}

extension HTTPRequest {
  /// A request for a target, of nobody.
  init(target: String) {
    self.init(
      method: .GET, target: target, headers: HTTPHeaders(), body: ByteBuffer(), isKeepAlive: true, remoteAddress: nil,
      connectionClosed: MultiThreadedEventLoopGroup.singleton.any().makeSucceededVoidFuture())
  }
}

@Suite struct `Host configuration tests` {
  @Test func `refuses a configuration that contradicts itself`() {
    func code(_ change: (inout HostConfiguration) -> Void) -> HostError.Code? {
      var configuration = HostConfiguration(functions: [python("a"), python("b")])
      change(&configuration)
      do {
        _ = try FunctionHost(configuration: configuration, clock: .system(), logger: silentLogger) { _ in }
        return nil
      } catch {
        return error.code
      }
    }
    #expect(code { _ in } == nil)
    #expect(code { $0.functions[1].name = "a" } == .configuration)
    #expect(code { $0.functions[1].name = "a b" } == .configuration)
    #expect(code { $0.functions[1].name = "" } == .configuration)
    #expect(code { $0.functions[1].command = [] } == .configuration)
    #expect(code { $0.functions[1].timeout = .zero } == .configuration)
    #expect(code { $0.functions[1].timeout = .seconds(901) } == .configuration)
    #expect(code { $0.functions[1].reserved = 901 } == .configuration)
    #expect(code { $0.functions[1].reserved = 900 } == nil)
  }

  @Test func `gives the platform's variables precedence, and the function's over the host's`() {
    var function = python("f", environment: ["PATH": "/own", "AWS_REGION": "moon-1", "A": "b"])
    function.command = ["run", "app.handler"]
    let variables = InstanceEnvironment(
      function: function, own: function.environment, instance: InstanceID(.zero), runtimeAPI: "127.0.0.1:1",
      memoryBytes: 256 << 20,
      base: ["PATH": "/host", "HOME": "/home/me", "SECRET": "kept"]
    ).variables
    #expect(variables["PATH"] == "/own")
    #expect(variables["HOME"] == "/home/me")
    #expect(variables["SECRET"] == nil)
    #expect(variables["AWS_REGION"] == "us-east-1")
    #expect(variables["A"] == "b")
    #expect(variables["_HANDLER"] == "app.handler")
    #expect(variables["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256")
    #expect(variables["AWS_LAMBDA_RUNTIME_API"] == "127.0.0.1:1")
    #expect(variables["LAMBDA_TASK_ROOT"] == function.directory)
  }
}
