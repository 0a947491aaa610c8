import Text

/// The error document of a service: the message is under either name, and so are the others.
struct ServiceErrorDocument {
  var message: String?
  var type: String?
  var reason: String?

  /// `nil` for a body that is none: it says nothing then, and the status does.
  init?(_ body: [UInt8]) {
    guard let members = (try? JSONValue(body.span, .answer))?.object else { return nil }
    for member in members where !member.value.isNull {
      switch member.name.lowercased() {
      case "message":
        guard let text = member.value.string else { return nil }
        message = text
      case "type":
        guard let text = member.value.string else { return nil }
        type = text
      case "reason":
        guard let text = member.value.string else { return nil }
        reason = text
      default: continue
      }
    }
  }
}
