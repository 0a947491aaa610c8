package import HTTPServer
package import Lifecycle
package import NIOCore
package import NIOHTTP1
import Text

/// A connection of a WebSocket API, as its events tell of it.
package struct WebSocketIdentity: Sendable {
  /// The connection.
  package var id: GatewayID
  /// The API's name.
  package var api: String
  /// The host and port that the client asked for.
  package var domainName: String
  /// When the client asked for the connection.
  package var connectedAt: Timestamp
  /// The client's address; empty if it is not known.
  package var sourceAddress: String
  /// As the client says; empty if it says nothing.
  package var userAgent: String

  /// The stage of every WebSocket API of a host; it stands in events, and may stand before `/@connections`.
  package static let stage = "local"

  /// Makes an identity of its parts.
  package init(
    id: GatewayID, api: String, domainName: String, connectedAt: Timestamp, sourceAddress: String, userAgent: String
  ) {
    self.id = id
    self.api = api
    self.domainName = domainName
    self.connectedAt = connectedAt
    self.sourceAddress = sourceAddress
    self.userAgent = userAgent
  }
}

/// What a WebSocket API hands to its functions, in API Gateway's shapes.
package struct WebSocketEvent {
  /// What happened.
  package enum Kind {
    /// A client asks for a connection.
    case connect(HTTPHeaders, query: [HTTPQueryItem], port: Int, trace: TraceID)
    /// A message came, for the route with this key.
    case message(ByteBuffer, isText: Bool, id: GatewayID, routeKey: String)
    /// A connection was closed.
    case disconnect(code: UInt16, reason: String)
  }

  /// The connection.
  package var connection: WebSocketIdentity
  /// What the event is called in its own context.
  package var request: GatewayID
  /// When it happened.
  package var time: Timestamp
  /// What happened.
  package var kind: Kind

  /// Makes an event of its parts.
  package init(_ kind: Kind, on connection: WebSocketIdentity, request: GatewayID, at time: Timestamp) {
    self.kind = kind
    self.connection = connection
    self.request = request
    self.time = time
  }

  /// The event's JSON. O(its size).
  package func document() -> ByteBuffer {
    var capacity = 1_024
    if case .message(let data, _, _, _) = kind { capacity += data.readableBytes + data.readableBytes / 2 }
    var writer = JSONWriter(capacity: capacity)
    writer.object { event in
      switch kind {
      case .connect(let headers, let query, let port, let trace):
        writeHeaders(&event, WebSocketEvent.fields(headers, connection.sourceAddress, port, trace))
        writeQuery(&event, query)
      case .disconnect: writeHeaders(&event, [("Host", connection.domainName)])
      case .message: break
      }
      event.key("requestContext")
      event.object { writeContext(&$0) }
      if case .message(let data, let isText, _, _) = kind {
        event.member("body", isText ? String(buffer: data) : data.withReadableSpan { Base64.encode($0) })
        event.member("isBase64Encoded", !isText)
      } else {
        event.member("isBase64Encoded", false)
      }
    }
    return writer.buffer
  }

  private var routeKey: String {
    switch kind {
    case .connect: WebSocketRouteKey.connect
    case .message(_, _, _, let routeKey): routeKey
    case .disconnect: WebSocketRouteKey.disconnect
    }
  }

  private var eventType: String {
    switch kind {
    case .connect: "CONNECT"
    case .message: "MESSAGE"
    case .disconnect: "DISCONNECT"
    }
  }

  private func writeContext(_ context: inout JSONWriter) {
    let request = request.text
    context.member("routeKey", routeKey)
    switch kind {
    case .connect: break
    case .message(_, _, let id, _): context.member("messageId", id.text)
    case .disconnect(let code, let reason):
      context.member("disconnectStatusCode", Int(code))
      context.member("disconnectReason", reason)
    }
    context.member("eventType", eventType)
    context.member("extendedRequestId", request)
    context.member("requestTime", CalendarText.request(nanoseconds: time.nanoseconds))
    context.member("messageDirection", "IN")
    context.member("stage", WebSocketIdentity.stage)
    context.member("connectedAt", connection.connectedAt.nanoseconds / 1_000_000)
    context.member("requestTimeEpoch", time.nanoseconds / 1_000_000)
    context.key("identity")
    context.object {
      if !connection.userAgent.isEmpty { $0.member("userAgent", connection.userAgent) }
      $0.member("sourceIp", connection.sourceAddress)
    }
    context.member("requestId", request)
    context.member("domainName", connection.domainName)
    context.member("connectionId", connection.id.text)
    context.member("apiId", connection.api)
  }

  /// What a client sent, as it sent it, and what API Gateway adds; fields of the connection itself end at the host.
  private static func fields(
    _ headers: HTTPHeaders, _ sourceAddress: String, _ port: Int, _ trace: TraceID
  ) -> [(name: String, value: String)] {
    let dropped: Set<String> = [
      "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade",
      "x-forwarded-proto", "x-forwarded-port", "x-amzn-trace-id",
    ]
    var fields: [(name: String, value: String)] = []
    var forwardedFor: [String] = []
    for (name, value) in headers {
      let lower = name.lowercased()
      if lower == "x-forwarded-for" {
        forwardedFor.append(value)
      } else if !dropped.contains(lower) {
        fields.append((name, value))
      }
    }
    forwardedFor.append(sourceAddress)
    fields += [
      ("X-Amzn-Trace-Id", trace.header), ("X-Forwarded-For", forwardedFor.joined(separator: ", ")),
      ("X-Forwarded-Port", String(port)), ("X-Forwarded-Proto", "http"),
    ]
    return fields
  }

  private func writeHeaders(_ event: inout JSONWriter, _ fields: [(name: String, value: String)]) {
    writeMaps(&event, "headers", "multiValueHeaders", fields)
  }

  private func writeQuery(_ event: inout JSONWriter, _ items: [HTTPQueryItem]) {
    guard !items.isEmpty else { return }
    writeMaps(
      &event, "queryStringParameters", "multiValueQueryStringParameters", items.map { ($0.name, $0.value ?? "") })
  }

  /// Names with the last of their values, and names with all of them; names in the order in which they first come.
  private func writeMaps(
    _ event: inout JSONWriter, _ single: String, _ multiple: String, _ fields: [(name: String, value: String)]
  ) {
    var names: [String] = []
    var values: [String: [String]] = [:]
    for (name, value) in fields {
      if values[name] == nil { names.append(name) }
      values[name, default: []].append(value)
    }
    event.key(single)
    event.object { map in for name in names { map.member(name, values[name]?.last ?? "") } }
    event.key(multiple)
    event.object { map in
      for name in names {
        map.key(name)
        map.array { list in for value in values[name] ?? [] { list.string(value) } }
      }
    }
  }
}
