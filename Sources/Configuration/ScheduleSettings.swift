package import Lifecycle
package import Schedules

/// One entry of `schedules`: when which function runs.
package struct ScheduleSettings: Hashable, Sendable {
  /// What happens at a time at which an earlier run is not over.
  package enum Overlap: String, CaseIterable, Hashable, Sendable {
    /// Another run starts beside it.
    case start
    /// That time is left out.
    case skip
  }

  /// 1 to 140 letters, digits, `-` and `_`; unique in a file.
  package var name: String
  /// The name of a function of the file.
  package var function: String
  /// Expression and time zone.
  package var schedule: Schedule
  /// What happens at a time at which an earlier run is not over.
  package var overlap = Overlap.start
  /// What the function is given, as JSON; `nil`: EventBridge's event.
  package var input: String?
  /// How often a run is given again to a function that failed on it, 0 to 185.
  package var retries: Int64 = 2
  /// How long after a failure that is, 1 s to 1 h; twice as long after each further one.
  package var retryDelay = Nanoseconds.seconds(60)
  /// How old a run may become, 1 min to 24 h.
  package var maximumAge = Nanoseconds.seconds(6 * 3_600)

  /// A schedule of which nothing else is said.
  package init(name: String, function: String, schedule: Schedule) {
    self.name = name
    self.function = function
    self.schedule = schedule
  }
}
