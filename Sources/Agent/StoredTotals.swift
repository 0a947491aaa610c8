internal import Catalogue
internal import Lifecycle
internal import Prometheus
internal import WindowStore
internal import Windows

/// Reads totals from a data directory when no agent answers.
package enum StoredTotals {
  /// What `GET /metrics` would answer about functions with nothing in progress, as of the last checkpoint: the text
  /// format 0.0.4.
  ///
  /// - Parameter directory: The data directory. It is only read, also while an agent writes it.
  /// - Throws: ``AgentError`` with ``AgentError/Code/store`` if there is no store that can be read.
  /// - Complexity: O(series).
  package static func exposition(directory: String) throws(AgentError) -> [UInt8] {
    do {
      let reader = try WindowReader.open(directory: directory)
      guard let checkpoint = try reader.checkpoint() else { return [] }
      var aggregator = Aggregator(AggregatorConfiguration(window: reader.window), restoring: checkpoint)
      aggregator.abandonLive(at: checkpoint.time)
      var exposition = Exposition()
      exposition.write(aggregator.snapshot(now: checkpoint.time), AgentStatistics(version: ""), as: .text)
      return exposition.withBytes { bytes in
        var copy: [UInt8] = []
        copy.reserveCapacity(bytes.count)
        for position in bytes.indices { copy.append(bytes[position]) }
        return copy
      }
    } catch {
      throw AgentError(error)
    }
  }
}
