import Text
import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing

@testable import FunctionHost
@testable import HostRules
import LambdaAPI

@Suite(.serialized, .timeLimit(.minutes(2))) struct `The control plane of a host` {
  private static let configuration = "/2015-03-31/functions/f/configuration"

  @Test func `gives a change to new instances, and ends idle ones that are older`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      _ = try await host.invoke("f")
      _ = try await host.invoke("f:current")
      try await host.eventuallyIdle()
      let answer = try await host.url(
        .PUT, Self.configuration,
        body: #"{"MemorySize":256,"Timeout":5,"EphemeralStorage":{"Size":600},"Environment":{"Variables":{"AB":"cd"}}}"#
      )
      #expect(answer.status == 200)
      #expect(answer.body.contains(#""LastUpdateStatus":"InProgress""#))
      try await host.eventually { $0.stopped.count == 1 }
      let environment = try await host.invoke("f", #"{"do":"environment"}"#)
      #expect(environment.body.contains(#""AB": "cd""#))
      #expect(environment.body.contains(#""AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256""#))
      let published = try await host.invoke("f:current", #"{"do":"environment"}"#)
      #expect(published.body.contains(#""AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "128""#))
      #expect(!published.body.contains(#""AB""#))
      let after = try await host.url(.GET, Self.configuration)
      #expect(after.body.contains(#""LastUpdateStatus":"Successful""#))
    }
    #expect(events.started.map(\.memoryLimitBytes) == [128 << 20, 128 << 20, 256 << 20])
    let limits = try #require(events.limits.last)
    #expect(limits.memoryLimitBytes == 256 << 20)
    #expect(limits.timeout == .seconds(5))
    #expect(limits.temporaryStorageLimitBytes == 600 << 20)
  }

  @Test func `changes nothing with a request that it refuses`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let before = try await host.url(.GET, Self.configuration).body
      for body in [
        #"{"MemorySize":256,"Timeout":901}"#, #"{"MemorySize":256,"Handler":"other"}"#, #"{"MemorySize":256"#,
        #"{"MemorySize":256,"RevisionId":"other"}"#,
        #"{"MemorySize":256,"Environment":{"Variables":{"AWS_REGION":""}}}"#,
      ] {
        let answer = try await host.url(.PUT, Self.configuration, body: body)
        #expect((400..<600).contains(answer.status), "\(body)")
        #expect(answer.header("x-amzn-ErrorType") != nil && answer.header("x-amzn-RequestId") != nil)
      }
      #expect(try await host.url(.GET, Self.configuration).body == before)
    }
    #expect(events.limits.count == 1)
  }

  @Test func `answers every list and a missing function in the shape of AWS`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      for (method, path) in [
        (HTTPMethod.GET, "/2015-03-31/functions"), (.GET, "/2016-08-19/account-settings"),
        (.GET, "/2015-03-31/functions/f/versions"), (.GET, "/2019-09-30/functions/f/concurrency"),
      ] {
        let answer = try await host.url(method, path)
        #expect(answer.status == 200 && answer.header("Content-Type") == "application/json")
        #expect(answer.header("x-amzn-RequestId") != nil)
        #expect(ByteBuffer(string: answer.body).jsonProblem() == nil)
      }
      let missing = try await host.url(.DELETE, "/2017-10-31/functions/g/concurrency")
      #expect(missing.status == 404 && missing.body.contains(#""Message":"Function not found: "#))
    }
  }

  @Test func `repeats an event as often as is configured of its qualifier`() async throws {
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.asynchronous.errorDelays = [.milliseconds(10), .milliseconds(10)]
    let path = "/2019-09-25/functions/f/event-invoke-config"
    let events = try await HostFixture.run(configuration) { host async throws in
      let event = [("X-Amz-Invocation-Type", "Event")]
      #expect(try await host.url(.PUT, path, body: #"{"MaximumRetryAttempts":1}"#).status == 200)
      _ = try await host.invoke("f", #"{"do":"raise"}"#, headers: event)
      try await host.eventually { $0.finished.count == 2 }
      // Without one of its own the host's policy holds: three attempts.
      _ = try await host.invoke("f:current", #"{"do":"raise"}"#, headers: event)
      try await host.eventually { $0.finished.count == 5 }
      #expect(try await host.url(.PUT, path, body: #"{"MaximumRetryAttempts":0}"#).status == 200)
      _ = try await host.invoke("f", #"{"do":"raise"}"#, headers: event)
      try await host.eventually { $0.finished.count == 6 }
      #expect(try await host.url(.DELETE, path).status == 204)
    }
    #expect(events.finished.count == 6)
    #expect(events.finished.allSatisfy { $0.outcome == .error })
  }

  private let target = FunctionTarget(
    index: FunctionIndex(position: 0), name: "f", qualifier: "q", version: .published(1))

  @Test func `refuses a change of versions and aliases in the words of AWS`() {
    let arn = "arn:aws:lambda:us-east-1:000000000000:function:f"
    func check(_ refusal: Deployment.Refusal, _ status: UInt, _ code: String, _ message: String) {
      let error = AWSError(refusal, of: target, alias: "a")
      #expect(error.status == status && error.code == code && error.message == message)
    }
    check(
      .revisionDiffers, 412, "PreconditionFailedException",
      "The Revision Id provided does not match the latest Revision Id. Call the GetFunction/GetAlias API to retrieve the "
        + "latest Revision Id")
    check(
      .updateInProgress, 409, "ResourceConflictException",
      "The operation cannot be performed at this time. An update is in progress for resource: \(arn)")
    check(.aliasExists, 409, "ResourceConflictException", "Alias already exists: \(arn):a")
    check(.noSuchAlias, 404, "ResourceNotFoundException", "Cannot find alias arn: \(arn):a")
    check(.noSuchVersion(.published(7)), 404, "ResourceNotFoundException", "Function not found: \(arn):7")
    check(
      .tooMany, 400, "InvalidParameterValueException",
      "This host keeps at most 1000 versions and as many aliases of one function.")
  }

  @Test func `refuses a change of concurrency in the words of AWS`() {
    func check(_ refusal: ConcurrencyRefusal, _ status: UInt, hasType: Bool, _ message: String) {
      let error = AWSError(refusal)
      #expect(error.status == status && error.hasType == hasType && error.message == message)
      #expect(error.code == (status == 409 ? "ResourceConflictException" : "InvalidParameterValueException"))
    }
    check(
      .reservedLeavesTooLittle(minimum: 100), 400, hasType: false,
      "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
        + "minimum value of [100].")
    check(
      .reservedBelowProvisioned(reserved: 1, provisioned: 2), 400, hasType: true,
      " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].")
    check(
      .provisionedAboveReserved, 400, hasType: true,
      "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    check(
      .provisionedAboveUnreserved(7), 400, hasType: false,
      "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [7].")
    check(
      .provisionedLeavesTooLittle(minimum: 100), 400, hasType: false,
      "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum "
        + "value of [100].")
    check(
      .versionCoveredByAlias, 409, hasType: true, "Version is pointed by a Provisioned Concurrency alias")
    check(
      .aliasOfCoveredVersion, 409, hasType: true,
      "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
  }

  @Test func `leaves out whose fault it is where AWS does`() {
    let id = RequestID(.zero)
    let limit = AWSError.accountLimit("m").response(id)
    #expect(String(buffer: limit.body) == #"{"message":"m"}"#)
    let other = AWSError.invalidParameter("m").response(id)
    #expect(String(buffer: other.body) == #"{"Type":"User","message":"m"}"#)
    let missing = AWSError.notFound("m").response(id)
    #expect(String(buffer: missing.body) == #"{"Type":"User","Message":"m"}"#)
    let absent = AWSError.notImplemented("m").response(id)
    #expect(String(buffer: absent.body) == #"{"Type":"Service","message":"m"}"#)
    #expect(absent.status.code == 501 && absent.headers.first(name: "x-amzn-ErrorType") == "NotImplementedException")
  }

  @Test func `shows provisioned concurrency in each of its states`() {
    func text(_ status: ProvisionedConfiguration.Status, arn: String?) -> String {
      var writer = JSONWriter()
      ProvisionedConfiguration(
        qualifier: "q", version: .published(1), requested: 5, allocated: 3, available: 0, status: status,
        lastModified: Timestamp(seconds: 0)
      ).write(into: &writer, arn: arn)
      return String(buffer: writer.buffer)
    }
    let numbers =
      #""RequestedProvisionedConcurrentExecutions":5,"AvailableProvisionedConcurrentExecutions":0,"#
      + #""AllocatedProvisionedConcurrentExecutions":3"#
    let time = #""LastModified":"1970-01-01T00:00:00+0000"}"#
    #expect(text(.inProgress, arn: nil) == #"{\#(numbers),"Status":"IN_PROGRESS",\#(time)"#)
    #expect(text(.ready, arn: "a") == #"{"FunctionArn":"a",\#(numbers),"Status":"READY",\#(time)"#)
    #expect(
      text(.failed(reason: "R"), arn: nil) == #"{\#(numbers),"Status":"FAILED","StatusReason":"R",\#(time)"#)
  }
}
