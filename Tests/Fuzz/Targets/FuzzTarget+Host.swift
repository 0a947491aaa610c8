import HTTPServer
import Lifecycle
import NIOCore
import NIOHTTP1
import Text

@testable import FunctionHost
@testable import LambdaAPI

extension FuzzTarget {
  /// What callers, functions and extensions send to a host.
  static let host: [FuzzTarget] = [
    FuzzTarget("function-url-events", urlEvents),
    FuzzTarget("function-url-answers") { bytes in _ = FunctionURLAnswer.mapped(ByteBuffer(bytes: bytes)) },
    FuzzTarget("response-preludes", preludes),
    FuzzTarget("query-strings") { bytes in
      let query = String(decoding: bytes, as: UTF8.self)
      let names = QueryParameters(query).list.map(\.name)
      require(Set(names).count == names.count, "a name is there twice")
    },
    FuzzTarget("control-plane-bodies") { bytes in
      for operation in ControlPlaneOperation.allCases { _ = try? RequestBody(ByteBuffer(bytes: bytes), of: operation) }
    },
    FuzzTarget("subscriptions") { bytes in
      for isLogs in [true, false] {
        _ = try? Subscription(ByteBuffer(bytes: bytes), isLogs: isLogs, runtimePort: 9_001)
      }
    },
    FuzzTarget("names", names),
  ]

  private static let request = RequestID(Identifier128(high: 1, low: 2))
  private static let time = Timestamp(seconds: 1_795_428_000)

  /// A request: its target, fields, and behind an empty line its body. The event is JSON, and has the body and the query as they came.
  private static func urlEvents(_ bytes: [UInt8]) {
    let parts = String(decoding: bytes, as: UTF8.self).split(
      separator: "\n\n", maxSplits: 1, omittingEmptySubsequences: false)
    let lines = parts[0].split(separator: "\n", omittingEmptySubsequences: false)
    var headers = HTTPHeaders()
    for line in lines.dropFirst() {
      let field = line.split(separator: ":", maxSplits: 1)
      // The parser of requests lets no other names through.
      guard field.count == 2, field[0].utf8.allSatisfy({ $0 < 0x80 }) else { continue }
      headers.add(name: String(field[0]), value: String(field[1]))
    }
    let target = (lines.first ?? "").split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    let query = target.count > 1 ? String(target[1]) : ""
    let body = ByteBuffer(string: parts.count > 1 ? String(parts[1]) : "")
    let event = FunctionURLEvent(
      function: "orders", request: request, time: time, method: "POST", rawPath: String(target.first ?? "/"),
      rawQuery: query, headers: headers, sourceAddress: "127.0.0.1", port: 27_316,
      trace: TraceID(sent: headers.first(name: "X-Amzn-Trace-Id"), of: request, at: time), body: body)
    let document = Array(event.document().readableBytesView)
    guard case .object(let members)? = try? JSONValue(document.span, JSONRules(depthLimit: 64)) else {
      fatalError("the event is no JSON object")
    }
    let read = members.first { $0.name == "rawQueryString" }?.value
    require(read == .string(query), "the query '\(query)' is told as \(read as Any)")
  }

  /// A prelude is read alike in whatever pieces it comes.
  private static func preludes(_ bytes: [UInt8]) {
    var whole = ResponsePrelude()
    let atOnce = whole.take(ByteBuffer(bytes: bytes))
    var pieces = ResponsePrelude()
    var rest = ByteBuffer(bytes: bytes)
    var size = 1
    var last = ResponsePrelude.Step.incomplete
    while case .incomplete = last, let piece = rest.readSlice(length: min(size, rest.readableBytes)),
      piece.readableBytes > 0
    {
      last = pieces.take(piece)
      size = size % 7 + 1
    }
    switch (atOnce, last) {
    case (.incomplete, .incomplete), (.malformed, .malformed): break
    case (.complete(let one, let oneRest), .complete(let other, let otherRest)):
      require(one.status == other.status && one.headers == other.headers, "pieces change the head")
      require(oneRest.readableBytes == otherRest.readableBytes + rest.readableBytes, "pieces change the body")
    default: fatalError("at once \(atOnce), in pieces \(last)")
    }
  }

  private static func names(_ bytes: [UInt8]) {
    let text = String(decoding: bytes, as: UTF8.self)
    if let reference = try? FunctionReference(text, queryQualifier: nil) {
      require(FunctionReference.isName(reference.name), "'\(reference.name)' is no name")
    }
    _ = HostName(field: text).labelOfLocalhost
    let trace = TraceID(sent: text, of: request, at: time).text
    require(trace.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }, "a trace has a control character")
    let head = HTTPRequestHead(version: .http1_1, method: .POST, uri: text)
    _ = FrontRoutes.shared.find(head)
    _ = InstanceRoutes.table.find(.POST, target: text)
    _ = Identifier128(text: text)
  }
}
