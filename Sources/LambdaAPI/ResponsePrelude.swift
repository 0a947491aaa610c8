package import HTTPServer
package import NIOCore

/// Reads what stands before the body of a streamed answer of the content type ``contentType``: a JSON object with `statusCode`,
/// `headers` and `cookies`, and eight zero bytes. It may come in any pieces.
package struct ResponsePrelude {
  /// The content type of such an answer.
  package static let contentType = "application/vnd.awslambda.http-integration-response"
  /// The zero bytes behind the object; JSON has none.
  private static let zerosCount = 8

  /// What is known after a piece.
  package enum Step {
    /// The prelude goes on.
    case incomplete
    /// It is whole: the response without its body, and what came of the body.
    case complete(HTTPResponse, rest: ByteBuffer)
    /// It is no prelude, or one over the limit.
    case malformed
  }

  private var bytes = ByteBuffer()
  /// The zero bytes at the end of what came.
  private var zeros = 0

  /// Begins to read.
  package init() {}

  /// Takes the next piece. After anything but ``Step/incomplete`` there is none.
  ///
  /// - Complexity: O(bytes of the prelude in the piece).
  package mutating func take(_ piece: ByteBuffer) -> Step {
    var piece = piece
    let room = PayloadLimits.preludeBytesMax + ResponsePrelude.zerosCount - bytes.readableBytes
    guard let count = end(in: piece, within: room) else {
      guard piece.readableBytes < room else { return .malformed }
      bytes.writeImmutableBuffer(piece)
      return .incomplete
    }
    if let last = piece.readSlice(length: count) { bytes.writeImmutableBuffer(last) }
    let prelude = bytes.getSlice(at: bytes.readerIndex, length: bytes.readableBytes - ResponsePrelude.zerosCount)
    guard let prelude, let response = FunctionURLAnswer.response(ofPrelude: prelude) else { return .malformed }
    return .complete(response, rest: piece)
  }

  /// How many bytes of a piece belong to the prelude, if it ends there.
  private mutating func end(in piece: ByteBuffer, within room: Int) -> Int? {
    var count = 0
    for byte in piece.readableBytesView.prefix(room) {
      count += 1
      zeros = byte == 0 ? zeros + 1 : 0
      if zeros == ResponsePrelude.zerosCount { return count }
    }
    return nil
  }
}
