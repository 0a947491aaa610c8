import AWSClient
import AWSClientTestSupport
import Lifecycle
import Synchronization
import Testing

@testable import LambdaControl

/// A client whose pauses take no time and are counted.
private struct Fixture {
  let transport: FakeTransport
  let client: LambdaClient
  let pauses: Pauses

  final class Pauses: Sendable {
    let list = Mutex<[Duration]>([])
  }

  init(_ transport: FakeTransport, base: String = "http://127.0.0.1:27316") throws {
    let pauses = Pauses()
    self.transport = transport
    self.pauses = pauses
    let endpoint = try EndpointURL(base)
    let service = ServiceClient(
      .lambda, endpoint: endpoint, region: "eu-central-1",
      credentials: AWSCredentials(accessKeyID: "id", secretAccessKey: "secret", source: "the test"),
      retry: RetryPolicy(repeatsConnections: !endpoint.isLoopback), transport: transport,
      surroundings: ClientSurroundings(
        now: { Timestamp(seconds: 1_440_938_160) }, pause: { pause in pauses.list.withLock { $0.append(pause) } },
        random: { $0.upperBound }))
    client = LambdaClient(service)
  }

  init(_ results: HTTPResult...) throws { try self.init(FakeTransport(results)) }

  /// Method and what follows the endpoint, for each request.
  var calls: [String] {
    transport.asked.map { "\($0.method) \($0.url.dropFirst("\(client.endpoint)".count))" }
  }
}

@Suite struct `Calls of the control plane` {
  @Test func `go to AWS's paths, encoded and signed`() async throws {
    let fixture = try Fixture(HTTPResult(200, #"{"ReservedConcurrentExecutions":50}"#))
    #expect(try await fixture.client.setReserved(of: "arn:aws:lambda:r:1:function:f ü", to: 50) == 50)
    let asked = try #require(fixture.transport.asked.first)
    #expect(
      fixture.calls == ["PUT /2017-10-31/functions/arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Af%20%C3%BC/concurrency"])
    #expect(String(decoding: asked.body, as: UTF8.self) == #"{"ReservedConcurrentExecutions":50}"#)
    #expect(asked.headers.contains(Header("Host", "127.0.0.1:27316")))
    #expect(asked.headers.contains(Header("X-Amz-Date", "20150830T123600Z")))
    #expect(
      asked.headers.contains { $0.name == "Authorization" && $0.value.contains("/eu-central-1/lambda/aws4_request") })
  }

