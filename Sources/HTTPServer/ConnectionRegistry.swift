internal import NIOCore
internal import Synchronization

/// A connection as its server knows it, from whichever loop it is served.
final class ConnectionEntry: Sendable {
  let channel: any Channel
  /// Whether a request of it is being answered: then it is not closed to make room.
  let isBusy = Atomic<Bool>(false)
  /// Whether something of a request came since the registry last looked for a connection to close.
  let wasUsed = Atomic<Bool>(false)

  init(_ channel: any Channel) { self.channel = channel }
}

/// The connections of one server, from whichever loop they are served.
final class ConnectionRegistry: Sendable {
  private struct State {
    var open: [ObjectIdentifier: any Channel] = [:]
    var served: [ObjectIdentifier: ConnectionEntry] = [:]
    /// Those served, the one to look at next first; those closed are passed over.
    var ring = CircularBuffer<ConnectionEntry>()
    /// Those that have been told to make room and are not closed yet.
    var leaving: Set<ObjectIdentifier> = []
    /// Those that are answered once and take no place of the others.
    var strangers: [ObjectIdentifier: any Channel] = [:]
    var isDraining = false

    /// The connection that is idle for longest, or nearly: those that were used since the last look get another turn.
    mutating func nextToLeave() -> ConnectionEntry? {
      for _ in 0..<min(ring.count, 1_024) {
        guard let entry = ring.popFirst() else { return nil }
        guard served[ObjectIdentifier(entry.channel)] != nil else { continue }
        if entry.isBusy.load(ordering: .relaxed) || entry.wasUsed.exchange(false, ordering: .relaxed) {
          ring.append(entry)
          continue
        }
        leaving.insert(ObjectIdentifier(entry.channel))
        return entry
      }
      return nil
    }

    mutating func serve(_ entry: ConnectionEntry) {
      served[ObjectIdentifier(entry.channel)] = entry
      // Closed ones stay in the ring until it is half full of them.
      if ring.count > 2 * served.count + 64 {
        ring = CircularBuffer(ring.filter { served[ObjectIdentifier($0.channel)] != nil })
      }
      ring.append(entry)
    }
  }

  enum Admission {
    /// It is served; one that is idle is to be told to make room for it, if there is one.
    case serve(ConnectionEntry, insteadOf: ConnectionEntry?)
    case refuse
    case close
  }

  private let state = Mutex(State())
  private let connectionsMax: Int
  private let closesIdle: Bool
  // Refused connections stay a moment longer, so that the peer can read the refusal; no more than these.
  private let refusedMax: Int

  private let statistics: ListenerStatistics

  init(connectionsMax: Int, closesIdle: Bool, _ statistics: ListenerStatistics) {
    self.statistics = statistics
    self.connectionsMax = connectionsMax
    self.closesIdle = closesIdle
    refusedMax = min(128, max(32, connectionsMax / 8))
  }

  /// Takes note of a connection, which is to be removed when it is closed unless the answer was `close`.
  func admit(_ channel: any Channel) -> Admission {
    let admission = state.withLock { state -> Admission in
      guard !state.isDraining else { return .close }
      let entry = ConnectionEntry(channel)
      if state.served.count - state.leaving.count < connectionsMax {
        state.serve(entry)
        state.open[ObjectIdentifier(channel)] = channel
        return .serve(entry, insteadOf: nil)
      }
      if closesIdle, let other = state.nextToLeave() {
        state.serve(entry)
        state.open[ObjectIdentifier(channel)] = channel
        return .serve(entry, insteadOf: other)
      }
      guard state.open.count - state.served.count < refusedMax else { return .close }
      state.open[ObjectIdentifier(channel)] = channel
      return .refuse
    }
    statistics.countAccepted()
    switch admission {
    case .serve: statistics.countOpen(1)
    case .refuse:
      statistics.countOpen(1)
      statistics.count(.connectionLimit)
    case .close: statistics.count(.connectionLimit)
    }
    return admission
  }

  /// Takes note of a connection that is answered once; false if there are too many of them, and it is to be closed.
  func admitStranger(_ channel: any Channel) -> Bool {
    let isAdmitted = state.withLock { state in
      guard !state.isDraining, state.strangers.count < refusedMax else { return false }
      state.strangers[ObjectIdentifier(channel)] = channel
      return true
    }
    statistics.countAccepted()
    statistics.count(.stranger)
    return isAdmitted
  }

  /// A connection that was told to make room has been given a request in the meantime.
  func stays(_ entry: ConnectionEntry) {
    state.withLock { state in
      if state.leaving.remove(ObjectIdentifier(entry.channel)) != nil { state.ring.append(entry) }
    }
  }

  /// Frees a descriptor, if there is an idle connection.
  func makeRoom() {
    let entry = state.withLock { state in closesIdle ? state.nextToLeave() : nil }
    entry?.channel.pipeline.fireUserInboundEventTriggered(MakeRoomEvent())
  }

  func remove(_ channel: any Channel) {
    let wasOpen = state.withLock { state in
      let wasOpen = state.open.removeValue(forKey: ObjectIdentifier(channel)) != nil
      state.served[ObjectIdentifier(channel)] = nil
      state.leaving.remove(ObjectIdentifier(channel))
      state.strangers[ObjectIdentifier(channel)] = nil
      return wasOpen
    }
    if wasOpen { statistics.countOpen(-1) }
  }

  /// From now on every new connection is closed. Returns those that are open.
  func beginDraining() -> [any Channel] {
    state.withLock { state in
      state.isDraining = true
      return Array(state.open.values) + state.strangers.values
    }
  }
}

/// Tells a connection to close if no request of it is being answered.
struct MakeRoomEvent: Sendable {}
