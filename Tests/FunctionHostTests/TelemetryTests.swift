import Lifecycle
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(3))) struct `Telemetry of real instances` {
  private func function(
    _ folder: ExtensionFolder, _ mode: String, timeout: Nanoseconds? = nil,
    initializationLimit: Nanoseconds = .seconds(10), environment: [String: String] = [:]
  ) -> FunctionSpecification {
    var variables = environment
    variables["JOURNAL"] = folder.journal
    variables["EXTENSION"] = mode
    var function = python(
      "f", environment: variables, timeout: timeout, initializationLimit: initializationLimit)
    function.extensions = folder.directory
    return function
  }

  /// The records that were delivered, in order.
  private func records(_ folder: ExtensionFolder) -> [String] {
    folder.lines().filter { $0.contains("\"what\": \"telemetry\"") }
  }

  private func types(_ folder: ExtensionFolder) -> [String] { records(folder).compactMap { value("type", in: $0) } }

  private func number(_ name: String, in line: String?) -> Double {
    line.flatMap { value(name, in: $0) }.flatMap(Double.init) ?? -1
  }

  @Test(arguments: ["HTTP", "TCP"])
  func `tells a cold and a warm invocation in order`(_ network: String) async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [
        function(folder, "subscribe=platform,function,extension;prints=seen;protocol=\(network)")
      ])
    ) { host async throws in
      _ = try await host.invoke("f", #"{"do":"print","text":"charged"}"#)
      try await folder.eventually { $0.contains { $0.contains("platform.report") } }
      try await host.eventuallyIdle()
      _ = try await host.invoke("f")
      try await folder.eventually { $0.filter { $0.contains("platform.report") }.count == 2 }
    }
    let types = types(folder).filter { $0.hasPrefix("platform.") }
    #expect(
      types.filter { $0 != "platform.extension" && $0 != "platform.telemetrySubscription" } == [
        "platform.initStart", "platform.initRuntimeDone", "platform.initReport", "platform.start",
        "platform.runtimeDone",
        "platform.report", "platform.start", "platform.runtimeDone", "platform.report",
      ])
    #expect(types.firstIndex(of: "platform.telemetrySubscription") == 1)
    #expect(types.contains("platform.extension"))
    let records = records(folder)
    #expect(records.contains { $0.contains(#""type": "function", "record": "charged\n""#) })
    #expect(records.contains { $0.contains(#""type": "extension", "record": "seen\n""#) })
    checkNumbers(records, events)
  }

  private func checkNumbers(_ records: [String], _ events: [LifecycleEvent]) {
    let reports = records.filter { $0.contains("platform.report") }
    let done = records.filter { $0.contains("platform.runtimeDone") }
    let initialization = events.ready[0].duration.count
    #expect(number("initDurationMs", in: reports.first) == Double((initialization + 500) / 1000) / 1000)
    #expect(value("initDurationMs", in: reports[1]) == nil)
    for (index, finished) in events.finished.enumerated() {
      #expect(value("requestId", in: reports[index]) == finished.request.value.uuidText)
      let milliseconds = Double(finished.duration.count) / 1e6
      #expect(number("durationMs", in: done[index]) >= milliseconds - 0.001)
      #expect(number("durationMs", in: reports[index]) >= number("durationMs", in: done[index]) - 0.001)
      let total = number("durationMs", in: reports[index]) + max(0, number("initDurationMs", in: reports[index]))
      #expect(abs(number("billedDurationMs", in: reports[index]) - total.rounded(.up)) <= 1)
      #expect(number("memorySizeMB", in: reports[index]) == 128)
      #expect(number("maxMemoryUsedMB", in: reports[index]) > 1)
      for span in ["responseLatency", "responseDuration", "runtimeOverhead"] { #expect(done[index].contains(span)) }
      #expect(reports[index].contains("extensionOverhead"))
    }
    #expect(records.first.flatMap { value("instanceId", in: $0) }?.contains("/[$LATEST]") == true)
    #expect(number("instanceMaxMemory", in: records.first) == 134_217_728)
  }

  @Test func `tells timeouts and crashes, and then the end`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [
        function(folder, "subscribe=platform;shutdown-sleep=0.3", timeout: .seconds(1))
      ])
    ) { host async throws in
      _ = try await host.invoke("f", #"{"do":"loop"}"#)
      try await host.eventually { $0.stopped.count == 1 }
      _ = try await host.invoke("f", #"{"do":"exit","status":3}"#)
      try await host.eventually { $0.stopped.count == 2 }
    }
    let records = records(folder)
    let reports = records.filter { $0.contains("platform.report") }
    #expect(reports.count == 2)
    #expect(value("status", in: reports[0]) == "timeout" && number("durationMs", in: reports[0]) == 1000)
    #expect(number("billedDurationMs", in: reports[0]) >= 1000)
    #expect(value("status", in: reports[1]) == "error" && value("errorType", in: reports[1]) == "Runtime.ExitError")
    let done = records.filter { $0.contains("platform.runtimeDone") }
    #expect(done.map { value("status", in: $0) } == ["timeout", "error"])
    #expect(done.map { number("producedBytes", in: $0) } == [0, 0])
  }

  @Test func `tells a failure's report before the end, also to a listener that takes its time`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [
        function(folder, "subscribe=platform;timeoutMs=30000;listener-sleep=0.1", timeout: .seconds(1))
      ])
    ) { host async throws in
      for (index, event) in [#"{"do":"exit","status":3}"#, #"{"do":"loop"}"#].enumerated() {
        _ = try await host.invoke("f", event)
        try await host.eventually { $0.stopped.count == index + 1 }
      }
    }
    let story = folder.story().filter { ["platform.runtimeDone", "platform.report", "SHUTDOWN"].contains($0) }
    let each = ["platform.runtimeDone", "platform.report", "SHUTDOWN"]
    #expect(story == each + each)
  }

  @Test func `tells an initialization that is repeated inside its invocation`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [
        function(
          folder, "subscribe=platform;shutdown-sleep=0.3",
          environment: ["INIT": "exit", "INIT_MARKER": "\(folder.journal)/marker"])
      ])
    ) { host async throws in
      #expect(try await host.invoke("f").status == 200)
      try await folder.eventually { $0.contains { $0.contains("platform.report") } }
    }
    let records = records(folder).filter { !$0.contains("platform.extension") && !$0.contains("Subscription") }
    let told = records.map {
      "\(value("type", in: $0) ?? "") \(value("phase", in: $0) ?? value("status", in: $0) ?? "")"
    }
    // The failed instance says its last words while the other one begins.
    let first = ["platform.initStart init", "platform.initRuntimeDone init", "platform.initReport init"]
    #expect(told.filter { first.contains($0) } == first)
    #expect(
      told.filter { !first.contains($0) } == [
        "platform.start ", "platform.initStart invoke", "platform.initRuntimeDone invoke", "platform.initReport invoke",
        "platform.runtimeDone success", "platform.report success",
      ])
    let report = records.first { $0.contains("platform.report") }
    #expect(report.flatMap { value("initDurationMs", in: $0) } == nil)
    #expect(
      records.first { $0.contains("initReport") && $0.contains(#""status": "error""#) }?.contains("Runtime.ExitError")
        == true)
  }

  @Test func `speaks the old Logs API`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [function(folder, "subscribe=platform,function;api=logs")])
    ) { host async throws in
      _ = try await host.invoke("f", #"{"do":"print","text":"charged"}"#)
      try await folder.eventually { $0.contains { $0.contains("platform.report") } }
    }
    let types = types(folder)
    #expect(
      types.filter { $0 != "platform.extension" && $0 != "function" } == [
        "platform.logsSubscription", "platform.start", "platform.runtimeDone", "platform.end", "platform.report",
      ])
    #expect(types.contains("function"))
  }

  @Test func `is delivered again to a listener that fails, and late to a slow one`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [
        function(folder, "subscribe=platform;listener-fails=3;listener-sleep=0.1")
      ])
    ) { host async throws in
      for _ in 0..<3 {
        _ = try await host.invoke("f")
        try await host.eventuallyIdle()
      }
      try await folder.eventually { $0.filter { $0.contains("platform.report") }.count >= 3 }
    }
    #expect(types(folder).filter { $0 == "platform.initStart" }.count >= 1)
  }

  @Test func `to a listener that is not there harms nobody`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    let events = try await HostFixture.run(
      HostConfiguration(functions: [function(folder, "subscribe=platform,function;dead=1")])
    ) { host async throws in
      for _ in 0..<20 {
        #expect(try await host.invoke("f").status == 200)
        try await host.eventuallyIdle()
      }
    }
    #expect(folder.lines().contains { $0.contains("\"subscribed\"") && value("status", in: $0) == "200" })
    #expect(events.finished.count == 20 && events.started.count == 1)
  }

  @Test func `that is too much is dropped and counted`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    try await HostFixture.run(
      HostConfiguration(functions: [
        function(folder, "subscribe=platform,function;listener-sleep=1", timeout: .seconds(60))
      ])
    ) { host async throws in
      #expect(try await host.invoke("f", #"{"do":"flood","lines":20000}"#).status == 200)
      try await folder.eventually { $0.contains { $0.contains("platform.logsDropped") } }
      // Nobody else notices.
      #expect(try await host.invoke("f").status == 200)
    }
    let dropped = records(folder).first { $0.contains("platform.logsDropped") }
    #expect(number("droppedRecords", in: dropped) > 0 && number("droppedBytes", in: dropped) > 0)
  }

  @Test func `is refused to strangers, and after the initialization`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f", environment: ["INTERNAL": "inner"])])) {
      host async throws in
      let body = try await host.invoke("f", #"{"do":"subscribe"}"#).body
      #expect(body.contains(#""missing": "403 Extension.MissingExtensionIdentifier""#), "\(body)")
      #expect(body.contains(#""unknown": "403 Extension.UnknownExtensionIdentifier""#), "\(body)")
      #expect(body.contains(#""late": "403 Telemetry.SubscriptionClosed""#), "\(body)")
      #expect(body.contains(#""late logs": "403 Logs.SubscriptionClosed""#), "\(body)")
    }
  }
}
