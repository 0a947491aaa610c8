import BlockingHTTP
import Foundation
import Synchronization
import Testing

@testable import FunctionRuntime

private let next = "GET /2018-06-01/runtime/invocation/next"

struct Unwarmed: Function {
  func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8] { event }
}

@Test func `events are handled in order and answered`() async throws {
  let host = FakeHost()
  host.send(.init(id: "1", body: "{\"a\":1}"))
  host.send(.init(id: "2", body: "two", secondsLeft: nil))
  let function = try RunningFunction(host) {
    TestFunction { event, context in
      let facts = [
        context.requestID, context.invokedFunctionARN, context.traceID ?? "-", context.environment.functionName,
        context.environment.functionVersion, "\(context.environment.memoryLimitMegabytes ?? 0)",
        context.environment.initializationType,
        context.remainingTime.map { $0 > .seconds(50) ? "long" : "short" } ?? "none",
        "\(context.isCancelled)",
      ]
      return event + Array(" \(facts.joined(separator: " "))".utf8)
    }
  }
  let arn = "arn:aws:lambda:eu-central-1:000000000000:function:f"
  #expect(
    try await host.response(to: "1").body
      == "{\"a\":1} 1 \(arn) Root=1-2-3 orders $LATEST 512 provisioned-concurrency long false")
  #expect(
    try await host.response(to: "2").body
      == "two 2 \(arn) Root=1-2-3 orders $LATEST 512 provisioned-concurrency none false")
  host.stop()
  #expect(try await function.exitStatus() == 1)
}

@Test func `an error of a handler is reported and the next event served`() async throws {
  let host = FakeHost()
  host.send(.init(id: "1"))
  host.send(.init(id: "2", body: "fine"))
  _ = try RunningFunction(host) {
    TestFunction { event, _ in
      if event.isEmpty { throw OrderIsEmpty() }
      return event
    }
  }
  #expect(try await host.response(to: "2").body == "fine")
  let error = try await host.error(of: "1")
  #expect(
    error.body == #"{"errorMessage":"The order is \"empty\".","errorType":"OrderIsEmpty","stackTrace":[]}"#)
  #expect(error.headers["lambda-runtime-function-error-type"] == "Function.OrderIsEmpty")
  host.stop()
}

@Test func `a failed initialization is reported and ends the function`() async throws {
  let host = FakeHost()
  let function = try RunningFunction(host) { () -> TestFunction in throw OrderIsEmpty() }
  #expect(try await function.exitStatus() == 1)
  #expect(host.paths == ["POST /2018-06-01/runtime/init/error"])
  let error = try #require(host.requests.first)
  #expect(error.body.contains(#""errorType":"OrderIsEmpty""#))
  #expect(error.headers["lambda-runtime-function-error-type"] == "Function.OrderIsEmpty")
  #expect(function.log.count == 1)
}

@Test(
  arguments: [
    FunctionConfiguration(memory: "half a gigabyte"), FunctionConfiguration(timeout: .zero),
    FunctionConfiguration(timeout: .seconds(901)),
  ])
func `a configuration that cannot be is reported and ends the function`(_ given: FunctionConfiguration) async throws {
  let host = FakeHost()
  let function = try RunningFunction(host, configuration: given) { TestFunction() }
  #expect(try await function.exitStatus() == 1)
  #expect(host.paths == ["POST /2018-06-01/runtime/init/error"])
  #expect(host.requests.first?.body.contains("Runtime.InvalidConfiguration") == true)
}

@Test func `configuration and warm-up are told before the first event is asked for`() async throws {
  let host = FakeHost()
  let configuration = FunctionConfiguration(memory: "0.5GB", timeout: .milliseconds(1_500))
  let function = try RunningFunction(host, configuration: configuration) { TestFunction() }
  _ = try await host.request("GET", "/2018-06-01/runtime/invocation/next")
  #expect(host.paths == ["PUT /kelvin/v1/configuration", "PUT /kelvin/v1/warmup", next])
  #expect(host.requests[0].body == #"{"memoryBytes":536870912,"timeoutNanoseconds":1500000000}"#)
  let report = try JSONValue(parsing: host.requests[1].body)
  #expect(report["error"] == .null)
  #expect(try #require(report["durationNanoseconds"]?.int) > 0)
  host.stop()
  #expect(try await function.exitStatus() == 1)
}

@Test func `a failed warm-up is told and the function serves all the same`() async throws {
  let host = FakeHost()
  host.send(.init(id: "1", body: "hello"))
  let function = try RunningFunction(host) {
    TestFunction(onWarmUp: { throw OrderIsEmpty() }, onEvent: { event, _ in event })
  }
  #expect(try await host.response(to: "1").body == "hello")
  let report = try JSONValue(parsing: host.requests[0].body)
  #expect(report["error"] == "The order is \"empty\".")
  #expect(function.log.count == 1)
  host.stop()
}

@Test func `a function without warm-up tells of none`() async throws {
  let host = FakeHost()
  _ = try RunningFunction(host) { Unwarmed() }
  _ = try await host.request("GET", "/2018-06-01/runtime/invocation/next")
  #expect(host.paths == [next])
  host.stop()
}