  @Test func `read, set and remove what is reserved`() async throws {
    let fixture = try Fixture(
      HTTPResult(200, "{}"), HTTPResult(200, #"{"ReservedConcurrentExecutions":0}"#), HTTPResult(204))
    #expect(try await fixture.client.reserved(of: "f") == nil)
    #expect(try await fixture.client.reserved(of: "f") == 0)
    try await fixture.client.removeReserved(of: "f")
    #expect(
      fixture.calls == [
        "GET /2019-09-30/functions/f/concurrency", "GET /2019-09-30/functions/f/concurrency",
        "DELETE /2017-10-31/functions/f/concurrency",
      ])
  }

  @Test func `read, set and remove what is provisioned`() async throws {
    let filling = """
      {"RequestedProvisionedConcurrentExecutions":5,"AvailableProvisionedConcurrentExecutions":0,
       "AllocatedProvisionedConcurrentExecutions":2,"Status":"IN_PROGRESS","LastModified":"2026-11-23T10:00:00+0000"}
      """
    let failed = """
      {"RequestedProvisionedConcurrentExecutions":5,"Status":"FAILED","StatusReason":"FUNCTION_ERROR_INIT_FAILURE"}
      """
    let fixture = try Fixture(HTTPResult(202, filling), HTTPResult(200, failed), HTTPResult(204))
    let accepted = try await fixture.client.setProvisioned(of: "f", qualifier: "$LATEST", to: 5)
    #expect(
      accepted
        == ProvisionedConcurrencyConfiguration(
          qualifier: "$LATEST", requested: 5, allocated: 2, available: 0, status: .inProgress, statusReason: nil,
          lastModified: "2026-11-23T10:00:00+0000"))
    let later = try #require(try await fixture.client.provisioned(of: "f", qualifier: "live"))
    #expect(later.status == .failed)
    #expect(later.statusReason == "FUNCTION_ERROR_INIT_FAILURE")
    #expect(later.available == 0)
    try await fixture.client.removeProvisioned(of: "f", qualifier: "live")
    #expect(
      fixture.calls == [
        "PUT /2019-09-30/functions/f/provisioned-concurrency?Qualifier=%24LATEST",
        "GET /2019-09-30/functions/f/provisioned-concurrency?Qualifier=live",
        "DELETE /2019-09-30/functions/f/provisioned-concurrency?Qualifier=live",
      ])
  }

  @Test func `know that a version without provisioned concurrency has none`() async throws {
    let fixture = try Fixture(
      .refusal(
        404, "ProvisionedConcurrencyConfigNotFoundException",
        #"{"message":"No Provisioned Concurrency Config found for this function"}"#))
    #expect(try await fixture.client.provisioned(of: "f", qualifier: "live") == nil)
  }

  @Test func `read functions page by page, with what is not said left out`() async throws {
    let fixture = try Fixture(
      HTTPResult(
        200,
        """
        {"Functions":[{"FunctionName":"a","FunctionArn":"arn:a","Version":"$LATEST","MemorySize":512,"Timeout":10,
         "EphemeralStorage":{"Size":1024},"State":"Active","Runtime":"provided.al2023","Layers":[{"Arn":"x"}]}],
         "NextMarker":"m/1 ="}
        """),
      HTTPResult(200, #"{"Functions":[{"FunctionName":"b","MemorySize":null}],"NextMarker":""}"#))
    let functions = try await fixture.client.functions()
    #expect(
      functions == [
        LambdaFunction(
          name: "a", arn: "arn:a", version: "$LATEST", memoryMegabytes: 512, timeout: .seconds(10),
          temporaryStorageMegabytes: 1024, state: "Active", runtime: "provided.al2023"),
        LambdaFunction(
          name: "b", arn: "", version: "$LATEST", memoryMegabytes: nil, timeout: nil, temporaryStorageMegabytes: nil,
          state: nil, runtime: nil),
      ])
    #expect(
      fixture.calls == [
        "GET /2015-03-31/functions?MaxItems=50", "GET /2015-03-31/functions?MaxItems=50&Marker=m%2F1%20%3D",
      ])
  }

  @Test func `read no page after the limit`() async throws {
    let page = #"{"Functions":[{"FunctionName":"a"},{"FunctionName":"b"}],"NextMarker":"next"}"#
    let fixture = try Fixture(HTTPResult(200, page))
    #expect(try await fixture.client.functions(limit: 1).map(\.name) == ["a"])
    #expect(fixture.calls.count == 1)
  }

  @Test func `end when a list goes round in circles`() async throws {
    let fixture = try Fixture(HTTPResult(200, #"{"Aliases":[],"NextMarker":"again"}"#))
    #expect(await failure { try await fixture.client.aliases(of: "f") }?.code == .malformed)
    #expect(fixture.calls.count == 2)
  }

  @Test func `list provisioned concurrency with the qualifier of each ARN`() async throws {
    let fixture = try Fixture(
      HTTPResult(
        200,
        """
        {"ProvisionedConcurrencyConfigs":[{"FunctionArn":"arn:aws:lambda:r:1:function:f:live",
         "RequestedProvisionedConcurrentExecutions":2,"AllocatedProvisionedConcurrentExecutions":2,
         "AvailableProvisionedConcurrentExecutions":2,"Status":"READY"}]}
        """))
    let list = try await fixture.client.provisioned(of: "f")
    #expect(list.map(\.qualifier) == ["live"])
    #expect(list.map(\.status) == [.ready])
    #expect(fixture.calls == ["GET /2019-09-30/functions/f/provisioned-concurrency?List=ALL&MaxItems=50"])
  }

  @Test func `read account, function and alias`() async throws {
    let fixture = try Fixture(
      HTTPResult(
        200, #"{"AccountLimit":{"ConcurrentExecutions":1000,"UnreservedConcurrentExecutions":950,"TotalCodeSize":1}}"#),
      HTTPResult(200, #"{"Configuration":{"FunctionName":"f","Version":"1"},"Code":{}}"#),
      HTTPResult(200, #"{"Name":"live","FunctionVersion":"7"}"#))
    #expect(try await fixture.client.accountConcurrency() == AccountConcurrency(limit: 1000, unreserved: 950))
    #expect(try await fixture.client.function("f", qualifier: "live").version == "1")
    #expect(try await fixture.client.alias("live", of: "f").version == "7")
    #expect(
      fixture.calls == [
        "GET /2016-08-19/account-settings", "GET /2015-03-31/functions/f?Qualifier=live",
        "GET /2015-03-31/functions/f/aliases/live",
      ])
  }

  @Test func `begin with the path of the endpoint`() async throws {
    let fixture = try Fixture(FakeTransport([HTTPResult(200, "{}")]), base: "https://gateway.example/lambda/")
    _ = try await fixture.client.reserved(of: "f")
    #expect(
      fixture.transport.asked.map(\.url) == [
        "https://gateway.example/lambda/2019-09-30/functions/f/concurrency"
      ])
    #expect(fixture.transport.asked[0].headers.contains(Header("Host", "gateway.example")))
  }

  @Test(arguments: ["", "[]", "<html>", #"{"AccountLimit":{}}"#, #"{"AccountLimit":7}"#])
  func `say so if the answer is another one`(_ body: String) async throws {
    let fixture = try Fixture(HTTPResult(200, body))
    let error = await failure { try await fixture.client.accountConcurrency() }
    #expect(error?.code == .malformed)
    #expect(error?.message.hasPrefix("The answer to GetAccountSettings cannot be read: ") == true)
  }
}

@Suite struct `Refusals of the control plane` {
  struct Given: Sendable, CustomTestStringConvertible {
    var header: String
    var body: String
    var refusal: AWSClientError.Refusal
    var testDescription: String { header + body }
  }

  @Test(arguments: [
    Given(
      header: "ResourceNotFoundException", body: #"{"Type":"User","Message":"Function not found: arn"}"#,
      refusal: .init(
        code: "ResourceNotFoundException", message: "Function not found: arn", status: 400, type: "User")),
    Given(
      header: "com.amazonaws.lambda#InvalidParameterValueException:http://internal.amazon.com/",
      body: #"{"message":"no"}"#,
      refusal: .init(code: "InvalidParameterValueException", message: "no", status: 400)),
    Given(header: "ServiceException", body: "", refusal: .init(code: "ServiceException", message: "", status: 400)),
    Given(
      header: "ServiceException", body: "<not json>",
      refusal: .init(code: "ServiceException", message: "", status: 400)),
  ])
  func `keep AWS's own words`(_ given: Given) async throws {
    let fixture = try Fixture(.refusal(400, given.header, given.body))
    let error = await failure { try await fixture.client.setReserved(of: "f", to: 1) }
    #expect(error?.code == .refused)
    #expect(error?.refusal == given.refusal)
    #expect(error?.message.contains(given.refusal.code) == true)
    #expect(error?.message.contains(given.refusal.message) == true)
    #expect(fixture.calls.count == 1)
  }

  @Test func `are tried again with growing pauses while the service is throttling`() async throws {
    let throttle = HTTPResult.refusal(
      429, "TooManyRequestsException", #"{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}"#)
    let fixture = try Fixture(throttle, .refusal(500, "ServiceException", "{}"), HTTPResult(200, "{}"))
    #expect(try await fixture.client.reserved(of: "f") == nil)
    #expect(fixture.pauses.list.withLock { $0 } == [.milliseconds(500), .seconds(1)])
  }

  @Test func `end after the last attempt with what was said then`() async throws {
    let fixture = try Fixture(
      .refusal(
        429, "TooManyRequestsException", #"{"Reason":"CallerRateLimitExceeded","message":"Rate Exceeded."}"#,
        [Header("Retry-After", "2")]))
    let error = await failure { try await fixture.client.reserved(of: "f") }
    #expect(error?.refusal?.reason == "CallerRateLimitExceeded")
    #expect(fixture.calls.count == 3)
    #expect(fixture.pauses.list.withLock { $0 } == [.seconds(2), .seconds(2)])
  }

  @Test(arguments: [404, 405, 501])
  func `are told apart from calls that a server does not have`(_ status: Int) async throws {
    let fixture = try Fixture(HTTPResult(status, "<html>"))
    let error = await failure { try await fixture.client.accountConcurrency() }
    #expect(error?.code == .unsupported)
    #expect(error?.message == "http://127.0.0.1:27316 does not have GetAccountSettings (it answered \(status)).")
  }

  @Test func `with AWS's word for what is not there mean that, too`() async throws {
    let fixture = try Fixture(.refusal(501, "NotImplementedException", #"{"message":"not here"}"#))
    #expect(await failure { try await fixture.client.accountConcurrency() }?.code == .unsupported)
  }

  @Test(arguments: [("http://127.0.0.1:27316", 1), ("https://lambda.eu-central-1.amazonaws.com", 3)])
  func `of nobody are passed on at once on this machine, and after three attempts elsewhere`(
    _ base: String, _ attempts: Int
  ) async throws {
    let fixture = try Fixture(FakeTransport(), base: base)
    #expect(await failure { try await fixture.client.accountConcurrency() }?.code == .unreachable)
    #expect(fixture.calls.count == attempts)
  }

  @Test func `are signed anew for each attempt, and end when the pause is cancelled`() async throws {
    let transport = FakeTransport([.refusal(503, "ServiceException", "{}")])
    let seconds = Mutex<Int64>(0)
    let service = ServiceClient(
      .lambda, endpoint: try EndpointURL("https://lambda.example"), region: "eu-central-1",
      credentials: AWSCredentials(accessKeyID: "id", secretAccessKey: "secret", source: "the test"),
      retry: RetryPolicy(), transport: transport,
      surroundings: ClientSurroundings(
        now: {
          Timestamp(
            seconds: seconds.withLock {
              $0 += 1; return $0
            })
        },
        pause: { _ in if transport.asked.count == 2 { throw CancellationError() } }, random: { $0.lowerBound }))
    #expect(await failure { try await LambdaClient(service).accountConcurrency() }?.refusal?.status == 503)
    let dates = transport.asked.map { exchange in exchange.headers.first { $0.name == "X-Amz-Date" }?.value }
    #expect(dates == ["19700101T000001Z", "19700101T000002Z"])
  }
}
