import Glibc
import HostRules
import Lifecycle
import NIOHTTP1
import Sandboxes
import TestSupport
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `A host with handlers that run over their time` {
  @Test(arguments: [
    (Trigger.http, Nanoseconds.seconds(10)), (.websocket, .seconds(10)), (.queue, .seconds(300)),
    (.schedule, .seconds(300)), (.direct, .seconds(300)),
  ])
  func `gives HTTP and WebSockets 10 seconds and everything else 5 minutes, unless something is configured`(
    _ trigger: Trigger, _ limit: Nanoseconds
  ) {
    var configuration = FunctionSpecification(name: "f", command: ["f"], directory: "/")
    var function = state(configuration)
    #expect(function.timeout(of: .latest, for: trigger) == limit)
    #expect(function.timeout == .seconds(300), "The one number is the longest.")
    function.codeTimeout = .seconds(20)
    #expect(function.timeout(of: .latest, for: trigger) == .seconds(20))
    #expect(function.timeout == .seconds(20))
    configuration.timeout = .seconds(30)
    function = state(configuration)
    function.codeTimeout = .seconds(20)
    #expect(function.timeout(of: .latest, for: trigger) == .seconds(30))
    #expect(function.timeout == .seconds(30))
  }

  private func state(_ configuration: FunctionSpecification) -> HostedFunction {
    var generator = SystemRandomNumberGenerator()
    return HostedFunction(
      configuration, index: FunctionIndex(position: 0),
      deployment: Deployment(at: Timestamp(nanoseconds: 0), using: &generator))
  }

  @Test func `tells the runtime the deadline by the system's clock, also after that was set`() async throws {
    let (system, clock) = (SteadyClock.system(), ManualClock())
    let steady = SteadyClock(
      wall: { system.now() + (clock.wall - ten) }, elapsed: { system.now() - Timestamp(nanoseconds: 0) })
    try await HostFixture.run(HostConfiguration(functions: [python("f")]), clock: steady) { host async throws in
      clock.setWall(by: .seconds(3_600))
      let answer = try await host.invoke("f", #"{"do":"headers"}"#)
      let end = (answer.nanoseconds("X-Kelvin-Handover") ?? 0) / 1_000_000 + 300_000 + 3_600_000
      #expect(answer.body.contains(#""lambda-runtime-deadline-ms": "\#(end)""#))
    }
  }

  @Test func `tells the runtime the deadline of the trigger`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let direct = try await host.invoke("f", #"{"do":"headers"}"#)
      let directEnd = (direct.nanoseconds("X-Kelvin-Handover") ?? 0) / 1_000_000 + 300_000
      #expect(direct.body.contains(#""lambda-runtime-deadline-ms": "\#(directEnd)""#))
      // The fixture answers an event that names no action with the event; the deadline is in its headers.
      let http = try await host.url(.GET, "/url/f/?do=headers")
      #expect(http.status == 200)
      let seen = try await host.invoke("f:current", #"{"do":"previous-headers"}"#)
      let httpEnd = (http.nanoseconds("X-Kelvin-Handover") ?? 0) / 1_000_000 + 10_000
      #expect(seen.body.contains(#""lambda-runtime-deadline-ms": "\#(httpEnd)""#))
    }
  }

  struct Late: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var configuration: FunctionSpecification
    var query: String
    var source: TimeoutSource
  }

  @Test(arguments: [
    Late(
      testDescription: "an initialization",
      configuration: python(
        "f", environment: ["INIT": "hang"], timeout: .milliseconds(400), initializationLimit: .milliseconds(300)),
      query: "", source: .initialization),
    Late(
      testDescription: "a handler that the runtime gave up on", configuration: python("f"),
      query: "?do=handler-timeout", source: .handler),
    Late(
      testDescription: "a handler that the host gave up on", configuration: python("f", timeout: .milliseconds(400)),
      query: "?do=loop", source: .platform),
  ])
  func `answers 504 over HTTP and keeps the source`(_ given: Late) async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [given.configuration])) { host async throws in
      let answer = try await host.url(.GET, "/url/f/\(given.query)")
      #expect(answer.status == 504)
      #expect(answer.body == "Gateway Timeout")
      #expect(answer.header("x-amzn-RequestId") != nil)
    }
    #expect(events.finished.map(\.outcome) == [.timeout])
    #expect(events.finished.map(\.timeoutSource) == [given.source])
    #expect(events.finished.map(\.responseStatus) == [504])
    #expect(events.finished.map(\.trigger) == [.http])
  }

  @Test(arguments: AbortSignal.allCases)
  func `sends the abort signal to a handler that may continue, and has its instance back`(
    _ signal: AbortSignal
  ) async throws {
    let function = python("f", timeout: .milliseconds(300), onTimeout: .continue, abortSignal: signal)
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let event = #"{"do":"abortable","signal":"\#(signal.rawValue)","then":"answer"}"#
      let late = try await host.invoke("f", event)
      #expect(late.status == 200)
      #expect(late.header("X-Amz-Function-Error") == "Unhandled")
      let request = late.header("x-amzn-RequestId") ?? "-"
      #expect(
        late.body
          == #"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: \#(request) Error: Task timed out after 0.30 seconds"}"#
      )
      try await host.eventuallyIdle()
      #expect(try await host.invoke("f", "1").header("X-Kelvin-Cold") == "0")
    }
    #expect(events.finished.map(\.outcome) == [.timeout, .success])
    #expect(events.started.count == 1)
    #expect(events.overlapsEnded.map(\.request) == [events.finished[0].request])
    #expect(events.overlapsStarted.isEmpty, "It stopped before its instance took another event.")
  }

  @Test func `lets a handler put things in order before its instance is restarted`() async throws {
    let marker = "/var/tmp/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    let function = python("f", timeout: .milliseconds(300), abortSignal: .terminate, abortLimit: .seconds(20))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let event = #"{"do":"abortable","signal":"SIGTERM","then":"end","marker":"\#(marker)"}"#
      #expect(try await host.invoke("f", event).body.contains("Sandbox.Timedout"))
      // The next request does not wait for it.
      #expect(try await host.invoke("f", "1").header("X-Kelvin-Cold") == "1")
      try await host.eventually { $0.stopped.count == 1 }
      #expect(unsafe access(marker, F_OK) == 0)
      unsafe unlink(marker)
    }
    #expect(events.stopped.map(\.reason) == [.timeout, .shutdown])
  }

  @Test(arguments: [
    (FunctionSpecification.TimeoutAction.restart, "ignore"), (.continue, "ignore"), (.continue, "answer and hang"),
  ])
  func `ends an instance at a second deadline, whatever it makes of the abort`(
    _ action: FunctionSpecification.TimeoutAction, _ then: String
  ) async throws {
    let function = python(
      "f", timeout: .milliseconds(300), onTimeout: action, abortSignal: .user1, abortLimit: .milliseconds(500))
    let events = try await HostFixture.run(HostConfiguration(functions: [function, python("other")])) {
      host async throws in
      let event = #"{"do":"abortable","signal":"SIGUSR1","then":"\#(then)"}"#
      #expect(try await host.invoke("f", event).body.contains("Sandbox.Timedout"))
      #expect(try await host.invoke("other", "1").body == "1")
      try await host.eventually { $0.stopped.count == 1 }
      #expect(try await host.invoke("f", "1").header("X-Kelvin-Cold") == "1")
    }
    #expect(events.stopped.map(\.reason) == [.timeout, .shutdown, .shutdown])
    #expect(events.overlapsEnded.count == (action == .continue ? 1 : 0))
  }

  @Test func `takes the end of a program that does not know the signal for a timeout`() async throws {
    let function = python("f", timeout: .milliseconds(300), onTimeout: .continue, abortSignal: .user2)
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      #expect(try await host.invoke("f", #"{"do":"loop"}"#).body.contains("Sandbox.Timedout"))
      try await host.eventually { $0.stopped.count == 1 }
      #expect(try await host.invoke("f", "1").status == 200)
    }
    #expect(events.finished.map(\.outcome) == [.timeout, .success])
    #expect(events.stopped.map(\.reason) == [.timeout, .shutdown])
  }

  @Test func `stops without waiting for the limit of an abort`() async throws {
    let function = python("f", timeout: .milliseconds(300), abortSignal: .user1, abortLimit: .seconds(600))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let event = #"{"do":"abortable","signal":"SIGUSR1","then":"ignore"}"#
      #expect(try await host.invoke("f", event).body.contains("Sandbox.Timedout"))
    }
    #expect(events.stopped.map(\.reason) == [.timeout])
  }
}
