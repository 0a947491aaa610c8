import HTTPServer

/// What connects an instance to its runtime.
struct RuntimeLink {
  /// The runtime's call for an event.
  private(set) var parked: ParkedCall?
  /// Where those were connected from that had gone when they were looked at.
  var gonePorts: Set<Int> = []
  /// The event that was handed over last, should the runtime ask for it again.
  private(set) var event: HTTPResponse?

  /// The runtime asks for an event, and waits.
  mutating func park(_ call: ParkedCall) { parked = call }

  /// Answers the call that waits with an event.
  mutating func give(_ event: HTTPResponse) {
    self.event = event
    dismiss(with: event)
  }

  /// The event has its answer: it may be large, and is not handed out again.
  mutating func forgetEvent() { event = nil }

  /// Answers the call that waits, if one does.
  mutating func dismiss(with response: HTTPResponse) {
    parked?.succeed(response)
    parked = nil
  }
}
