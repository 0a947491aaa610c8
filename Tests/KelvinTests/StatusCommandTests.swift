import Documents
import Lifecycle
import Testing
import Windows

@testable import kelvin

/// An agent's answers.
private func agentAnswers(hostPort: Int? = nil) -> [String: FakeServer.Answer] {
  let start = Timestamp(seconds: 1_795_428_000)
  var orders = FunctionSnapshot(function: FunctionID("orders"), firstSeen: start)
  orders.limits = FunctionLimitsChanged(
    time: start, reserved: 50, memoryLimitBytes: 512 << 20, timeout: .milliseconds(1_500),
    temporaryStorageLimitBytes: 512 << 20)
  orders.instances[.idle] = 2
  let status = StatusDocument(
    version: "9.9.9", started: start, time: start + .seconds(5),
    agent: .init(listen: "127.0.0.1:1", window: .seconds(60), functionsLimit: 10_000), store: nil,
    host: hostPort.map { .init(listen: "127.0.0.1:\($0)", functions: 1) },
    account: .init(concurrentExecutions: 1, concurrencyLimit: 1_000), functions: [FunctionDocument(orders)])
  let instances = InstancesDocument(time: start, snapshots: [])
  return [
    "/api/v1/status": .init(body: String(decoding: status.json(), as: UTF8.self)),
    "/api/v1/instances": .init(body: String(decoding: instances.json(), as: UTF8.self)),
  ]
}

