package import HTTPServer
import NIOCore
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
    var complete = JSONWriter()
    complete.object {
      if let error {
        $0.member("ErrorCode", error)
        $0.member("ErrorDetails", String(buffer: answer.body))
      }
      if let log = answer.headers.first(name: "X-Amz-Log-Result") { $0.member("LogResult", log) }
    }
    EventStreamMessage(eventType: "InvokeComplete", contentType: "application/json", payload: complete.buffer)
      .write(into: &stream.body)
    return stream
  }

  private static func writeChunks(of payload: ByteBuffer, into stream: inout ByteBuffer) {
    var rest = payload
    while let chunk = rest.readSlice(length: min(chunkBytesMax, rest.readableBytes)), chunk.readableBytes > 0 {
      EventStreamMessage(eventType: "PayloadChunk", contentType: "application/octet-stream", payload: chunk)
        .write(into: &stream)
    }
  }
}
