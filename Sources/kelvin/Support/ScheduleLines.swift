import Lifecycle
import Text

/// The schedules of a host, as lines for people.
struct ScheduleLines {
  /// Where a host tells them.
  static let path = "/kelvin/v1/schedules"

  /// One schedule, as the host tells it.
  struct Entry: Hashable {
    var name: String
    var function: String
    var expression: String
    var timezone: String
    var running: Int
    var next: [String]
    /// The time of the last run and how it ended.
    var last: String?
  }

  var entries: [Entry]

  /// Reads a host's answer; `nil` if it is another.
  init?(_ body: [UInt8]) {
    // What else may be wrong with it makes no difference to who reads it.
    guard let list = (try? JSONValue(body.span, .answer))?["schedules"]?.array else { return nil }
    entries = list.compactMap { value in
      guard let name = value["name"]?.string, let function = value["function"]?.string,
        let expression = value["expression"]?.string, let timezone = value["timezone"]?.string,
        let next = value["next"]?.array
      else { return nil }
      let last = value["last"].flatMap { last in
        last["time"]?.string.flatMap { time in
          last["outcome"]?.string.map { "\(ScheduleLines.wholeSeconds(time)) \($0)" }
        }
      }
      return Entry(
        name: name, function: function, expression: expression, timezone: timezone, running: value["running"]?.int ?? 0,
        next: next.compactMap(\.string).map(ScheduleLines.wholeSeconds), last: last)
    }
    guard entries.count == list.count else { return nil }
  }

  /// A line for each, with a head; empty if there are none.
  var text: String {
    guard !entries.isEmpty else { return "" }
    let rows = entries.map { entry in
      [
        entry.name, entry.function,
        entry.timezone == "UTC" ? entry.expression : "\(entry.expression) \(entry.timezone)",
        entry.last ?? "", entry.next.isEmpty ? "never" : entry.next.joined(separator: ", "),
      ].map(TypedText.safe)
    }
    let head = ["Schedule", "Function", "Expression", "Last run", "Next runs"]
    let widths = head.indices.map { column in ([head] + rows).map { $0[column].count }.max() ?? 0 }
    return ([head] + rows).map { row in
      let cells = row.indices.map { column in
        column == row.count - 1
          ? row[column] : row[column] + String(repeating: " ", count: widths[column] - row[column].count)
      }
      return cells.joined(separator: "  ")
    }.joined(separator: "\n")
  }

  /// A time without the fraction that a rate has, which nobody set.
  private static func wholeSeconds(_ time: String) -> String {
    guard let point = time.firstIndex(of: "."), time.hasSuffix("Z") else { return time }
    return "\(time[..<point])Z"
  }

  /// An expression and its times.
  static func line(_ expression: String, _ times: [Timestamp]) -> String {
    let text = times.map { wholeSeconds(RFC3339.text(nanoseconds: $0.nanoseconds)) }.joined(separator: ", ")
    return "\(TypedText.safe(expression)): \(text.isEmpty ? "never" : text)"
  }
}
