import Lifecycle

/// Names of log streams: one for each instance.
enum LogStream {
  /// As AWS names it: the day of its start, its version, its identity.
  static func name(of instance: InstanceID, version: String, at time: Timestamp) -> String {
    "\(CalendarText.streamDate(time))/[\(version)]\(instance.value.hexadecimalText)"
  }
}
