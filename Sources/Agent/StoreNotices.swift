internal import Text
internal import EventPipeline
internal import Documents
internal import Lifecycle
internal import WindowStore

/// Sentences about what happened to a store.
enum StoreNotices {
  /// What was found when the store was opened.
  static func atStart(_ history: StoreHistory) -> [String] {
    var sentences = losses(history)
    if history.isOpenToOthers {
      sentences.append(
        "every user of this machine may write into the data directory; run chmod o-w on it")
    }
    return sentences
  }

  private static func losses(_ history: StoreHistory) -> [String] {
    var sentences: [String] = []
    if let lost = history.lost { sentences.append(text(lost)) }
    if history.damagedRows > 0 {
      let rows = "\(number(history.damagedRows, "row")) of the store \(history.damagedRows == 1 ? "was" : "were")"
      sentences.append("\(rows) damaged or held impossible values; their content is left out, all else is kept")
    }
    return sentences
  }

  /// What a reader of the status should know though checkpoints are written; `nil` for nothing.
  static func lasting(_ history: StoreHistory) -> (state: String, problem: String)? {
    if let removal = history.removal { return ("restored", removal) }
    let losses = losses(history)
    return losses.isEmpty ? nil : ("incomplete", losses.joined(separator: "; "))
  }

  /// What a process says at its end.
  static func unsaved(_ unsaved: EventPipeline.Unsaved) -> AgentError {
    let when = unsaved.since.map { " since \(RFC3339.text($0))" } ?? ""
    if unsaved.isJournaled {
      return AgentError(
        .store,
        "\(number(unsaved.invocations, "invocation"))\(when) could not be written to the store, and \(unsaved.invocations == 1 ? "is" : "are") in the journal, from "
          + "which the next start counts: \(unsaved.reason.message)",
        cause: unsaved.reason.cause)
    }
    let what =
      unsaved.invocations > 0
      ? "\(number(unsaved.invocations, "invocation")) of \(number(unsaved.functions, "function"))\(when) "
        + (unsaved.invocations == 1 ? "was not saved and is lost" : "were not saved and are lost")
      : "changes\(when) were not saved and are lost, but no invocations"
    return AgentError(.store, "\(what): \(unsaved.reason.message)", cause: unsaved.reason.cause)
  }

  private static func number(_ count: some BinaryInteger, _ noun: String) -> String {
    "\(count) \(noun)\(count == 1 ? "" : "s")"
  }

  private static func text(_ lost: LostCheckpoints) -> String {
    let checkpoints = lost.count == 1 ? "the last checkpoint is" : "the last \(lost.count) checkpoints are"
    let from = lost.from.map { "between \(RFC3339.text($0))" } ?? "from the beginning"
    let invocations = number(lost.invocations, "invocation")
    return "\(checkpoints) missing in the store: what was counted \(from) and \(RFC3339.text(lost.to)) is lost, "
      + "with \(invocations); the database's log was damaged, or an older copy of the database was put in its place"
  }
}
