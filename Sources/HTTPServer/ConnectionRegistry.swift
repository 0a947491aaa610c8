internal import NIOCore
internal import Synchronization

/// The connections of one server, from whichever loop they are served.
final class ConnectionRegistry: Sendable {
  private struct State {
    var channels: [ObjectIdentifier: any Channel] = [:]
    /// Those that are answered once and take no place of the others.
    var strangers: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false
  }

  enum Admission { case serve, refuse, close }

  private let state = Mutex(State())
  private let connectionsMax: Int
  // Refused connections stay a moment longer, so that the peer can read the refusal; no more than these.
  private let refusedMax = 128

  private let accepted = Atomic<Int>(0)
  private let refused = Atomic<Int>(0)
  private let requests = Atomic<Int>(0)
  private let requestsRefused = Atomic<Int>(0)
  private let transfersTimedOut = Atomic<Int>(0)
  private let answersDropped = Atomic<Int>(0)

  init(connectionsMax: Int) { self.connectionsMax = connectionsMax }

  func countRequest() { requests.add(1, ordering: .relaxed) }
  func countRefusedRequest() { requestsRefused.add(1, ordering: .relaxed) }
  func countTimeout() { transfersTimedOut.add(1, ordering: .relaxed) }
  func countDroppedAnswer() { answersDropped.add(1, ordering: .relaxed) }

  /// Takes note of a connection, which is to be removed when it is closed unless the answer was `close`.
  func admit(_ channel: any Channel) -> Admission {
    let admission = state.withLock { state -> Admission in
      guard !state.isDraining, state.channels.count < connectionsMax + refusedMax else { return .close }
      let admission: Admission = state.channels.count < connectionsMax ? .serve : .refuse
      state.channels[ObjectIdentifier(channel)] = channel
      return admission
    }
    accepted.add(1, ordering: .relaxed)
    if case .serve = admission {} else { refused.add(1, ordering: .relaxed) }
    return admission
  }

  /// Takes note of a connection that is answered once; false if there are too many of them, and it is to be closed.
  func admitStranger(_ channel: any Channel) -> Bool {
    let isAdmitted = state.withLock { state in
      guard !state.isDraining, state.strangers.count < refusedMax else { return false }
      state.strangers[ObjectIdentifier(channel)] = channel
      return true
    }
    accepted.add(1, ordering: .relaxed)
    refused.add(1, ordering: .relaxed)
    return isAdmitted
  }

  func remove(_ channel: any Channel) {
    state.withLock { state in
      state.channels[ObjectIdentifier(channel)] = nil
      state.strangers[ObjectIdentifier(channel)] = nil
    }
  }

  /// From now on every new connection is closed. Returns those that are open.
  func beginDraining() -> [any Channel] {
    state.withLock { state in
      state.isDraining = true
      return Array(state.channels.values) + state.strangers.values
    }
  }

  var counters: HTTPServerCounters {
    HTTPServerCounters(
      connectionsAccepted: accepted.load(ordering: .relaxed),
      connectionsOpen: state.withLock { $0.channels.count },
      connectionsRefused: refused.load(ordering: .relaxed),
      requests: requests.load(ordering: .relaxed),
      requestsRefused: requestsRefused.load(ordering: .relaxed),
      transfersTimedOut: transfersTimedOut.load(ordering: .relaxed),
      answersDropped: answersDropped.load(ordering: .relaxed))
  }
}
