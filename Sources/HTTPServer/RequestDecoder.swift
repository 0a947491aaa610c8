internal import NIOCore
internal import NIOHTTP1

/// The memory that a request's head takes while it arrives; shared by a connection's decoder and its handler.
final class HeadProgress {
  // Smaller ones are not worth asking about: so much for each connection that there may be.
  private static let freeBytes = 8 << 10
  private static let stepBytes = 64 << 10

  private let budget: BodyBudget?
  private var reserved = 0
  private var consumed = 0
  private var delivered = 0
  private var isInHead = true
  private var isSameMessage = false
  /// The bytes of a head that has begun and is not complete; 0 between requests and inside a body.
  private(set) var headBytes = 0

  init(_ budget: BodyBudget?) { self.budget = budget }

  deinit { budget?.release(reserved) }

  /// Takes note of a part that the decoder hands on.
  func note(_ part: HTTPServerRequestPart) {
    switch part {
    case .head:
      isInHead = false
      isSameMessage = false
    case .body(let bytes): delivered += bytes.readableBytes
    case .end:
      isInHead = true
      isSameMessage = false
    }
  }

  func beginRead() { isSameMessage = true }

  /// Counts what a read brought, and reserves room for a head that is large.
  ///
  /// - Parameters:
  ///   - count: The bytes that the decoder is done with.
  ///   - kept: Those that it waits for more of.
  func endRead(_ count: Int, kept: Int) throws(RequestFault) {
    if isSameMessage {
      consumed += count
    } else {
      // What belongs to the message before is not told apart from what belongs to this one: one read at most.
      consumed = 0
      delivered = 0
    }
    headBytes = isInHead ? consumed + kept : 0
    // Inside a body, what is neither part of it nor the length of a chunk is a trailer.
    let held = isInHead ? headBytes : consumed + kept - 9 * delivered
    guard held > HeadProgress.freeBytes, held > reserved, let budget else { return }
    let wanted = (held / HeadProgress.stepBytes + 1) * HeadProgress.stepBytes - reserved
    guard budget.reserve(wanted, of: 0) else { throw .noRoom }
    reserved += wanted
  }

  /// Hands over what is reserved; the new owner releases it.
  func takeReserved() -> Int {
    defer { reserved = 0 }
    return reserved
  }
}

/// NIO's decoder of requests, and a count of what it keeps.
final class RequestDecoder: ByteToMessageDecoder {
  typealias InboundOut = HTTPServerRequestPart

  private let decoder: HTTPRequestDecoder
  private let progress: HeadProgress

  init(_ limits: HTTPServerLimits, _ progress: HeadProgress) {
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = limits.headerBytesMax
    configuration.maxHeaderListSize = limits.headerBytesMax
    configuration.maxHeaderFieldCount = limits.headerCountMax
    decoder = HTTPRequestDecoder(limitConfiguration: configuration)
    self.progress = progress
  }

  func decoderAdded(context: ChannelHandlerContext) { decoder.decoderAdded(context: context) }

  func decoderRemoved(context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

  func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    let before = buffer.readableBytes
    progress.beginRead()
    let state = try decoder.decode(context: context, buffer: &buffer)
    try progress.endRead(before - buffer.readableBytes, kept: buffer.readableBytes)
    return state
  }

  func decodeLast(
    context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
  ) throws -> DecodingState {
    try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
  }
}