@Test func `a host that does not know Kelvin's paths is served as well`() async throws {
  let host = FakeHost(isKelvin: false)
  host.send(.init(id: "1", body: "hello"))
  _ = try RunningFunction(host, configuration: FunctionConfiguration(memory: 512)) { TestFunction() }
  #expect(try await host.response(to: "1").body == "hello")
  host.stop()
}

@Test func `an aborted handler overlaps with the next event until it ends`() async throws {
  let host = FakeHost()
  let gate = Gate()
  let abortedContext = Mutex<InvocationContext?>(nil)
  host.send(.init(id: "1", body: "stuck"))
  _ = try RunningFunction(host, configuration: FunctionConfiguration(timeout: .milliseconds(50))) {
    TestFunction { event, context in
      guard event.count == 5 else { return event }
      abortedContext.withLock { $0 = context }
      await gate.pass()
      return Array("\(Task.isCancelled)".utf8)
    }
  }
  let error = try await host.error(of: "1")
  #expect(error.headers["lambda-runtime-function-error-type"] == "Function.HandlerTimeout")
  #expect(try JSONValue(parsing: error.body)["errorType"] == "Function.HandlerTimeout")
  #expect(abortedContext.withLock { $0 }?.isCancelled == true)
  host.send(.init(id: "2", body: "two"))
  #expect(try await host.response(to: "2").body == "two")
  #expect(!host.paths.contains { $0.contains("overlap-ended") })
  gate.open()
  _ = try await host.request("PUT", "/kelvin/v1/overlap-ended/1")
  host.send(.init(id: "3", body: "3"))
  _ = try await host.response(to: "3")
  #expect(!host.paths.contains { $0.contains("/1/response") })
  host.stop()
}

@Test func `a handler that heeds its abort ends the overlap, behind the error`() async throws {
  let host = FakeHost()
  host.send(.init(id: "1", secondsLeft: 0.05))
  let start = ContinuousClock.now
  _ = try RunningFunction(host) {
    TestFunction { event, _ in
      try await Task.sleep(for: .seconds(60))
      return event
    }
  }
  _ = try await host.request("PUT", "/kelvin/v1/overlap-ended/1")
  #expect(start.duration(to: .now) < .seconds(10))
  let paths = host.paths
  let errorPlace = try #require(paths.firstIndex(of: "POST /2018-06-01/runtime/invocation/1/error"))
  #expect(errorPlace < paths.firstIndex(of: "PUT /kelvin/v1/overlap-ended/1") ?? 0)
  host.stop()
}

@Test func `an event whose time is over is aborted at once`() async throws {
  let host = FakeHost()
  host.send(.init(id: "1", secondsLeft: -5))
  _ = try RunningFunction(host) {
    TestFunction { event, _ in
      try await Task.sleep(for: .seconds(60))
      return event
    }
  }
  #expect(try await host.error(of: "1").body.contains("HandlerTimeout"))
  host.stop()
}

@Test func `too many overlapping handlers end the function`() async throws {
  let host = FakeHost()
  let gate = Gate()
  for id in 1...3 { host.send(.init(id: "\(id)", body: "stuck")) }
  let function = try RunningFunction(
    host, configuration: FunctionConfiguration(timeout: .milliseconds(10)), overlapLimit: 2
  ) {
    TestFunction { event, _ in
      await gate.pass()
      return event
    }
  }
  #expect(try await function.exitStatus() == 1)
  #expect(host.paths.filter { $0.hasSuffix("/error") }.count == 3)
  #expect(function.log == ["3 aborted handlers still run; this instance ends, to be replaced."])
  gate.open()
}

@Test func `a pool whose threads are all blocked ends the function`() async {
  await #expect(processExitsWith: .exitCode(42)) {
    let host = FakeHost()
    for id in 1...300 { host.send(.init(id: "\(id)")) }
    let loop = FunctionLoop<TestFunction>(
      endpoint: try host.endpoint(), environment: FunctionEnvironment { _ in nil },
      configuration: FunctionConfiguration(timeout: .milliseconds(60)),
      log: { line in exit(line.hasPrefix("Aborted handlers block every thread") ? 42 : 3) },
      overlapLimit: 1_000)
    Thread.detachNewThread {
      exit(
        loop.run {
          TestFunction { event, _ in
            sleep(600)
            return event
          }
        })
    }
    // Without the check it would go on: this thread, the pool's own, says so at last.
    sleep(60)
    exit(2)
  }
}

@Test func `a host that is not there ends the function with a sentence`() async throws {
  let lines = Mutex<[String]>([])
  let loop = FunctionLoop<TestFunction>(
    endpoint: try HTTPEndpoint("127.0.0.1:1"), environment: FunctionEnvironment { _ in nil },
    configuration: FunctionConfiguration(), log: { line in lines.withLock { $0.append(line) } })
  let status = Mutex<Int32?>(nil)
  Thread.detachNewThread {
    let result = loop.run { TestFunction() }
    status.withLock { $0 = result }
  }
  #expect(try await eventually { status.withLock { $0 } } == 1)
  #expect(lines.withLock { $0 }.first?.hasPrefix("The host is gone. 127.0.0.1:1 cannot be reached") == true)
}
