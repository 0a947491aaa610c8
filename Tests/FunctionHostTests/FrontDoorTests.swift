import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@testable import FunctionHost
import LambdaAPI

/// What the door says to a request, in a word.
private enum Word: Equatable, Sendable { case served, preflight, refused }

@Suite struct `Front door tests` {
  private static let page = "http://localhost:5173"
  private static let cors = FunctionURLCORS(
    allowOrigins: ["https://www.example.com", "http://LOCALHOST:5173"], allowMethods: ["GET", "PUT"],
    allowHeaders: ["X-Token", "Date"], exposeHeaders: ["X-Total"], maxAge: 300)
  private let door: FrontDoor

  init() {
    var opened = FunctionSpecification(name: "opened", command: ["x"], directory: "/")
    opened.cors = Self.cors
    var everybody = FunctionSpecification(name: "everybody", command: ["x"], directory: "/")
    everybody.cors = FunctionURLCORS(allowOrigins: ["*"])
    let closed = FunctionSpecification(name: "closed", command: ["x"], directory: "/")
    door = FrontDoor(HostConfiguration(functions: [opened, everybody, closed]))
  }

  private func request(_ method: HTTPMethod, _ target: String, _ fields: [(String, String)]) -> HTTPRequest {
    HTTPRequest(
      method: method, target: target, headers: HTTPHeaders([("Host", "127.0.0.1:27316")] + fields), body: ByteBuffer(),
      isKeepAlive: true, remoteAddress: nil,
      connectionClosed: MultiThreadedEventLoopGroup.singleton.any().makeSucceededVoidFuture())
  }

  private func word(_ request: HTTPRequest) -> Word {
    switch door.decide(request, for: FunctionURLTarget(host: "127.0.0.1:27316", path: request.path)?.function) {
    case .serve: .served
    case .preflight: .preflight
    case .refuse: .refused
    }
  }

  private static let asking = [("Access-Control-Request-Method", "PUT")]
  private static let origin = [("Origin", page)]
  private static let other = [("Origin", "http://attacker.test")]
  private static let image = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")]
  private static let link = [
    ("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document"),
  ]

  @Test(
    arguments: [
      (.GET, "/url/closed/", [], .served), (.GET, "/url/closed/", origin, .refused),
      (.GET, "/url/closed/", image, .refused), (.GET, "/url/closed/", link, .refused),
      (.OPTIONS, "/url/closed/", origin + asking, .refused), (.OPTIONS, "/url/closed/", [], .served),
      (.GET, "/url/opened/", origin, .served), (.GET, "/url/opened/", other, .refused),
      (.GET, "/url/opened/", [("Origin", "null")], .refused), (.POST, "/url/opened/", origin, .refused),
      (.PUT, "/url/opened/", origin + [("Sec-Fetch-Site", "cross-site")], .served),
      (.OPTIONS, "/url/opened/", origin + asking, .preflight), (.OPTIONS, "/url/opened/", other + asking, .refused),
      (.OPTIONS, "/url/opened/", origin, .refused), (.OPTIONS, "/url/opened/", asking, .served),
      (.GET, "/url/opened/", image, .refused), (.GET, "/url/opened/", link, .refused),
      (.GET, "/url/everybody/", image, .served), (.GET, "/url/everybody/", [("Origin", "null")], .served),
      (.POST, "/url/everybody/", other, .served), (.PUT, "/url/everybody/", other, .refused),
      (.GET, "/url/everybody/", [("Host", "attacker.test")], .refused),
      (.POST, "/2015-03-31/functions/everybody/invocations", other, .refused),
      (.POST, "/2015-03-31/functions/closed/invocations", [], .served),
      (.POST, "/2015-03-31/functions/closed/aliases", [("Origin", "null")], .refused),
      (.GET, "/2015-03-31/functions", image, .refused), (.GET, "/2015-03-31/functions", link, .refused),
    ] as [(HTTPMethod, String, [(String, String)], Word)])
  private func `does for a page of another origin only what the function is opened for`(
    _ method: HTTPMethod, _ target: String, _ fields: [(String, String)], _ expected: Word
  ) {
    #expect(word(request(method, target, fields)) == expected)
  }

  @Test func `answers a preflight with what the function is opened for`() throws {
    let fields = Self.origin + [("Access-Control-Request-Headers", "x-token")] + Self.asking
    let answer = Self.cors.preflightAnswer(request(.OPTIONS, "/url/opened/", fields))
    #expect(answer.status == .ok && answer.body.readableBytes == 0)
    let expected = [
      "Vary": "Origin", "Access-Control-Allow-Origin": Self.page, "Access-Control-Allow-Methods": "GET,PUT",
      "Access-Control-Allow-Headers": "X-Token,Date", "Access-Control-Max-Age": "300",
    ]
    #expect(Dictionary(uniqueKeysWithValues: answer.headers.map { ($0, $1) }) == expected)
  }

