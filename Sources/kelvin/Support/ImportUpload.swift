import BlockingHTTP
import Configuration
import Documents
import LambdaRecords
import Lifecycle
import LogImport
import Text

/// Hands what logs tell to an agent, batch by batch, and waits until the agent has computed its windows.
final class ImportUpload {
  /// How long to wait between two looks at what the agent has left to compute.
  private static let pause = Duration.milliseconds(50)
  /// How often to send a batch again that the agent has no room for.
  private static let attemptsMax = 30

  private let client: ServerClient
  private let clock = ContinuousClock()
  private var counts = ImportAnswerDocument()
  /// Why nothing more is sent.
  private(set) var problem: CommandFailure?

  /// - Throws: ``CommandFailure`` with exit code 69 if no agent answers, or with 1 if it does not take imports.
  init(_ client: ServerClient) throws(CommandFailure) {
    self.client = client
    // Better said before a long log is read than after it.
    do throws(CommandFailure) {
      _ = try post(FactBatch(), query: "")
    } catch {
      var failure = error
      failure.message += " With --dry-run no agent is needed."
      throw failure
    }
  }

  /// Sends a batch, unless one could not be sent.
  func send(_ batch: FactBatch) {
    guard problem == nil else { return }
    do throws(CommandFailure) {
      count(try post(batch, query: ""))
    } catch {
      problem = error
    }
  }

  private func count(_ answer: ImportAnswerDocument) {
    counts.accepted += answer.accepted
    counts.duplicates += answer.duplicates
    counts.tooOld += answer.tooOld
    counts.inFuture += answer.inFuture
  }

  /// What became of all that was sent.
  struct Result {
    /// What the agent answered, all together.
    var counts: ImportAnswerDocument
  }

  /// Waits until the windows are there.
  ///
  /// - Throws: ``CommandFailure`` if a batch could not be sent, or the agent does not answer any more.
  func finish(_ document: ImportDocument) throws(CommandFailure) -> Result {
    if let problem { throw problem }
    guard let span = document.span else { return Result(counts: counts) }
    let query = "?from=\(RFC3339.text(span.lowerBound))&to=\(RFC3339.text(span.upperBound))"
    while true {
      let answer = try post(FactBatch(), query: query)
      counts.held = answer.held
      guard answer.pending > 0 else { return Result(counts: counts) }
      Console.sleep(until: clock.now + ImportUpload.pause, clock)
    }
  }

  /// The windows of the account over the span of a log, as the agent has them.
  ///
  /// - Returns: `nil` if nothing of the log has a time, or its credentials do not open the agent's windows.
  func windows(_ document: ImportDocument) throws -> WindowsDocument? {
    guard let shown = document.windows else { return nil }
    let path =
      "/api/v1/windows?from=\(RFC3339.text(shown.from))&to=\(RFC3339.text(shown.to))"
      + "&resolution=\(DurationText.text(shown.resolution))"
    let reply = try client.send(ClientRequest("GET", path, headers: ["Accept": "application/json"]))
    switch reply.status {
    case 200: return try? WindowsDocument(json: reply.body)
    case 401, 403:
      Console.message("The table is of the files alone: the token may send to the agent, but not read from it.")
      return nil
    default:
      let message = (try? ErrorDocument(json: reply.body))?.message
      throw CommandFailure.failure(
        "The files are imported; the agent answered \(reply.status) to \(path)\(message.map { ": \($0)" } ?? ".")")
    }
  }

  private func post(_ batch: FactBatch, query: String) throws(CommandFailure) -> ImportAnswerDocument {
    var attempt = 0
    while true {
      attempt += 1
      let reply = try client.send(
        ClientRequest(
          "POST", "/v1/import" + query, headers: ["Content-Type": FactBatch.mediaType], body: batch.bytes),
        timeout: .seconds(120))
      if reply.status == 200, let answer = try? ImportAnswerDocument(json: reply.body) { return answer }
      guard reply.status == 429 || reply.status == 503, attempt < ImportUpload.attemptsMax else {
        throw failure(reply)
      }
      Console.sleep(until: clock.now + .seconds(1), clock)
    }
  }

  private func failure(_ reply: HTTPReply) -> CommandFailure {
    let message = (try? ErrorDocument(json: reply.body))?.message
    let advice = "What was sent so far is kept; import again to go on."
    switch reply.status {
    case 401, 403:
      return .failure(
        "The agent at \(client.address) refuses: \(message.map(Sentence.text) ?? "\(reply.status)") "
          + "\(AgentCredentials.advice) It needs the role ingest.")
    case 404, 405:
      return .failure(
        "The server at \(client.address) takes no imports. Is it a Kelvin agent of this version?")
    default:
      return .failure(
        "The agent at \(client.address) answered \(reply.status) to an import"
          + "\(message.map { ": \(Sentence.text($0))" } ?? ".") \(advice)")
    }
  }
}

extension ImportUpload.Result {
  /// Lines for standard error.
  func sentences(_ document: ImportDocument) -> [String] {
    var lines = ["imported: \(counts.accepted) new, \(counts.duplicates) known already"]
    if counts.tooOld > 0 { lines.append("\(counts.tooOld) are older than what the agent keeps: they were left out") }
    if counts.inFuture > 0 {
      lines.append("\(counts.inFuture) have a time after the agent's clock: they were left out")
    }
    if !counts.held.isEmpty {
      let names = counts.held.map { "\($0.function) (\($0.windows))" }
      lines.append(
        "windows left as they were, because the agent saw these functions live in them: "
          + names.prefix(20).joined(separator: ", ") + (names.count > 20 ? ", and others" : ""))
    }
    return lines
  }
}
