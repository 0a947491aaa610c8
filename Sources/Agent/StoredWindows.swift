package import Documents
package import Lifecycle
internal import WindowStore
internal import Windows

/// Reads windows from a data directory when no agent answers.
package enum StoredWindows {
  /// What `GET /api/v1/windows` would answer, as it was at the last checkpoint.
  ///
  /// - Parameters:
  ///   - directory: The data directory. It is only read.
  ///   - parameters: As in the query: `function`, `range`, `resolution`, `from`, `to`.
  /// - Throws: ``AgentError`` with ``AgentError/Code/store`` if there is no store that can be read, with `configuration`
  ///   if a parameter is wrong, with `unknownFunction` if the function was never seen.
  package static func read(
    directory: String, parameters: [(name: String, value: String?)], now: Timestamp, rowsLimit: Int = 20_000
  ) throws(AgentError) -> WindowsDocument {
    do {
      let reader = try WindowReader.open(directory: directory)
      let retention = Retention(window: reader.window)
      let context = WindowQuery.Context(now: now, retention: retention, rowsLimit: rowsLimit)
      if let function = try WindowQuery(parameters, context).function, try !reader.functions().contains(function) {
        throw AgentError(.unknownFunction, "no function named \(function.name) has been seen")
      }
      if let source = try WindowQuery(parameters, context).source {
        let known = try reader.eventSources()
        guard known.contains(source) else {
          let names = known.filter { $0.trigger == source.trigger }.map(\.name)
          throw AgentError(.configuration, UnknownSource.sentence(source, known: names))
        }
      }
      let closed = now - AggregatorConfiguration(window: reader.window).grace
      let (query, rollups) = try DefaultSpan.answer(parameters, context) { query in
        try reader.windows(query.selection, closedBefore: closed)
      }
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

  /// The functions of which something is in the store, as `name` or `name:version`.
  ///
  /// - Throws: ``AgentError`` with ``AgentError/Code/store`` if there is no store that can be read.
  package static func functions(directory: String) throws(AgentError) -> [String] {
    do {
      return try WindowReader.open(directory: directory).functions().map { function in
        function.version == FunctionID.latest ? function.name : "\(function.name):\(function.version)"
      }
    } catch {
      throw AgentError(error)
    }
  }
}
