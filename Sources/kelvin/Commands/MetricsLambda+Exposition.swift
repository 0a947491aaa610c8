import Agent
import BlockingHTTP
import Documents

extension MetricsLambda {
  /// What Prometheus would scrape of functions, filtered by `--function`.
  ///
  /// - Throws: ``CommandFailure`` also if nothing was ever seen of the function that is named.
  func exposition() throws -> [UInt8] {
    let parts = function?.split(separator: ":", maxSplits: 1).map(String.init) ?? []
    let version = parts.count == 2 ? parts[1] : nil
    let text: [UInt8]
    if let dataDir {
      // What happens now, and limits, are for an agent to say: a store has them as they were once.
      text = ExpositionText.selected(
        try storedExposition(in: dataDir), prefix: "lambda_", function: parts.first, version: version,
        kinds: ["counter", "histogram"])
    } else {
      let reply = try ServerClient(.agent, option: agent.agent).get("/metrics", accepting: "text/plain;version=0.0.4")
      text = ExpositionText.selected(reply.body, prefix: "lambda_", function: parts.first, version: version)
    }
    if let function, text.isEmpty {
      throw unknown(function)
    }
    return text
  }

  /// The failure for a function that agent or store does not know.
  func unknown(_ function: String) -> CommandFailure {
    if let dataDir {
      let known = try? StoredWindows.functions(directory: dataDir)
      return UnknownFunction.failure(function, known: known, at: "in the store in \(dataDir)")
    }
    // It was asked a moment ago.
    guard let client = try? ServerClient(.agent, option: agent.agent) else {
      return UnknownFunction.failure(function, known: nil, at: "at the agent")
    }
    let known = try? client.status(timeout: MetricsLambda.liveTimeout).functions.map(\.displayName)
    return UnknownFunction.failure(function, known: known, at: "at \(client.address)")
  }

  private func storedExposition(in directory: String) throws(CommandFailure) -> [UInt8] {
    do {
      return try StoredTotals.exposition(directory: directory)
    } catch {
      throw CommandFailure.failure(Sentence.text(error.message))
    }
  }
}
