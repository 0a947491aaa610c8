internal import Lifecycle
internal import Windows

/// What is said of an event source that nobody has told anything of.
enum UnknownSource {
  private static let namesLimit = 20

  /// - Parameter known: The names of the sources of its kind.
  static func sentence(_ source: EventSourceID, known: [String]) -> String {
    let noun = source.trigger.sourceNoun
    guard !known.isEmpty else { return "no \(noun) named \(source.name) has been seen, nor any other" }
    let more = known.count > namesLimit ? " and \(known.count - namesLimit) more" : ""
    return "no \(noun) named \(source.name) has been seen; "
      + "there \(known.count == 1 ? "is" : "are") \(known.prefix(namesLimit).joined(separator: ", "))\(more)"
  }
}
