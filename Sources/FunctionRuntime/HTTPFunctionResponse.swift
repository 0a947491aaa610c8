public import Text

/// A function's answer to an HTTP request.
public struct HTTPFunctionResponse: Equatable, Sendable {
  /// 100 to 599; anything else is answered with 502 by the host.
  public var status: Int
  /// Fields of one name are joined by commas.
  public var headers: HTTPFields
  /// Each as `name=value; attributes`; becomes one `Set-Cookie`.
  public var cookies: [String]
  /// Text or not.
  public var body: [UInt8]

  /// Makes a response of its parts.
  public init(status: Int = 200, headers: HTTPFields = [:], cookies: [String] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.cookies = cookies
    self.body = body
  }

  /// Plain text.
  public static func text(_ text: String, status: Int = 200) -> HTTPFunctionResponse {
    HTTPFunctionResponse(
      status: status, headers: ["content-type": "text/plain; charset=utf-8"], body: Array(text.utf8))
  }

  /// A JSON document.
  public static func json(_ value: JSONValue, status: Int = 200) -> HTTPFunctionResponse {
    HTTPFunctionResponse(status: status, headers: ["content-type": "application/json"], body: value.bytes)
  }

  /// Status, header fields and cookies, as they stand before an answer that is sent piece by piece.
  var prelude: [UInt8] {
    var members: [JSONValue.Member] = [.init("statusCode", .number(status))]
    if !headers.fields.isEmpty { members.append(.init("headers", .object(headers.joined))) }
    if !cookies.isEmpty { members.append(.init("cookies", .array(cookies.map { .string($0) }))) }
    return JSONValue.object(members).bytes
  }

  /// The response in payload format 2.0. A body that is not UTF-8 goes as base 64.
  public var event: [UInt8] {
    var members: [JSONValue.Member] = [.init("statusCode", .number(status))]
    if !headers.fields.isEmpty { members.append(.init("headers", .object(headers.joined))) }
    if !cookies.isEmpty { members.append(.init("cookies", .array(cookies.map { .string($0) }))) }
    let isText = (try? UTF8Span(validating: body.span)) != nil  // Only whether matters, not where it fails.
    members.append(.init("body", .string(isText ? String(decoding: body, as: UTF8.self) : Base64.encode(body))))
    members.append(.init("isBase64Encoded", .bool(!isText)))
    return JSONValue.object(members).bytes
  }
}
