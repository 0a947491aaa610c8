import HTTPServer
import NIOCore
import NIOHTTP1
import NIOPosix
import Testing

@Suite struct `Browser guard tests` {
  private func request(_ fields: [(String, String)], _ method: HTTPMethod = .GET, target: String = "/") -> HTTPRequest {
    HTTPRequest(
      method: method, target: target, headers: HTTPHeaders(fields), body: ByteBuffer(), isKeepAlive: true,
      remoteAddress: nil, connectionClosed: MultiThreadedEventLoopGroup.singleton.any().makeSucceededVoidFuture())
  }

  private let guarding = BrowserGuard(allowedHosts: ["Kelvin.Internal", "[fd00::2]", "10.1.2.3"])

  @Test(arguments: [
    "localhost", "LOCALHOST:27315", "localhost.", "localhost.:27315", "f.localhost", "F.LocalHost.:1",
    "a.b.localhost:80",
    "127.0.0.1", "127.0.0.1:27316", "127.0.0.1.", "127.255.3.4:1", "[::1]", "[::1]:27315", "[0:0:0:0:0:0:0:1]:1",
    "[::ffff:127.0.0.1]", "localhost:", "kelvin.internal", "KELVIN.internal.:27315", "[fd00::2]:27315", "10.1.2.3:1",
  ])
  func `lets a request for a name of loopback, or an allowed one, in`(_ host: String) {
    #expect(guarding.refusal(request([("Host", host)])) == nil)
  }

  @Test(arguments: [
    "attacker.test", "attacker.test:27316", "localhost.attacker.test", "xlocalhost", "localhostx",
    "127.0.0.1.attacker.test",
    "128.0.0.1", "127.0.0", "127.0.0.256", "127.0.0.1.1", "1127.0.0.1", "127..0.1", "127.0.0.0x1", "0.0.0.0:27316",
    "[::]",
    "[::2]:1", "[::1", "[::1]x", "::1", "127.0.0.1:80:80", "127.0.0.1:x", "localhost@attacker.test", "", " ",
    "10.1.2.4",
    "sub.kelvin.internal", "fd00::2",
  ])
  func `refuses a request for any other name`(_ host: String) {
    #expect(guarding.refusal(request([("Host", host)])) == .foreignHost(host))
  }

  @Test func `looks at the authority of a target in absolute form, and at every Host`() {
    let rebound = request([("Host", "localhost")], target: "http://attacker.test:27316/x")
    #expect(guarding.refusal(rebound) == .foreignHost("attacker.test:27316"))
    #expect(guarding.refusal(request([("Host", "localhost")], target: "http://localhost@attacker.test")) != nil)
    #expect(guarding.refusal(request([("Host", "localhost")], target: "http://127.0.0.1/x?y=http://a")) == nil)
    #expect(guarding.refusal(request([("Host", "localhost"), ("Host", "attacker.test")])) != nil)
  }

  @Test(
    arguments: [
      ("localhost:27315", "http://localhost:27315"), ("LOCALHOST:27315", "http://localhost:27315"),
      ("localhost", "http://localhost"), ("localhost:80", "http://localhost"),
      ("f.localhost:1", "http://f.localhost:1"),
      ("[::1]:27315", "http://[::1]:27315"), ("kelvin.internal", "https://kelvin.internal"),
    ])
  func `lets a page of the server's own in`(_ host: String, _ origin: String) {
    #expect(guarding.refusal(request([("Host", host), ("Origin", origin)], .POST)) == nil)
  }

  @Test(
    arguments: [
      "http://attacker.test", "https://attacker.test:27315", "http://localhost:27316", "http://localhost", "null", "",
      "http://127.0.0.1:27315", "http://f.localhost:27315", "localhost:27315", "http://localhost:27315.attacker.test",
      "file://", "http://localhost:27315, http://attacker.test", "chrome-extension://localhost:27315",
    ])
  func `refuses a page of another origin, of another port, and of none`(_ origin: String) {
    let fields = [("Host", "localhost:27315"), ("Origin", origin)]
    for method in [HTTPMethod.GET, .POST, .OPTIONS] {
      #expect(guarding.refusal(request(fields, method)) == .foreignOrigin(origin))
    }
    #expect(guarding.refusal(request([("Origin", "http://localhost:27315")] + fields)) != nil)
  }

  @Test(
    arguments: [
      ("none", false), ("same-origin", false), ("Same-Origin", false), ("same-site", true), ("cross-site", true),
      ("", true), ("whatever", true),
    ])
  func `believes what a browser says of who sent it, whatever the case of the field's name`(
    _ site: String, _ isRefused: Bool
  ) {
    for name in ["Sec-Fetch-Site", "sec-fetch-site"] {
      let refusal = guarding.refusal(request([("host", "localhost"), (name, site)]))
      #expect(refusal == (isRefused ? .foreignSite(site) : nil))
    }
  }

  @Test func `lets a page without a referrer post to its own server`() {
    let own = [("Host", "localhost"), ("Origin", "null"), ("Sec-Fetch-Site", "same-origin")]
    #expect(guarding.refusal(request(own, .POST)) == nil)
    let foreign = [("Host", "localhost"), ("Origin", "null"), ("Sec-Fetch-Site", "cross-site")]
    #expect(guarding.refusal(request(foreign, .POST)) == .foreignOrigin("null"))
  }

  @Test func `lets programs in, which say nothing of pages`() {
    #expect(guarding.refusal(request([("Host", "127.0.0.1:27315"), ("User-Agent", "Prometheus/3.5")])) == nil)
    #expect(guarding.refusal(request([])) == nil)
  }

  @Test func `cuts what it repeats`() {
    let name = String(repeating: "a", count: 60_000)
    guard case .foreignHost(let told) = guarding.refusal(request([("Host", name)])) else {
      Issue.record("\(name.prefix(10))… is let in")
      return
    }
    #expect(told == String(repeating: "a", count: 200) + "…")
  }

  @Test(
    arguments: [
      ([("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "document")], true),
      ([("Sec-Fetch-Mode", "navigate"), ("Sec-Fetch-Dest", "iframe")], false),
      ([("Sec-Fetch-Mode", "no-cors"), ("Sec-Fetch-Dest", "image")], false), ([], false),
    ] as [([(String, String)], Bool)])
  func `tells a link that a person follows from what a page embeds`(_ fields: [(String, String)], _ isLink: Bool) {
    #expect(BrowserGuard.isNavigation(request(fields)) == isLink)
    #expect(!BrowserGuard.isNavigation(request(fields, .POST)))
    #expect(!BrowserGuard.isNavigation(request(fields + [("Origin", "http://attacker.test")])))
  }
}
