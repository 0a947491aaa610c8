import Text
import HTTPServer
package import Lifecycle
package import NIOCore
package import NIOHTTP1

/// An HTTP request as a function URL hands it to its function: payload format 2.0.
package struct FunctionURLEvent {
  /// The function's name.
  package var function: String
  /// The identity of the request.
  package var request: RequestID
  /// When the request came.
  package var time: Timestamp
  /// As sent.
  package var method: String
  /// The path below the function's URL, as sent; begins with a slash.
  package var rawPath: String
  /// As sent, without the question mark.
  package var rawQuery: String
  /// As sent.
  package var headers: HTTPHeaders
  /// The address of the peer; empty if it is not known.
  package var sourceAddress: String
  /// The port that the host listens on.
  package var port: Int
  /// The trace that it belongs to.
  package var trace: TraceID
  /// As sent.
  package var body: ByteBuffer

  /// Makes an event of its parts.
  package init(
    function: String, request: RequestID, time: Timestamp, method: String, rawPath: String, rawQuery: String,
    headers: HTTPHeaders, sourceAddress: String, port: Int, trace: TraceID, body: ByteBuffer
  ) {
    self.function = function
    self.request = request
    self.time = time
    self.method = method
    self.rawPath = rawPath
    self.rawQuery = rawQuery
    self.headers = headers
    self.sourceAddress = sourceAddress
    self.port = port
    self.trace = trace
    self.body = body
  }

  /// The event's JSON. O(size of the request).
  package func document() -> ByteBuffer {
    var writer = JSONWriter(capacity: 1024 + body.readableBytes)
    let fields = joinedHeaders()
    writer.object { event in
      event.member("version", "2.0")
      event.member("routeKey", "$default")
      event.member("rawPath", rawPath)
      event.member("rawQueryString", rawQuery)
      writeCookies(&event)
      event.key("headers")
      event.object { map in for (name, value) in fields { map.member(name, value) } }
      writeQuery(&event)
      event.key("requestContext")
      event.object { writeContext(&$0, host: fields.first { $0.name == "host" }?.value ?? "", fields) }
      writeBody(&event, contentType: fields.first { $0.name == "content-type" }?.value)
    }
    return writer.buffer
  }

  /// Fields of the connection (RFC 9110 section 7.6.1), which end at the host; cookies, which are apart in the event; and
  /// those that a front of AWS sets itself, so that no caller can.
  private static let dropped: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "cookie",
    "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id", "x-amzn-tls-version", "x-amzn-tls-cipher-suite",
  ]

  /// Lower-case names, each once; the values of a repeated field joined by commas. What AWS's front adds is there, too.
  private func joinedHeaders() -> [(name: String, value: String)] {
    var fields: [(name: String, value: String)] = []
    var positions: [String: Int] = [:]
    for (name, value) in headers {
      let name = name.lowercased()
      guard !FunctionURLEvent.dropped.contains(name) else { continue }
      if let position = positions[name] {
        fields[position].value += "," + value
      } else {
        positions[name] = fields.count
        fields.append((name, value))
      }
    }
    // As AWS's fronts do, the address of the peer is added to the end of what was sent: the last one is certain.
    if let position = positions["x-forwarded-for"] {
      fields[position].value += ", " + sourceAddress
    } else {
      fields.append(("x-forwarded-for", sourceAddress))
    }
    if positions["content-length"] == nil, body.readableBytes > 0 {
      fields.append(("content-length", String(body.readableBytes)))
    }
    fields += [
      ("x-forwarded-proto", "http"), ("x-forwarded-port", String(port)), ("x-amzn-trace-id", trace.header),
      // What AWS's callers mostly have. There is no TLS here; functions that read the fields find them all the same.
      ("x-amzn-tls-version", "TLSv1.3"), ("x-amzn-tls-cipher-suite", "TLS_AES_128_GCM_SHA256"),
    ]
    return fields
  }

  private func writeCookies(_ event: inout JSONWriter) {
    let cookies = headers["cookie"].flatMap { $0.split(separator: ";") }.map { trimmed($0) }.filter { !$0.isEmpty }
    guard !cookies.isEmpty else { return }
    event.key("cookies")
    event.array { list in for cookie in cookies { list.string(String(cookie)) } }
  }

  private func writeQuery(_ event: inout JSONWriter) {
    let parameters = QueryParameters(rawQuery).list
    guard !parameters.isEmpty else { return }
    event.key("queryStringParameters")
    event.object { map in for parameter in parameters { map.member(parameter.name, parameter.value) } }
  }

  private func writeContext(_ context: inout JSONWriter, host: String, _ fields: [(name: String, value: String)]) {
    context.member("accountId", "anonymous")
    context.member("apiId", function)
    context.member("domainName", HostName(field: host).text)
    context.member("domainPrefix", function)
    context.key("http")
    context.object {
      $0.member("method", method)
      $0.member("path", rawPath)
      $0.member("protocol", "HTTP/1.1")
      $0.member("sourceIp", sourceAddress)
      $0.member("userAgent", fields.first { $0.name == "user-agent" }?.value ?? "")
    }
    context.member("requestId", request.value.uuidText)
    context.member("routeKey", "$default")
    context.member("stage", "$default")
    context.member("time", CalendarText.request(nanoseconds: time.nanoseconds))
    context.key("timeEpoch")
    context.integer(time.nanoseconds / 1_000_000)
  }

  private func writeBody(_ event: inout JSONWriter, contentType: String?) {
    guard body.readableBytes > 0 else {
      event.key("isBase64Encoded")
      event.boolean(false)
      return
    }
    let text = FunctionURLEvent.isText(contentType) ? String(validating: body.readableBytesView, as: UTF8.self) : nil
    event.member("body", text ?? body.withReadableSpan { Base64.encode($0) })
    event.key("isBase64Encoded")
    event.boolean(text == nil)
  }

  /// Whether a body of this content type is given to the function as text, and not as Base64.
  package static func isText(_ contentType: String?) -> Bool {
    guard let contentType else { return false }
    let type = trimmed(contentType.prefix { $0 != ";" }).lowercased()
    return type.hasPrefix("text/") || type.hasSuffix("+json") || type.hasSuffix("+xml")
      || ["application/json", "application/javascript", "application/xml"].contains(type)
  }
}

/// `text` without blanks at its ends.
package func trimmed(_ text: Substring) -> Substring {
  var text = text
  while text.first == " " || text.first == "\t" { text.removeFirst() }
  while text.last == " " || text.last == "\t" { text.removeLast() }
  return text
}
