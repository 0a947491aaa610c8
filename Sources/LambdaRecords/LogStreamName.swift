package import Lifecycle
import Text

/// The name of a log stream: one for each environment, shared by the instances that follow one another in it.
///
/// AWS writes `2026/11/23/[$LATEST]0f3c…`: the day of its start, its version, its identity. In log groups that several functions
/// share, and lately in others, too, the function's name stands before the bracket.
package struct LogStreamName: Hashable, Sendable {
  /// The day of the environment's start: its midnight in UTC.
  package var day: Timestamp
  /// The function, where the name says so.
  package var function: String?
  /// The function's version, such as `$LATEST` or `7`.
  package var version: String
  /// The environment.
  package var instance: InstanceID

  /// Names the stream of an environment that starts at `time`.
  package init(of instance: InstanceID, version: String, at time: Timestamp) {
    let nanosecondsOfDay: Int64 = 86_400_000_000_000
    let sinceMidnight = (time.nanoseconds % nanosecondsOfDay + nanosecondsOfDay) % nanosecondsOfDay
    day = time - Nanoseconds(sinceMidnight)
    self.version = version
    self.instance = instance
  }

  /// Reads a name; `nil` if it has another form.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4, let nanoseconds = RFC3339.nanoseconds("\(parts[0])-\(parts[1])-\(parts[2])T00:00:00Z"),
      let open = parts[3].firstIndex(of: "["), let close = parts[3][open...].firstIndex(of: "]")
    else { return nil }
    let identity = parts[3][parts[3].index(after: close)...]
    guard identity.utf8.count == 32, let value = Identifier128(text: identity) else { return nil }
    day = Timestamp(nanoseconds: nanoseconds)
    function = open == parts[3].startIndex ? nil : String(parts[3][..<open])
    version = String(parts[3][parts[3].index(after: open)..<close])
    instance = InstanceID(value)
  }

  /// Reads the name of a folder of an export to S3: the stream's name with `-` in the place of `/`.
  package init?(exportFolder: some StringProtocol) {
    let parts = exportFolder.split(separator: "-", maxSplits: 3, omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    self.init(parts.joined(separator: "/"))
  }

  /// The name as AWS writes it.
  package var text: String {
    "\(CalendarText.logStreamDate(nanoseconds: day.nanoseconds))/\(function ?? "")[\(version)]"
      + instance.value.hexadecimalText
  }
}
