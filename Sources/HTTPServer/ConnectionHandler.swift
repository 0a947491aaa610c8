internal import NIOCore
internal import NIOHTTP1
internal import Synchronization

/// Serves one connection: collects a request, passes it to the service, writes the answer, and only then takes the
/// next.
///
/// It writes bytes itself instead of going through NIO's encoder and pipelining handler: one buffer and one system call
/// per answer. Everything here runs on the connection's event loop.
final class ConnectionHandler: ChannelDuplexHandler, RemovableChannelHandler {
  typealias InboundIn = HTTPServerRequestPart
  typealias OutboundIn = Never
  typealias OutboundOut = ByteBuffer

  let service: ConnectionService
  private let entry: ConnectionEntry?
  private let progress: HeadProgress
  private let refusal: HTTPResponse?
  var context: ChannelHandlerContext?
  private var remoteAddress: SocketAddress?
  var phase = ConnectionPhase.idle
  private var head: HTTPRequestHead?
  /// What the request is for that is received or answered.
  private var match = RouteMatch.notFound
  private var takesTrailers = false
  private var trailers: HTTPHeaders?
  var upgrade: String?
  private var intake = BodyIntake()
  /// The body of the request that is handled, if it is handed on while it arrives and is not at its end.
  var incoming: HTTPRequestStream?
  /// The body's next part is read once there is room for it.
  private var awaitsRoom = false
  /// The next request's head has begun, and has until the deadline.
  private var isHeadTimed = false
  var framing = ResponseFraming()
  private var stream: HTTPBodyStream?
  private var begunAt: NIODeadline?
  var isDraining = false
  /// The peer sends nothing more, but may read.
  private var isInputClosed = false
  private var pending = CircularBuffer<PendingPart>(initialCapacity: 0)
  private var isTakingPending = false
  var holdsRead = false
  private var output = ByteBuffer()
  private var lingeringBytes = 0
  let timer = ConnectionTimer()

  /// A handler that serves, or one that only answers `refusal`.
  init(service: ConnectionService, entry: ConnectionEntry?, progress: HeadProgress, refusal: HTTPResponse?) {
    self.service = service
    self.entry = entry
    self.progress = progress
    self.refusal = refusal
  }

  func handlerAdded(context: ChannelHandlerContext) { self.context = context }

  func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

  func channelActive(context: ChannelHandlerContext) {
    remoteAddress = context.remoteAddress
    if let refusal { finish(with: refusal, lingers: true) } else { arm(after: service.limits.idleTimeout) }
    context.fireChannelActive()
  }

