import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1
import Testing
import Text

@testable import LambdaAPI

@Suite struct `Function reference tests` {
  @Test(
    arguments: [
      ("f", nil, "f", nil), ("f:1", nil, "f", "1"), ("f", "live", "f", "live"), ("f:live", "live", "f", "live"),
      ("f:$LATEST", nil, "f", "$LATEST"), ("123:function:f", nil, "f", nil), ("123:function:f:2", nil, "f", "2"),
      ("arn:aws:lambda:eu-west-1:123:function:f", nil, "f", nil),
      ("arn:aws-cn:lambda:eu-west-1:123:function:f:live", "live", "f", "live"),
    ] as [(String, String?, String, String?)])
  func `reads the forms of AWS`(text: String, query: String?, name: String, qualifier: String?) throws {
    let reference = try FunctionReference(text, queryQualifier: query)
    #expect(reference.name == name)
    #expect(reference.qualifier == qualifier)
  }

  @Test(
    arguments: [
      ("", nil, FunctionReference.Problem.malformed), ("a b", nil, .malformed), ("f:1:2", nil, .malformed),
      ("arn:aws:lambda:eu-west-1:123", nil, .malformed), ("arn:aws:s3:eu-west-1:123:function:f", nil, .malformed),
      ("f:", nil, .malformed), ("f", "a b", .malformed), ("f:1", "2", .qualifiersDiffer), ("ä", nil, .malformed),
      (String(repeating: "f", count: 141), nil, .malformed),
    ] as [(String, String?, FunctionReference.Problem)])
  func `refuses what is no reference`(text: String, query: String?, problem: FunctionReference.Problem) {
    #expect(throws: problem) { try FunctionReference(text, queryQualifier: query) }
  }
}

@Suite struct `Function URL tests` {
  @Test(arguments: [
    ("127.0.0.1:1", "/url/f/a/b", "f", "/a/b"), ("", "/url/f", "f", "/"), ("", "/url/f/", "f", "/"),
    ("f.localhost:27316", "/a", "f", "/a"), ("F.LOCALHOST", "/", "F", "/"), ("f.localhost", "/url/g/", "f", "/url/g/"),
    ("localhost:1", "/url/f//x", "f", "//x"), ("py.localhost.", "/", "py", "/"), ("py.localhost.:80", "", "py", "/"),
    ("[::1]:27316", "/url/f/a", "f", "/a"), ("", "/url/a%2Db/x", "a-b", "/x"),
    ("", "/url/f/a%2Fb/%ZZ/+", "f", "/a%2Fb/%ZZ/+"), ("", "/url//x", "", "/x"), ("", "/url/%ZZ", "%ZZ", "/"),
  ])
  func `finds the function`(host: String, path: String, function: String, rawPath: String) throws {
    let target = try #require(FunctionURLTarget(host: host, path: path))
    #expect(target.function == function)
    #expect(target.rawPath == rawPath)
  }

  @Test(arguments: [("localhost", "/"), (".localhost", "/x"), ("", "/urls/f"), ("", "/2015-03-31/functions/f")])
  func `leaves other requests alone`(host: String, path: String) {
    #expect(FunctionURLTarget(host: host, path: path) == nil)
  }

