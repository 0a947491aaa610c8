internal import NIOCore
internal import NIOHTTP1

/// The memory that a request's head takes while it arrives; shared by a connection's decoder and its handler.
final class HeadProgress {
  // Smaller ones are not worth asking about: so much for each connection that there may be.
  private static let freeBytes = 8 << 10
  private static let stepBytes = 64 << 10

  private let budget: BodyBudget?
  private var line = RequestLine()
  private var reserved = 0
  private var consumed = 0
  private var delivered = 0
  private var isInHead = true
  private var isSameMessage = false
  /// The bytes of a head that has begun and is not complete; 0 between requests and inside a body.
  private(set) var headBytes = 0

  /// Whether what is read next belongs to a head whose request line is not known yet.
  var needsLine: Bool { isInHead && !line.isComplete }

  /// Takes note of what was read as part of a head that is not complete, and finds out what it is for.
  func noteHead(_ bytes: ByteBuffer) { line.append(bytes, isFromStart: headBytes == bytes.readableBytes) }

  /// Method and target of the head that has begun; `nil` if they are not known.
  var requestLine: (method: String, target: String)? { line.parts }

  init(_ budget: BodyBudget?) { self.budget = budget }

  deinit { budget?.release(reserved) }

  /// Takes note of a part that the decoder hands on.
  func note(_ part: HTTPServerRequestPart) {
    switch part {
    case .head:
      isInHead = false
      isSameMessage = false
      if !line.isEmpty { line = RequestLine() }
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

/// The first line of a head that comes in pieces.
struct RequestLine {
  // Longer ones are for no route.
  private static let bytesMax = 8 << 10

  private var bytes: [UInt8] = []
  /// Whether nothing more is gathered: the line has ended, or is not to be known.
  private(set) var isComplete = false

  var isEmpty: Bool { bytes.isEmpty && !isComplete }

  /// - Parameter isFromStart: Whether the first of these bytes is the first of the head. A head that began behind the end of another
  ///   request, in one read with it, is not looked at.
  mutating func append(_ read: ByteBuffer, isFromStart: Bool) {
    guard !bytes.isEmpty || isFromStart else {
      isComplete = true
      return
    }
    for byte in read.readableBytesView {
      if byte == UInt8(ascii: "\n"), !bytes.isEmpty {
        isComplete = true
        return
      }
      // Empty lines before a request are passed over.
      if bytes.isEmpty, byte == UInt8(ascii: "\r") || byte == UInt8(ascii: "\n") { continue }
      guard bytes.count < RequestLine.bytesMax else {
        isComplete = true
        bytes = []
        return
      }
      bytes.append(byte)
    }
  }

  /// Method and target, once the line has ended.
  var parts: (method: String, target: String)? {
    guard isComplete else { return nil }
    let words = bytes.split(separator: UInt8(ascii: " "))
    guard words.count == 3 else { return nil }
    return (String(decoding: words[0], as: UTF8.self), String(decoding: words[1], as: UTF8.self))
  }
}

/// NIO's decoder of requests, and a count of what it keeps.
final class RequestDecoder: ByteToMessageDecoder {
  typealias InboundOut = HTTPServerRequestPart

  private let decoder: HTTPRequestDecoder
  private let routes: any RouteFinder
  private let limits: HTTPServerLimits
  /// Whether some routes take more than the others.
  private let hasLargeRoutes: Bool
  private let progress: HeadProgress
  /// The bytes that are in the buffer since the last read.
  private var kept = 0

  init(_ limits: HTTPServerLimits, _ routes: any RouteFinder, _ progress: HeadProgress) {
    self.limits = limits
    self.routes = routes
    let headerBytesMax = max(limits.headerBytesMax, routes.headerBytesMax)
    hasLargeRoutes = headerBytesMax > limits.headerBytesMax
    var configuration = NIOHTTPDecoderLimitConfiguration()
    configuration.maxHeaderFieldSize = headerBytesMax
    configuration.maxHeaderListSize = headerBytesMax
    configuration.maxHeaderFieldCount = limits.headerCountMax
    // What was read behind a request for another protocol is that protocol's.
    decoder = HTTPRequestDecoder(leftOverBytesStrategy: .forwardBytes, limitConfiguration: configuration)
    self.progress = progress
  }

  func decoderAdded(context: ChannelHandlerContext) { decoder.decoderAdded(context: context) }

  func decoderRemoved(context: ChannelHandlerContext) { decoder.decoderRemoved(context: context) }

  func decode(context: ChannelHandlerContext, buffer: inout ByteBuffer) throws -> DecodingState {
    let before = buffer.readableBytes
    progress.beginRead()
    var start = hasLargeRoutes && progress.needsLine ? buffer : nil
    // What NIO's decoder kept of an earlier read was looked at then.
    start?.moveReaderIndex(forwardBy: min(kept, before))
    let state = try decoder.decode(context: context, buffer: &buffer)
    try progress.endRead(before - buffer.readableBytes, kept: buffer.readableBytes)
    kept = buffer.readableBytes
    if hasLargeRoutes, progress.headBytes > 0 {
      if let start { progress.noteHead(start) }
      try checkHead()
    }
    return state
  }

  /// Refuses a head over the limit of its route before it is complete; what it has beyond the limit is no more than the line ends and
  /// blanks of all of its fields.
  private func checkHead() throws {
    let least = progress.headBytes - 4 * limits.headerCountMax - 64
    guard least > limits.headerBytesMax else { return }
    var headerBytesMax = limits.headerBytesMax
    if let (method, target) = progress.requestLine,
      let position = routes.find(
        HTTPRequestHead(version: .http1_1, method: HTTPMethod(rawValue: method), uri: target)
      ).position
    {
      headerBytesMax = routes.limits(of: position).headerBytesMax ?? headerBytesMax
    }
    if least > headerBytesMax { throw HTTPParserError.headerOverflow }
  }

  func decodeLast(
    context: ChannelHandlerContext, buffer: inout ByteBuffer, seenEOF: Bool
  ) throws -> DecodingState {
    try decoder.decodeLast(context: context, buffer: &buffer, seenEOF: seenEOF)
  }
}
