import Documents
import Lifecycle
import NIOHTTP1
import Testing
import WindowStore
import Windows

@testable import kelvin

/// Runs a command against a server that gives fixed answers.
private func run(
  _ arguments: [String], against answers: [String: FakeServer.Answer], option: String
) async throws -> (outcome: KelvinBinary.Outcome, asked: [FakeServer.Asked]) {
  let server = try await FakeServer(answers)
  let outcome = try KelvinBinary.run(arguments + [option, server.url], folder: TemporaryFolder())
  let asked = server.asked
  await server.close()
  return (outcome, asked)
}

@Suite struct `invoke against a host` {
  private static let path = "/2015-03-31/functions/f/invocations"

  private func invoke(
    _ arguments: String..., answer: FakeServer.Answer
  ) async throws -> (outcome: KelvinBinary.Outcome, asked: [FakeServer.Asked]) {
    try await run(["invoke", "f"] + arguments, against: [Self.path: answer], option: "--host-url")
  }

  @Test func `prints the answer unchanged and sends the event as it is`() async throws {
    let (outcome, asked) = try await invoke(#"{"a": 1}"#, answer: .init(body: #"{"ok":true}"#))
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == #"{"ok":true}"#)
    #expect(outcome.messages == "")
    #expect(asked.map(\.body) == [#"{"a": 1}"#])
    #expect(asked.first?.headers.first(name: "X-Amz-Invocation-Type") == "RequestResponse")
  }

  @Test func `sends an empty object if there is no event`() async throws {
    #expect(try await invoke(answer: .init(body: "null")).asked.map(\.body) == ["{}"])
  }

  @Test func `reads the event from a file and from standard input`() async throws {
    let server = try await FakeServer([Self.path: .init(body: "1")])
    let folder = try TemporaryFolder()
    try folder.write("[1]", to: "event.json")
    let fromFile = try KelvinBinary.run(["invoke", "f", "@event.json", "--host-url", server.url], folder: folder)
    let fromInput = try KelvinBinary.run(["invoke", "f", "-", "--host-url", server.url], folder: folder, input: "[2]")
    #expect([fromFile.exitCode, fromInput.exitCode] == [0, 0])
    #expect(server.asked.map(\.body) == ["[1]", "[2]"])
    await server.close()
  }

  @Test func `puts the error of a function on standard error and ends with 1`() async throws {
    let document = #"{"errorMessage":"no","errorType":"E"}"#
    let answer = FakeServer.Answer(headers: [("X-Amz-Function-Error", "Unhandled")], body: document)
    let (outcome, _) = try await invoke(answer: answer)
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(outcome.messages == "\(document)\nkelvin: The function f failed (Unhandled). Its log: kelvin logs f\n")
  }

  @Test func `says that an event is accepted`() async throws {
    let answer = FakeServer.Answer(status: 202, headers: [("x-amzn-RequestId", "17")])
    let (outcome, asked) = try await invoke("--event", answer: answer)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "")
    #expect(outcome.messages == "The host accepted the event; request id 17.\n")
    #expect(asked.first?.headers.first(name: "X-Amz-Invocation-Type") == "Event")
  }

  @Test func `shows the log on standard error if it is asked to`() async throws {
    // Two lines: "START" and "ü".
    let answer = FakeServer.Answer(headers: [("X-Amz-Log-Result", "U1RBUlQKw7wK")], body: "1")
    for option in ["--tail", "--log"] {
      let (outcome, asked) = try await invoke(option, answer: answer)
      #expect(outcome.output == "1")
      #expect(outcome.messages == "START\nü\n")
      #expect(asked.first?.headers.first(name: "X-Amz-Log-Type") == "Tail")
      #expect(asked.first?.target == Self.path + "?Qualifier=current")
    }
    let (_, plain) = try await invoke(answer: .init(body: "1"))
    #expect(plain.first?.headers.contains(name: "X-Amz-Log-Type") == false)
  }

