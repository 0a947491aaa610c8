public import JSON
public import Lifecycle
internal import WindowStore
internal import Windows

/// Windows out of a data directory, for when no agent answers.
public enum StoredWindows {
  /// What `GET /api/v1/windows` would answer, as it was at the last checkpoint.
  ///
  /// - Parameters:
  ///   - directory: The data directory. It is only read.
  ///   - parameters: As in the query: `function`, `range`, `resolution`, `from`, `to`.
  /// - Throws: ``AgentError`` with ``AgentError/Code/store`` if there is no store that can be read, with `configuration`
  ///   if a parameter is wrong or the function was never seen.
  public static func read(
    directory: String, parameters: [(name: String, value: String?)], now: Timestamp, rowsLimit: Int = 20_000
  ) throws(AgentError) -> WindowsDocument {
    do {
      let reader = try WindowReader.open(directory: directory)
      let retention = Retention(window: reader.window)
      let query = try WindowQuery(parameters, .init(now: now, retention: retention, rowsLimit: rowsLimit))
      if let function = query.function, try !reader.functions().contains(function) {
        throw AgentError(.configuration, "no function named \(function.name) has been seen")
      }
      let rollups = try reader.windows(
        query.selection, closedBefore: now - AggregatorConfiguration(window: reader.window).grace)
      return WindowsDocument(resolution: query.resolution, from: query.from, to: query.to, rollups: rollups)
    } catch let error as StoreError {
      throw AgentError(error)
    } catch let problem as QueryProblem {
      throw AgentError(.configuration, problem.message)
    } catch let error as AgentError {
      throw error
    } catch {
      throw AgentError(.store, "the store in \(directory) cannot be read", cause: error)
    }
  }
}
