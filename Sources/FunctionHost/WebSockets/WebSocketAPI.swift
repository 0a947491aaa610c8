import LambdaAPI
import Lifecycle
import WebSocketServer

/// One WebSocket API and what is going on there. Used on the host's loop.
final class WebSocketAPI {
  var specification: WebSocketSpecification
  /// Whether the configuration has it. One that was removed stays while something of it is still there, and may come back.
  var isConfigured = true
  let source: EventSourceID
  /// Connections that are open, or whose `$connect` runs.
  var taken = 0
  /// Connections that are open.
  private(set) var open = 0
  private(set) var inFlight = 0

  init(_ specification: WebSocketSpecification) {
    self.specification = specification
    source = EventSourceID(.websocket, specification.name)
  }

  /// A connection was accepted.
  func connected(in host: isolated HostCore) {
    open += 1
    host.tell(source, at: host.clock.now(), [.counted(.connected, 1), .level(.connections, Int64(open))])
  }

  /// No connection was made.
  func refused(in host: isolated HostCore) {
    host.tell(source, at: host.clock.now(), [.counted(.refused, 1)])
  }

  func disconnected(openedAt: Timestamp, in host: isolated HostCore) {
    open -= 1
    let now = host.clock.now()
    host.tell(
      source, at: now,
      [.counted(.disconnected, 1), .level(.connections, Int64(open)), .measured(.connection, now - openedAt)])
  }

  func sent(in host: isolated HostCore) { host.tell(source, at: host.clock.now(), [.counted(.sent, 1)]) }

  /// A message is on its way to its function.
  func delivered(at now: Timestamp, in host: isolated HostCore) {
    host.tell(source, at: now, [.counted(.received, 1), .counted(.delivered, 1), .level(.inFlight, Int64(inFlight))])
  }

  /// A message will not come to a function.
  func undelivered(_ counter: EventSourceCounter, at now: Timestamp, in host: isolated HostCore) {
    host.tell(source, at: now, [.counted(.received, 1), .counted(counter, 1)])
  }

  /// A message's function has answered, or has not.
  func processed(_ counter: EventSourceCounter, _ times: InvocationTimes, in host: isolated HostCore) {
    host.tell(
      source, at: times.end,
      [.counted(counter, 1), .level(.inFlight, Int64(inFlight)), .measured(.processing, times.end - times.start)])
  }

  /// Whether nothing of it is there any more.
  var isOver: Bool { taken == 0 && open == 0 && inFlight == 0 }

  func begin() { inFlight += 1 }

  func end() { inFlight -= 1 }
}

/// A connection that was accepted. Used on the host's loop.
final class WebSocketSession {
  let identity: WebSocketIdentity
  let api: WebSocketAPI
  /// `nil` until the answer to the handshake is written.
  var connection: WebSocketConnection?
  /// When the host's clock said that it was accepted.
  let openedAt: Timestamp

  init(_ identity: WebSocketIdentity, _ api: WebSocketAPI, at now: Timestamp) {
    self.identity = identity
    self.api = api
    openedAt = now
  }
}
