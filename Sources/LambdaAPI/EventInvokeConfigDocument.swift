package import HostRules
package import Lifecycle
package import Text

/// How the host retries asynchronous events of a version or alias, as a caller configured it.
package struct ConfiguredEventLimits: Hashable, Sendable {
  /// How many repetitions may be asked for.
  package static let repetitions: ClosedRange<Int64> = 0...2
  /// Which ages may be asked for, in seconds.
  package static let ageSeconds: ClosedRange<Int64> = 60...21_600

  /// How often an event is repeated at most; `nil`: as often as without a configuration.
  package var repetitionsMax: Int64?
  /// How old an event may become, in seconds; `nil`: as without a configuration.
  package var ageSecondsMax: Int64?
  /// When it was configured.
  package var modifiedAt: Timestamp

  /// Makes a configuration of its parts.
  package init(
    repetitionsMax: Int64?, ageSecondsMax: Int64?, modifiedAt: Timestamp
  ) {
    self.repetitionsMax = repetitionsMax
    self.ageSecondsMax = ageSecondsMax
    self.modifiedAt = modifiedAt
  }

  /// As the queue takes it.
  package var limits: EventLimits {
    EventLimits(repetitionsMax: repetitionsMax.map { Int(clamping: $0) }, ageMax: ageSecondsMax.map { .seconds($0) })
  }

  /// Writes the document.
  ///
  /// - Parameter arn: Of the version or alias.
  package func write(into writer: inout JSONWriter, arn: String) {
    writer.object { writer in
      writer.member("FunctionArn", arn)
      // The one time of this API that is a number: seconds.
      writer.member("LastModified", modifiedAt.nanoseconds / 1_000_000_000)
      if let repetitionsMax { writer.member("MaximumRetryAttempts", repetitionsMax) }
      if let ageSecondsMax { writer.member("MaximumEventAgeInSeconds", ageSecondsMax) }
      writer.key("DestinationConfig")
      writer.object { destinations in
        for name in ["OnSuccess", "OnFailure"] {
          destinations.key(name)
          destinations.object { _ in }
        }
      }
    }
  }

  /// The host has nowhere to send what became of an event.
  package static func checkDestinations(
    _ body: inout RequestBody, _ operation: ControlPlaneOperation
  ) throws(AWSError) {
    if var destinations = try body.object("DestinationConfig") {
      for name in ["OnSuccess", "OnFailure"] {
        guard try destinations.object(name)?.unread.isEmpty ?? true else {
          throw .notImplemented("This host does not implement destinations of asynchronous events (\(name)).")
        }
      }
      try destinations.finish(operation)
    }
    try body.finish(operation)
  }
}