  struct Mapping: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var payload: String
    var status: UInt?
    var body = ""
    var fields: [String] = ["Content-Type: application/json"]
  }

  @Test(arguments: [
    Mapping(testDescription: "any object", payload: #"{"a":1}"#, status: 200, body: #"{"a":1}"#),
    Mapping(
      testDescription: "an object with blanks", payload: "{\"a b\" : [ 1.50 ,\n\t{ } ] }\r\n", status: 200,
      body: #"{"a b":[1.50,{}]}"#),
    Mapping(testDescription: "an array", payload: #" ["hello", 3, true] "#, status: 200, body: #"["hello",3,true]"#),
    Mapping(testDescription: "a string", payload: #""hi""#, status: 200, body: "hi"),
    Mapping(
      testDescription: "a string with escapes", payload: #" "\"h\u00e4\"\n\ud83d\ude00 \\ " "#, status: 200,
      body: "\"hä\"\n😀 \\ "),
    Mapping(testDescription: "an empty string", payload: #""""#, status: 200),
    Mapping(testDescription: "a number", payload: " 3.10 ", status: 200, body: "3.10"),
    Mapping(testDescription: "false", payload: "false", status: 200, body: "false"),
    Mapping(testDescription: "null", payload: "null", status: 200, body: "null"),
    Mapping(testDescription: "a status alone", payload: #" {"statusCode": 204} "#, status: 204),
    Mapping(testDescription: "a status as text", payload: #"{"statusCode":"201"}"#, status: 201),
    Mapping(
      testDescription: "everything",
      payload:
        #"{"statusCode":418,"headers":{"content-type":"text/plain","X-N":7,"X-No":null},"cookies":["a=1","b=2"],"body":"h\u00e4"}"#,
      status: 418, body: "hä", fields: ["content-type: text/plain", "X-N: 7", "Set-Cookie: a=1", "Set-Cookie: b=2"]),
    Mapping(
      testDescription: "Base64", payload: #"{"statusCode":200,"body":"aGk=","isBase64Encoded":true}"#, status: 200,
      body: "hi"),
    Mapping(
      testDescription: "an object as body", payload: #"{"statusCode":200,"body":{"a":[1]}}"#, status: 200,
      body: #"{"a":[1]}"#),
    Mapping(
      testDescription: "a spaced object as body", payload: #"{"statusCode":200,"body": { "a" : 1 } }"#, status: 200,
      body: #"{"a":1}"#),
    Mapping(testDescription: "a number as body", payload: #"{"statusCode":200,"body":7 }"#, status: 200, body: "7"),
    Mapping(
      testDescription: "Base64 in lines", payload: #"{"statusCode":200,"body":"aG\r\nk=\n","isBase64Encoded":true}"#,
      status: 200, body: "hi"),
    Mapping(
      testDescription: "names that differ in case",
      payload: #"{"statusCode":200,"headers":{"content-type":"a/b","x-a":"1","X-A":"2"}}"#, status: 200,
      fields: ["content-type: a/b", "X-A: 2"]),
    Mapping(
      testDescription: "a name that is none of a field",
      payload: #"{"statusCode":200,"headers":{"content-type":"a/b","\u00e9":"1","x":"2"}}"#, status: 200,
      fields: ["content-type: a/b", "x: 2"]),
    Mapping(testDescription: "no body", payload: #"{"statusCode":200,"body":null}"#, status: 200),
    Mapping(testDescription: "a status that is none", payload: #"{"statusCode":99}"#),
    Mapping(testDescription: "a status that is no number", payload: #"{"statusCode":[]}"#),
    Mapping(testDescription: "broken Base64", payload: #"{"statusCode":200,"body":"!","isBase64Encoded":true}"#),
    Mapping(testDescription: "no JSON", payload: "hello"),
    Mapping(testDescription: "nothing", payload: ""),
  ])
  func `maps the function's answer`(_ given: Mapping) {
    let response = FunctionURLAnswer.mapped(ByteBuffer(string: given.payload))
    #expect(response?.status.code == given.status)
    guard let response else { return }
    #expect(String(buffer: response.body) == given.body)
    #expect(response.headers.map { "\($0.name): \($0.value)" } == given.fields)
  }

  @Test(
    arguments: [
      ("text/html", true), ("application/json; charset=utf-8", true), ("application/problem+json", true),
      ("APPLICATION/XML", true), ("image/png", false), ("application/x-www-form-urlencoded", false), (nil, false),
    ] as [(String?, Bool)])
  func `tells text from other bodies`(contentType: String?, isText: Bool) {
    #expect(FunctionURLEvent.isText(contentType) == isText)
  }

  @Test(arguments: [
    (0, "01/Jan/1970:00:00:00 +0000"), (1_582_934_399, "28/Feb/2020:23:59:59 +0000"),
    (1_582_934_400, "29/Feb/2020:00:00:00 +0000"), (1_795_428_245, "23/Nov/2026:10:04:05 +0000"),
    (4_107_542_400, "01/Mar/2100:00:00:00 +0000"),
  ])
  func `writes the time as AWS does`(seconds: Int64, text: String) {
    #expect(CalendarText.request(nanoseconds: Timestamp(seconds: seconds).nanoseconds) == text)
  }
}

@Suite struct `Fault document tests` {
  @Test(arguments: [(1_000, "1.00"), (999, "1.00"), (3_456, "3.46"), (50, "0.05"), (900_000, "900.00")])
  func `writes seconds with two decimals`(milliseconds: Int64, text: String) {
    #expect(FunctionFault.secondsText(.milliseconds(milliseconds)) == text)
  }

  @Test(arguments: ThrottleReason.allCases)
  func `names the reason of a refusal`(_ reason: ThrottleReason) {
    let response = AWSError.throttled(reason).response(RequestID(.zero))
    #expect(response.status == .tooManyRequests)
    #expect(
      String(buffer: response.body) == #"{"Reason":"\#(reason.name)","Type":"User","message":"Rate Exceeded."}"#)
  }
}