  func channelInactive(context: ChannelHandlerContext) {
    phase = .closed
    self.context = nil
    timer.cancel()
    pending.removeAll()
    dropBody()
    breakStream()
    endStream()
    context.fireChannelInactive()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    switch phase {
    case .finishing, .lingering, .closed: lingeringBytes += 1  // Counts reads; the refusal's pipeline has no decoder.
    case .idle, .receiving:
      let part = unwrapInboundIn(data)
      progress.note(part)
      if pending.isEmpty { take(part) } else { pending.append(.part(part)) }
    case .handling, .sending, .streaming, .changing:
      let part = unwrapInboundIn(data)
      progress.note(part)
      if !feed(part) { pending.append(.part(part)) }
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    if phase == .receiving, !timer.isArmed { arm(after: service.limits.transferTimeout) }
    if phase == .idle, !isHeadTimed, progress.headBytes > 0 { timeHead() }
    // At most 64 KiB each: a peer that goes on sending after its refusal is cut off.
    if phase == .lingering, lingeringBytes > 1024 { context.close(promise: nil) }
    context.fireChannelReadComplete()
  }

  // While requests wait their turn nothing more is read, so that what waits is bounded by one read.
  func read(context: ChannelHandlerContext) {
    let isHeld = phase == .sending || phase == .changing || awaitsRoom || incoming?.isHeld ?? false
    if pending.isEmpty, !isHeld { context.read() } else { holdsRead = true }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    guard error is HTTPParserError || error is RequestFault else {
      // A reset, or bytes behind those that could not be parsed: in the first case nobody is there to be answered, in
      // the second the refusal is under way.
      if !(error is ByteToMessageDecoderError) { context.close(promise: nil) }
      return
    }
    switch phase {
    case .receiving where error as? HTTPParserError == .invalidEOFState: truncate()
    case .idle, .receiving: refuse(error)
    case .handling where breakStream(): break
    case .handling, .sending, .streaming: pending.append(.failure(error))
    case .finishing, .lingering, .changing, .closed: break
    }
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if event is DrainEvent {
      isDraining = true
      if phase == .streaming, stream?.mayEndEarly ?? true { finishStream(context) }
    } else if event as? ChannelEvent == .inputClosed {
      isInputClosed = true
    } else if event is MakeRoomEvent {
      return makeRoom(context)
    } else {
      return context.fireUserInboundEventTriggered(event)
    }
    if phase == .idle || phase == .lingering && isInputClosed { context.close(promise: nil) }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    if phase == .sending, context.channel.isWritable { becomeIdle() }
    if phase == .streaming { sendPieces() }
    context.fireChannelWritabilityChanged()
  }
}

// Requests in.
extension ConnectionHandler {
  private func take(_ part: HTTPServerRequestPart) {
    switch part {
    case .head(let head): begin(head)
    case .body(let bytes): append(bytes)
    case .end(let trailers): if phase == .receiving { end(trailers) }
    }
  }

  private func takePending() {
    guard !isTakingPending else { return }
    isTakingPending = true
    while phase == .idle || phase == .receiving, let next = pending.popFirst() {
      switch next {
      case .part(let part): take(part)
      case .failure(let error): refuse(error)
      }
    }
    isTakingPending = false
    if holdsRead, pending.isEmpty, phase != .sending, !awaitsRoom {
      holdsRead = false
      context?.read()
    }
  }

  private func begin(_ sent: HTTPRequestHead) {
    var head = sent
    phase = .receiving
    begunAt = .now()
    timer.disarm()
    isHeadTimed = false
    entry?.wasUsed.store(true, ordering: .relaxed)
    framing = ResponseFraming(
      omitsBody: head.method == .HEAD, isVersion10: head.version == .http1_0,
      closes: !head.isKeepAlive || head.method == .CONNECT)
    match = .notFound
    let rules: RequestRules
    do throws(RequestFault) {
      rules = try RequestRules(&head)
    } catch {
      return refuse(error)
    }
    match = service.routes.find(head)
    let route = match.position.map(service.routes.limits)
    guard rules.headerBytes <= route?.headerBytesMax ?? service.limits.headerBytesMax else {
      return refuse(HTTPParserError.headerOverflow)
    }
    takesTrailers = route?.takesTrailers ?? false
    // NIO's decoder stops at a request that asks for another protocol, so this answer is the last in this one.
    if rules.upgrade != nil { framing.closes = true }
    upgrade = framing.isVersion10 || rules.hasBody ? nil : route.flatMap { rules.upgrade(among: $0.upgrades) }
    self.head = head
    guard rules.hasBody else { return }
    if let answer = service.answers.bodyForbidden?(head, match) { return refuseBody(.credentials) { _ in answer } }
    var limits = service.limits.limits(for: head, match, route, contentLength: rules.contentLength)
    guard limits.bodyBytesMax > 0 else { return refuseBody(.bodyNotTaken, with: service.answers.bodyNotTaken) }
    if let inflation = route?.inflation, rules.contentCoding != nil {
      guard rules.isGzip else { return refuseBody(.contentCoding, with: service.answers.codingNotTaken) }
      limits.inflation = inflation
      // Bodies that have a part each could wait for each other.
      limits.waitsForRoom = false
      self.head?.headers.remove(name: "Content-Encoding")
    }
    let streams = service.answers.streamsBody?(head, match) ?? false
    guard streams || follow(intake.begin(expected: rules.contentLength, limits: limits)) else { return }
    if rules.expectsContinue, !framing.isVersion10, let context {
      context.writeAndFlush(wrapOutboundOut(ByteBuffer(staticString: "HTTP/1.1 100 Continue\r\n\r\n")), promise: nil)
    }
    if streams { beginStream() }
  }

