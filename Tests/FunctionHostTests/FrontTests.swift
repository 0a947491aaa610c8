import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOHTTP1
import Testing

@testable import FunctionHost

@Suite(.serialized, .timeLimit(.minutes(2))) struct `The fronts of a host` {
  @Test func `takes every form of a function's name`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      for name in [
        "f", "f:$LATEST", "f%3A%24LATEST", "000000000000:function:f",
        "arn%3Aaws%3Alambda%3Aus-east-1%3A000000000000%3Afunction%3Af",
      ] {
        #expect(try await host.invoke(name, "1").body == "1")
      }
      #expect(try await host.invoke("f", "1", query: "?Qualifier=%24LATEST").body == "1")
    }
  }

  @Test func `answers what it cannot do in the shape of AWS`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      func check(_ answer: Answer, _ status: Int, _ type: String, _ part: String) {
        #expect(answer.status == status)
        #expect(answer.header("x-amzn-ErrorType") == type)
        #expect(answer.header("Content-Type") == "application/json")
        #expect(answer.body.contains(part), "\(answer.body)")
      }
      let missing = "Function not found: arn:aws:lambda:us-east-1:000000000000:function:g:$LATEST"
      check(try await host.invoke("g"), 404, "ResourceNotFoundException", #"{"Type":"User","Message":"\#(missing)"}"#)
      check(try await host.invoke("f:3"), 404, "ResourceNotFoundException", "function:f:3")
      check(
        try await host.invoke("f:1", query: "?Qualifier=2"), 400, "InvalidParameterValueException",
        "The derived qualifier from the function name does not match the specified qualifier.")
      check(try await host.invoke("f%20g"), 400, "ValidationException", "functionName")
      check(try await host.invoke("f", "{"), 400, "InvalidRequestContentException", "Could not parse request body")
      let type = ("X-Amz-Invocation-Type", "Whatever")
      check(try await host.invoke("f", headers: [type]), 400, "ValidationException", "Whatever")
      let context = ("X-Amz-Client-Context", "not base64!")
      check(try await host.invoke("f", headers: [context]), 400, "InvalidRequestContentException", "Client context")
      for text in ["[1]", "\"{}\"", "1", "null", " ", "{", "{} x"] {
        let context = ("X-Amz-Client-Context", Base64.encode(Array(text.utf8)))
        check(try await host.invoke("f", headers: [context]), 400, "InvalidRequestContentException", "JSON object")
      }
      let large = "\"" + String(repeating: "x", count: 6_291_555) + "\""
      check(try await host.invoke("f", large), 413, "RequestTooLargeException", "6291556")
      let event = ("X-Amz-Invocation-Type", "Event")
      let medium = "\"" + String(repeating: "x", count: 1 << 20) + "\""
      check(try await host.invoke("f", medium, headers: [event]), 413, "RequestTooLargeException", "1048576")
      check(try await host.url(.GET, "/2015-03-30/functions/f"), 501, "NotImplementedException", "does not implement")
      check(try await host.url(.GET, "/url/g/"), 404, "ResourceNotFoundException", "Function not found")
    }
    #expect(events.started.isEmpty && events.invocationsStarted.isEmpty && events.throttled.isEmpty)
  }

  @Test func `runs nothing for a dry run`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.invoke("f", headers: [("X-Amz-Invocation-Type", "DryRun")])
      #expect(answer.status == 204)
      #expect(answer.body.isEmpty)
      #expect(try await host.invoke("g", headers: [("X-Amz-Invocation-Type", "DryRun")]).status == 404)
    }
    #expect(events.started.isEmpty)
  }

  @Test func `tells the trace that the runtime was given`() async throws {
    let root = "1-5759e988-bd862e3fe1be46a994272793"
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let headers = [("X-Amzn-Trace-Id", "Root=\(root);Parent=53995c3f42cd8ad8;Sampled=1")]
      #expect(try await host.invoke("f", headers: headers).header("X-Amzn-Trace-Id") == "root=\(root);sampled=1")
      #expect(try await host.url(.GET, "/url/f/", headers: headers).header("X-Amzn-Trace-Id") == headers[0].1)
      let own = try await host.invoke("f", #"{"do":"headers"}"#)
      let told = try #require(own.header("X-Amzn-Trace-Id")).split(separator: ";")
      #expect(told.count == 2 && told[0].hasPrefix("root=1-") && told[1] == "sampled=0")
      #expect(own.body.contains("Root=\(told[0].dropFirst(5));"))
      #expect(try await host.invoke("missing").header("X-Amzn-Trace-Id") == nil)
    }
  }

  @Test func `gives an empty body as an empty object`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      #expect(try await host.invoke("f", "").body == "{}")
    }
  }

  @Test func `accepts an event for later and gives it again to a function that fails`() async throws {
    let file = "/tmp/kelvin-test-\(UInt64.random(in: 0 ..< .max))"
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.asynchronous.errorDelays = [.milliseconds(30), .milliseconds(60)]
    let events = try await HostFixture.run(configuration) { host async throws in
      let event = #"{"do":"flaky","file":"\#(file)","succeeds":3}"#
      let answer = try await host.invoke("f", event, headers: [("X-Amz-Invocation-Type", "Event")])
      #expect(answer.status == 202)
      #expect(answer.body.isEmpty)
      #expect(answer.header("X-Amz-Executed-Version") == nil)
      try await host.eventually { $0.finished.count == 3 }
      #expect(host.events.all.finished[0].request.value.uuidText == answer.header("x-amzn-RequestId"))
    }
    #expect(events.finished.map(\.outcome) == [.error, .error, .success])
    #expect(Set(events.finished.map(\.request)).count == 3)
  }

  @Test func `gives up on an event after its repetitions`() async throws {
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.asynchronous.errorDelays = [.milliseconds(10)]
    let events = try await HostFixture.run(configuration) { host async throws in
      _ = try await host.invoke("f", #"{"do":"raise"}"#, headers: [("X-Amz-Invocation-Type", "Event")])
      try await host.eventually { $0.finished.count == 2 }
      #expect(try await host.invoke("f", #"{"do":"sleep","seconds":0.2}"#).status == 200)
    }
    #expect(events.finished.map(\.outcome) == [.error, .error, .success])
  }

  @Test func `gives a refused event again when there is room`() async throws {
    var configuration = HostConfiguration(functions: [python("f", reserved: 1)])
    configuration.asynchronous.throttleDelayMin = .milliseconds(50)
    let events = try await HostFixture.run(configuration) { host async throws in
      async let running = host.invoke("f", #"{"do":"sleep","seconds":0.4}"#)
      try await host.eventually { $0.invocationsStarted.count >= 1 }
      let answer = try await host.invoke("f", "{}", headers: [("X-Amz-Invocation-Type", "Event")])
      #expect(answer.status == 202)
      _ = try await running
      try await host.eventually { $0.finished.count == 2 }
    }
    #expect(!events.throttled.isEmpty)
    #expect(events.finished.map(\.outcome) == [.success, .success])
  }

  @Test func `pushes back when the queue of events is full`() async throws {
    var configuration = HostConfiguration(functions: [python("sleepy", reserved: 1)])
    configuration.asynchronous.countLimit = 2
    try await HostFixture.run(configuration) { host async throws in
      var statuses: [Int] = []
      for _ in 0..<3 {
        let event = try await host.invoke(
          "sleepy", #"{"do":"sleep","seconds":2}"#, headers: [("X-Amz-Invocation-Type", "Event")])
        statuses.append(event.status)
      }
      #expect(statuses == [202, 202, 429])
      let counts = try #require(host.host.counts)
      #expect(counts.asynchronousEventsRefused == 1)
      #expect(
        counts.listeners.first?.requests.filter { $0.route == "Invoke" } == [
          .init(route: "Invoke", statusClass: 2, count: 2), .init(route: "Invoke", statusClass: 4, count: 1),
        ])
    }
  }

  @Test func `hands an HTTP request to its function in payload format 2.0`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      let answer = try await host.url(
        .PUT, "/url/f/a%20b/c?x=1&y=%C3%A4&x=2",
        headers: [("Content-Type", "text/plain"), ("X-Multi", "a"), ("X-Multi", "b"), ("Cookie", "k=1; l=2")],
        body: "h\"i")
      #expect(answer.status == 200)
      #expect(answer.header("Content-Type") == "application/json")
      for part in [
        #""version":"2.0""#, #""routeKey":"$default""#, #""rawPath":"/a%20b/c""#,
        #""rawQueryString":"x=1&y=%C3%A4&x=2""#, #""cookies":["k=1","l=2"]"#, #""x-multi":"a,b""#,
        #""queryStringParameters":{"x":"1,2","y":"\u00e4"}"#, #""method":"PUT""#, #""sourceIp":"127.0.0.1""#,
        #""body":"h\"i""#, #""isBase64Encoded":false"#, #""stage":"$default""#,
        #""requestId":"\#(answer.header("x-amzn-RequestId") ?? "-")""#,
      ] {
        #expect(answer.body.contains(part), "\(part) in \(answer.body)")
      }
      let binary = try await host.url(.POST, "/url/f", headers: [("Content-Type", "image/png")], body: "png")
      #expect(binary.body.contains(#""body":"cG5n","isBase64Encoded":true"#))
      #expect(binary.body.contains(#""rawPath":"/""#))
      let named = try await host.url(.GET, "/url/f/", headers: [("Host", "f.localhost:1")])
      #expect(named.body.contains(#""rawPath":"/url/f/""#))
      #expect(named.body.contains(#""domainName":"f.localhost""#))
      #expect(named.body.contains(#""x-forwarded-port":"\#(host.port)""#))
    }
  }

  @Test func `invokes a function with any query and path`() async throws {
    try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      for target in ["/url/f/?utm_term=%%URL%%", "/url/f/%E9?%E9", "/url/f/100%?a=100%", "/url/%66/a%2Fb?a=%ZZ"] {
        let answer = try await host.url(.GET, target)
        #expect(answer.status == 200, "\(target): \(answer.body)")
        let query = target.split(separator: "?")[1]
        #expect(answer.body.contains(#""rawQueryString":"\#(query)""#), "\(answer.body)")
      }
      #expect(try await host.url(.GET, "/url/%ZZ/").status == 404)
    }
  }

  @Test func `finds a function by a host name in any case`() async throws {
    let functions = [python("HelloWorld"), python("twin"), python("Twin"), python("A-b"), python("a-B")]
    try await HostFixture.run(HostConfiguration(functions: functions)) { host async throws in
      func ask(_ name: String) async throws -> Answer { try await host.url(.GET, "/", headers: [("Host", name)]) }
      #expect(try await ask("helloworld.localhost:1").body.contains(#""apiId":"HelloWorld""#))
      #expect(try await ask("HelloWorld.localhost.").body.contains(#""apiId":"HelloWorld""#))
      #expect(try await ask("twin.localhost").body.contains(#""apiId":"twin""#))
      #expect(try await ask("Twin.localhost").body.contains(#""apiId":"Twin""#))
      let unclear = try await ask("a-b.localhost")
      #expect(unclear.status == 400)
      #expect(unclear.body.contains("stands for A-b and a-B"), "\(unclear.body)")
      #expect(try await host.url(.GET, "/url/helloworld/").status == 404)
    }
  }

  @Test func `answers a function URL with 504, 502 and 429`() async throws {
    let functions = [
      python("f", environment: ["INIT": "hang"], timeout: .milliseconds(300)), python("paused", reserved: 0),
    ]
    var broken = python("broken")
    broken.command = ["/does/not/exist"]
    var limited = HostConfiguration(functions: functions + [broken])
    limited.functions[0].initializationLimit = .milliseconds(100)
    let events = try await HostFixture.run(limited) { host async throws in
      let timeout = try await host.url(.GET, "/url/f/")
      #expect(timeout.status == 504)
      #expect(timeout.nanoseconds("X-Kelvin-End") != nil)
      let crash = try await host.url(.GET, "/url/broken/")
      #expect(crash.status == 502)
      #expect(crash.body == "Internal Server Error")
      let throttled = try await host.url(.GET, "/url/paused/")
      #expect(throttled.status == 429)
      #expect(throttled.header("Retry-After") == "1")
    }
    #expect(events.finished.map(\.responseStatus) == [504, 502])
    #expect(events.finished.map(\.trigger) == [.http, .http])
  }
}
