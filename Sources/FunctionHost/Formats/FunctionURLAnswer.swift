import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1

/// The HTTP answers of a function URL.
enum FunctionURLAnswer {
  /// Maps what the function answered: an object with a `statusCode` is payload format 2.0. A text is the body, without
  /// its quotes; any other JSON is the body, in its compact form.
  static func finished(
    _ request: RequestID, _ trace: TraceID, _ result: InvocationResult, times: InvocationTimes
  ) -> HTTPResponse {
    var response =
      switch result {
      case .success(let payload): mapped(payload) ?? plain(.badGateway, "Internal Server Error")
      case .failure(let fault) where fault.outcome == .timeout: plain(.gatewayTimeout, "Gateway Timeout")
      case .failure(let fault) where fault.isHostsOwn: plain(.internalServerError, "Internal Server Error")
      case .failure: plain(.badGateway, "Internal Server Error")
      }
    // The function's own fields of these names would be taken for the host's.
    for name in InvocationTimes.fieldNames { response.headers.remove(name: name) }
    response.headers.replaceOrAdd(name: "x-amzn-RequestId", value: request.value.uuidText)
    response.headers.replaceOrAdd(name: "X-Amzn-Trace-Id", value: trace.text)
    times.add(to: &response.headers)
    return response
  }

  private static func plain(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")]),
      body: ByteBuffer(string: text))
  }

  /// The response of format 2.0; `nil` if the function's answer is neither that nor JSON.
  static func mapped(_ payload: ByteBuffer) -> HTTPResponse? {
    payload.withReadableSpan { mapped($0) }
  }

  private static func mapped(_ span: Span<UInt8>) -> HTTPResponse? {
    guard JSONText.problem(in: span) == nil else { return nil }
    var start = 0
    JSONText.skipWhitespace(span, &start)
    if let text = JSONText.string(span, at: start) { return HTTPResponse.json(.ok, text) }
    guard let shape = Shape(span, start), let statusStart = shape.statusCode else {
      return HTTPResponse.json(.ok, JSONText.compacted(span, at: start))
    }
    guard let status = integer(span, at: statusStart), (200...599).contains(status) else { return nil }
    guard let body = body(span, shape) else { return nil }
    var headers = HTTPHeaders()
    if let headersStart = shape.headers {
      _ = JSONText.forEachMember(span, at: headersStart) { name, value in
        // Names have no case: of two that differ in it alone the last counts, as of two members with one name.
        if let text = scalarText(span, at: value) { headers.replaceOrAdd(name: name, value: text) }
      }
    }
    if let cookiesStart = shape.cookies {
      _ = JSONText.forEachElement(span, at: cookiesStart) { value in
        if let text = JSONText.string(span, at: value) { headers.add(name: "Set-Cookie", value: text) }
      }
    }
    if !headers.contains(name: "Content-Type") { headers.add(name: "Content-Type", value: "application/json") }
    return HTTPResponse(status: HTTPResponseStatus(statusCode: status), headers: headers, body: body)
  }

  /// Where the members of a response of format 2.0 begin.
  private struct Shape {
    var statusCode: Int?
    var headers: Int?
    var cookies: Int?
    var body: Int?
    var isBase64Encoded: Int?

    init?(_ bytes: Span<UInt8>, _ start: Int) {
      let isObject = JSONText.forEachMember(bytes, at: start) { name, value in
        switch name {
        case "statusCode": statusCode = value
        case "headers": headers = value
        case "cookies": cookies = value
        case "body": body = value
        case "isBase64Encoded": isBase64Encoded = value
        default: break
        }
      }
      guard isObject else { return nil }
    }
  }

  /// `nil` if the body is announced as Base64 and is not. Line breaks in Base64 are those of MIME (RFC 2045).
  private static func body(_ bytes: Span<UInt8>, _ shape: Shape) -> ByteBuffer? {
    guard let start = shape.body else { return ByteBuffer() }
    guard let text = JSONText.string(bytes, at: start) else {
      // A body that is no string is sent as the JSON that it is; null is none.
      return bytes[start] == UInt8(ascii: "n") ? ByteBuffer() : JSONText.compacted(bytes, at: start)
    }
    guard let flag = shape.isBase64Encoded, bytes[flag] == UInt8(ascii: "t") else { return ByteBuffer(string: text) }
    let lines = text.utf8.split { $0 == 0x0A || $0 == 0x0D }
    let digits = lines.count <= 1 ? text : lines.map { String(Substring($0)) }.joined()
    return Base64.decode(digits).map { ByteBuffer(bytes: $0) }
  }

  private static func scalarText(_ bytes: Span<UInt8>, at start: Int) -> String? {
    switch bytes[start] {
    case UInt8(ascii: "\""): return JSONText.string(bytes, at: start)
    case UInt8(ascii: "{"), UInt8(ascii: "["), UInt8(ascii: "n"): return nil
    default:
      var end = start
      guard JSONText.skipValue(bytes, &end) else { return nil }
      return String(decoding: (start..<end).map { bytes[$0] }, as: UTF8.self)
    }
  }

  /// A whole number, written as one or, as some runtimes do, as a string.
  private static func integer(_ bytes: Span<UInt8>, at start: Int) -> Int? {
    scalarText(bytes, at: start).flatMap { Int($0) }
  }
}