  private func append(_ bytes: ByteBuffer) {
    guard phase == .receiving else { return }
    entry?.wasUsed.store(true, ordering: .relaxed)
    _ = follow(intake.append(bytes))
  }

  /// - Returns: Whether the request is taken further.
  private func follow(_ step: BodyIntake.Step) -> Bool {
    switch step {
    case .taken: return true
    case .tooLarge: refuseBody(.bodyTooLarge, with: service.answers.bodyTooLarge)
    case .noRoom: refuseBody(.noRoom, with: service.answers.noRoom)
    case .damaged: refuse(RequestFault.malformed("The body is not the gzip that Content-Encoding says it is."))
    case .wait:
      awaitRoom()
      return true
    }
    return false
  }

  private func awaitRoom() {
    awaitsRoom = true
    retryRoom()
  }

  private func retryRoom() {
    guard awaitsRoom, phase == .receiving, let context, let budget = intake.limits.budget else { return }
    // Before the next try: what is given back after it wakes us.
    let loop = context.eventLoop
    let handler = NIOLoopBound(self, eventLoop: loop)
    budget.wait(ObjectIdentifier(self)) { loop.execute { handler.value.retryRoom() } }
    guard intake.retry() == .taken else { return }
    stopAwaiting()
    releaseRead()
  }

  private func stopAwaiting() {
    guard awaitsRoom else { return }
    awaitsRoom = false
    intake.limits.budget?.forget(ObjectIdentifier(self))
  }

  /// Gives back what a request holds that will not be answered by its handler.
  private func dropBody() {
    stopAwaiting()
    _ = intake.takeBytes()
    intake.takeHold().release()
    service.limits.bodyBudget?.release(progress.takeReserved())
  }

  /// The request is whole.
  private func end(_ trailers: HTTPHeaders?) {
    guard takesTrailers || trailers?.isEmpty ?? true else {
      return refuse(RequestFault.malformed("This path takes no fields behind a chunked body."))
    }
    guard intake.isWhole else {
      return refuse(RequestFault.malformed("The body ends before its gzip does."))
    }
    self.trailers = trailers
    dispatch()
  }

  private func takeRequest(_ context: ChannelHandlerContext) -> HTTPRequest? {
    guard let head = head.take() else { return nil }
    var request = HTTPRequest(
      method: head.method, target: head.uri, headers: head.headers, body: intake.takeBytes(),
      isKeepAlive: !framing.closes, remoteAddress: remoteAddress, connectionClosed: context.channel.closeFuture)
    request.begunAt = begunAt
    request.route = match
    request.trailers = trailers.take()
    request.upgrade = upgrade
    return request
  }

  func dispatch(_ stream: HTTPRequestStream? = nil) {
    guard let context, var request = takeRequest(context) else { return }
    request.stream = stream
    phase = .handling
    timer.disarm()
    stopAwaiting()
    entry?.isBusy.store(true, ordering: .relaxed)
    service.statistics.countRequest()
    let loop = context.eventLoop
    let hold = intake.takeHold()
    let headBytes = progress.takeReserved()
    service.handler(request, loop).hop(to: loop).assumeIsolated().whenComplete { result in
      hold.release()
      if headBytes > 0 { self.service.limits.bodyBudget?.release(headBytes) }
      switch result {
      case .success(let response): self.answer(response)
      case .failure(let error): self.answer(self.service.answers.handlerFailed(error))
      }
    }
  }

