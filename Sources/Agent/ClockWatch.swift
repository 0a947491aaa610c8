internal import Lifecycle

/// Notices when somebody sets the system's clock.
struct ClockWatch {
  /// Smaller steps are not reported.
  static let threshold = Nanoseconds.seconds(1)

  /// How far the clock was ahead at the last report.
  private var known = Nanoseconds.zero
  /// How often it was found set.
  private(set) var steps: UInt64 = 0

  /// - Parameter lead: How far the system's clock is ahead of the process's own.
  /// - Returns: By how much it was set since the last time, negative for back; `nil` if it was not.
  mutating func look(_ lead: Nanoseconds) -> Nanoseconds? {
    let step = Nanoseconds(lead.count - known.count)
    guard step >= Self.threshold || step.count <= -Self.threshold.count else { return nil }
    known = lead
    steps &+= 1
    return step
  }
}

/// Sentences about the clock.
enum ClockNotices {
  static func set(by step: Nanoseconds, lead: Nanoseconds) -> String {
    let now =
      lead.count == 0
      ? "shows the same time as Kelvin's own again"
      : "is \(text(lead)) \(lead.count > 0 ? "ahead of" : "behind") Kelvin's own; "
        + "to make Kelvin take the new time, start it again"
    return "the system's clock was set \(text(step)) \(step.count > 0 ? "forward" : "back"), and \(now)"
  }

  private static func text(_ length: Nanoseconds) -> String { "\(length.count.magnitude / 1_000_000_000) s" }
}
