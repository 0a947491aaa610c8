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
  /// Where what becomes of events is sent.
  package var destinations: EventDestinations
  /// When it was configured.
  package var modifiedAt: Timestamp

  /// Makes a configuration of its parts.
  package init(
    repetitionsMax: Int64?, ageSecondsMax: Int64?, destinations: EventDestinations, modifiedAt: Timestamp
  ) {
    self.repetitionsMax = repetitionsMax
    self.ageSecondsMax = ageSecondsMax
    self.destinations = destinations
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
        for (name, arn) in [("OnSuccess", self.destinations.onSuccess), ("OnFailure", self.destinations.onFailure)] {
          destinations.key(name)
          destinations.object { if let arn { $0.member("Destination", arn) } }
        }
      }
    }
  }
}

/// Where a host sends what became of asynchronous events: ARNs of queues or functions.
package struct EventDestinations: Hashable, Sendable {
  /// For events that were processed; `nil`: nowhere.
  package var onSuccess: String?
  /// For events that were given up; `nil`: nowhere.
  package var onFailure: String?

  /// Destinations.
  package init(onSuccess: String? = nil, onFailure: String? = nil) {
    self.onSuccess = onSuccess
    self.onFailure = onFailure
  }

  /// Reads the member `DestinationConfig`, the last of a body.
  ///
  /// - Parameter isDestination: Whether the host can send something there.
  /// - Returns: `nil` if the member is not there.
  package static func read(
    _ body: inout RequestBody, _ operation: ControlPlaneOperation, isDestination: (String) -> Bool
  ) throws(AWSError) -> EventDestinations? {
    var result: EventDestinations?
    if var members = try body.object("DestinationConfig") {
      var destinations = EventDestinations()
      destinations.onSuccess = try read("OnSuccess", &members, operation, isDestination)
      destinations.onFailure = try read("OnFailure", &members, operation, isDestination)
      try members.finish(operation)
      result = destinations
    }
    try body.finish(operation)
    return result
  }

  private static func read(
    _ name: String, _ members: inout RequestBody, _ operation: ControlPlaneOperation, _ isDestination: (String) -> Bool
  ) throws(AWSError) -> String? {
    guard var member = try members.object(name) else { return nil }
    let arn = try member.string("Destination")
    try member.finish(operation)
    guard let arn else { return nil }
    guard isDestination(arn) else {
      throw .invalidParameter(
        "The provided destination config DestinationConfig is invalid: this host has no queue and no function \(arn.prefix(300))."
      )
    }
    return arn
  }
}
