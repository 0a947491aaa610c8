package import Lifecycle
import Text

/// Names of log streams: one for each environment, shared by the instances that follow one another in it.
package enum LogStreamName {
  /// As AWS names it: the day of its start, its version, its identity.
  package static func text(of instance: InstanceID, version: String, at time: Timestamp) -> String {
    "\(CalendarText.logStreamDate(nanoseconds: time.nanoseconds))/[\(version)]\(instance.value.hexadecimalText)"
  }
}
