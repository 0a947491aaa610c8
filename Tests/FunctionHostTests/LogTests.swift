import Text
import Glibc
import LambdaRecords
import Lifecycle
import NIOCore
import Testing

@testable import FunctionHost
import LambdaAPI

@Suite struct `A log file` {
  private func withFolder(_ body: (String) throws -> Void) throws {
    var template = Array("/tmp/kelvin-log-XXXXXX".utf8CString)
    let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    defer {
      for name in files(in: folder) { unsafe unlink("\(folder)/\(name)") }
      unsafe rmdir(folder)
    }
    try body(folder)
  }

  @Test func `is put aside when it is full, and one old one is kept`() throws {
    try withFolder { folder in
      let path = "\(folder)/f.log"
      for number in 0..<7 {
        let loss = LogFile.append(ByteBuffer(string: "line \(number)\n"), to: path, bytesMax: 16)
        #expect(loss == LogFile.Loss())
      }
      #expect(files(in: folder).sorted() == ["f.log", "f.log.1"])
      #expect(text("\(path).1") == "line 4\nline 5\n")
      #expect(text(path) == "line 6\n")
      // What is larger than a file by itself is taken all the same.
      #expect(LogFile.append(ByteBuffer(string: "a long line of a log\n"), to: path, bytesMax: 16).lines == 0)
      #expect(text(path) == "a long line of a log\n" && text("\(path).1") == "line 6\n")
    }
  }

  @Test func `that cannot be opened loses lines and counts them`() throws {
    let loss = LogFile.append(ByteBuffer(string: "one\ntwo\n"), to: "/nowhere/at/all/f.log")
    #expect(loss == LogFile.Loss(lines: 2, bytes: 8, reason: "No such file or directory"))
  }