/// A control plane's answers, for one function.
private let controlAnswers: [String: FakeServer.Answer] = [
  "/2015-03-31/functions": .init(
    body: #"{"Functions":[{"FunctionName":"orders","MemorySize":256,"Timeout":2,"EphemeralStorage":{"Size":1024}}]}"#),
  "/2019-09-30/functions/orders/concurrency": .init(body: #"{"ReservedConcurrentExecutions":7}"#),
  "/2019-09-30/functions/orders/provisioned-concurrency": .init(
    body: """
      {"ProvisionedConcurrencyConfigs":[{"FunctionArn":"arn:aws:lambda:r:1:function:orders:current",
       "RequestedProvisionedConcurrentExecutions":5,"AllocatedProvisionedConcurrentExecutions":5,
       "AvailableProvisionedConcurrentExecutions":3,"Status":"IN_PROGRESS"}]}
      """),
  "/2016-08-19/account-settings": .init(
    body: #"{"AccountLimit":{"ConcurrentExecutions":400,"UnreservedConcurrentExecutions":393}}"#),
]

@Suite struct `status` {
  private func run(_ arguments: String...) throws -> KelvinBinary.Outcome {
    try KelvinBinary.run(["status"] + arguments, folder: TemporaryFolder())
  }

  /// The port of a server's address.
  private func port(_ server: FakeServer) throws -> Int {
    try #require(server.url.split(separator: ":").last.flatMap { Int($0) })
  }

  @Test func `puts together what control plane and agent say`() async throws {
    let control = try await FakeServer(controlAnswers)
    let agent = try await FakeServer(agentAnswers(hostPort: port(control)))
    let outcome = try run("--agent", agent.url)
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
    let lines = outcome.output.split(separator: "\n").map(String.init)
    #expect(lines.contains("concurrent executions now: 1 of 400, 393 unreserved"))
    let row = try #require(lines.last).split(separator: " ", omittingEmptySubsequences: true).joined(separator: " ")
    // The agent knows the timeout to the millisecond.
    #expect(row == "orders 256 MB 1.5 s 1 GB 7 5/5/3, in progress 2 (2 idle)")
    await control.close()
    await agent.close()
  }

  @Test func `keeps the members of its JSON and adds those of the control plane`() async throws {
    let control = try await FakeServer(controlAnswers)
    let agent = try await FakeServer(agentAnswers(hostPort: port(control)))
    let outcome = try run("--agent", agent.url, "--output", "json")
    // What reads the agent's own status reads this, too.
    let document = try StatusDocument(json: Array(outcome.output.utf8))
    #expect(document.version == "9.9.9")
    #expect(document.account.concurrencyLimit == 400)
    #expect(document.functions.map(\.idle) == [2])
    #expect(document.functions[0].limits?.reserved == 7)
    #expect(document.functions[0].limits?.provisioned?.status == "IN_PROGRESS")
    #expect(outcome.output.contains(#""controlPlane":{"endpoint":"\#(control.url)","unknown":[]}"#))
    #expect(
      outcome.output.contains(
        #""provisionedByQualifier":[{"qualifier":"current","requested":5,"allocated":5,"available":3,"status":"IN_PROGRESS"}]"#
      ))
    await control.close()
    await agent.close()
  }

  @Test func `shows the control plane alone, with a note, if no agent answers`() async throws {
    let control = try await FakeServer(controlAnswers)
    let outcome = try run("--host-url", control.url, "--agent", "127.0.0.1:1")
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.hasPrefix("functions of \(control.url)\nconcurrency of the account: 400, 393 unreserved\n"))
    #expect(!outcome.output.contains("Instances"))
    #expect(outcome.messages.contains("No agent answers at http://127.0.0.1:1"))
    #expect(outcome.messages.contains("instances and totals are not shown"))
    await control.close()
  }

  @Test func `shows the agent alone if its host does not answer`() async throws {
    let agent = try await FakeServer(agentAnswers(hostPort: 1))
    let outcome = try run("--agent", agent.url)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("50"))
    #expect(outcome.messages.contains("Only the agent's values are shown."))
    await agent.close()
  }

  @Test func `shows an agent that has no host without a word about one`() async throws {
    let agent = try await FakeServer(agentAnswers())
    let outcome = try run("--agent", agent.url, "--host-url", "127.0.0.1:1")
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
    #expect(outcome.output.contains("Kelvin 9.9.9"))
    await agent.close()
  }

  @Test func `does not ask an agent about functions of another service unless it is named`() async throws {
    let control = try await FakeServer(controlAnswers)
    let alone = try run("--endpoint-url", control.url, "--region", "eu-central-1")
    #expect(alone.exitCode == 0)
    #expect(alone.messages == "")
    #expect(alone.output.contains("functions of \(control.url) (eu-central-1)"))
    let agent = try await FakeServer(agentAnswers())
    let both = try run("--endpoint-url", control.url, "--agent", agent.url)
    #expect(both.output.contains("2 (2 idle)"))
    await control.close()
    await agent.close()
  }

  @Test func `leaves open what the service does not have or does not allow`() async throws {
    var answers = controlAnswers
    answers["/2016-08-19/account-settings"] = .init(
      status: 403, headers: [("x-amzn-ErrorType", "AccessDeniedException")], body: #"{"Message":"not you"}"#)
    answers["/2019-09-30/functions/orders/provisioned-concurrency"] = .init(status: 404, body: "<html>")
    let control = try await FakeServer(answers)
    let outcome = try run("--endpoint-url", control.url)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("concurrency of the account: unknown"))
    #expect(outcome.output.contains("unknown\n"))
    #expect(outcome.messages.contains("GetAccountSettings was refused (AccessDeniedException): not you"))
    #expect(outcome.messages.contains("does not have ListProvisionedConcurrencyConfigs"))
    await control.close()
  }

  @Test func `shows the functions that are named alone`() async throws {
    let control = try await FakeServer([
      "/2015-03-31/functions/orders": .init(body: #"{"Configuration":{"FunctionName":"orders","MemorySize":128}}"#)
    ])
    let outcome = try run("--endpoint-url", control.url, "--function", "orders")
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("orders"))
    let missing = try run("--endpoint-url", control.url, "--function", "nothing")
    #expect(missing.exitCode == 1)
    #expect(missing.output == "")
    await control.close()
  }

  @Test func `ends with 69 if nobody answers`() throws {
    let outcome = try run("--agent", "127.0.0.1:1", "--host-url", "127.0.0.1:1")
    #expect(outcome.exitCode == 69)
    #expect(outcome.output == "")
    let other = try run("--endpoint-url", "http://127.0.0.1:1")
    #expect(other.exitCode == 69)
    #expect(other.output == "")
  }

  @Test func `ends with 1 if something else than an agent answers, and no host`() async throws {
    let server = try await FakeServer([:])
    let outcome = try run("--agent", server.url, "--host-url", "127.0.0.1:1")
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages.contains("answered 404 to /api/v1/status"))
    await server.close()
  }
}
