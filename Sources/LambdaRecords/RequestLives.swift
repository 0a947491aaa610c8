import Lifecycle

/// The requests that lines tell of: those of which more may be said, and those whose lives were handed on. One request may have several
/// attempts, which AWS gives the same id: the second is kept under the id behind it, and so on.
struct RequestLives: Sendable {
  /// Those of which more may be said.
  var pending: [RequestID: PendingLife] = [:]
  /// The requests of ``pending`` in the order in which they came, from ``orderHead`` on.
  var order: [RequestID] = []
  var orderHead = 0
  /// Those whose lives were handed on.
  var finished: FinishedRequests
  /// Whether any request has had lines of several attempts.
  var hasAttempts = false

  init(finishedLimit: Int) { finished = FinishedRequests(limit: finishedLimit) }

  /// Those of ``pending`` in the order in which they came.
  var waiting: ArraySlice<RequestID> { order[orderHead...] }

  /// Whether more may be said of one, and not that it has ended.
  func isInProgress(_ id: RequestID) -> Bool {
    pending.index(forKey: id).map { !pending.values[$0].isEnded } ?? false
  }

  /// Under which identity the attempt of a request is kept that a line is of; `nil` if there are too many attempts.
  func attempt(_ request: RequestID, _ kind: PendingLife.LineKind, at time: Timestamp?) -> RequestID? {
    var nearest: (id: RequestID, distance: Int64)?
    var free: RequestID?
    var id = request
    for _ in 0..<LifeReconstruction.attemptsMax {
      // By its place: a life is too large to be copied for each line.
      guard let index = pending.index(forKey: id) else {
        if let isKnown = finished.isOf(id, at: time) {
          if isKnown { return id }
        } else {
          free = free ?? id
          // What was handed on and could not be used left its place free, and later attempts are behind it.
          if !hasAttempts { break }
        }
        id.value.low &+= 1
        continue
      }
      if let distance = pending.values[index].distance(to: kind, at: time) {
        // Another one would be further away than that.
        if distance <= LifeReconstruction.attemptGap.count { return id }
        if nearest.map({ distance < $0.distance }) ?? true { nearest = (id, distance) }
      }
      id.value.low &+= 1
    }
    return nearest?.id ?? free
  }

  /// Drops ends that were taken for those of other attempts before the report came that they belong to.
  mutating func dropEnds(of request: RequestID, beside kept: RequestID, at time: Timestamp?) {
    var id = request
    for _ in 0..<LifeReconstruction.attemptsMax {
      if id != kept, let life = pending[id], life.isEndAlone, life.distance(to: .end, at: time) != nil {
        pending[id]?.isDropped = true
      }
      id.value.low &+= 1
    }
  }

  /// Keeps a start that was taken for that of another attempt.
  mutating func addAttempt(_ request: RequestID, _ start: PendingLife) {
    var id = request
    if let known = attempt(request, .start, at: start.startTime), let index = pending.index(forKey: known),
      !pending.values[index].hasStart
    {
      pending.values[index].hasStart = true
      pending.values[index].startTime = start.startTime
      return
    }
    for _ in 0..<LifeReconstruction.attemptsMax {
      if pending[id] == nil, !finished.contains(id) {
        pending[id] = start
        order.append(id)
        return
      }
      id.value.low &+= 1
    }
  }

  /// Whether a request has another attempt that began within the longest invocation of a time, or nothing says when: then the stream has
  /// gone on after this one. What lies further away does not matter, as imports may not have read it.
  func hasOtherAttempt(_ id: RequestID, near time: Timestamp?) -> Bool {
    var before = id
    before.value.low &-= 1
    var behind = id
    behind.value.low &+= 1
    return [before, behind].contains { other in
      guard let life = pending[other] else { return finished.hasBegun(other, near: time) }
      return FinishedRequests.hasBegun(life.extent, near: time)
    }
  }
}
