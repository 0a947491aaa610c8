package import HTTPServer
package import Lifecycle
package import NIOCore
import NIOHTTP1

/// What the caller of a function is sent of an answer that the function sends piece by piece.
package protocol StreamForm {
  /// Takes the function's next piece.
  mutating func take(_ piece: ByteBuffer) -> StreamStep
  /// The function's answer is whole.
  mutating func end() -> StreamStep
}

/// What follows from a piece of an answer.
package enum StreamStep {
  /// Nothing until there is more.
  case nothing
  /// The head of the caller's response, and the first bytes of its body.
  case begin(HTTPResponse, ByteBuffer)
  /// Further bytes of the body.
  case send(ByteBuffer)
  /// The answer cannot be understood: the caller is sent this response, and no more.
  case refuse(HTTPResponse)
}

/// The stream of a function URL: a prelude says status and header fields, or there is none and all of it is the body.
package struct FunctionURLStream: StreamForm {
  private let request: RequestID
  private let trace: TraceID
  private let times: InvocationTimes
  private let contentType: String?
  private var prelude: ResponsePrelude?
  private var hasBegun = false

  /// The stream of an answer.
  ///
  /// - Parameters:
  ///   - contentType: That of the runtime's request.
  ///   - times: All but the end.
  package init(_ request: RequestID, _ trace: TraceID, contentType: String?, times: InvocationTimes) {
    self.request = request
    self.trace = trace
    self.times = times
    self.contentType = contentType
    if contentType == ResponsePrelude.contentType { prelude = ResponsePrelude() }
  }

  /// Takes the function's next piece.
  package mutating func take(_ piece: ByteBuffer) -> StreamStep {
    guard !hasBegun else { return .send(piece) }
    guard prelude != nil else { return begin(plain, piece) }
    switch prelude?.take(piece) {
    case .complete(let response, let rest): return begin(response, rest)
    case .malformed: return refuse()
    case .incomplete, nil: return .nothing
    }
  }

  /// The function's answer is whole.
  package mutating func end() -> StreamStep {
    if hasBegun { return .nothing }
    return prelude == nil ? begin(plain, ByteBuffer()) : refuse()
  }

  private var plain: HTTPResponse {
    HTTPResponse(status: .ok, headers: HTTPHeaders([("Content-Type", contentType ?? "application/octet-stream")]))
  }

  private mutating func begin(_ response: HTTPResponse, _ piece: ByteBuffer) -> StreamStep {
    hasBegun = true
    return .begin(marked(response), piece)
  }

  private func refuse() -> StreamStep { .refuse(marked(FunctionURLAnswer.refused())) }

  private func marked(_ response: HTTPResponse) -> HTTPResponse {
    var response = response
    FunctionURLAnswer.mark(&response, request, trace)
    times.addBeginning(to: &response.headers)
    return response
  }
}

/// The stream of `InvokeWithResponseStream`: each piece is a message.
package struct InvokeStream: StreamForm {
  private let head: HTTPResponse
  private var hasBegun = false

  /// The stream of an answer.
  ///
  /// - Parameter head: The response of ``InvokeStreamAnswer/head(_:_:_:times:)``.
  package init(head: HTTPResponse) { self.head = head }

  /// Takes the function's next piece.
  package mutating func take(_ piece: ByteBuffer) -> StreamStep {
    var messages = ByteBuffer()
    InvokeStreamAnswer.writeChunks(of: piece, into: &messages)
    if hasBegun { return .send(messages) }
    hasBegun = true
    return .begin(head, messages)
  }

  /// The function's answer is whole.
  package mutating func end() -> StreamStep {
    if hasBegun { return .nothing }
    hasBegun = true
    return .begin(head, ByteBuffer())
  }
}
