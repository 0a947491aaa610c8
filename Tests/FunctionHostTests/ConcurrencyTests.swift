import HostRules
import Lifecycle
import NIOHTTP1
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `A host with reserved and provisioned concurrency` {
  private func provisioned(
    _ name: String, _ count: Int?, reserved: Int? = nil, environment: [String: String] = [:],
    timeout: Nanoseconds? = nil
  ) -> FunctionSpecification {
    var function = python(name, environment: environment, timeout: timeout, reserved: reserved)
    function.provisioned = count
    return function
  }

  @Test func `initializes and warms up what is provisioned before any request, which then is not cold`() async throws {
    let functions = [
      provisioned("f", 3, environment: ["WARMUP": #"{"durationNanoseconds":1500,"error":null}"#])
    ]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      try await host.eventually { $0.available.last == 3 }
      let ready = host.events.all
      #expect(ready.started.map(\.initializationType) == Array(repeating: .provisionedConcurrency, count: 3))
      #expect(ready.ready.count == 3 && ready.warmedUp.count == 3)
      #expect(await host.host.snapshot().map(\.state) == [.idle, .idle, .idle])
      #expect(await host.host.snapshot().allSatisfy { $0.version == "1" })
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 0..<3 {
          group.addTask { try await host.url(.POST, "/url/f/", body: "x") }
        }
        return try await group.reduce(into: [Answer]()) { $0.append($1) }
      }
      #expect(answers.map(\.status) == [200, 200, 200])
      #expect(answers.allSatisfy { $0.header("X-Kelvin-Cold") == "0" })
    }
    #expect(events.started.count == 3)
    #expect(events.finished.map(\.pool) == [.provisioned, .provisioned, .provisioned])
    #expect(events.finished.allSatisfy { !$0.isColdStart && !$0.isSpillover })
  }

  @Test func `tells an instance its version and why it was started`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [provisioned("f", 1)])) { host async throws in
      try await host.eventually { $0.available.last == 1 }
      let current = try await host.invoke("f:current", #"{"do":"environment"}"#)
      #expect(current.header("X-Amz-Executed-Version") == "1")
      for part in [
        #""AWS_LAMBDA_INITIALIZATION_TYPE": "provisioned-concurrency""#, #""AWS_LAMBDA_FUNCTION_VERSION": "1""#,
        "/[1]",
      ] {
        #expect(current.body.contains(part))
      }
      let latest = try await host.invoke("f", #"{"do":"environment"}"#)
      #expect(latest.header("X-Amz-Executed-Version") == "$LATEST")
      #expect(latest.body.contains(#""AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand""#))
      #expect(latest.body.contains(#""AWS_LAMBDA_FUNCTION_VERSION": "$LATEST""#))
      #expect(latest.header("X-Kelvin-Cold") == "1")
      let headers = try await host.invoke("f", #"{"do":"headers"}"#, query: "?Qualifier=1")
      #expect(headers.body.contains(#"arn:aws:lambda:us-east-1:000000000000:function:f:1""#))
      #expect(headers.header("X-Amz-Executed-Version") == "1")
      let dry = try await host.invoke("f:1", headers: [("X-Amz-Invocation-Type", "DryRun")])
      #expect(dry.status == 204 && dry.header("X-Amz-Executed-Version") == "1")
      for unknown in ["2", "nobody"] {
        let missing = try await host.invoke("f", query: "?Qualifier=\(unknown)")
        #expect(missing.status == 404)
        #expect(
          missing.body.contains("Function not found: arn:aws:lambda:us-east-1:000000000000:function:f:\(unknown)"))
      }
    }
  }

  @Test func `spills over on demand when all that is provisioned is busy`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [provisioned("f", 1)])) { host async throws in
      try await host.eventually { $0.available.last == 1 }
      async let first = host.invoke("f:1", #"{"do":"sleep","seconds":1}"#)
      try await host.eventually { !$0.invocationsStarted.isEmpty }
      let second = try await host.invoke("f:current")
      #expect(second.status == 200 && second.header("X-Kelvin-Cold") == "1")
      #expect(try await first.header("X-Kelvin-Cold") == "0")
    }
    #expect(Set(events.finished.map(\.pool)) == [.provisioned, .unreserved])
    for finished in events.finished { #expect(finished.isSpillover == (finished.pool == .unreserved)) }
    #expect(Set(events.started.map(\.initializationType)) == [.provisionedConcurrency, .onDemand])
  }

  @Test func `throttles what is not provisioned when all of the reserve is`() async throws {
    let functions = [provisioned("f", 1, reserved: 1)]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      try await host.eventually { $0.available.last == 1 }
      let refused = try await host.invoke("f")
      #expect(refused.status == 429)
      #expect(refused.body.contains("ReservedFunctionConcurrentInvocationLimitExceeded"))
      #expect(try await host.url(.GET, "/url/f/").status == 200)
    }
    #expect(events.throttled.map(\.reason) == [.reservedFunctionConcurrentInvocationLimit])
    #expect(events.limits.last?.reserved == 1)
  }

  @Test func `keeps the pool full when an instance dies`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [provisioned("f", 2)])) { host async throws in
      try await host.eventually { $0.available.last == 2 }
      #expect(try await host.invoke("f:current", #"{"do":"exit"}"#).header("X-Amz-Function-Error") == "Unhandled")
      try await host.eventually { $0.started.count == 3 && $0.available.last == 2 }
      #expect(try await host.invoke("f:current").header("X-Kelvin-Cold") == "0")
    }
    #expect(events.started.map(\.initializationType).allSatisfy { $0 == .provisionedConcurrency })
    #expect(events.available.contains(1))
  }

  @Test func `fails with a reason when the function does not start, and still answers`() async throws {
    let functions = [provisioned("f", 1, environment: ["INIT": "error"])]
    try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      try await host.eventually { $0.ready.count >= 3 }
      let configuration = await host.core?.provisioned(of: FunctionIndex(position: 0)).first
      #expect(configuration?.status == .failed(reason: "FUNCTION_ERROR_INIT_FAILURE"))
      #expect(configuration?.available == 0)
      let answer = try await host.invoke("f:current")
      #expect(answer.status == 200 && answer.body.contains("Runtime.ImportModuleError"))
    }
  }

  @Test func `gives a provisioned instance the longer of its own limit and the function's timeout`() async throws {
    var function = provisioned("f", 1, environment: ["INIT": "hang"], timeout: .milliseconds(500))
    function.provisionedInitializationLimit = .milliseconds(100)
    try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      try await host.eventually { !$0.ready.isEmpty }
      let ready = try #require(host.events.all.ready.first)
      #expect(ready.status == .timeout && ready.initializationType == .provisionedConcurrency)
      #expect(ready.duration >= .milliseconds(500))
    }
  }

  @Test func `follows what is provisioned up, down and off while requests run`() async throws {
    let index = FunctionIndex(position: 0)
    let events = try await HostFixture.run(HostConfiguration(functions: [provisioned("f", nil)])) { host async throws in
      let core = try #require(host.core)
      try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "current", to: 1, in: $0) }
      try await host.eventually { $0.available.last == 1 }
      try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "current", to: 3, in: $0) }
      try await host.eventually { $0.available.last == 3 }
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 0..<2 { group.addTask { try await host.invoke("f:current", #"{"do":"sleep","seconds":1}"#) } }
        try await host.eventually { $0.invocationsStarted.count == 2 }
        // The idle one goes at once, the busy ones after their answers.
        try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "current", to: nil, in: $0) }
        try await host.eventually { !$0.stopped.isEmpty }
        #expect(host.events.all.finished.isEmpty)
        #expect(await core.provisioned(of: index).isEmpty)
        return try await group.reduce(into: [Answer]()) { $0.append($1) }
      }
      #expect(answers.map(\.status) == [200, 200])
      #expect(answers.allSatisfy { $0.header("X-Amz-Function-Error") == nil })
      try await host.eventually { $0.stopped.count == 3 }
      #expect(try await host.invoke("f:current").header("X-Kelvin-Cold") == "1")
    }
    #expect(events.stopped.prefix(3).map(\.reason) == [.scaleIn, .scaleIn, .scaleIn])
    #expect(events.limits.last?.provisioned == nil)
    #expect(events.finished.map(\.pool) == [.provisioned, .provisioned, .unreserved])
    #expect(events.finished.last?.isSpillover == false)
  }

  @Test func `refuses what does not fit, and lists what there is`() async throws {
    let index = FunctionIndex(position: 0)
    let functions = [provisioned("f", nil, reserved: 4)]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      let core = try #require(host.core)
      await #expect(throws: ConcurrencyRefusal.provisionedAboveReserved) {
        try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "1", to: 5, in: $0) }
      }
      try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "1", to: 2, in: $0) }
      await #expect(throws: ConcurrencyRefusal.aliasOfCoveredVersion) {
        try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: "current", to: 1, in: $0) }
      }
      // None of them is a published version: nothing is done.
      for qualifier in ["$LATEST", "nobody", "7"] {
        try await core.change { try $0.dispatcher.setProvisioned(index, qualifier: qualifier, to: 1, in: $0) }
      }
      await #expect(throws: ConcurrencyRefusal.reservedBelowProvisioned(reserved: 1, provisioned: 2)) {
        try await core.change { try $0.dispatcher.setReserved(index, to: 1, in: $0) }
      }
      await #expect(throws: ConcurrencyRefusal.reservedLeavesTooLittle(minimum: 100)) {
        try await core.change { try $0.dispatcher.setReserved(index, to: 901, in: $0) }
      }
      #expect(await core.accountConcurrency.unreserved == 996)
      try await host.eventually { $0.available.last == 2 }
      let all = await core.provisioned(of: index)
      #expect(all.map(\.qualifier) == ["1"] && all.map(\.requested) == [2] && all.map(\.status) == [.ready])
      try await core.change { try $0.dispatcher.setReserved(index, to: nil, in: $0) }
      #expect(await core.accountConcurrency.unreserved == 998)
      #expect(await core.reserved(of: index) == nil)
    }
    #expect(events.limits.last?.reserved == nil && events.limits.last?.provisioned?.requested == 2)
  }

  @Test func `pauses a function while it runs and lets it go on`() async throws {
    let index = FunctionIndex(position: 0)
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let core = try #require(host.core)
      async let running = host.invoke("f", #"{"do":"sleep","seconds":1}"#)
      try await host.eventually { !$0.invocationsStarted.isEmpty }
      try await core.change { try $0.dispatcher.setReserved(index, to: 0, in: $0) }
      #expect(try await host.invoke("f").body.contains("ReservedFunctionConcurrentInvocationLimitExceeded"))
      #expect(try await running.status == 200)
      #expect(try await host.invoke("f").status == 429)
      try await core.change { try $0.dispatcher.setReserved(index, to: nil, in: $0) }
      #expect(try await host.invoke("f").status == 200)
    }
    #expect(events.limits.map(\.reserved) == [nil, 0, nil])
    #expect(events.finished.count == 2 && events.throttled.count == 2)
  }

  @Test func `refuses more requests a second and faster growth than is configured`() async throws {
    var configuration = HostConfiguration(functions: [python("fast", reserved: 1), python("wide")])
    configuration.limitsRequestRate = true
    configuration.scaleOutRate = 1
    let events = try await HostFixture.run(configuration) { host async throws in
      async let first = host.invoke("wide", #"{"do":"sleep","seconds":1}"#)
      try await host.eventually { !$0.invocationsStarted.isEmpty }
      let refused = try await host.invoke("wide")
      #expect(refused.status == 429 && refused.body.contains(#""Reason":"ConcurrentInvocationLimitExceeded""#))
      #expect(try await first.status == 200)
      var reasons: Set<String> = []
      for _ in 0..<400 where reasons.isEmpty {
        let answer = try await host.invoke("fast")
        if answer.status == 429 { reasons.insert(answer.body) }
      }
      #expect(reasons.first?.contains("ReservedFunctionInvocationRateLimitExceeded") == true)
    }
    #expect(
      Set(events.throttled.map(\.reason)) == [.concurrentInvocationLimit, .reservedFunctionInvocationRateLimit])
  }
}

extension HostCore {
  /// Changes something from a test, which is not on the host's loop.
  func change(_ body: @Sendable (isolated HostCore) throws -> Void) throws { try body(self) }

  fileprivate func provisioned(of function: FunctionIndex) -> [ProvisionedConfiguration] {
    dispatcher.provisioned(of: function, in: self)
  }

  fileprivate func reserved(of function: FunctionIndex) -> Int? { dispatcher.reserved(of: function) }

  fileprivate var accountConcurrency: (limit: Int, unreserved: Int) { dispatcher.accountConcurrency }
}

extension HostFixture {
  var core: HostCore? { host.core }
}

extension [LifecycleEvent] {
  /// What was available of provisioned concurrency, each time it was told.
  var available: [Int64] { limits.compactMap { $0.provisioned?.available } }
}
