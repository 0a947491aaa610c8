import Documents
import Lifecycle
import Windows

extension StatusTable {
  private static let eventSourcesLimit = 20

  /// What waits and is in progress at queues, schedules and sockets: a line each.
  static func eventSourceLines(_ sources: [EventSourceDocument]) -> [String] {
    sources.prefix(eventSourcesLimit).map(line)
      + (sources.count > eventSourcesLimit
        ? ["\(sources.count - eventSourcesLimit) more event sources; GET /api/v1/status lists all"] : [])
  }

  private static func line(_ source: EventSourceDocument) -> String {
    var parts: [String] = []
    func add(_ level: EventSourceLevel, _ words: String) {
      if let count = source[level] { parts.append("\(count) \(words)") }
    }
    add(.waiting, "waiting")
    if let delayed = source[.delayed], delayed > 0 { parts.append("\(delayed) delayed") }
    add(.inFlight, source.source.trigger == .schedule ? "in progress" : "in flight")
    if let connections = source[.connections] {
      parts.append("\(connections) \(connections == 1 ? "connection" : "connections")")
    }
    if let age = source.oldestAge, age > .zero { parts.append("oldest \(Quantities.duration(age.count))") }
    let dead = source.totals.first { $0.name == "deadLettered" }?.count ?? 0
    if dead > 0 { parts.append("\(dead) dead \(dead == 1 ? "letter" : "letters")") }
    let missed = source.totals.first { $0.name == "missed" }?.count ?? 0
    if missed > 0 { parts.append("\(missed) missed") }
    let what = source.source.trigger == .direct ? "asynchronous invocations of" : source.source.trigger.sourceNoun
    return "\(what) \(source.source.name): \(parts.isEmpty ? "nothing told yet" : parts.joined(separator: ", "))"
  }
}
