package import HTTPServer
package import HostRules
package import Lifecycle
package import NIOCore
import NIOHTTP1
import Text

/// The answer of `Invoke` as that of `InvokeWithResponseStream`.
package enum InvokeStreamAnswer {
  /// The most of a payload that one message carries; clients take up to 16 MiB.
  package static let chunkBytesMax = 1 << 20

  /// The headers of an answer that are messages of a stream, or make no sense there.
  private static let replaced = [
    "Content-Type", "X-Amz-Function-Error", "X-Amz-Log-Result", "x-amzn-Remapped-Content-Length",
  ]

  /// What the function answered, as a stream; what the host answered in its place is left as it is.
  package static func stream(_ answer: HTTPResponse) -> HTTPResponse {
    guard answer.status == .ok else { return answer }
    var stream = HTTPResponse(status: .ok, headers: answer.headers)
    for name in replaced { stream.headers.remove(name: name) }
    stream.headers.add(name: "Content-Type", value: "application/vnd.amazon.eventstream")
    let error = answer.headers.first(name: "X-Amz-Function-Error")
    if error == nil { writeChunks(of: answer.body, into: &stream.body) }
    stream.body.writeImmutableBuffer(
      completion(
        error: error.map { ($0, String(buffer: answer.body)) }, log: answer.headers.first(name: "X-Amz-Log-Result")))
    return stream
  }

  /// The head of an answer that is sent while the function runs.
  package static func head(
    _ request: RequestID, _ trace: TraceID, _ version: FunctionVersion, times: InvocationTimes
  ) -> HTTPResponse {
    var headers = HTTPHeaders([
      ("Content-Type", "application/vnd.amazon.eventstream"), ("x-amzn-RequestId", request.value.uuidText),
      ("X-Amz-Executed-Version", version.text), ("X-Amzn-Trace-Id", trace.answer),
    ])
    times.addBeginning(to: &headers)
    return HTTPResponse(status: .ok, headers: headers)
  }

  /// The last message.
  ///
  /// - Parameters:
  ///   - error: What AWS calls the error, and its document.
  ///   - log: The end of the log as Base64, if it is wanted.
  package static func completion(error: (code: String, details: String)?, log: String?) -> ByteBuffer {
    var complete = JSONWriter()
    complete.object {
      if let error {
        $0.member("ErrorCode", error.code)
        $0.member("ErrorDetails", error.details)
      }
      if let log { $0.member("LogResult", log) }
    }
    var message = ByteBuffer()
    EventStreamMessage(eventType: "InvokeComplete", contentType: "application/json", payload: complete.buffer)
      .write(into: &message)
    return message
  }

  /// Appends a payload as messages.
  static func writeChunks(of payload: ByteBuffer, into stream: inout ByteBuffer) {
    var rest = payload
    while let chunk = rest.readSlice(length: min(chunkBytesMax, rest.readableBytes)), chunk.readableBytes > 0 {
      EventStreamMessage(eventType: "PayloadChunk", contentType: "application/octet-stream", payload: chunk)
        .write(into: &stream)
    }
  }
}
