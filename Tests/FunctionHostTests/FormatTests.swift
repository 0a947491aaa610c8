import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOCore
import NIOHTTP1
import Sandboxes
import TestSupport
import Testing

@testable import FunctionHost
import LambdaAPI

struct FaultDocumentTests {
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

struct RuntimeRouteTests {
  private static let id = RequestID(Identifier128(high: 0x1111_1111_2222_4333, low: 0x8444_5555_5555_5555))
  private static let text = "11111111-2222-4333-8444-555555555555"

  @Test(
    arguments: [
      (HTTPMethod.GET, "/2018-06-01/runtime/invocation/next", nil, .call(.next)),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/response", nil, .call(.response(id))),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/error", nil, .call(.error(id, isHandlerTimeout: false))),
      (
        .POST, "/2018-06-01/runtime/invocation/\(text)/error", "Function.HandlerTimeout",
        .call(.error(id, isHandlerTimeout: true))
      ),
      (.POST, "/2018-06-01/runtime/invocation/nonsense/response", nil, .call(.response(RequestID(.zero)))),
      (.POST, "/2018-06-01/runtime/init/error", nil, .call(.initializationError)),
      (.PUT, "/kelvin/v1/overlap-ended/\(text)", nil, .call(.overlapEnded(id))),
      (.PUT, "/kelvin/v1/warmup", nil, .warmUp), (.PUT, "/kelvin/v1/configuration", nil, .configuration),
      (.GET, "/ping", nil, .ping), (.GET, "/2018-06-01/ping", nil, .ping),
      (.PUT, "/2022-07-01/telemetry", nil, .telemetry),
      (.POST, "/2018-06-01/runtime/invocation/next", nil, .unknown),
      (.POST, "/2018-06-01/runtime/invocation/\(text)", nil, .unknown),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/other", nil, .unknown),
      (.POST, "/2018-06-01/runtime/invocation/\(text)/response/", nil, .unknown),
      (.POST, "/2020-01-01/extension/register", nil, .extensions(.register)),
      (.GET, "/2020-01-01/extension/event/next", nil, .extensions(.next)),
      (.POST, "/2020-01-01/extension/init/error", nil, .extensions(.initializationError)),
      (.POST, "/2020-01-01/extension/exit/error", nil, .extensions(.exitError)),
      (.GET, "/2020-01-01/extension/register", nil, .unknown),
    ] as [(HTTPMethod, String, String?, RuntimeAPI.Route)])
  func `knows its paths`(method: HTTPMethod, path: String, errorType: String?, route: RuntimeAPI.Route) {
    #expect(RuntimeAPI.route(method, path, errorType: errorType) == route)
  }
}

struct HostConfigurationTests {
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
