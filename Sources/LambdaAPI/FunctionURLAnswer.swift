import Text
package import HTTPServer
package import Lifecycle
package import NIOCore
import NIOHTTP1

/// The HTTP answers of a function URL.
package enum FunctionURLAnswer {
  /// Maps what the function answered: an object with a `statusCode` is payload format 2.0. A text is the body, without
  /// its quotes; any other JSON is the body, in its compact form.
  package static func finished(
    _ request: RequestID, _ trace: TraceID, _ result: InvocationResult, times: InvocationTimes
  ) -> HTTPResponse {
    var response =
      switch result {
      case .success(let payload): mapped(payload) ?? preluded(payload) ?? refused()
      case .failure(let fault) where fault.outcome == .timeout: plain(.gatewayTimeout, "Gateway Timeout")
      case .failure(let fault) where fault.isHostsOwn: plain(.internalServerError, "Internal Server Error")
      case .failure: plain(.badGateway, "Internal Server Error")
      }
    if case .failure(let fault) = result, let source = fault.timeoutSource {
      response.headers.add(name: "X-Kelvin-Timeout-Source", value: source.name)
    }
    mark(&response, request, trace)
    times.add(to: &response.headers)
    return response
  }

  /// To the caller of a function whose answer cannot be understood.
  static func refused() -> HTTPResponse { plain(.badGateway, "Internal Server Error") }

  /// Adds what identifies the invocation.
  static func mark(_ response: inout HTTPResponse, _ request: RequestID, _ trace: TraceID) {
    // The function's own fields of these names would be taken for the host's.
    for name in InvocationTimes.fieldNames { response.headers.remove(name: name) }
    response.headers.replaceOrAdd(name: "x-amzn-RequestId", value: request.value.uuidText)
    response.headers.replaceOrAdd(name: "X-Amzn-Trace-Id", value: trace.text)
  }

  /// The response of an answer for a stream that came as a whole: a prelude, eight zero bytes, and the body; `nil` if it is something else.
  private static func preluded(_ payload: ByteBuffer) -> HTTPResponse? {
    var reader = ResponsePrelude()
    guard case .complete(var response, let rest) = reader.take(payload) else { return nil }
    response.body = rest
    return response
  }

  /// The response whose status, header fields and cookies a prelude says; without a body.
  static func response(ofPrelude prelude: ByteBuffer) -> HTTPResponse? {
    prelude.withReadableSpan { bytes in
      do {
        return try JSONReader.document(bytes, .payload) { (reader: inout JSONReader) throws(JSONError) in
          guard try reader.kind() == .object else { return nil }
          var shape = Shape()
          try shape.read(&reader)
          let status = try shape.statusCode.map { (value) throws(JSONError) in try integer(reader.bytes, value) } ?? 200
          guard let status, (200...599).contains(status) else { return nil }
          var headers = try FunctionURLAnswer.headers(reader.bytes, shape)
          if !headers.contains(name: "Content-Type") {
            headers.add(name: "Content-Type", value: "application/octet-stream")
          }
          return HTTPResponse(status: HTTPResponseStatus(statusCode: status), headers: headers)
        }
      } catch {
        return nil
      }
    }
  }

  private static func plain(_ status: HTTPResponseStatus, _ text: String) -> HTTPResponse {
    HTTPResponse(
      status: status, headers: HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")]),
      body: ByteBuffer(string: text))
  }

  /// The response of format 2.0; `nil` if the function's answer is neither that nor JSON.
  package static func mapped(_ payload: ByteBuffer) -> HTTPResponse? {
    payload.withReadableSpan { bytes in
      do {
        return try JSONReader.document(bytes, .payload) { (reader: inout JSONReader) throws(JSONError) in
          try mapped(&reader)
        }
      } catch {
        return nil
      }
    }
  }

  private static func mapped(_ reader: inout JSONReader) throws(JSONError) -> HTTPResponse? {
    let kind = try reader.kind()
    if kind == .string { return HTTPResponse.json(.ok, try reader.string()) }
    let start = reader.position
    var shape = Shape()
    if kind == .object { try shape.read(&reader) } else { try reader.skip() }
    let bytes = reader.bytes
    guard let statusCode = shape.statusCode else {
      return HTTPResponse.json(.ok, ByteBuffer(bytes: JSONReader.compacted(bytes, start..<reader.position)))
    }
    guard let status = try integer(bytes, statusCode), (200...599).contains(status) else { return nil }
    guard let body = try body(bytes, shape) else { return nil }
    var headers = try FunctionURLAnswer.headers(bytes, shape)
    if !headers.contains(name: "Content-Type") { headers.add(name: "Content-Type", value: "application/json") }
    return HTTPResponse(status: HTTPResponseStatus(statusCode: status), headers: headers, body: body)
  }

  /// Where the members of a response of format 2.0 are.
  private struct Shape {
    var statusCode: Range<Int>?
    var headers: Range<Int>?
    var cookies: Range<Int>?
    var body: Range<Int>?
    var isBase64Encoded: Range<Int>?

    mutating func read(_ reader: inout JSONReader) throws(JSONError) {
      var shape = self
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        let value = try reader.slice()
        switch name {
        case "statusCode": shape.statusCode = value
        case "headers": shape.headers = value
        case "cookies": shape.cookies = value
        case "body": shape.body = value
        case "isBase64Encoded": shape.isBase64Encoded = value
        default: break
        }
      }
      self = shape
    }
  }

  private static func headers(_ bytes: Span<UInt8>, _ shape: Shape) throws(JSONError) -> HTTPHeaders {
    var headers = HTTPHeaders()
    if let value = shape.headers {
      var reader = JSONReader(bytes, at: value.lowerBound, .payload)
      _ = try reader.objectOrOther { (reader: inout JSONReader, name: String) throws(JSONError) in
        // Names have no case: of two that differ in it alone the last counts, as of two members with one name.
        // Beyond ASCII there is no name of a field, and NIO traps on one.
        if let text = try scalarText(&reader), name.utf8.allSatisfy({ $0 < 0x80 }) {
          headers.replaceOrAdd(name: name, value: text)
        }
      }
    }
    if let value = shape.cookies {
      var reader = JSONReader(bytes, at: value.lowerBound, .payload)
      _ = try reader.arrayOrOther { (reader: inout JSONReader) throws(JSONError) in
        if let text = try reader.stringOrOther() { headers.add(name: "Set-Cookie", value: text) }
      }
    }
    return headers
  }

  /// `nil` if the body is announced as Base64 and is not. Line breaks in Base64 are those of MIME (RFC 2045).
  private static func body(_ bytes: Span<UInt8>, _ shape: Shape) throws(JSONError) -> ByteBuffer? {
    guard let value = shape.body else { return ByteBuffer() }
    var reader = JSONReader(bytes, at: value.lowerBound, .payload)
    guard try reader.kind() == .string else {
      // A body that is no string is sent as the JSON that it is; null is none.
      return try reader.kind() == .null ? ByteBuffer() : ByteBuffer(bytes: JSONReader.compacted(bytes, value))
    }
    let text = try reader.string()
    guard let flag = shape.isBase64Encoded, bytes[flag.lowerBound] == UInt8(ascii: "t") else {
      return ByteBuffer(string: text)
    }
    let lines = text.utf8.split { $0 == 0x0A || $0 == 0x0D }
    let digits = lines.count <= 1 ? text : lines.map { String(Substring($0)) }.joined()
    return Base64.decode(digits).map { ByteBuffer(bytes: $0) }
  }

  /// A string, or a number or truth value as it is written; `nil` for what is neither.
  private static func scalarText(_ reader: inout JSONReader) throws(JSONError) -> String? {
    switch try reader.kind() {
    case .string: return try reader.string()
    case .number: return try reader.numberText()
    case .boolean: return try reader.boolean() ? "true" : "false"
    case .object, .array, .null:
      try reader.skip()
      return nil
    }
  }

  /// A whole number, written as one or, as some runtimes do, as a string.
  private static func integer(_ bytes: Span<UInt8>, _ value: Range<Int>) throws(JSONError) -> Int? {
    var reader = JSONReader(bytes, at: value.lowerBound, .payload)
    return try scalarText(&reader).flatMap { Int($0) }
  }
}
