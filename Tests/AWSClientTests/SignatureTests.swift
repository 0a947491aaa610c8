import Text
import Foundation
import Lifecycle
import Testing

@testable import AWSClient

@Suite struct `Signature version 4` {
  private static let credentials = AWSCredentials(
    accessKeyID: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", source: "the test")
  private static let scope = SignatureV4.Scope(region: "us-east-1", service: "service")
  /// 2015-08-30T12:36:00Z
  private static let time = Timestamp(seconds: 1_440_938_160)

  struct Vector: Sendable, CustomTestStringConvertible {
    var name: String
    var method = "GET"
    var path = "/"
    var query: [QueryItem] = []
    var signature: String
    var testDescription: String { name }
  }

  @Test(arguments: [
    Vector(
      name: "get-vanilla", signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
    Vector(
      name: "post-vanilla", method: "POST",
      signature: "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    Vector(
      name: "get-vanilla-query-order-key-case", query: [.init("Param2", "value2"), .init("Param1", "value1")],
      signature: "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"),
    Vector(
      name: "get-relative-relative", path: "/example1/example2/../..",
      signature: "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"),
  ])
  func `is that of AWS's published vectors`(_ vector: Vector) {
    let headers = SignatureV4.headers(
      for: .init(
        method: vector.method, path: vector.path, query: vector.query,
        headers: [Header("Host", "example.amazonaws.com")]),
      credentials: Self.credentials, scope: Self.scope, time: Self.time)
    #expect(headers.map(\.name) == ["X-Amz-Date", "Authorization"])
    #expect(headers[0].value == "20150830T123600Z")
    #expect(
      headers[1].value
        == "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, "
        + "SignedHeaders=host;x-amz-date, Signature=\(vector.signature)")
  }

  struct Recorded: Decodable {
    var method: String
    var path: String
    var query: [[String]]
    var headers: [[String]]
    var body: String
    var accessKey: String
    var secretKey: String
    var token: String?
    var region: String
    var service: String
    var seconds: Int64
    var authorization: String
  }

  @Test func `is that of botocore for requests of every form`() throws {
    let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Fixtures/signatures.json")
    let cases = try JSONDecoder().decode([Recorded].self, from: Data(contentsOf: file))
    #expect(cases.count >= 100)
    for given in cases {
      let request = SignatureV4.Request(
        method: given.method, path: given.path, query: given.query.map { QueryItem($0[0], $0[1]) },
        headers: given.headers.map { Header($0[0], $0[1]) }, body: Array(given.body.utf8))
      let credentials = AWSCredentials(
        accessKeyID: given.accessKey, secretAccessKey: given.secretKey, sessionToken: given.token, source: "the test")
      let headers = SignatureV4.headers(
        for: request, credentials: credentials, scope: .init(region: given.region, service: given.service),
        time: Timestamp(seconds: given.seconds))
      #expect(headers.last == Header("Authorization", given.authorization), "\(request)")
    }
  }

  @Test func `takes in the session token and nothing that is there already`() {
    var credentials = Self.credentials
    credentials.sessionToken = "token"
    let old = [Header("x-amz-date", "19990101T000000Z"), Header("X-Amz-Security-Token", "old"), Header("Host", "h")]
    let headers = SignatureV4.headers(
      for: .init(method: "GET", path: "/", headers: old), credentials: credentials, scope: Self.scope, time: Self.time)
    #expect(headers.map(\.name) == ["X-Amz-Date", "X-Amz-Security-Token", "Authorization"])
    #expect(headers[2].value.contains("SignedHeaders=host;x-amz-date;x-amz-security-token,"))
  }

  @Test(arguments: [
    ("", "/"), ("/", "/"), ("/a//b/./c", "/a/b/c"), ("/a/../../b/", "/b/"), ("/..", "/"), ("/a%3Ab", "/a%253Ab"),
    ("/~a-_.", "/~a-_."), ("/a/..", "/"),
  ])
  func `brings paths into form and encodes them once more`(_ path: String, canonical: String) {
    let lines = SignatureV4.canonicalRequest(.init(method: "get", path: path, headers: [Header("Host", "h")]))
      .split(separator: "\n", omittingEmptySubsequences: false)
    #expect(lines[0] == "GET")
    #expect(lines[1] == canonical)
  }

  @Test func `joins headers of one name and trims their blanks`() {
    let canonical = SignatureV4.canonicalRequest(
      .init(method: "GET", path: "/", headers: [Header("b", " x \t y "), Header("A", "1"), Header("B", "2")]))
    #expect(canonical.contains("\na:1\nb:x y,2\n\na;b\n"))
  }

  @Test func `never shows a secret when credentials are printed`() {
    #expect(!"\(Self.credentials)\(String(reflecting: Self.credentials))".contains("wJalr"))
  }
}

@Suite struct `The time of a signature` {
  @Test(arguments: [
    (Int64(0), "19700101T000000Z"), (951_782_399, "20000228T235959Z"), (951_782_400, "20000229T000000Z"),
    (951_868_800, "20000301T000000Z"), (4_107_542_399, "21000228T235959Z"), (4_107_542_400, "21000301T000000Z"),
    (1_795_428_000, "20261123T100000Z"), (1_704_067_199, "20231231T235959Z"),
  ])
  func `is that of the calendar`(_ seconds: Int64, text: String) {
    #expect(CalendarText.basic(nanoseconds: Timestamp(seconds: seconds).nanoseconds) == text)
  }
}