  @Test func `names the origin, and with credentials what was asked for, where all are allowed`() {
    var cors = FunctionURLCORS(allowOrigins: ["*"], allowMethods: ["*"], allowHeaders: ["*"])
    let fields = Self.origin + Self.asking + [("Access-Control-Request-Headers", "x-a,x-b")]
    let asked = request(.OPTIONS, "/url/everybody/", fields)
    #expect(cors.preflightAnswer(asked).headers.first(name: "Access-Control-Allow-Origin") == Self.page)
    #expect(cors.preflightAnswer(asked).headers.first(name: "Access-Control-Allow-Headers") == "*")
    cors.allowCredentials = true
    let answer = cors.preflightAnswer(asked)
    #expect(answer.headers.first(name: "Access-Control-Allow-Credentials") == "true")
    #expect(answer.headers.first(name: "Access-Control-Allow-Methods") == "PUT")
    #expect(answer.headers.first(name: "Access-Control-Allow-Headers") == "x-a,x-b")
  }

  @Test func `says why, and what to do`() {
    let error = AWSError(.foreignOrigin("http://a.test"), function: "f")
    #expect(error.status == 403 && error.code == "AccessDeniedException")
    #expect(error.message.contains("http://a.test") && error.message.contains("functions.f.cors in kelvin.yaml"))
    #expect(!AWSError(.foreignSite("cross-site"), function: nil).message.contains("cors"))
    #expect(AWSError(.foreignHost("a.test"), function: nil).message.contains("host.allowedHosts"))
  }
}

@Suite(.serialized, .timeLimit(.minutes(1))) struct `A function URL that is opened to a page` {
  @Test func `is run for that page alone, asks no function before, and says so in its configuration`() async throws {
    var opened = python("f")
    opened.cors = FunctionURLCORS(allowOrigins: ["http://a.test"], exposeHeaders: ["X-Total"], maxAge: 5)
    let events = try await HostFixture.run(HostConfiguration(functions: [opened, python("g")])) { host async throws in
      let origin = ("Origin", "http://a.test")
      let answer = try await host.url(.GET, "/url/f/", headers: [origin])
      #expect(answer.status == 200)
      #expect(answer.header("Access-Control-Allow-Origin") == "http://a.test")
      #expect(answer.header("Access-Control-Expose-Headers") == "X-Total")
      #expect(answer.header("Vary") == "Origin")
      #expect(try await host.url(.GET, "/url/f/").header("Access-Control-Allow-Origin") == nil)
      let asking = [origin, ("Access-Control-Request-Method", "GET")]
      #expect(try await host.url(.OPTIONS, "/url/f/", headers: asking).header("Access-Control-Max-Age") == "5")
      #expect(try await host.url(.GET, "/url/g/", headers: [origin]).status == 403)
      let refused = try await host.url(.GET, "/url/f/", headers: [("Origin", "http://b.test")])
      #expect(refused.status == 403 && refused.header("x-amzn-ErrorType") == "AccessDeniedException")
      #expect(refused.header("Access-Control-Allow-Origin") == nil)
      let told = try await host.url(.GET, "/2021-10-31/functions/f/url?Qualifier=current")
      let cors = #""Cors":{"AllowOrigins":["http://a.test"],"ExposeHeaders":["X-Total"],"MaxAge":5}"#
      #expect(told.body.contains(cors), "\(told.body)")
      let none = try await host.url(.GET, "/2021-10-31/functions/g/url?Qualifier=current")
      #expect(none.status == 200 && !none.body.contains("Cors"))
    }
    #expect(events.finished.count == 2)
  }

  @Test func `is not run by a page that names the host as its own`() async throws {
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.allowedHosts = ["kelvin.internal"]
    let events = try await HostFixture.run(configuration) { host async throws in
      for target in ["/url/f/", "/2015-03-31/functions", "/2016-08-19/account-settings", "/nothing"] {
        let answer = try await host.url(.GET, target, headers: [("Host", "attacker.test:27316")])
        #expect(answer.status == 403 && answer.body.contains("attacker.test:27316"), "\(answer.body)")
        let allowed = try await host.url(.GET, target, headers: [("Host", "kelvin.internal:27316")])
        #expect(allowed.status == (target == "/nothing" ? 501 : 200))
      }
      #expect(try await host.invoke("f", headers: [("Host", "attacker.test")]).status == 403)
    }
    #expect(events.finished.count == 1)
  }
}
