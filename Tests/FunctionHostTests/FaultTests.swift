import Glibc
import Glibc
import Lifecycle
import Logging
import Synchronization
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `A host with functions that fail` {
  struct Fault: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var event: String
    var outcome: Outcome
    var body: String
    var stops: [StopReason]
  }

  @Test(arguments: [
    Fault(
      testDescription: "an exception", event: #"{"do":"raise"}"#, outcome: .error,
      body: #"{"errorMessage": "it went wrong", "errorType": "ValueError", "stackTrace": ["here"]}"#,
      stops: [.shutdown]),
    Fault(
      testDescription: "exit 0", event: #"{"do":"exit"}"#, outcome: .crash,
      body:
        #"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited without providing a reason"}"#,
      stops: [.failure]),
    Fault(
      testDescription: "exit 9", event: #"{"do":"exit","status":9}"#, outcome: .crash,
      body:
        #"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: exit status 9"}"#,
      stops: [.failure]),
    Fault(
      testDescription: "a segmentation fault", event: #"{"do":"segfault"}"#, outcome: .crash,
      body:
        #"{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ID Error: Runtime exited with error: signal: segmentation fault"}"#,
      stops: [.failure]),
    Fault(
      testDescription: "an endless loop", event: #"{"do":"loop"}"#, outcome: .timeout,
      body:
        #"{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ID Error: Task timed out after 1.50 seconds"}"#,
      stops: [.timeout]),
    Fault(
      testDescription: "an answer that is too large", event: #"{"do":"big","bytes":6291555}"#, outcome: .error,
      body:
        #"{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}"#,
      stops: [.shutdown]),
  ])
  func `tells the caller what happened as AWS does`(_ fault: Fault) async throws {
    let function = python("f", timeout: .milliseconds(1500))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let answer = try await host.invoke("f", fault.event)
      #expect(answer.status == 200)
      #expect(answer.header("X-Amz-Function-Error") == "Unhandled")
      let request = answer.header("x-amzn-RequestId") ?? "-"
      #expect(answer.body == fault.body.replacing("RequestId: ID", with: "RequestId: \(request)"))
      try await host.eventually { fault.stops == [.shutdown] || $0.stopped.count == 1 }
    }
    #expect(events.finished.map(\.outcome) == [fault.outcome])
    #expect(events.finished.map(\.timeoutSource) == [fault.outcome == .timeout ? .platform : nil])
    #expect(events.stopped.map(\.reason) == fault.stops)
  }

  @Test func `takes the largest answer, and refuses one byte more with 413`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.invoke("f", #"{"do":"big","bytes":6291554}"#)
      #expect(answer.body.utf8.count == 6_291_556)
      #expect(answer.header("X-Amz-Function-Error") == nil)
      _ = try await host.invoke("f", #"{"do":"big","bytes":6291555}"#)
      #expect(try await host.invoke("f", #"{"do":"last"}"#).body == "413")
    }
  }

  @Test func `answers a runtime that breaks the protocol and goes on`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      #expect(try await host.invoke("f", #"{"do":"echo"}"#).status == 200)
      #expect(try await host.invoke("f", #"{"do":"wrong-id"}"#).body == #"{"wrong": 400, "previous": 400}"#)
      #expect(try await host.invoke("f", #"{"do":"twice"}"#).body == #""first""#)
      #expect(try await host.invoke("f", #"{"do":"last"}"#).body == "403")
      #expect(try await host.invoke("f", #"{"do":"next-twice"}"#).body == #"{"same": true}"#)
      #expect(try await host.invoke("f", #"{"do":"echo"}"#).body == #"{"do": "echo"}"#)
    }
    #expect(events.started.count == 1)
    #expect(events.finished.count == 6)
  }

  @Test(arguments: [false, true])
  func `tells the caller of an answer that breaks off, and the runtime if it can still be told`(
    _ closes: Bool
  ) async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.invoke("f", #"{"do":"truncate","closes":\#(closes)}"#)
      #expect(answer.status == 200)
      #expect(answer.header("X-Amz-Function-Error") == "Unhandled")
      let request = answer.header("x-amzn-RequestId") ?? "-"
      let sentence = "Error: The runtime closed its connection within the response"
      #expect(
        answer.body
          == #"{"errorType":"Runtime.TruncatedResponse","errorMessage":"RequestId: \#(request) \#(sentence)"}"#)
      let told = try await host.invoke("f", #"{"do":"last"}"#)
      #expect(told.body.contains("HTTP/1.1 400 Bad Request") == !closes)
      #expect(told.body.contains("TruncatedHTTPRequest") == !closes)
    }
    #expect(events.finished.map(\.outcome) == [.error, .success])
    #expect(events.started.count == 1, "The instance goes on.")
  }

  @Test func `refuses a second call for an event, unless the connection of the first was lost`()
    async throws
  {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      // An event that comes between the two calls is the first one's, and then the second is given the same.
      var second = ""
      let end = ContinuousClock.now + .seconds(20)
      while second != "403", ContinuousClock.now < end {
        #expect(try await host.invoke("f", #"{"do":"two-nexts"}"#).status == 200)
        try await host.eventuallyIdle()
        second = try await host.invoke("f", #"{"do":"second-next"}"#).body
        #expect(second == "403" || second == "200")
      }
      #expect(second == "403")
    }
    #expect(events.started.count == 1)
  }

  @Test func `refuses an answer that is larger than what is read at all`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.invoke("f", #"{"do":"big","bytes":30000000}"#)
      #expect(answer.body.contains("Function.ResponseSizeTooLarge"))
      #expect(try await host.invoke("f", "1").body == "1")
    }
  }

  @Test func `counts the lines that come faster than they are taken`() async throws {
    let marker = "/var/tmp/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    let warnings = WarningLog()
    let wait: @Sendable (LifecycleEvent) -> Void = { event in
      guard case .invocationFinished = event.kind else { return }
      // The host's loop stands still here until the function has written all that it does after its answer.
      let end = ContinuousClock.now + .seconds(20)
      unsafe close(open(marker + ".blocked", O_CREAT | O_WRONLY | O_CLOEXEC, 0o600))
      while unsafe access(marker, F_OK) != 0, ContinuousClock.now < end { usleep(2000) }
    }
    let logger = Logger(label: "test") { _ in WarningHandler(log: warnings) }
    try await HostFixture.run(HostConfiguration(functions: [python("f")]), logger: logger, watching: wait) {
      host async throws in
      let event = #"{"do":"pour-after","bytes":4000000,"marker":"\#(marker)"}"#
      #expect(try await host.invoke("f", event).status == 200)
      #expect(try await host.invoke("f", "1").body == "1")
    }
    for file in [marker, marker + ".blocked"] { unsafe unlink(file) }
    let dropped = try #require(warnings.all.first { $0.message == "Output of an instance was dropped." })
    let lines = try #require(dropped.metadata["lines"].flatMap { Int("\($0)") })
    #expect(lines > 1000 && lines < 4000, "A line is 1,000 bytes, and 1 MiB of them is kept.")
    #expect(dropped.metadata["bytes"].flatMap { Int("\($0)") } == lines * 1000)
    #expect(warnings.all.count { $0.message.hasPrefix("An instance prints faster") } == 1)
  }

  @Test func `answers others while one function prints without end`() async throws {
    let functions = [python("loud", timeout: .seconds(60)), python("quiet")]
    try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      func length() async throws -> Duration {
        let begun = ContinuousClock.now
        #expect(try await host.invoke("quiet").status == 200)
        return ContinuousClock.now - begun
      }
      _ = try await length()
      var calm: [Duration] = []
      for _ in 0..<20 { calm.append(try await length()) }
      let pouring = Task { try await host.invoke("loud", #"{"do":"pour","bytes":300000000}"#).status }
      try await host.eventually { $0.started.count == 2 && $0.ready.count == 2 }
      var busy: [Duration] = []
      while busy.count < 40, !host.events.all.finished.contains(where: { $0.responseBytes == 9 }) {
        busy.append(try await length())
      }
      #expect(try await pouring.value == 200)
      // Python, the keeper's thread and the host share the processors; a loop that is kept takes hundreds of times as long.
      calm.sort()
      busy.sort()
      let limit: Duration = calm[calm.count / 2] * 40
      let usual: Duration = busy[busy.count / 2]
      #expect(usual < limit, "\(busy) against \(calm)")
    }
  }

  struct Initialization: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var mode: String
    var outcome: Outcome
    var source: TimeoutSource?
    var status: InitializationStatus
    var part: String
  }

  @Test(arguments: [
    Initialization(
      testDescription: "an error", mode: "error", outcome: .error, status: .error,
      part: #"{"errorMessage": "no module", "errorType": "Runtime.ImportModuleError", "stackTrace": []}"#),
    Initialization(
      testDescription: "an exit", mode: "exit", outcome: .crash, status: .error,
      part: "Runtime exited with error: exit status 7"),
    Initialization(
      testDescription: "one that never ends", mode: "hang", outcome: .timeout, source: .initialization,
      status: .timeout, part: "Task timed out after 0.80 seconds"),
  ])
  func `repeats a failed initialization once, inside the invocation`(_ given: Initialization) async throws {
    let function = python(
      "f", environment: ["INIT": given.mode], timeout: given.status == .timeout ? .milliseconds(800) : nil,
      initializationLimit: given.status == .timeout ? .milliseconds(500) : .seconds(10))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let answer = try await host.invoke("f")
      #expect(answer.status == 200)
      #expect(answer.header("X-Amz-Function-Error") == "Unhandled")
      #expect(answer.body.contains(given.part))
    }
    #expect(events.ready.map(\.phase) == [.initialization, .invocation])
    #expect(events.ready.map(\.status) == [given.status, given.status])
    #expect(events.started.count == 2 && events.stopped.count == 2)
    #expect(events.finished.map(\.outcome) == [given.outcome])
    #expect(events.finished.map(\.timeoutSource) == [given.source])
  }

  @Test func `serves an invocation whose repeated initialization succeeds`() async throws {
    // Not in /tmp, of which every instance has its own.
    let marker = "/var/tmp/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    defer { unsafe _ = unlink(marker) }
    let function = python("f", environment: ["INIT": "exit", "INIT_MARKER": marker])
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let answer = try await host.invoke("f", "[1]")
      #expect(answer.body == "[1]")
      #expect(answer.header("X-Kelvin-Cold") == "1")
    }
    #expect(events.ready.map(\.status) == [.error, .success])
    #expect(events.ready.map(\.phase) == [.initialization, .invocation])
  }

  @Test func `starts no more than two processes for each request of a function that cannot start`() async throws {
    let function = python("f", environment: ["INIT": "exit"])
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      try await withThrowingTaskGroup(of: Int.self) { group in
        for _ in 0..<6 { group.addTask { try await host.invoke("f").status } }
        for try await status in group { #expect(status == 200) }
      }
    }
    #expect(events.started.count == 12)
    #expect(events.finished.allSatisfy { $0.outcome == .crash })
  }

  @Test func `says that a command does not exist, and harms no other function`() async throws {
    var missing = python("missing")
    missing.command = ["/does/not/exist"]
    var lost = python("lost")
    lost.directory = "/does/not/exist"
    try await HostFixture.run(HostConfiguration(functions: [missing, lost, python("fine")])) { host async throws in
      #expect(try await host.invoke("missing").body.contains(#""errorType":"Runtime.InvalidEntrypoint""#))
      #expect(try await host.invoke("lost").body.contains(#""errorType":"Runtime.InvalidWorkingDir""#))
      #expect(try await host.invoke("fine").header("X-Amz-Function-Error") == nil)
    }
  }

  @Test func `ends an instance that does not come back after its answer`() async throws {
    let function = python("f", timeout: .milliseconds(300))
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      #expect(try await host.invoke("f", #"{"do":"hang-after"}"#).status == 200)
      // Waits for the first at most for the grace, then has an instance of its own.
      let second = try await host.invoke("f")
      #expect(second.header("X-Kelvin-Cold") == "1")
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.stopped.map(\.reason) == [.timeout, .shutdown])
  }

  @Test func `keeps an instance whose handler ran over when told to continue`() async throws {
    let function = python("f", timeout: .milliseconds(500), onTimeout: .continue)
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      let late = try await host.invoke("f", #"{"do":"overdue","seconds":0.7,"late":3}"#)
      #expect(late.body.contains("Sandbox.Timedout"))
      try await host.eventuallyIdle()
      let next = try await host.invoke("f", #"{"do":"sleep","seconds":0.2}"#)
      #expect(next.header("X-Amz-Function-Error") == nil)
      try await host.eventually { !$0.overlapsEnded.isEmpty }
    }
    #expect(events.finished.map(\.outcome) == [.timeout, .success])
    #expect(events.overlapsStarted.map(\.request) == [events.finished[0].request])
    #expect(events.overlapsEnded.map(\.request) == [events.finished[0].request])
    #expect(events.stopped.map(\.reason) == [.shutdown])
    #expect(events.stopped.map(\.invocationsServed) == [2])
  }

  @Test func `ends an instance that was to continue and does not`() async throws {
    let function = python("f", timeout: .milliseconds(300), onTimeout: .continue)
    let events = try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      #expect(try await host.invoke("f", #"{"do":"loop"}"#).body.contains("Sandbox.Timedout"))
      try await host.eventually { $0.stopped.count == 1 }
      #expect(try await host.invoke("f").status == 200)
    }
    #expect(events.stopped.map(\.reason) == [.timeout, .shutdown])
    #expect(events.overlapsEnded.count == 1)
  }

  @Test func `tells a timeout of the handler from one of the platform`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.invoke("f", #"{"do":"handler-timeout","late":0.2}"#)
      #expect(answer.status == 200)
      #expect(answer.header("X-Amz-Function-Error") == "Unhandled")
      #expect(answer.body.contains(#""errorType": "Function.HandlerTimeout""#))
      try await host.eventually { !$0.overlapsEnded.isEmpty }
    }
    #expect(events.finished.map(\.outcome) == [.timeout])
    #expect(events.finished.map(\.timeoutSource) == [.handler])
    #expect(events.overlapsEnded.map(\.request) == events.finished.map(\.request))
  }

  @Test func `finishes every invocation once and ends every instance, whatever functions do`() async throws {
    let actions = [
      #"{"do":"echo"}"#, #"{"do":"raise"}"#, #"{"do":"exit","status":1}"#, #"{"do":"sleep","seconds":0.01}"#,
      #"{"do":"hang-after"}"#, #"{"do":"twice"}"#, #"{"do":"loop"}"#, #"{"do":"wrong-id"}"#,
    ]
    let functions = [
      python("f", timeout: .milliseconds(700), reserved: 6, onTimeout: .continue),
      python("g", timeout: .milliseconds(700)), python("h", environment: ["INIT": "exit"]),
    ]
    let statuses = AnswerLog()
    let events = try await HostFixture.run(HostConfiguration(accountConcurrency: 110, functions: functions)) {
      host async throws in
      try await withThrowingTaskGroup(of: Void.self) { group in
        for worker in 0..<8 {
          group.addTask {
            for round in 0..<12 {
              let name = ["f", "g", "f", "g", "f", "h"][(worker + round) % 6]
              let action = actions[(worker * 5 + round * 3) % actions.count]
              statuses.append(try await host.invoke(name, action))
            }
          }
        }
        try await group.waitForAll()
      }
      for name in ["f", "g"] { #expect(try await host.invoke(name, "1").body == "1") }
    }
    let refused = statuses.all.filter { $0.status == 429 }.count
    #expect(statuses.all.count == 96)
    #expect(events.finished.count == 96 - refused + 2)
    #expect(Set(events.finished.map(\.request)).count == events.finished.count)
    #expect(Set(events.invocationsStarted.map(\.request)) == Set(events.finished.map(\.request)))
    #expect(events.invocationsStarted.count == events.finished.count, "a start is told once")
    #expect(events.throttled.count == refused)
    #expect(events.stopped.count == events.started.count)
    #expect(Set(events.overlapsStarted.map(\.request)).isSubset(of: Set(events.overlapsEnded.map(\.request))))
    #expect(events.finished.allSatisfy { $0.wait >= .zero && $0.duration >= .zero })
  }
}

private final class WarningLog: Sendable {
  struct Entry {
    var message: String
    var metadata: Logger.Metadata
  }
  private let entries = Mutex<[Entry]>([])
  func append(_ entry: Entry) { entries.withLock { $0.append(entry) } }
  var all: [Entry] { entries.withLock { $0 } }
}

private struct WarningHandler: LogHandler {
  let log: WarningLog
  var metadata: Logger.Metadata = [:]
  var logLevel = Logger.Level.warning
  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }
  func log(event: LogEvent) {
    log.append(WarningLog.Entry(message: "\(event.message)", metadata: event.metadata ?? [:]))
  }
}
