import Text
import HTTPServer
import HostRules
import Lifecycle
import NIOHTTP1

/// How the host retries asynchronous events of a version or alias, as a caller configured it.
struct ConfiguredEventLimits: Hashable, Sendable {
  static let repetitions: ClosedRange<Int64> = 0...2
  static let ageSeconds: ClosedRange<Int64> = 60...21_600

  var repetitionsMax: Int64?
  var ageSecondsMax: Int64?
  var modifiedAt: Timestamp

  var limits: EventLimits {
    EventLimits(repetitionsMax: repetitionsMax.map { Int(clamping: $0) }, ageMax: ageSecondsMax.map { .seconds($0) })
  }

  func write(into writer: inout JSONWriter, arn: String) {
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
}

/// PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig,
/// DeleteFunctionEventInvokeConfig and ListFunctionEventInvokeConfigs.
extension HostCore {
  /// How an event for a version or alias is repeated, as it is configured now.
  func eventLimits(of target: FunctionTarget) -> EventLimits {
    self[target.index].eventLimits[target.qualifier ?? FunctionID.latest]?.limits ?? EventLimits()
  }

  func putEventInvokeConfig(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let repetitions = try body.integer("MaximumRetryAttempts")
    let age = try body.integer("MaximumEventAgeInSeconds")
    try HostCore.checkDestinations(&body, call.operation)
    var violations = Violations()
    violations.check(repetitions, at: "maximumRetryAttempts", in: ConfiguredEventLimits.repetitions)
    violations.check(age, at: "maximumEventAgeInSeconds", in: ConfiguredEventLimits.ageSeconds)
    try violations.finish()
    guard repetitions != nil || age != nil else {
      throw .invalidParameter("You must specify at least one of error handling or destination setting.")
    }
    let target = try eventTarget(of: call)
    var configured = ConfiguredEventLimits(repetitionsMax: repetitions, ageSecondsMax: age, modifiedAt: clock.now())
    if call.operation == .updateEventInvokeConfig {
      let before = try configuredLimits(of: target)
      configured.repetitionsMax = repetitions ?? before.repetitionsMax
      configured.ageSecondsMax = age ?? before.ageSecondsMax
    }
    self[target.index].eventLimits[target.key] = configured
    return .document { configured.write(into: &$0, arn: target.keyARN) }
  }

  func getEventInvokeConfig(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try eventTarget(of: call)
    let configured = try configuredLimits(of: target)
    return .document { configured.write(into: &$0, arn: target.keyARN) }
  }

  func deleteEventInvokeConfig(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try eventTarget(of: call)
    _ = try configuredLimits(of: target)
    self[target.index].eventLimits[target.key] = nil
    return HTTPResponse(status: .noContent)
  }

  func listEventInvokeConfigs(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    let items = self[target.index].eventLimits.sorted { $0.key < $1.key }
    let page = try call.page(of: items, itemsMax: 50, key: \.key)
    return .document {
      $0.page("FunctionEventInvokeConfigs", page) { writer, item in
        item.value.write(into: &writer, arn: target.arn(qualifier: item.key))
      }
    }
  }

  private func configuredLimits(of target: FunctionTarget) throws(AWSError) -> ConfiguredEventLimits {
    guard let configured = self[target.index].eventLimits[target.key] else {
      throw .notFound("The function \(target.keyARN) doesn't have an EventInvokeConfig")
    }
    return configured
  }

  private func eventTarget(of call: ControlPlaneCall) throws(AWSError) -> FunctionTarget {
    do {
      return try target(of: call)
    } catch {
      let reference = try FunctionReference.read(call.function, qualifier: call.qualifier)
      guard indices[reference.name] != nil, let alias = reference.qualifier, FunctionVersion(text: alias) == nil else {
        throw error
      }
      throw .aliasNotFound(identity.arn(reference.name, qualifier: alias))
    }
  }

  /// The host has nowhere to send what became of an event.
  private static func checkDestinations(
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

extension FunctionTarget {
  /// What limits of events are kept under.
  fileprivate var key: String { qualifier ?? FunctionID.latest }
  fileprivate var keyARN: String { arn(qualifier: key) }
}
