import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// The Extensions API of AWS Lambda, version 2020-01-01: paths, and the documents of its answers.
enum ExtensionsAPI {
  static let identifierHeader = "Lambda-Extension-Identifier"
  private static let errorTypeHeader = "Lambda-Extension-Function-Error-Type"

  /// What the registration of an extension says.
  struct Registration: Equatable {
    var name: String
    var events: [String]
    /// Whether it asked for the account's number.
    var wantsAccount: Bool
  }

  /// Why a call is refused before any state is looked at.
  struct Refusal: Error, Equatable {
    var type: String
    var message: String

    /// AWS's core answers 403 to all of them.
    var response: HTTPResponse { RuntimeAPI.error(.forbidden, type, message) }
  }

  static func registration(_ request: HTTPRequest) throws(Refusal) -> Registration {
    guard let name = request.headers.first(name: "Lambda-Extension-Name"), !name.isEmpty else {
      throw Refusal(type: "Extension.InvalidExtensionName", message: "Empty extension name")
    }
    // A name is in every record and line about the extension; files have no longer ones.
    guard name.utf8.count <= 255 else {
      throw Refusal(
        type: "Extension.InvalidExtensionName", message: "The extension name is longer than 255 bytes")
    }
    let features = request.headers[canonicalForm: "Lambda-Extension-Accept-Feature"]
    return Registration(
      name: name, events: try events(request.body), wantsAccount: features.contains { $0 == "accountId" })
  }

  private static func events(_ body: ByteBuffer) throws(Refusal) -> [String] {
    var events: [String] = []
    var isWellFormed = true
    var hasKeys = false
    let isObject = body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "events":
        if try reader.takeNull() { return }
        events = []
        let isList = try reader.arrayOrOther { (reader: inout JSONReader) throws(JSONError) in
          if let event = try reader.stringOrOther() { events.append(event) } else { isWellFormed = false }
        }
        isWellFormed = isWellFormed && isList
      case "configurationKeys":
        _ = try reader.arrayOrOther { (reader: inout JSONReader) throws(JSONError) in
          hasKeys = true
          try reader.skip()
        }
      default: try reader.skip()
      }
    }
    guard isObject, isWellFormed, events.count <= 64 else {
      throw Refusal(
        type: "InvalidRequestFormat", message: "The body must be a JSON object with a list of strings as events")
    }
    guard !hasKeys else {
      throw Refusal(
        type: "InvalidRequestFormat",
        message: "configurationKeys are deprecated; use environment variables instead")
    }
    return events
  }

  static func identifier(_ request: HTTPRequest) throws(Refusal) -> Identifier128 {
    guard let text = request.headers.first(name: identifierHeader), !text.isEmpty else {
      throw Refusal(
        type: "Extension.MissingExtensionIdentifier", message: "Missing Lambda-Extension-Identifier header")
    }
    guard let identifier = Identifier128(text: text) else {
      throw Refusal(
        type: "Extension.InvalidExtensionIdentifier", message: "Invalid Lambda-Extension-Identifier")
    }
    return identifier
  }

  static func errorType(_ request: HTTPRequest) throws(Refusal) -> String {
    guard let type = request.headers.first(name: errorTypeHeader), !type.isEmpty else {
      throw Refusal(type: "Extension.MissingHeader", message: "\(errorTypeHeader) not found")
    }
    return type
  }

  static func registered(
    _ registration: Registration, as identifier: Identifier128, function: String, version: String, handler: String,
    account: String
  ) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("functionName", function)
      $0.member("functionVersion", version)
      $0.member("handler", handler)
      if registration.wantsAccount { $0.member("accountId", account) }
    }
    var response = HTTPResponse.json(.ok, writer.buffer)
    response.headers.add(name: identifierHeader, value: identifier.uuidText)
    return response
  }

  /// The event that an invocation is for an extension: never with its payload.
  static func invoke(
    request: RequestID, arn: String, trace: TraceID, deadline: Timestamp, event: Identifier128
  ) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("eventType", "INVOKE")
      $0.key("deadlineMs")
      $0.integer(deadline.nanoseconds / 1_000_000)
      $0.member("requestId", request.value.uuidText)
      $0.member("invokedFunctionArn", arn)
      $0.key("tracing")
      $0.object {
        $0.member("type", "X-Amzn-Trace-Id")
        $0.member("value", trace.text)
      }
    }
    return eventResponse(writer.buffer, event)
  }

  static func shutdown(_ reason: ShutdownReason, deadline: Timestamp, event: Identifier128) -> HTTPResponse {
    var writer = JSONWriter()
    writer.object {
      $0.member("eventType", "SHUTDOWN")
      $0.member("shutdownReason", reason.rawValue)
      $0.key("deadlineMs")
      $0.integer(deadline.nanoseconds / 1_000_000)
    }
    return eventResponse(writer.buffer, event)
  }

  private static func eventResponse(_ body: ByteBuffer, _ event: Identifier128) -> HTTPResponse {
    let headers = HTTPHeaders([
      ("Content-Type", "application/json"), ("Lambda-Extension-Event-Identifier", event.uuidText),
    ])
    return HTTPResponse(status: .ok, headers: headers, body: body)
  }
}

/// Why an instance ends, as its extensions learn it.
enum ShutdownReason: String, Sendable {
  case spinDown = "SPINDOWN"
  case timeout = "TIMEOUT"
  case failure = "FAILURE"

  init(_ reason: StopReason) {
    switch reason {
    case .idle, .scaleIn, .shutdown: self = .spinDown
    case .timeout: self = .timeout
    case .failure: self = .failure
    }
  }
}

extension ExtensionMachine.Refusal {
  /// The answer, with the words of AWS's core.
  var response: HTTPResponse {
    let (type, message) =
      switch self {
      case .invalidEvent(let event): ("Extension.InvalidEventType", "\(event): ErrorEventNotSupported")
      case .registrationClosed: ("Extension.RegistrationClosed", "Extension registration closed already")
      case .nameInUse: ("Extension.InvalidExtensionState", "Extension with this name already registered")
      case .tooMany: ("Extension.TooManyExtensions", "Extension limit (\(ExtensionMachine.limit)) reached")
      case .unknown(let identifier):
        ("Extension.UnknownExtensionIdentifier", "Unknown extension \(identifier.uuidText)")
      case .invalidState(let from, let to, let name):
        (
          "Extension.InvalidExtensionState",
          "State transition from \(from.rawValue) to \(to.rawValue) failed for extension \(name). "
            + "Error: State transition is not allowed"
        )
      }
    return RuntimeAPI.error(.forbidden, type, message)
  }
}
