public import Lifecycle

extension Aggregator {
  /// Lets time pass: windows whose finality has come are handed to the next checkpoint and forgotten here.
  ///
  /// A clock that goes back changes nothing.
  ///
  /// - Complexity: O(1) unless a window becomes final, then O(functions).
  public mutating func advance(to now: Timestamp) {
    // Gauges show the last closed window, so that is kept; a window longer than finality is final a window later.
    let boundary = min(scopes.grid.index(of: now - configuration.finality), scopes.lastClosed(now))
    guard boundary > scopes.firstWindow else { return }
    scopes.countFinished()
    if scopes.firstWindow != .min {
      live.giveUpLostExecutions(before: now - configuration.finality, &scopes)
      live.giveUpLostOverlaps(before: now - configuration.finality, &scopes)
      scopes.finalize(until: boundary, now)
    }
    scopes.forget(before: boundary)
    live.forgetStopped(before: scopes.grid.start(boundary))
  }

  /// The earliest time at which ``advance(to:)`` makes another window final; the far future before it was called first.
  public var nextFinality: Timestamp {
    guard scopes.firstWindow != .min else { return Timestamp(nanoseconds: .max) }
    // Both conditions of the boundary in ``advance(to:)``.
    let grid = scopes.grid
    return max(
      grid.end(scopes.firstWindow) + configuration.finality, grid.end(scopes.firstWindow &+ 1) + configuration.grace)
  }

  /// Takes note that somebody saw what the counters show now: they do not go below it, whatever comes late.
  ///
  /// - Complexity: O(functions).
  public mutating func noteReading(at now: Timestamp) {
    advance(to: now)
    scopes.countFinished()
    scopes.noteReading(at: now)
  }

  /// Whether time alone changes what a reader sees, because something runs or lives.
  public var isInProgress: Bool {
    scopes.account.concurrentExecutions > 0 || scopes.account.timelines.instanceStates.total > 0
  }

  /// Ends everything that is in progress in the process that is gone; what other processes reported goes on. What waits at its event
  /// sources is not known any more, until it is told again.
  ///
  /// - Parameter time: The last instant at which it is known to have run. Not counted as invocations: nobody saw how
  ///   they ended.
  public mutating func abandonLive(at time: Timestamp) {
    live.abandon(at: time, &scopes)
    scopes.eventSources.abandon(at: time, first: scopes.firstWindow)
  }

  /// Ends an execution that is in progress at the last instant at which it is known to have run. Not counted as an invocation: nobody
  /// saw how it ended. If its end is reported after all, that takes the place of this one.
  public mutating func presumeEnd(of request: RequestID, at time: Timestamp) {
    live.presumeEnd(request, at: time, &scopes)
  }
}
