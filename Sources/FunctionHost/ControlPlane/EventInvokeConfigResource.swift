import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOHTTP1

/// PutFunctionEventInvokeConfig, UpdateFunctionEventInvokeConfig, GetFunctionEventInvokeConfig,
/// DeleteFunctionEventInvokeConfig and ListFunctionEventInvokeConfigs.
extension ControlPlane {
  /// How an event for a version or alias is repeated, as it is configured now.
  func eventSettings(of target: FunctionTarget) -> EventSettings {
    let configured = configuredEventLimits[target.index.position][target.qualifier ?? FunctionID.latest]
    return EventSettings(
      limits: configured?.limits ?? EventLimits(), destinations: configured?.destinations ?? EventDestinations())
  }

  func putEventInvokeConfig(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let repetitions = try body.integer("MaximumRetryAttempts")
    let age = try body.integer("MaximumEventAgeInSeconds")
    let destinations = try EventDestinations.read(&body, call.operation) {
      host.asynchronous.isDestination($0, in: host)
    }
    var violations = Violations()
    violations.check(repetitions, at: "maximumRetryAttempts", in: ConfiguredEventLimits.repetitions)
    violations.check(age, at: "maximumEventAgeInSeconds", in: ConfiguredEventLimits.ageSeconds)
    try violations.finish()
    guard repetitions != nil || age != nil || destinations != nil else {
      throw .invalidParameter("You must specify at least one of error handling or destination setting.")
    }
    let target = try eventTarget(of: call, in: host)
    var configured = ConfiguredEventLimits(
      repetitionsMax: repetitions, ageSecondsMax: age, destinations: destinations ?? EventDestinations(),
      modifiedAt: host.clock.now())
    if call.operation == .updateEventInvokeConfig {
      let before = try configuredLimits(of: target)
      configured.repetitionsMax = repetitions ?? before.repetitionsMax
      configured.ageSecondsMax = age ?? before.ageSecondsMax
      configured.destinations = destinations ?? before.destinations
    }
    configuredEventLimits[target.index.position][target.key] = configured
    return .document { configured.write(into: &$0, arn: target.keyARN) }
  }

  func getEventInvokeConfig(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try eventTarget(of: call, in: host)
    let configured = try configuredLimits(of: target)
    return .document { configured.write(into: &$0, arn: target.keyARN) }
  }

  func deleteEventInvokeConfig(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try eventTarget(of: call, in: host)
    _ = try configuredLimits(of: target)
    configuredEventLimits[target.index.position][target.key] = nil
    return HTTPResponse(status: .noContent)
  }

  func listEventInvokeConfigs(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    let items = configuredEventLimits[target.index.position].sorted { $0.key < $1.key }
    let page = try call.page(of: items, itemsMax: 50, key: \.key)
    return .document {
      $0.page("FunctionEventInvokeConfigs", page) { writer, item in
        item.value.write(into: &writer, arn: target.arn(qualifier: item.key))
      }
    }
  }

  private func configuredLimits(of target: FunctionTarget) throws(AWSError)
    -> ConfiguredEventLimits
  {
    guard let configured = configuredEventLimits[target.index.position][target.key] else {
      throw .notFound("The function \(target.keyARN) doesn't have an EventInvokeConfig")
    }
    return configured
  }

  private func eventTarget(of call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> FunctionTarget {
    do {
      return try host.target(of: call)
    } catch {
      let reference = try FunctionReference.read(call.function, qualifier: call.qualifier)
      guard host.indices[reference.name] != nil, let alias = reference.qualifier, FunctionVersion(text: alias) == nil
      else {
        throw error
      }
      throw .aliasNotFound(host.identity.arn(reference.name, qualifier: alias))
    }
  }
}

extension FunctionTarget {
  /// What limits of events are kept under.
  fileprivate var key: String { qualifier ?? FunctionID.latest }
  fileprivate var keyARN: String { arn(qualifier: key) }
}
