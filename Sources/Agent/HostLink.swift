package import Catalogue
package import Documents
package import HTTPServer
internal import Synchronization

/// What an agent knows of the function host of its process, and what it asks of it. May be used from any thread.
package final class HostLink: Sendable {
  private struct State {
    var document: StatusDocument.HostDocument?
    /// How many functions the host has since it reloaded its configuration; `nil`: it never did.
    var reloadedFunctions: Int64?
    var counts: @Sendable () -> (listeners: [ListenerCounts], dropped: HostStatistics)? = { nil }
    var startFailures: @Sendable () -> [String: FunctionDocument.StartFailure] = { [:] }
    var reload: ConfigurationReload?
  }

  private let state = Mutex(State())

  // MARK: What the host says

  /// Names the host in `/api/v1/status`, and says by that that it listens.
  ///
  /// - Parameter startFailures: Says which functions cannot start now, by name, and why; called for each answer that tells
  ///   of functions, from any thread. Must not block.
  package func describe(
    listen: String, functions: Int, isolation: StatusDocument.IsolationDocument? = nil,
    startFailures: @escaping @Sendable () -> [String: FunctionDocument.StartFailure] = { [:] }
  ) {
    state.withLock {
      $0.startFailures = startFailures
      $0.document = StatusDocument.HostDocument(
        listen: listen, functions: $0.reloadedFunctions ?? Int64(functions), isolation: isolation)
    }
  }

  /// The host has so many functions since it reloaded its configuration.
  package func functionsChanged(to count: Int) {
    state.withLock {
      $0.reloadedFunctions = Int64(count)
      $0.document?.functions = Int64(count)
    }
  }

  /// Takes the host's counts into the metrics.
  ///
  /// - Parameter read: The host's listeners and what it dropped; `nil` while it does not serve. Called for each scrape, from
  ///   any thread. Must not block.
  package func readCounts(
    _ read: @escaping @Sendable () -> (listeners: [ListenerCounts], dropped: HostStatistics)?
  ) {
    state.withLock { $0.counts = read }
  }

  /// Has `POST /-/reload` call this; until then there is nothing to reload.
  package func onReloadRequest(_ reload: @escaping ConfigurationReload) { state.withLock { $0.reload = reload } }

  // MARK: What the agent's answers need

  var document: StatusDocument.HostDocument? { state.withLock { $0.document } }
  var counts: (listeners: [ListenerCounts], dropped: HostStatistics)? { state.withLock { $0.counts }() }
  var startFailures: StartFailureReadings { StartFailureReadings(all: state.withLock { $0.startFailures }()) }
  var reload: ConfigurationReload? { state.withLock { $0.reload } }
}
