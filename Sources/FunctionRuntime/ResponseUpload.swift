import BlockingHTTP
import Synchronization
import Text

/// The answer of one invocation on its way to the host, if it is sent piece by piece.
final class ResponseUpload: Sendable {
  private struct State: ~Copyable {
    var request: ChunkedRequest?
    var hasBegun = false
  }

  private let endpoint: HTTPEndpoint
  private let requestID: String
  private let attempt: HTTPHeaders
  private let state = Mutex(State())
  private let beginning = Moment()

  /// - Parameter attempt: What answers are marked with.
  init(_ endpoint: HTTPEndpoint, _ requestID: String, attempt: HTTPHeaders) {
    self.endpoint = endpoint
    self.requestID = requestID
    self.attempt = attempt
  }

  /// Whether the host has a part of it, so that there can be no other answer.
  var hasBegun: Bool { beginning.hasHappened }

  func begin(_ contentType: String, _ bytes: [UInt8]) throws(ResponseWriterError) {
    try state.withLock { (state) throws(ResponseWriterError) in
      guard !state.hasBegun else { throw ResponseWriterError(description: "The answer has begun already.") }
      try open(contentType, &state)
      try write(bytes, &state)
    }
  }

  func write(_ bytes: [UInt8]) throws(ResponseWriterError) {
    try state.withLock { (state) throws(ResponseWriterError) in
      if !state.hasBegun { try open("application/octet-stream", &state) }
      try write(bytes, &state)
    }
  }

  /// Ends the answer behind what was sent.
  func finish() throws(ResponseWriterError) {
    try state.withLock { (state) throws(ResponseWriterError) in
      if !state.hasBegun { try open("application/octet-stream", &state) }
      try end(&state)
    }
  }

  /// Ends the answer with an error.
  ///
  /// - Returns: Whether it had begun; else the error is to be told otherwise.
  func fail(_ failure: FunctionFailure) throws(ResponseWriterError) -> Bool {
    guard hasBegun else { return false }
    try state.withLock { (state) throws(ResponseWriterError) in
      try end(
        &state,
        trailers: [
          "Lambda-Runtime-Function-Error-Type": failure.headerType,
          "Lambda-Runtime-Function-Error-Body": Base64.encode(failure.document),
        ])
    }
    return true
  }

  private func open(_ contentType: String, _ state: inout State) throws(ResponseWriterError) {
    var headers: HTTPHeaders = [
      "Content-Type": contentType, "Lambda-Runtime-Function-Response-Mode": "streaming",
      "Trailer": "Lambda-Runtime-Function-Error-Type, Lambda-Runtime-Function-Error-Body",
    ]
    for field in attempt.fields { headers.append(field.name, field.value) }
    let request = ClientRequest("POST", "/2018-06-01/runtime/invocation/\(requestID)/response", headers: headers)
    do throws(HTTPClientError) {
      state.request = try ChunkedRequest(request, to: endpoint)
      state.hasBegun = true
      beginning.happen()
    } catch {
      throw ResponseWriterError(description: "The host takes no answer. \(error)")
    }
  }

  private func write(_ bytes: [UInt8], _ state: inout State) throws(ResponseWriterError) {
    do throws(HTTPClientError) {
      guard let _ = try state.request?.write(bytes) else {
        throw HTTPClientError(.closed, "The answer has ended.")
      }
    } catch {
      state.request = nil
      throw ResponseWriterError(description: "The host takes no more of the answer. \(error)")
    }
  }

  private func end(_ state: inout State, trailers: HTTPHeaders = [:]) throws(ResponseWriterError) {
    guard let request = state.request.take() else { return }
    do throws(HTTPClientError) {
      _ = try request.finish(trailers: trailers)
    } catch {
      throw ResponseWriterError(description: "The host did not take the end of the answer. \(error)")
    }
  }
}
