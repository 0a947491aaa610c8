import LambdaAPI
import Lifecycle
package import Schedules

/// The configuration of one schedule: when which function runs, and what it is given.
package struct ScheduleSpecification: Hashable, Sendable {
  /// The name.
  package var name: String
  /// The name of its function.
  package var function: String
  /// When it happens.
  package var schedule: Schedule
  /// How its runs are given to the function.
  package var policy = SchedulePolicy()
  /// What the function is given: JSON, in which AWS's placeholders such as `<aws.scheduler.scheduled-time>` are filled in. `nil`:
  /// EventBridge's event.
  package var input: String?

  /// Makes a configuration; nothing is checked before the host is made.
  package init(name: String, function: String, schedule: Schedule) {
    self.name = name
    self.function = function
    self.schedule = schedule
  }

  /// Says what is wrong with schedules, if anything is.
  static func validate(_ schedules: [ScheduleSpecification], functions: Set<String>) throws(HostError) {
    var names: Set<String> = []
    for schedule in schedules {
      guard FunctionReference.isName(schedule.name), names.insert(schedule.name).inserted else {
        throw HostError(
          .configuration,
          "'\(schedule.name)' cannot name a schedule, or names two: use 1 to \(FunctionID.nameBytesLimit) letters, digits, - and _."
        )
      }
      guard functions.contains(schedule.function) else {
        throw HostError(
          .configuration,
          "The schedule '\(schedule.name)' is for '\(schedule.function)', which is no function of the configuration.")
      }
    }
  }
}