  @Test func `on a full disk loses lines, counts them, and keeps no half of one`() throws {
    // A file that cannot grow over its limit is what a full disk is: writes are short, then refused.
    let loss = LogFile.append(ByteBuffer(string: "one\ntwo\n"), to: "/dev/full")
    #expect(loss == LogFile.Loss(lines: 2, bytes: 8, reason: "No space left on device"))
  }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct `Logs of real functions` {
  private func withFolder(_ body: (String) async throws -> Void) async throws {
    var template = Array("/tmp/kelvin-logs-XXXXXX".utf8CString)
    let folder = try #require(unsafe mkdtemp(&template).map { unsafe String(cString: $0) })
    defer {
      for name in files(in: "\(folder)/logs") { unsafe unlink("\(folder)/logs/\(name)") }
      unsafe rmdir("\(folder)/logs")
      unsafe rmdir(folder)
    }
    try await body(folder)
  }

  @Test func `have what a function prints between the lines of its invocation`() async throws {
    try await withFolder { folder in
      try await HostFixture.run(HostConfiguration(functions: [python("f")], logDirectory: "\(folder)/logs")) {
        host async throws in _ = try await host.invoke("f", #"{"do":"print","text":"charged"}"#)
      }
      let lines = text("\(folder)/logs/f.log").split(separator: "\n")
      #expect(lines.count == 5)
      #expect(lines[0].hasPrefix("INIT_START ") && lines[1].hasPrefix("START "))
      #expect(lines.contains("function | charged"))
      #expect(lines.contains { $0.hasPrefix("REPORT ") && $0.contains("\tInit Duration: ") })
    }
  }

  @Test func `have lines of 256 KiB whole, and split what is longer`() async throws {
    try await withFolder { folder in
      try await HostFixture.run(HostConfiguration(functions: [python("f")], logDirectory: "\(folder)/logs")) {
        host async throws in
        for count in [262_144, 262_145] {
          let event = #"{"do":"long-line","bytes":\#(count)}"#
          let answer = try await host.invoke("f", event, headers: [("X-Amz-Log-Type", "Tail")])
          let tail = answer.header("X-Amz-Log-Result").flatMap(Base64.decode).map {
            String(decoding: $0, as: UTF8.self)
          }
          #expect(tail?.contains(count == 262_144 ? #"xxx"}"# : "\n}") == true)
          try await host.eventuallyIdle()
        }
      }
      let lines = text("\(folder)/logs/f.log").split(separator: "\n").map(\.utf8.count)
      #expect(lines.filter { $0 > 10_000 } == Array(repeating: 262_144 + "function | ".utf8.count, count: 2))
    }
  }

  @Test func `are JSON if that is configured, and the function is told`() async throws {
    try await withFolder { folder in
      var function = python("f")
      function.logFormat = .json
      try await HostFixture.run(HostConfiguration(functions: [function], logDirectory: "\(folder)/logs")) {
        host async throws in
        let answer = try await host.invoke("f", #"{"do":"environment"}"#, headers: [("X-Amz-Log-Type", "Tail")])
        #expect(answer.body.contains(#""AWS_LAMBDA_LOG_FORMAT": "JSON""#))
        let tail = answer.header("X-Amz-Log-Result").flatMap(Base64.decode).map { String(decoding: $0, as: UTF8.self) }
        #expect(tail?.contains(#""type":"platform.report""#) == true)
      }
      let lines = text("\(folder)/logs/f.log").split(separator: "\n").map {
        value("type", in: String($0.replacing(":", with: ": ")))
      }
      #expect(lines == ["platform.initStart", "platform.start", "platform.report"])
    }
  }

  @Test(arguments: LogFormat.allCases)
  func `tell the host's lines from those that a program made to look like them`(_ format: LogFormat) async throws {
    let forged = [
      "REPORT RequestId: 00000000-0000-4000-8000-000000000000\tDuration: 1.00 ms\t", "function | START",
      #"{"time":"2025-01-01T00:00:00.000Z","type":"platform.report","record":{}}"#, "kelvin: 1 lines of this log",
    ]
    try await withFolder { folder in
      var function = python("f")
      function.logFormat = format
      try await HostFixture.run(HostConfiguration(functions: [function], logDirectory: "\(folder)/logs")) {
        host async throws in
        var event = JSONWriter()
        event.object {
          $0.member("do", "print")
          $0.member("text", forged.joined(separator: "\n"))
        }
        #expect(try await host.invoke("f", String(buffer: event.buffer)).status == 200)
      }
      let lines = text("\(folder)/logs/f.log").split(separator: "\n").map(String.init)
      switch format {
      case .text:
        #expect(lines.filter { $0.hasPrefix("function | ") } == forged.map { "function | \($0)" })
        #expect(lines.filter { $0.hasPrefix("REPORT ") || $0.hasPrefix("kelvin:") }.count == 1)
      case .json:
        #expect(lines.allSatisfy { ByteBuffer(string: $0).jsonProblem() == nil })
        #expect(lines.filter { $0.contains(#","type":"function","record":"#) }.count == 4)
        #expect(lines.filter { $0.dropFirst(34).hasPrefix(#","type":"platform.report""#) }.count == 1, "\(lines)")
      }
    }
  }

  @Test func `that cannot be written harm nobody`() async throws {
    let events = try await HostFixture.run(
      HostConfiguration(functions: [python("f")], logDirectory: "/proc/no/such/folder")
    ) { host async throws in
      for _ in 0..<3 {
        #expect(try await host.invoke("f", #"{"do":"print","text":"lost"}"#).status == 200)
        try await host.eventuallyIdle()
      }
    }
    #expect(events.finished.map(\.outcome) == [.success, .success, .success])
  }

  @Test func `lose what comes faster than it is written, and nobody waits`() async throws {
    try await withFolder { folder in
      try await HostFixture.run(HostConfiguration(functions: [python("f")], logDirectory: "\(folder)/logs")) {
        host async throws in
        #expect(try await host.invoke("f", #"{"do":"flood","lines":60000}"#).status == 200)
      }
      // 6 MB: what is not in the log is told there, and no line is broken.
      let lines = text("\(folder)/logs/f.log").split(separator: "\n")
      #expect(lines.contains { $0.hasPrefix("REPORT ") })
      for line in lines where line.hasPrefix("function | 0") { #expect(line.utf8.count == 99 + 11) }
      let lost = lines.compactMap { line -> Int? in
        let words = line.split(separator: " ").map(String.init)
        return words.first == "kelvin:" ? Int(words[1]) : nil
      }
      let total = lost.reduce(lines.filter { $0.hasPrefix("function | 0") }.count) { $0 + $1 }
      #expect(total == 60_000)
    }
  }
}

@Suite(.serialized, .timeLimit(.minutes(2))) struct `Freezing` {
  /// The states of all processes with a mark in their environment: their own ids are not known outside of their sandbox.
  private func states(_ mark: String) -> [String] {
    files(in: "/proc").filter { $0.utf8.allSatisfy { (48...57).contains($0) } }.compactMap { process in
      guard text("/proc/\(process)/environ").contains("FREEZE_MARK=\(mark)") else { return nil }
      let status = text("/proc/\(process)/stat")
      return status.lastIndex(of: ")").map { String(status[$0...].dropFirst(2).prefix(1)) }
    }
  }

  private func eventuallyStopped(_ mark: String, _ count: Int, sourceLocation: SourceLocation = #_sourceLocation)
    async throws
  {
    let end = ContinuousClock.now + .seconds(20)
    while states(mark) != Array(repeating: "T", count: count) {
      if ContinuousClock.now > end {
        Issue.record("They are \(states(mark))", sourceLocation: sourceLocation)
        return
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }

  private func frozen(
    _ mark: String, _ environment: [String: String] = [:], timeout: Nanoseconds? = nil,
    onTimeout: FunctionSpecification.TimeoutAction = .restart, idleLimit: Nanoseconds = .seconds(600)
  ) -> FunctionSpecification {
    var variables = environment
    variables["FREEZE_MARK"] = mark
    var function = python(
      "f", environment: variables, timeout: timeout, onTimeout: onTimeout, idleLimit: idleLimit)
    function.freezes = true
    return function
  }

  @Test func `stops an idle instance, and lets it go on for the next event and for its end`() async throws {
    let functions = [frozen("idle", idleLimit: .seconds(3))]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      _ = try await host.invoke("f")
      try await eventuallyStopped("idle", 1)
      #expect(try await host.invoke("f").status == 200)
      try await eventuallyStopped("idle", 1)
      try await host.eventually { $0.stopped.count == 1 }
    }
    #expect(events.finished.map(\.outcome) == [.success, .success])
    #expect(events.started.count == 1 && events.stopped.map(\.reason) == [.idle])
  }

  @Test func `leaves a handler that ran over its time alone until it has stopped`() async throws {
    let functions = [frozen("late", timeout: .seconds(1), onTimeout: .continue)]
    let events = try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      _ = try await host.invoke("f")
      try await eventuallyStopped("late", 1)
      _ = try await host.invoke("f", #"{"do":"handler-timeout","late":1}"#)
      try await host.eventually { $0.overlapsEnded.count == 1 }
      try await eventuallyStopped("late", 1)
    }
    #expect(events.overlapsEnded.count == 1 && events.started.count == 1)
  }

  @Test func `thaws extensions so that they see the end`() async throws {
    let folder = try ExtensionFolder()
    defer { folder.remove() }
    var function = frozen(
      "both", ["JOURNAL": folder.journal, "EXTENSION": "subscribe=platform;timeoutMs=1000;shutdown-sleep=0.3"])
    function.extensions = folder.directory
    try await HostFixture.run(HostConfiguration(functions: [function])) { host async throws in
      _ = try await host.invoke("f")
      try await eventuallyStopped("both", 2)
      // The report waits until the instance goes on.
      #expect(!folder.story().contains("platform.report"))
    }
    let story = folder.story()
    #expect(story.contains("platform.report") && story.contains("SHUTDOWN") && story.last == "ended")
  }
}
