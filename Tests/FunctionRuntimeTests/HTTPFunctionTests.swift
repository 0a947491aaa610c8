import Text
import BlockingHTTP
import Testing

@testable import FunctionRuntime

private let event = #"""
  {"version":"2.0","rawPath":"/orders/7%20a","rawQueryString":"ms=20&x=a%2Bb+c&x=%zz&flag",
   "cookies":["a=1","b=2"],"headers":{"content-type":"text/plain","X-Two":"1,2"},
   "requestContext":{"http":{"method":"POST","path":"/orders/7 a","sourceIp":"127.0.0.1"}},
   "body":"aGVsbG8=","isBase64Encoded":true}
  """#

struct Echo: HTTPFunction {
  func handle(_ request: HTTPFunctionRequest, _ context: InvocationContext) async throws -> HTTPFunctionResponse {
    .text("\(request.method) \(request.path) \(request.text)", status: 201)
  }
}

@Test func `reads a request in payload format 2.0`() throws {
  let request = try HTTPFunctionRequest(event: Array(event.utf8))
  #expect(request.method == "POST")
  #expect(request.path == "/orders/7%20a")
  #expect(request.query["ms"] == "20")
  #expect(request.query.values(of: "x") == ["a+b c", "%zz"])
  #expect(request.query["flag"] == "")
  #expect(request.query["FLAG"] == nil)
  #expect(request.headers["Content-Type"] == "text/plain")
  #expect(request.headers["x-two"] == "1,2")
  #expect(request.cookies == ["a=1", "b=2"])
  #expect(request.text == "hello")
  #expect(request.sourceAddress == "127.0.0.1")
}

@Test func `what a request does not name is empty`() throws {
  let request = try HTTPFunctionRequest(event: Array(#"{"requestContext":{"http":{"method":"GET"}}}"#.utf8))
  #expect(request == HTTPFunctionRequest("GET", "/"))
  #expect(throws: JSONError.self) { try request.json() }
}

@Test(
  arguments: [
    "{}", "[]", #"{"requestContext":{"http":{"method":7}}}"#,
    #"{"requestContext":{"http":{"method":"GET"}},"body":"a","isBase64Encoded":true}"#,
  ])
func `refuses an event that is no request`(_ event: String) {
  #expect(throws: HTTPEventError.self) { try HTTPFunctionRequest(event: Array(event.utf8)) }
}

@Test(
  arguments: [
    (HTTPFunctionResponse(), #"{"statusCode":200,"body":"","isBase64Encoded":false}"#),
    (
      .text("é\n", status: 404),
      #"{"statusCode":404,"headers":{"content-type":"text/plain; charset=utf-8"},"body":"é\n","isBase64Encoded":false}"#
    ),
    (
      .json(["a": [1]]),
      #"{"statusCode":200,"headers":{"content-type":"application/json"},"body":"{\"a\":[1]}","isBase64Encoded":false}"#
    ),
    (
      HTTPFunctionResponse(
        status: 200, headers: ["A": "1", "b": "2", "a": "3"], cookies: ["c=d; Secure"], body: [0xFF, 0]),
      #"{"statusCode":200,"headers":{"A":"1,3","b":"2"},"cookies":["c=d; Secure"],"body":"/wA=","isBase64Encoded":true}"#
    ),
  ])
func `writes a response in payload format 2.0`(_ response: HTTPFunctionResponse, _ event: String) {
  #expect(String(decoding: response.event, as: UTF8.self) == event)
}

@Test func `a function for requests is one for events`() async throws {
  let context = InvocationContext(
    requestID: "1", deadline: nil, invokedFunctionARN: "", traceID: nil, environment: FunctionEnvironment { _ in nil },
    abortion: Moment(), upload: ResponseUpload(try HTTPEndpoint(host: "127.0.0.1", port: 1), "1", attempt: [:]))
  let answer: [UInt8] = try await Echo().handle(Array(event.utf8), context)
  let document = try JSONValue(parsing: answer)
  #expect(document["statusCode"] == 201)
  #expect(document["body"] == "POST /orders/7%20a hello")
}

@Test(
  arguments: zip(
    ["", "f", "fo", "foo", "foob", "fooba", "foobar"], ["", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"])
)
func `base 64 as in RFC 4648`(_ text: String, _ encoded: String) {
  #expect(Base64.encode(Array(text.utf8)) == encoded)
  #expect(Base64.decodePadded(encoded) == Array(text.utf8))
}

@Test(arguments: ["a", "Zg=", "Zg", "Z===", "====", "Zg==Zg==", "Z=g=", "Zm 9", "Zm9-"])
func `refuses what is not base 64`(_ text: String) {
  #expect(Base64.decodePadded(text) == nil)
}

@Test func `a field is set, added to and taken away`() {
  var fields: HTTPFields = ["A": "1", "a": "2"]
  fields["a"] = "3"
  #expect(fields.fields == [.init("a", "3")])
  fields.append("B", "4")
  fields["A"] = nil
  #expect(fields == ["B": "4"])
}
