import Glibc
import Lifecycle
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(3))) struct `Extensions of real functions` {
  /// A function with the extensions of a folder.
  private func function(
    _ folder: ExtensionFolder, _ modes: [String: String] = [:], timeout: Nanoseconds? = nil, reserved: Int? = nil,
    initializationLimit: Nanoseconds = .seconds(10), idleLimit: Nanoseconds = .seconds(600),
    environment: [String: String] = [:]
  ) -> FunctionSpecification {
    var variables = environment
    variables["JOURNAL"] = folder.journal
    for (name, mode) in modes { variables[name.isEmpty ? "EXTENSION" : "EXTENSION_\(name)"] = mode }
    var function = python(
      "f", environment: variables, timeout: timeout, reserved: reserved, idleLimit: idleLimit,
      initializationLimit: initializationLimit)
    function.extensions = folder.directory
    return function
  }

  @Test func `register, are told of every invocation, and of the end`() async throws {
    let folder = try ExtensionFolder(["agent", "other"])
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, ["other": "events=SHUTDOWN"])])
    ) { host async throws in
      let first = try await host.invoke("f", #"{"a":1}"#)
      #expect(first.body == #"{"a": 1}"#)
      try await host.eventuallyIdle()
      let second = try await host.invoke("f")
      let lines = folder.lines()
      let told = lines.filter { $0.contains("INVOKE\"") && $0.contains("\"what\": \"event\"") }
      #expect(told.compactMap { value("requestId", in: $0) }.first == first.header("x-amzn-RequestId"))
      #expect(told.first.flatMap { value("invokedFunctionArn", in: $0) }?.hasSuffix(":function:f") == true)
      #expect(told.first?.contains(#""tracing": {"type": "X-Amzn-Trace-Id", "value": "Root="#) == true)
      try await folder.eventually { $0.filter { $0.contains("\"eventType\": \"INVOKE\"") }.count == 2 }
      #expect(second.status == 200)
    }
    defer { folder.remove() }
    #expect(folder.story() == ["started", "registered", "INVOKE", "INVOKE", "SHUTDOWN", "ended"])
    #expect(folder.story(of: "other") == ["started", "registered", "SHUTDOWN", "ended"])
    let registered = try #require(folder.lines().first { $0.contains("\"registered\"") })
    #expect(registered.contains(#""functionName": "f", "functionVersion": "$LATEST", "handler": "function.py""#))
    #expect(value("accountId", in: registered) == HostIdentity().account)
    let shutdown = try #require(folder.lines().first { $0.contains("SHUTDOWN\"") && $0.contains("deadlineMs") })
    #expect(value("shutdownReason", in: shutdown) == "SPINDOWN")
    let left =
      (Double(value("deadlineMs", in: shutdown) ?? "") ?? 0) / 1000 - (Double(value("now", in: shutdown) ?? "") ?? 0)
    #expect(left < 2.0)
    #expect(events.stopped.map(\.reason) == [.shutdown])
    #expect(events.finished.map(\.outcome) == [.success, .success])
  }

  @Test func `have the environment without what is the runtime's`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(HostConfiguration(functions: [function(folder, environment: ["TABLE": "orders"])])) {
      host async throws in _ = try await host.invoke("f")
    }
    let started = try #require(folder.lines().first)
    #expect(value("TABLE", in: started) == "orders")
    #expect(value("AWS_LAMBDA_FUNCTION_NAME", in: started) == "f")
    for name in ["_HANDLER", "LAMBDA_TASK_ROOT", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING"] {
      #expect(!started.contains("\"\(name)\":"), "\(name)")
    }
    #expect(value("directory", in: started) == folder.directory)
  }

  @Test func `let the caller have its answer, and hold instance and slot until they are done`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, ["agent": "sleep=1.5"], timeout: .seconds(5), reserved: 1)])
    ) { host async throws in
      #expect(try await host.invoke("f").status == 200)
      // The answer is there, the extension sleeps.
      #expect(try await host.invoke("f").status == 429)
      #expect(await host.host.snapshot().map(\.state) == [.busy])
      try await host.eventuallyIdle()
      #expect(try await host.invoke("f").status == 200)
    }
    #expect(events.started.count == 1)
    #expect(events.throttled.map(\.reason) == [.reservedFunctionConcurrentInvocationLimit])
  }

  @Test func `time out the instance when they take longer than the function may`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, ["agent": "sleep=2.5"], timeout: .seconds(1))])
    ) { host async throws in
      #expect(try await host.invoke("f").status == 200)
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.stopped.first?.reason == .timeout)
    #expect(events.finished.map(\.outcome) == [.success])
  }

  @Test func `are told why the instance ends: a timeout, a crash`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(HostConfiguration(functions: [function(folder, timeout: .seconds(1))])) {
      host async throws in
      #expect(try await host.invoke("f", #"{"do":"loop"}"#).body.contains("Sandbox.Timedout"))
      try await host.eventually { $0.stopped.count == 1 }
      #expect(try await host.invoke("f", #"{"do":"exit","status":3}"#).body.contains("Runtime.ExitError"))
      try await host.eventually { $0.stopped.count == 2 }
    }
    let reasons = folder.lines().compactMap { value("shutdownReason", in: $0) }
    #expect(reasons == ["TIMEOUT", "FAILURE"])
  }

  @Test func `that ask for more after SHUTDOWN wait, until they are killed`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, ["agent": "ignores-shutdown"], idleLimit: .milliseconds(100))])
    ) { host async throws in
      _ = try await host.invoke("f")
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.stopped.first?.reason == .idle)
    #expect(folder.story() == ["started", "registered", "INVOKE", "SHUTDOWN"])
  }

  @Test func `are killed at the deadline, and the runtime after its part`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, ["agent": "shutdown-sleep=60"], idleLimit: .milliseconds(100))])
    ) { host async throws in
      _ = try await host.invoke("f")
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.stopped.first?.reason == .idle)
    #expect(folder.story().last == "SHUTDOWN")
  }

  @Test(arguments: [
    ("exits-at-start=0", "Extension.Crash", "exit code 0"), ("exits-at-start=3", "Extension.Crash", "exit status 3"),
    ("init-error", "Extension.InitError", "the extension agent reported Extension.Broken"),
  ])
  func `that fail while they initialize fail the instance`(_ mode: String, _ type: String, _ words: String) async throws
  {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(HostConfiguration(functions: [function(folder, ["agent": mode])])) {
      host async throws in
      let answer = try await host.invoke("f")
      #expect(answer.body.contains("\"errorType\":\"\(type)\""), "\(answer.body)")
      #expect(answer.body.contains("Error: \(words)\""), "\(answer.body)")
      #expect(answer.header("X-Amz-Function-Error") == "Unhandled")
    }
    #expect(events.ready.map(\.status) == [.error, .error])
    #expect(events.ready.map(\.phase) == [.initialization, .invocation])
  }

  @Test(arguments: [("crashes=1", "Extension.Crash"), ("exit-error", "Extension.ExitError")])
  func `that fail in an invocation end the instance`(_ mode: String, _ type: String) async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(HostConfiguration(functions: [function(folder, ["agent": mode])])) {
      host async throws in
      let answer = try await host.invoke("f", #"{"do":"sleep","seconds":30}"#)
      #expect(answer.body.contains(type), "\(answer.body)")
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.finished.map(\.outcome) == [.crash])
    #expect(events.stopped.map(\.reason) == [.failure])
  }

  @Test func `that never register block the initialization until its limit`() async throws {
    let folder = try ExtensionFolder(["agent", "silent"])
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [
        function(
          folder, ["silent": "never-registers"], timeout: .seconds(2), initializationLimit: .milliseconds(1500))
      ])
    ) { host async throws in
      #expect(try await host.invoke("f").body.contains("Sandbox.Timedout"))
    }
    #expect(events.ready.map(\.status) == [.timeout, .timeout])
    #expect(folder.story().contains("SHUTDOWN"))
  }

  @Test func `that register twice are refused the second time, and go on`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(HostConfiguration(functions: [function(folder, ["agent": "registers-twice"])])) {
      host async throws in #expect(try await host.invoke("f").status == 200)
    }
    let registrations = folder.lines().filter { $0.contains("\"registered\"") }
    #expect(registrations.map { value("status", in: $0) } == ["200", "403"])
    #expect(value("errorType", in: registrations[1]) == "Extension.InvalidExtensionState")
  }

  @Test func `inside the runtime are told of invocations too, and bad calls are refused in AWS's words`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f", environment: ["INTERNAL": "inner"])])) {
      host async throws in
      let answer = try await host.invoke("f", #"{"do":"internal"}"#).body
      #expect(answer.contains(#""event": "INVOKE""#), "\(answer)")
      for type in [
        "Extension.InvalidEventType", "Extension.InvalidExtensionName", "Extension.InvalidExtensionState",
        "Extension.MissingExtensionIdentifier", "Extension.InvalidExtensionIdentifier",
        "Extension.UnknownExtensionIdentifier", "InvalidRequestFormat", "Extension.MissingHeader",
        "Extension.RegistrationClosed",
      ] { #expect(answer.contains("403 \(type)"), "\(type): \(answer)") }
    }
  }

  @Test func `are named when their files cannot be executed`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    for name in ["forgotten", "README.md"] {
      close(unsafe open("\(folder.directory)/\(name)", O_CREAT | O_WRONLY, 0o644))
    }
    unsafe symlink("/nowhere/at/all", "\(folder.directory)/dangling")
    unsafe mkdir("\(folder.directory)/lib", 0o755)
    let found = try ExtensionFiles.list(in: folder.directory, of: "f")
    #expect(found.programs == ["agent"] && found.others == ["README.md", "dangling", "forgotten"])
    let log = RecordedLog()
    try await HostFixture.run(HostConfiguration(functions: [function(folder)]), logger: log.logger) {
      host async throws in
      #expect(try await host.invoke("f").status == 200)
    }
    let named = log.lines.filter { $0.contains("is not executable") }
    #expect(named.count == 3 && named[2].contains("file=\(folder.directory)/forgotten"), "\(log.lines)")
    unsafe rmdir("\(folder.directory)/lib")
  }

  @Test func `come from a directory that can be read and has at most ten`() throws {
    func message(_ directory: String) -> String? {
      var function = python("f")
      function.extensions = directory
      do throws(HostError) {
        try HostCore.validate(HostConfiguration(functions: [function]), at: Timestamp(nanoseconds: 0))
        return nil
      } catch {
        #expect(error.code == .configuration)
        return error.message
      }
    }
    #expect(message("/nowhere/at/all")?.contains("/nowhere/at/all: No such file or directory") == true)
    let ten = try ExtensionFolder((0..<10).map { "e\($0)" })
    defer { ten.remove() }
    #expect(message(ten.directory) == nil)
    let eleven = try ExtensionFolder((0..<11).map { "e\($0)" })
    defer { eleven.remove() }
    #expect(message(eleven.directory)?.contains("has 11 extensions for 'f'; at most 10") == true)
    #expect(try ExtensionFiles.names(in: "\(fixtures)", of: "f") == ["extension.py"])
  }
}
