import Text
import Lifecycle

/// Names of log streams: one for each environment, shared by the instances that follow one another in it.
enum LogStream {
  /// As AWS names it: the day of its start, its version, its identity.
  static func name(of instance: InstanceID, version: String, at time: Timestamp) -> String {
    "\(CalendarText.logStreamDate(nanoseconds: time.nanoseconds))/[\(version)]\(instance.value.hexadecimalText)"
  }
}