  private func refuseBody(_ refusal: HTTPRefusal, with answer: (HTTPRequest) -> HTTPResponse) {
    guard let context, let request = takeRequest(context) else { return }
    service.statistics.count(refusal)
    finish(with: answer(request), lingers: true)
  }

  private func truncate() {
    guard let context, let request = takeRequest(context) else { return }
    service.statistics.count(.truncated)
    finish(with: service.answers.bodyTruncated(request), lingers: false)
  }

  private func refuse(_ error: any Error) {
    service.statistics.count(RequestRules.refusal(error))
    head = nil
    framing.omitsBody = false
    finish(with: RequestRules.answer(to: error, service.answers), lingers: true)
  }

  /// Another connection needs this one's place.
  private func makeRoom(_ context: ChannelHandlerContext) {
    switch phase {
    case .idle where progress.headBytes == 0:
      service.statistics.count(.madeRoom)
      context.close(promise: nil)
    case .idle, .receiving:
      service.statistics.count(.madeRoom)
      head = nil
      finish(with: service.answers.tooManyConnections(), lingers: false)
    case .handling, .sending, .streaming, .changing:
      if let entry { service.registry.stays(entry) }
    case .finishing, .lingering, .closed: break
    }
  }
}

// Answers out.
extension ConnectionHandler {
  private func answer(_ response: HTTPResponse) {
    guard phase == .handling, let context else {
      service.statistics.countDroppedAnswer()
      response.stream?.end()
      return
    }
    if let stream = response.stream { return begin(stream, of: response, context) }
    if let change = response.upgrade { return changeProtocol(change, response, context) }
    let isEarly = breakStream()
    guard !framing.closes, !isDraining, !response.closesConnection else {
      return finish(with: response, lingers: isEarly)
    }
    write(response, to: context, promise: nil)
    // A write that fails closes the channel before this line.
    guard self.context != nil else { return }
    if context.channel.isWritable {
      becomeIdle()
    } else {
      phase = .sending
      arm(after: service.limits.transferTimeout)
    }
  }

  private func becomeIdle() {
    if isDraining {
      phase = .finishing
      context?.close(promise: nil)
      return
    }
    phase = .idle
    match = .notFound
    entry?.isBusy.store(false, ordering: .relaxed)
    if progress.headBytes > 0 { timeHead() } else { arm(after: service.limits.idleTimeout) }
    takePending()
    if isInputClosed, phase == .idle { context?.close(promise: nil) }
  }

  /// Writes the connection's last answer and closes it once the peer has taken it.
  func finish(with response: HTTPResponse, lingers: Bool) {
    guard let context else { return }
    phase = .finishing
    framing.closes = true
    pending.removeAll()
    dropBody()
    arm(after: service.limits.transferTimeout)
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { result in
      guard let context = self.context else { return }
      guard lingers, !self.isInputClosed, case .success = result else { return context.close(promise: nil) }
      self.phase = .lingering
      self.arm(after: .seconds(1))
      context.close(mode: .output, promise: nil)
      self.releaseRead()
    }
    write(response, to: context, promise: written)
    releaseRead()
  }

  func releaseRead() {
    guard holdsRead else { return }
    holdsRead = false
    context?.read()
  }