  @Test func `takes no log that is no Base64`() async throws {
    let answer = FakeServer.Answer(headers: [("X-Amz-Log-Result", "%%%")], body: "1")
    let (outcome, _) = try await invoke("--tail", answer: answer)
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
  }

  @Test(arguments: [
    (429, "The host throttled the function f: "), (413, "The host answered 413"),
    (500, "The host answered 500"),
  ])
  func `ends with 1 and the reason if the host refuses`(_ status: Int, sentence: String) async throws {
    let (outcome, _) = try await invoke(answer: .init(status: status, body: #"{"Message":"because"}"#))
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(outcome.messages.hasPrefix("kelvin: \(sentence)"))
    #expect(outcome.messages.contains("because"))
  }

  @Test func `ends with 64 if there is no such function, whatever else the server does not have`() async throws {
    let (outcome, _) = try await invoke(answer: .init(status: 404, body: #"{"Message":"because"}"#))
    #expect(outcome.exitCode == 64)
    #expect(outcome.messages.hasPrefix("kelvin: There is no function f at http://127.0.0.1:"))
  }

  @Test func `ends with 64 and AWS's sentence if the event is not JSON`() async throws {
    let (outcome, _) = try await invoke(
      answer: .init(
        status: 400, headers: [("x-amzn-ErrorType", "InvalidRequestContentException")],
        body: #"{"Type":"User","message":"because"}"#))
    #expect(outcome.exitCode == 64)
    #expect(outcome.messages.hasPrefix("kelvin: The event is not JSON. Because"), "\(outcome.messages)")
  }
}

@Suite struct `metrics lambda` {
  private static var document: WindowsDocument {
    let start = Timestamp(seconds: 1_795_428_000)
    var window = WindowDocument(function: "orders", start: start, end: start + .seconds(60), closed: true)
    window[count: .invocations] = 5
    window[count: .throttles] = 3
    window.concurrencyMax = 2
    return WindowsDocument(
      resolution: .seconds(60), from: start, to: start + .seconds(60), windows: [window])
  }
  private static let body = String(decoding: document.json(), as: UTF8.self)

  private func metrics(
    _ arguments: String..., answer: FakeServer.Answer = .init(body: body)
  ) async throws -> (outcome: KelvinBinary.Outcome, asked: [FakeServer.Asked]) {
    try await run(["metrics", "lambda"] + arguments, against: ["/api/v1/windows": answer], option: "--agent")
  }

  @Test func `prints a table without colour or cuts where there is no terminal`() async throws {
    let (outcome, asked) = try await metrics()
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.hasPrefix("Timestamp "))
    #expect(outcome.output.split(separator: "\n").count == 2)
    #expect(!outcome.output.contains("\u{1B}"))
    #expect(outcome.messages == "")
    #expect(asked.map(\.target) == ["/api/v1/windows"])
  }

  @Test func `prints the agent's JSON as it is`() async throws {
    let (outcome, _) = try await metrics("--output", "json")
    #expect(outcome.output == Self.body + (Self.body.hasSuffix("\n") ? "" : "\n"))
  }

  @Test func `prints comma-separated values`() async throws {
    let (outcome, _) = try await metrics("-o", "csv")
    #expect(outcome.output.split(whereSeparator: \.isNewline).count == 2)
    #expect(outcome.output.contains("orders,"))
  }

  @Test func `asks for what the options say, encoded`() async throws {
    let (_, asked) = try await metrics("--function", "a&b", "--range", "90m", "--resolution", "5m")
    #expect(asked.map(\.target) == ["/api/v1/windows?range=90m&resolution=5m&function=a%26b"])
  }

  @Test func `ends with 64 and the agent's sentence if it refuses a parameter`() async throws {
    let error = ErrorDocument(code: "invalid-parameter", message: "No such resolution.")
    let answer = FakeServer.Answer(status: 400, body: String(decoding: error.json(), as: UTF8.self))
    let (outcome, _) = try await metrics(answer: answer)
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
    #expect(outcome.messages == "kelvin: No such resolution.\n")
  }

  @Test(arguments: ["", "[]", "<html>", #"{"windows":[{}]}"#])
  func `ends with 1 if the answer is somebody else's`(_ body: String) async throws {
    let (outcome, _) = try await metrics(answer: .init(body: body))
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(outcome.messages.hasPrefix("kelvin: The agent's answer cannot be read"))
  }

  @Test(arguments: [
    ["--range", "12"], ["--range", "500ms"], ["--range", "yesterday"], ["--resolution", "0s"], ["--output", "xml"],
    ["--data-dir", "x", "--agent", "127.0.0.1"],
  ])
  func `ends with 64 on options that make no sense`(_ arguments: [String]) throws {
    let outcome = try KelvinBinary.run(["metrics", "lambda"] + arguments, folder: TemporaryFolder())
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
  }

  @Test func `ends with 69 and says how to start an agent if none answers`() throws {
    let outcome = try KelvinBinary.run(["metrics", "lambda", "--agent", "127.0.0.1:1"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 69)
    #expect(outcome.messages.hasPrefix("kelvin: No agent answers at http://127.0.0.1:1. Start one with kelvin host"))
  }
}

@Suite struct `metrics lambda from a store` {
  private func metrics(_ folder: TemporaryFolder, _ arguments: String...) throws -> KelvinBinary.Outcome {
    try KelvinBinary.run(["metrics", "lambda", "--data-dir", folder.path] + arguments, folder: folder)
  }

  /// A store in which `orders` had three invocations, two of them at once, ten seconds before `now`.
  private func store(in folder: TemporaryFolder, now: Timestamp) throws {
    let store = try WindowStore.open(
      directory: folder.path, window: .seconds(60), retention: Retention(window: .seconds(60)))
    var aggregator = Aggregator(AggregatorConfiguration(window: .seconds(60)))
    for (number, offset) in [Int64(0), 1, 100].enumerated() {
      let finished = InvocationFinished(
        request: RequestID(Identifier128(high: 1, low: UInt64(number))),
        start: now - .seconds(10) + .milliseconds(offset), duration: .milliseconds(20), trigger: .direct,
        pool: .unreserved, outcome: .success)
      let instance = InstanceID(Identifier128(high: 2, low: UInt64(number)))
      let event = LifecycleEvent(.instance(instance, of: FunctionID("orders")), .invocationFinished(finished))
      #expect(aggregator.apply(event, now: now) == nil)
    }
    try store.save(aggregator.checkpoint(now: now))
    try store.close()
  }

  @Test func `shows what the store has`() throws {
    let folder = try TemporaryFolder()
    try store(in: folder, now: SystemClock.now())
    let outcome = try metrics(folder, "--function", "orders", "--range", "10m", "--output", "json")
    #expect(outcome.messages == "")
    #expect(outcome.exitCode == 0)
    let document = try WindowsDocument(json: Array(outcome.output.utf8))
    #expect(document.resolution == .seconds(60))
    #expect(document.windows.map(\.invocations).reduce(0, +) == 3)
    #expect(document.windows.map(\.concurrencyMax).max() == 2)
    let table = try metrics(folder, "--range", "10m")
    #expect(table.output.hasPrefix("Timestamp "))
  }

  @Test(arguments: [
    (["--function", "nothing"], "kelvin: There is no function nothing in the store in "),
    (["--resolution", "90s"], "kelvin: "), (["--resolution", "1m", "--range", "3650d"], "kelvin: "),
  ])
  func `ends with 64 on parameters that do not suit it`(_ arguments: [String], sentence: String) throws {
    let folder = try TemporaryFolder()
    try store(in: folder, now: SystemClock.now())
    let outcome = try KelvinBinary.run(
      ["metrics", "lambda", "--data-dir", folder.path] + arguments, folder: folder)
    #expect(outcome.exitCode == 64)
    #expect(outcome.messages.hasPrefix(sentence))
  }

  @Test func `ends with 1 if there is no store`() throws {
    let outcome = try metrics(TemporaryFolder())
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(outcome.messages.contains("no store"))
  }
}
