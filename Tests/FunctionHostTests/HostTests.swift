import Text
import Glibc
import Lifecycle
import NIOHTTP1
import Sandboxes
import Synchronization
import TestSupport
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `A host with real functions` {
  @Test func `answers the first invocation cold and the second warm, in one instance`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("echo")])) { host async throws in
      let first = try await host.invoke("echo", #"{"a":1}"#)
      #expect(first.status == 200)
      #expect(first.body == #"{"a": 1}"#)
      #expect(first.header("X-Kelvin-Cold") == "1")
      #expect(first.header("X-Amz-Function-Error") == nil)
      #expect(first.header("X-Amz-Executed-Version") == "$LATEST")
      let second = try await host.invoke("echo", #"{"a":2}"#)
      #expect(second.header("X-Kelvin-Cold") == "0")
      #expect(second.body == #"{"a": 2}"#)
    }
    #expect(events.started.count == 1)
    #expect(events.ready.map(\.status) == [.success])
    #expect(events.finished.map(\.isColdStart) == [true, false])
    #expect(events.finished.map(\.outcome) == [.success, .success])
    #expect(events.stopped.map(\.reason) == [.shutdown])
    #expect(events.stopped.map(\.invocationsServed) == [2])
  }

  @Test func `tells its caller the same times as its events`() async throws {
    let answers = AnswerLog()
    let events = try await HostFixture.run(HostConfiguration(functions: [python("echo")])) { host async throws in
      for _ in 0..<3 {
        answers.append(try await host.invoke("echo"))
        // An event for an instance that settles would wait for it.
        try await host.eventuallyIdle()
      }
    }
    for (answer, finished) in zip(answers.all, events.finished) {
      #expect(answer.nanoseconds("X-Kelvin-Start") == finished.start.nanoseconds)
      #expect(answer.nanoseconds("X-Kelvin-Handover") == (finished.start + finished.wait).nanoseconds)
      #expect(answer.nanoseconds("X-Kelvin-End") == finished.end.nanoseconds)
      #expect(answer.header("x-amzn-RequestId") == finished.request.value.uuidText)
      #expect(finished.responseStatus == 200)
      #expect(finished.billed.count % 1_000_000 == 0 && finished.billed >= finished.duration)
      #expect(finished.memoryUsedBytes > 1 << 20)
    }
    #expect(answers.all.count == 3 && events.finished.count == 3)
    #expect(events.finished[0].wait > .zero && events.finished[1].wait == .zero)
    #expect(events.finished[0].billed > events.ready[0].duration)
  }

  @Test func `runs concurrent requests in instances of their own, and reuses them`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("sleepy")])) { host async throws in
      let instances = try await withThrowingTaskGroup(of: String.self) { group in
        for _ in 0..<4 {
          group.addTask { try await host.invoke("sleepy", #"{"do":"sleep","seconds":2}"#).body }
        }
        return try await group.reduce(into: Set<String>()) { $0.insert($1) }
      }
      #expect(instances.count == 4)
      _ = try await host.invoke("sleepy")
      #expect(await host.host.snapshot().count == 4)
    }
    #expect(events.started.count == 4)
    #expect(events.finished.filter(\.isColdStart).count == 4)
  }

  @Test func `refuses what is over a reserved limit at once and hangs for none of a thousand`() async throws {
    let functions = [python("limited", reserved: 5)]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      let answers = try await withThrowingTaskGroup(of: Answer.self) { group in
        for _ in 0..<1000 {
          group.addTask { try await host.invoke("limited", #"{"do":"sleep","seconds":3}"#) }
        }
        return try await group.reduce(into: [Answer]()) { $0.append($1) }
      }
      #expect(answers.filter { $0.status == 200 }.count == 5)
      let refused = answers.filter { $0.status == 429 }
      #expect(refused.count == 995)
      #expect(
        refused.allSatisfy {
          $0.body
            == #"{"Reason":"ReservedFunctionConcurrentInvocationLimitExceeded","Type":"User","message":"Rate Exceeded."}"#
            && $0.header("x-amzn-ErrorType") == "TooManyRequestsException" && $0.header("Retry-After") == "1"
            && $0.nanoseconds("X-Kelvin-Start") != nil
        })
    }
    #expect(events.throttled.count == 995)
    #expect(events.finished.count == 5)
    #expect(events.started.count == 5)
    #expect(Set(events.finished.map(\.pool)) == [.reserved])
  }

  @Test func `names the pool that was empty`() async throws {
    let functions = [python("paused", reserved: 0), python("free")]
    let configuration = HostConfiguration(accountConcurrency: 1, unreservedMinimum: 1, functions: functions)
    let events = try await HostFixture.run(configuration) { host async throws in
      #expect(try await host.invoke("paused").body.contains("ReservedFunctionConcurrentInvocationLimitExceeded"))
      async let running = host.invoke("free", #"{"do":"sleep","seconds":1}"#)
      try await host.eventually { !$0.invocationsStarted.isEmpty }
      let refused = try await host.invoke("free")
      #expect(refused.status == 429)
      #expect(refused.body.contains(#""Reason":"ConcurrentInvocationLimitExceeded""#))
      #expect(try await host.url(.GET, "/url/free/").status == 429)
      #expect(try await running.status == 200)
    }
    #expect(
      events.throttled.map(\.reason) == [
        .reservedFunctionConcurrentInvocationLimit, .concurrentInvocationLimit, .concurrentInvocationLimit,
      ])
    #expect(events.throttled.map(\.trigger) == [.direct, .direct, .http])
  }

  @Test func `gives the event, the headers and the environment that runtimes expect`() async throws {
    let own = ["TABLE": "orders", "TZ": "Europe/Berlin"]
    try await HostFixture.run(HostConfiguration(functions: [python("f", environment: own, timeout: .seconds(7))])) {
      host async throws in
      let answer = try await host.invoke(
        "f", #"{"do":"headers"}"#, headers: [("X-Amz-Client-Context", Base64.encode(Array(#"{"c": 1}"#.utf8)))])
      let headers = answer.body
      #expect(headers.contains(#""content-type": "application/json""#))
      #expect(headers.contains(#""lambda-runtime-aws-request-id": "\#(answer.header("x-amzn-RequestId") ?? "-")""#))
      let deadline = (answer.nanoseconds("X-Kelvin-Handover") ?? 0) / 1_000_000 + 7000
      #expect(headers.contains(#""lambda-runtime-deadline-ms": "\#(deadline)""#))
      #expect(headers.contains(#"arn:aws:lambda:us-east-1:000000000000:function:f""#))
      #expect(headers.contains(#""lambda-runtime-client-context": "{\"c\": 1}""#))
      #expect(headers.contains("lambda-runtime-trace-id"))
      #expect(!headers.contains("cognito"))
      let environment = try await host.invoke("f", #"{"do":"environment"}"#).body
      for part in [
        #""TABLE": "orders""#, #""AWS_LAMBDA_FUNCTION_NAME": "f""#, #""TZ": "Europe/Berlin""#,
        #""AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128""#, #""AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand""#,
        #""AWS_REGION": "us-east-1""#, #""_HANDLER": "function.py""#,
      ] {
        #expect(environment.contains(part))
      }
    }
  }

  @Test func `keeps the last of the output for a caller that asks for it`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let event = #"{"do":"print","text":"hello from inside"}"#
      let tail = try await host.invoke("f", event, headers: [("X-Amz-Log-Type", "Tail")])
      let log = Base64.decode(tail.header("X-Amz-Log-Result") ?? "").map { String(decoding: $0, as: UTF8.self) }
      #expect(log?.contains("hello from inside\n") == true)
      #expect(log?.hasPrefix("START RequestId: ") == true)
      #expect(log?.contains("REPORT RequestId: ") == true)
      #expect(tail.body == "null")
      #expect(try await host.invoke("f", event).header("X-Amz-Log-Result") == nil)
    }
  }

  @Test(arguments: [
    ("error", "Status: error\tError Type: Runtime.ImportModuleError\n"),
    ("exit", "Status: error\tError Type: Runtime.ExitError\n"), ("hang", "Status: timeout\n"),
  ])
  func `reports an initialization that failed with its own error, in tail and log alike`(
    _ mode: String, _ status: String
  )
    async throws
  {
    var template = Array("/tmp/kelvin-tail-XXXXXX".utf8CString)
    let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    // A machine with much to do takes its time to start a process; only what hangs has to run into a limit.
    let limit: Int64 = mode == "hang" ? 1 : 30
    let function = python(
      "f", environment: ["INIT": mode], timeout: .seconds(limit), initializationLimit: .seconds(limit))
    try await HostFixture.run(HostConfiguration(functions: [function], logDirectory: folder)) { host async throws in
      for _ in 0..<(mode == "hang" ? 1 : 3) {
        let answer = try await host.invoke("f", headers: [("X-Amz-Log-Type", "Tail")])
        let log =
          Base64.decode(answer.header("X-Amz-Log-Result") ?? "").map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(
          log.hasPrefix("START RequestId: ") && log.contains("\tPhase: invoke\tStatus: ") && log.hasSuffix(status))
        if mode == "error" { #expect(log.contains("[ERROR] no module\n")) }
      }
    }
    let lines = text("\(folder)/f.log").split(separator: "\n")
    #expect(lines.filter { $0.hasPrefix("REPORT ") }.allSatisfy { $0.hasSuffix(status.dropLast()) })
    #expect(mode == "hang" || lines.filter { $0.hasPrefix("REPORT ") }.count == 3)
    for name in files(in: folder) { unsafe unlink("\(folder)/\(name)") }
    unsafe rmdir(folder)
  }

  @Test func `reports every crash in its tail, with what was said before`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      for _ in 0..<8 {
        let answer = try await host.invoke(
          "f", #"{"do":"exit","status":3,"says":"last words"}"#, headers: [("X-Amz-Log-Type", "Tail")])
        let log =
          Base64.decode(answer.header("X-Amz-Log-Result") ?? "").map { String(decoding: $0, as: UTF8.self) } ?? ""
        #expect(
          log.contains("\nlast words\n") && log.hasSuffix("Status: error\tError Type: Runtime.ExitError\n"), "\(log)")
      }
    }
  }

  @Test func `ends instances that are idle for too long`() async throws {
    let function = python("f", idleLimit: .milliseconds(200))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      #expect(try await host.invoke("f").status == 200)
      try await host.eventually { !$0.stopped.isEmpty }
      #expect(await host.host.snapshot().isEmpty)
      #expect(try await host.invoke("f").header("X-Kelvin-Cold") == "1")
    }
    #expect(events.stopped.map(\.reason) == [.idle, .shutdown])
  }

  @Test(arguments: Isolation.Mode.allCases)
  func `stops without leaving a process, and lets what is in progress finish`(_ mode: Isolation.Mode) async throws {
    let running = AnswerLog()
    let mark = TestPrograms.uniqueSleep()
    var configuration = HostConfiguration(functions: [python("f", environment: ["MARK": mark])])
    configuration.isolation = mode
    let events = try await HostFixture.run(configuration) { host async throws in
      _ = try await host.invoke("f", #"{"do":"child"}"#)
      #expect(TestPrograms.isRunning(variable: "MARK=\(mark)"))
      Task { running.append(try await host.invoke("f", #"{"do":"sleep","seconds":0.5}"#)) }
      try await host.eventually { Set($0.invocationsStarted.map(\.request)).count == 2 }
    }
    #expect(events.finished.map(\.outcome) == [.success, .success])
    #expect(!TestPrograms.isRunning(variable: "MARK=\(mark)"))
    #expect(events.stopped.count == events.started.count)
  }

  @Test func `gives up on what does not finish before the limit of a stop`() async throws {
    var configuration = HostConfiguration(functions: [python("f", timeout: .seconds(60))])
    configuration.stopLimit = .milliseconds(200)
    let begun = ContinuousClock.now
    let answers = AnswerLog()
    let callers = Mutex<[Task<Void, any Error>]>([])
    let events = try await HostFixture.run(configuration) { host async throws in
      let caller = Task {
        answers.append(try await host.invoke("f", #"{"do":"loop"}"#, headers: [("X-Amz-Log-Type", "Tail")]))
      }
      callers.withLock { $0.append(caller) }
      try await host.eventually { $0.ready.count == 1 }
    }
    for caller in callers.withLock({ $0 }) { try await caller.value }
    #expect(ContinuousClock.now - begun < .seconds(20))
    #expect(answers.all.map { $0.header("X-Amz-Function-Error") } == ["Unhandled"])
    #expect(answers.all.allSatisfy { $0.body.contains("Sandbox.Failure") })
    #expect(events.finished.count == 1 && events.finished.allSatisfy { $0.outcome == .crash })
    #expect(events.stopped.count == 1)
  }

  @Test func `says which address it cannot listen on and starts nothing`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { first async throws in
      var configuration = HostConfiguration(functions: [python("f")])
      configuration.port = first.port
      let second = try FunctionHost(
        configuration: configuration, launcher: try TestPrograms.launcher(), clock: .system(), logger: silentLogger
      ) { _ in }
      let error = await #expect(throws: HostError.self) { try await second.start() }
      #expect(error?.code == .address)
      #expect(error?.message.contains("\(first.port)") == true)
      #expect(second.port == nil)
    }
  }

  @Test func `takes one warm-up, inside the initialization and no longer than that`() async throws {
    let reports = ["3600000000000", "-1", "1500", "1500"].map { #"{"durationNanoseconds":\#($0),"error":null}"# }
    let function = python("f", environment: ["WARMUP": reports.joined(separator: ";")])
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let late = try await host.invoke("f", #"{"do":"warm-up","report":"{\"durationNanoseconds\":1}"}"#)
      #expect(
        late.body
          == #"["400 InvalidWarmUp", "400 InvalidWarmUp", "202", "403 InvalidStateTransition", "403 InvalidStateTransition"]"#
      )
    }
    #expect(events.warmedUp.map(\.duration.count) == [1500])
  }

  @Test func `takes a warm-up report and a configuration in code, which kelvin.yaml overrules`() async throws {
    let environment = [
      "WARMUP": #"{"durationNanoseconds":1500,"error":null}"#,
      "CONFIGURATION": #"{"memoryBytes":268435456,"timeoutNanoseconds":3000000000}"#,
    ]
    let functions = [
      python("open", environment: environment), python("closed", environment: environment, timeout: .seconds(5)),
    ]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      #expect(try await host.invoke("open").status == 200)
      #expect(try await host.invoke("closed").status == 200)
    }
    #expect(events.warmedUp.map(\.duration.count) == [1500, 1500])
    #expect(events.warmedUp.map(\.succeeded) == [true, true])
    #expect(events.limits.map(\.timeout) == [.seconds(300), .seconds(5), .seconds(3), .seconds(5)])
    #expect(events.limits.map { $0.memoryLimitBytes >> 20 } == [128, 128, 256, 256])
  }
}

func integer(after text: String, in document: String) -> Int32? {
  guard let range = document.firstRange(of: text) else { return nil }
  return Int32(document[range.upperBound...].prefix { $0.isNumber })
}
