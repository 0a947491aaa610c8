package import Lifecycle
package import NIOCore
import Text

/// What a function is given at a time of its schedule: EventBridge's event, or an input of its own.
package struct ScheduledEvent: Sendable {
  /// The schedule's name.
  package var schedule: String
  /// The same for each attempt.
  package var request: RequestID
  /// The time of the schedule.
  package var time: Timestamp
  /// From 1.
  package var attempt: Int
  /// The region and account in the event.
  package var identity: HostIdentity

  /// Makes an event of its parts.
  package init(schedule: String, request: RequestID, time: Timestamp, attempt: Int, identity: HostIdentity) {
    self.schedule = schedule
    self.request = request
    self.time = time
    self.attempt = attempt
    self.identity = identity
  }

  /// The event's JSON.
  ///
  /// - Parameter input: JSON in which AWS's placeholders are filled in; `nil` for EventBridge's event.
  package func document(input: String?) -> ByteBuffer {
    guard var input else { return eventBridge() }
    for (name, value) in placeholders where input.contains("<aws.scheduler.") {
      input = input.replacingAll("<aws.scheduler.\(name)>", with: value)
    }
    return ByteBuffer(string: input)
  }

  private var timeText: String { RFC3339.seconds(nanoseconds: time.nanoseconds) }

  /// None of them has a character that JSON would escape.
  private var placeholders: [(String, String)] {
    [
      ("schedule-arn", "arn:aws:scheduler:\(identity.region):\(identity.account):schedule/default/\(schedule)"),
      ("scheduled-time", timeText), ("execution-id", request.value.uuidText), ("attempt-number", String(attempt)),
    ]
  }

  private func eventBridge() -> ByteBuffer {
    var writer = JSONWriter(capacity: 512)
    writer.object { event in
      event.member("version", "0")
      event.member("id", request.value.uuidText)
      event.member("detail-type", "Scheduled Event")
      event.member("source", "aws.events")
      event.member("account", identity.account)
      event.member("time", timeText)
      event.member("region", identity.region)
      event.key("resources")
      event.array { $0.string("arn:aws:events:\(identity.region):\(identity.account):rule/\(schedule)") }
      event.key("detail")
      event.object { _ in }
    }
    return writer.buffer
  }
}

extension String {
  /// Without Foundation.
  fileprivate func replacingAll(_ text: String, with other: String) -> String {
    var result = ""
    var rest = self[...]
    while let range = rest.firstRange(of: text) {
      result += rest[..<range.lowerBound]
      result += other
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
