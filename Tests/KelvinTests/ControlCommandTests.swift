import Documents
import Lifecycle
import NIOHTTP1
import Synchronization
import Testing

@testable import kelvin

/// A control plane with what each test says, on a free port.
private struct ControlPlane {
  let server: FakeServer

  init(functions: [String] = ["orders"], _ answers: [String: [FakeServer.Answer]] = [:]) async throws {
    let list = functions.map {
      #"{"FunctionName":"\#($0)","MemorySize":512,"Timeout":10,"EphemeralStorage":{"Size":512}}"#
    }
    let page = FakeServer.Answer(body: #"{"Functions":[\#(list.joined(separator: ","))]}"#)
    let queues = Mutex(answers.merging(["GET /2015-03-31/functions": [page]]) { mine, _ in mine })
    server = try await FakeServer { asked in
      let path = asked.target.split(separator: "?")[0]
      return queues.withLock { queues in
        guard let queue = queues["\(asked.method) \(path)"] else {
          return FakeServer.Answer(status: 404, body: "<html>nothing here</html>")
        }
        if queue.count > 1 { queues["\(asked.method) \(path)"]?.removeFirst() }
        return queue[0]
      }
    }
  }

  /// Runs a command against it.
  func run(
    _ arguments: [String], folder: TemporaryFolder? = nil, environment: [String: String] = [:]
  ) async throws -> KelvinBinary.Outcome {
    try KelvinBinary.run(
      arguments + ["--host-url", server.url], folder: folder ?? TemporaryFolder(), environment: environment)
  }

  /// Method, target and body of all but the list of functions.
  var changes: [String] {
    server.asked.filter { !$0.target.hasPrefix("/2015-03-31/functions?") }
      .map { "\($0.method) \($0.target) \($0.body)" }
  }
}

private func refusal(_ status: Int, _ code: String, _ message: String) -> FakeServer.Answer {
  .init(status: status, headers: [("x-amzn-ErrorType", code)], body: #"{"Type":"User","message":"\#(message)"}"#)
}

private let reservedPath = "/2017-10-31/functions/orders/concurrency"
private let provisionedPath = "/2019-09-30/functions/orders/provisioned-concurrency"

private func pool(
  _ status: String, requested: Int = 5, allocated: Int = 0, available: Int = 0, reason: String? = nil
) -> FakeServer.Answer {
  let reason = reason.map { #","StatusReason":"\#($0)""# } ?? ""
  return .init(
    body: """
      {"RequestedProvisionedConcurrentExecutions":\(requested),"AllocatedProvisionedConcurrentExecutions":\(allocated),\
      "AvailableProvisionedConcurrentExecutions":\(available),"Status":"\(status)"\(reason),\
      "LastModified":"2026-11-23T10:00:00+0000"}
      """)
}

@Suite struct `reserved` {
  @Test(arguments: [
    (["50"], "PUT", #"{"ReservedConcurrentExecutions":50}"#, "orders: reserved 50\n"),
    (["0"], "PUT", #"{"ReservedConcurrentExecutions":0}"#, "orders: reserved 0 (paused)\n"),
    (["off"], "DELETE", "", "orders: no reserve\n"),
  ])
  func `sets it for the only function`(_ arguments: [String], method: String, body: String, line: String) async throws {
    for name in ["reserved", "reserve"] {
      let plane = try await ControlPlane([
        "PUT \(reservedPath)": [.init(body: body)], "DELETE \(reservedPath)": [.init(status: 204)],
      ])
      let outcome = try await plane.run([name] + arguments)
      #expect(outcome.exitCode == 0)
      #expect(outcome.output == line)
      #expect(outcome.messages == "")
      #expect(plane.changes == ["\(method) \(reservedPath) \(body)"])
      await plane.server.close()
    }
  }

  @Test func `shows it, as text and as JSON`() async throws {
    let path = "GET /2019-09-30/functions/orders/concurrency"
    let plane = try await ControlPlane([path: [.init(body: "{}"), .init(body: #"{"ReservedConcurrentExecutions":7}"#)]])
    #expect(
      try await plane.run(["reserved", "--output", "json"]).output == #"{"function":"orders","reserved":null}"# + "\n")
    #expect(try await plane.run(["reserved"]).output == "orders: reserved 7\n")
    await plane.server.close()
  }

  @Test func `asks which one of several, and takes the one of kelvin.yaml`() async throws {
    let plane = try await ControlPlane(
      functions: ["orders", "reports"],
      [
        "PUT \(reservedPath)": [.init(body: #"{"ReservedConcurrentExecutions":5}"#)]
      ])
    let unclear = try await plane.run(["reserved", "5"])
    #expect(unclear.exitCode == 64)
    #expect(unclear.output == "")
    #expect(unclear.messages == "kelvin: Which function? Name one with --function: orders, reports.\n")
    let folder = try TemporaryFolder()
    try folder.write("functions: {orders: {command: [a]}}\n", to: "kelvin.yaml")
    #expect(try await plane.run(["reserved", "5"], folder: folder).output == "orders: reserved 5\n")
    #expect(try await plane.run(["reserved", "5", "--function", "orders"]).output == "orders: reserved 5\n")
    await plane.server.close()
  }

  @Test func `prints AWS's own message and ends with 1 if it is refused`() async throws {
    let message =
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100]."
    let plane = try await ControlPlane([
      "PUT \(reservedPath)": [refusal(400, "InvalidParameterValueException", message)]
    ])
    let outcome = try await plane.run(["reserved", "950"])
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(
      outcome.messages == "kelvin: PutFunctionConcurrency was refused (InvalidParameterValueException): \(message)\n")
    await plane.server.close()
  }

  @Test func `ends with 69 and says how to start a host if none answers`() throws {
    let outcome = try KelvinBinary.run(
      ["reserved", "5", "--function", "f", "--host-url", "127.0.0.1:1"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 69)
    #expect(outcome.output == "")
    #expect(outcome.messages.contains("http://127.0.0.1:1"))
    #expect(outcome.messages.contains("Start one with kelvin host"))
  }

  @Test(arguments: [
    ["reserved", "-5"], ["reserved", "five"], ["reserved", "5", "6"], ["reserved", "99999999999"], ["reserved", "5.5"],
    ["reserved", "5", "--endpoint-url", "localhost:1"], ["reserved", "5", "--endpoint-url", "http://h", "--aws"],
    ["reserved", "5", "--region", "eu-central-1"], ["reserved", "5", "--host-url", "https://127.0.0.1"],
    ["provisioned", "5", "--timeout", "soon"], ["provisioned", "$LATEST", "5"], ["reserved", "5", "--output", "table"],
  ])
  func `ends with 64 if it is used wrongly`(_ arguments: [String]) throws {
    let outcome = try KelvinBinary.run(arguments, folder: TemporaryFolder())
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
  }

  @Test func `sends nothing to AWS because of variables alone`() async throws {
    let plane = try await ControlPlane(["PUT \(reservedPath)": [.init(body: #"{"ReservedConcurrentExecutions":5}"#)]])
    let variables = [
      "AWS_ENDPOINT_URL_LAMBDA": "https://lambda.eu-central-1.amazonaws.com", "AWS_REGION": "eu-central-1",
      "AWS_PROFILE": "production", "AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "secret",
      "KELVIN_HOST": plane.server.url, "HOME": "/nonexistent",
    ]
    let outcome = try KelvinBinary.run(["reserved", "5"], folder: TemporaryFolder(), environment: variables)
    #expect(outcome.output == "orders: reserved 5\n")
    #expect(plane.changes.count == 1)
    await plane.server.close()
  }

  @Test func `goes where AWS_ENDPOINT_URL_LAMBDA points if that is this machine`() async throws {
    let plane = try await ControlPlane(["PUT \(reservedPath)": [.init(body: #"{"ReservedConcurrentExecutions":5}"#)]])
    let outcome = try KelvinBinary.run(
      ["reserved", "5"], folder: TemporaryFolder(), environment: ["AWS_ENDPOINT_URL_LAMBDA": plane.server.url])
    #expect(outcome.output == "orders: reserved 5\n")
    await plane.server.close()
  }

  @Test func `says what is missing for AWS before anything is sent`() throws {
    let variables = ["HOME": "/nonexistent", "AWS_EC2_METADATA_DISABLED": "true"]
    let folder = try TemporaryFolder()
    let noRegion = try KelvinBinary.run(["reserved", "5", "--aws"], folder: folder, environment: variables)
    #expect(noRegion.exitCode == 64)
    #expect(noRegion.messages.contains("No region is known"))
    let noKeys = try KelvinBinary.run(
      ["reserved", "5", "--aws", "--region", "eu-central-1"], folder: folder, environment: variables)
    #expect(noKeys.exitCode == 1)
    #expect(noKeys.messages.contains("No credentials for https://lambda.eu-central-1.amazonaws.com were found"))
  }
}

@Suite struct `provisioned` {
  @Test func `waits until the instances are ready and tells each change`() async throws {
    let plane = try await ControlPlane([
      "PUT \(provisionedPath)": [pool("IN_PROGRESS")],
      "GET \(provisionedPath)": [
        pool("IN_PROGRESS"), pool("IN_PROGRESS", allocated: 3), pool("READY", allocated: 5, available: 5),
      ],
    ])
    let outcome = try await plane.run(["provisioned", "5"])
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "orders:current: provisioned 5, allocated 5, available 5, ready\n")
    #expect(
      outcome.messages == """
        orders:current: provisioned 5, allocated 0, available 0, in progress
        orders:current: provisioned 5, allocated 3, available 0, in progress

        """)
    #expect(
      plane.changes.first == #"PUT \#(provisionedPath)?Qualifier=current {"ProvisionedConcurrentExecutions":5}"#)
    #expect(plane.changes.dropFirst().allSatisfy { $0 == "GET \(provisionedPath)?Qualifier=current " })
    await plane.server.close()
  }

  @Test func `does not wait if it is told not to`() async throws {
    let plane = try await ControlPlane(["PUT \(provisionedPath)": [pool("IN_PROGRESS")]])
    let outcome = try await plane.run(["provisioned", "5", "--qualifier", "live", "--no-wait", "--output", "json"])
    #expect(
      outcome.output == """
        {"function":"orders","provisioned":[{"qualifier":"live","requested":5,"allocated":0,"available":0,\
        "status":"IN_PROGRESS"}]}

        """)
    #expect(outcome.messages == "")
    #expect(plane.changes.count == 1)
    await plane.server.close()
  }

  @Test func `prints why instances cannot be started and ends with 1`() async throws {
    let plane = try await ControlPlane([
      "PUT \(provisionedPath)": [pool("IN_PROGRESS")],
      "GET \(provisionedPath)": [pool("FAILED", reason: "FUNCTION_ERROR_INIT_FAILURE")],
    ])
    let outcome = try await plane.run(["provisioned", "5"])
    #expect(outcome.exitCode == 1)
    #expect(outcome.output == "")
    #expect(
      outcome.messages.hasSuffix(
        "kelvin: The instances of orders:current cannot be started: FUNCTION_ERROR_INIT_FAILURE.\n"))
    await plane.server.close()
  }

  @Test func `gives up after its limit and says that the rest may still come`() async throws {
    let plane = try await ControlPlane([
      "PUT \(provisionedPath)": [pool("IN_PROGRESS")],
      "GET \(provisionedPath)": [pool("IN_PROGRESS", allocated: 3, available: 2)],
    ])
    let outcome = try await plane.run(["provisioned", "5", "--timeout", "1s"])
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages.contains("orders:current has 2 of 5 instances ready after 1s."))
    await plane.server.close()
  }

  @Test func `notices that somebody else ended it`() async throws {
    let plane = try await ControlPlane([
      "PUT \(provisionedPath)": [pool("IN_PROGRESS")],
      "GET \(provisionedPath)": [refusal(404, "ProvisionedConcurrencyConfigNotFoundException", "none")],
    ])
    let outcome = try await plane.run(["provisioned", "5"])
    #expect(outcome.exitCode == 1)
    #expect(
      outcome.messages.contains("The provisioned concurrency of orders:current was removed while the command waited."))
    await plane.server.close()
  }

  @Test(arguments: ["0", "off"])
  func `ends it`(_ amount: String) async throws {
    let plane = try await ControlPlane(["DELETE \(provisionedPath)": [.init(status: 204)]])
    let outcome = try await plane.run(["provisioned", amount])
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "orders: no provisioned concurrency\n")
    #expect(plane.changes == ["DELETE \(provisionedPath)?Qualifier=current "])
    await plane.server.close()
  }

  @Test func `shows what is provisioned of each version and alias`() async throws {
    let one = pool("READY", allocated: 5, available: 5).body
    let list = [":live", ":7"].map { #"{"FunctionArn":"arn:aws:lambda:r:1:function:orders\#($0)","# + one.dropFirst() }
    let body = #"{"ProvisionedConcurrencyConfigs":[\#(list.joined(separator: ","))]}"#
    let plane = try await ControlPlane(["GET \(provisionedPath)": [.init(body: body)]])
    #expect(
      try await plane.run(["provisioned"]).output == """
        orders:live: provisioned 5, allocated 5, available 5, ready
        orders:7: provisioned 5, allocated 5, available 5, ready

        """)
    await plane.server.close()
  }

  @Test func `prints AWS's own message about a version that cannot have it`() async throws {
    let message = "Provisioned Concurrency Configs cannot be applied to unpublished function versions."
    let plane = try await ControlPlane([
      "PUT \(provisionedPath)": [refusal(400, "InvalidParameterValueException", message)]
    ])
    let outcome = try await plane.run(["provisioned", "5", "--qualifier", "$LATEST"])
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages.hasSuffix("(InvalidParameterValueException): \(message)\n"))
    #expect(plane.changes == [#"PUT \#(provisionedPath)?Qualifier=%24LATEST {"ProvisionedConcurrentExecutions":5}"#])
    await plane.server.close()
  }
}
