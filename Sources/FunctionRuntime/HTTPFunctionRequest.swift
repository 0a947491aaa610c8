public import Text

/// An HTTP request to a function.
public struct HTTPFunctionRequest: Equatable, Sendable {
  /// In capital letters, as in `GET`.
  public var method: String
  /// From the first slash on, as it was sent (percent-encoded).
  public var path: String
  /// What follows the question mark, decoded.
  public var query: HTTPQuery
  /// Fields that came several times are joined by commas. Without the cookies.
  public var headers: HTTPFields
  /// Each as `name=value`.
  public var cookies: [String]
  /// Decoded from base 64 where the event says so.
  public var body: [UInt8]
  /// The address of the client, if the event names it.
  public var sourceAddress: String?

  /// Makes a request, as for a test.
  public init(
    _ method: String = "GET", _ path: String = "/", query: HTTPQuery = HTTPQuery(), headers: HTTPFields = [:],
    cookies: [String] = [], body: [UInt8] = [], sourceAddress: String? = nil
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.cookies = cookies
    self.body = body
    self.sourceAddress = sourceAddress
  }

  /// Reads an event in payload format 2.0; what it does not name is empty.
  ///
  /// - Throws: `JSONError` if it is not JSON, ``HTTPEventError`` if it is no HTTP request.
  public init(event: [UInt8]) throws {
    let document = try JSONValue(parsing: event)
    guard let http = document["requestContext"]?["http"], let method = http["method"]?.string else {
      throw HTTPEventError(description: "The event is not an HTTP request: requestContext.http.method is missing.")
    }
    self.init(
      method, document["rawPath"]?.string ?? http["path"]?.string ?? "/",
      query: HTTPQuery(encoded: document["rawQueryString"]?.string ?? ""),
      cookies: document["cookies"]?.array?.compactMap(\.string) ?? [], sourceAddress: http["sourceIp"]?.string)
    for member in document["headers"]?.object ?? [] {
      if let value = member.value.string { headers.append(member.name, value) }
    }
    guard let text = document["body"]?.string else { return }
    guard document["isBase64Encoded"]?.bool == true else {
      body = Array(text.utf8)
      return
    }
    guard let bytes = Base64.decodePadded(text) else { throw HTTPEventError(description: "The body is not base 64.") }
    body = bytes
  }

  /// The body as text; what is not UTF-8 is replaced.
  public var text: String { String(decoding: body, as: UTF8.self) }

  /// The body as JSON.
  ///
  /// - Throws: `JSONError`.
  public func json() throws(JSONError) -> JSONValue { try JSONValue(parsing: body) }
}