  func write(_ response: HTTPResponse, to context: ChannelHandlerContext, promise: EventLoopPromise<Void>?) {
    if entry != nil { service.statistics.count(response.status, of: match) }
    output.clear(minimumCapacity: 512)
    response.writeHead(into: &output, framing: framing)
    guard response.sendsBody(framing) else {
      return context.writeAndFlush(wrapOutboundOut(output), promise: promise)
    }
    // Up to here copying is cheaper than a second buffer in the system call.
    if response.body.readableBytes <= 16 * 1024 {
      output.writeImmutableBuffer(response.body)
      context.writeAndFlush(wrapOutboundOut(output), promise: promise)
    } else {
      context.write(wrapOutboundOut(output), promise: nil)
      context.writeAndFlush(wrapOutboundOut(response.body), promise: promise)
    }
  }
}

// Bodies that are written while they are sent.
extension ConnectionHandler {
  private func begin(_ stream: HTTPBodyStream, of response: HTTPResponse, _ context: ChannelHandlerContext) {
    framing.closes = framing.closes || framing.isVersion10 || isDraining || response.closesConnection
    guard !framing.omitsBody, response.status.mayHaveResponseBody, !isDraining || !stream.mayEndEarly else {
      stream.end()
      framing.omitsBody = true
      guard !framing.closes else { return finish(with: response, lingers: false) }
      write(response, to: context, promise: nil)
      return becomeIdle()
    }
    phase = .streaming
    self.stream = stream
    write(response, to: context, promise: nil)
    let loop = context.eventLoop
    // A write that fails has ended the stream before this line, and then nothing wakes.
    let handler = NIOLoopBound(self, eventLoop: loop)
    stream.attach { loop.execute { handler.value.sendPieces() } }
  }

  /// Sends what waits while the peer takes it.
  private func sendPieces() {
    guard phase == .streaming, let context, let stream else { return }
    if stream.isCut { return cutStream(context) }
    while context.channel.isWritable {
      timer.disarm()
      switch stream.next() {
      case .nothing: return
      case .send(let piece):
        sendPiece(piece, context)
        guard self.context != nil else { return }
      case .finish: return finishStream(context)
      }
    }
    if !timer.isArmed { arm(after: service.limits.transferTimeout) }
  }

  private func sendPiece(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
    // An empty chunk would be the end.
    guard piece.readableBytes > 0 else { return }
    output.clear(minimumCapacity: piece.readableBytes + 16)
    framing.write(piece, into: &output)
    context.writeAndFlush(wrapOutboundOut(output), promise: nil)
  }

  /// Writes the end of the body. A drained server has no time for what still waits.
  private func finishStream(_ context: ChannelHandlerContext) {
    endStream()
    let end = ByteBuffer(staticString: framing.isVersion10 ? "" : "0\r\n\r\n")
    guard framing.closes || isDraining else {
      context.writeAndFlush(wrapOutboundOut(end), promise: nil)
      guard self.context != nil else { return }
      if context.channel.isWritable { return becomeIdle() }
      phase = .sending
      return arm(after: service.limits.transferTimeout)
    }
    phase = .finishing
    pending.removeAll()
    arm(after: service.limits.transferTimeout)
    let written = context.eventLoop.makePromise(of: Void.self)
    written.futureResult.assumeIsolated().whenComplete { _ in self.context?.close(promise: nil) }
    context.writeAndFlush(wrapOutboundOut(end), promise: written)
    releaseRead()
  }

  func endStream() {
    stream?.end()
    stream = nil
  }
}

// Time.
extension ConnectionHandler {
  private func arm(after amount: TimeAmount) {
    if let context { timer.arm(after: amount, on: context.eventLoop) { self.deadlinePassed() } }
  }

  /// The next request's head has begun to arrive: it has as long as a body.
  private func timeHead() {
    isHeadTimed = true
    arm(after: service.limits.transferTimeout)
  }

  private func deadlinePassed() {
    guard let context else { return }
    switch phase {
    case .idle where !isHeadTimed, .lingering: context.close(promise: nil)
    case .receiving where awaitsRoom:
      service.statistics.count(.timeout)
      _ = follow(.noRoom)
    case .idle, .receiving:
      service.statistics.count(.timeout)
      head = nil
      framing.omitsBody = false
      finish(with: .text(.requestTimeout, "The request took too long to arrive.\n"), lingers: true)
    case .sending, .streaming, .finishing:
      service.statistics.count(.timeout)
      context.close(promise: nil)
    case .handling, .changing, .closed: break
    }
  }
}
