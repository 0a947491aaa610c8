import Text
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOHTTP1

/// PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig, DeleteProvisionedConcurrencyConfig and
/// ListProvisionedConcurrencyConfigs.
extension ControlPlane {
  func putProvisioned(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    var body = try call.read()
    let requested = try body.integer("ProvisionedConcurrentExecutions")
    try body.finish(call.operation)
    var violations = Violations()
    if requested == nil { violations.addMissing("provisionedConcurrentExecutions") }
    violations.check(requested, at: "provisionedConcurrentExecutions", in: 1...Int64(Int32.max))
    try violations.finish()
    let (target, qualifier) = try provisionable(
      call, latest: "Provisioned Concurrency Configs cannot be applied to unpublished function versions.", in: host)
    do {
      try host.dispatcher.setProvisioned(
        target.index, qualifier: qualifier, to: requested.map { Int(clamping: $0) }, in: host)
    } catch {
      throw AWSError(error)
    }
    return try provisionedDocument(of: target, qualifier, .accepted, in: host)
  }

  func getProvisioned(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let (target, qualifier) = try provisionable(call, latest: ControlPlane.needsPublished, in: host)
    return try provisionedDocument(of: target, qualifier, .ok, in: host)
  }

  /// As on AWS, there need not have been any.
  func deleteProvisioned(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let (target, qualifier) = try provisionable(call, latest: ControlPlane.needsPublished, in: host)
    do {
      try host.dispatcher.setProvisioned(target.index, qualifier: qualifier, to: nil, in: host)
    } catch {
      throw AWSError(error)
    }
    return HTTPResponse(status: .noContent)
  }

  func listProvisioned(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    let items = host.dispatcher.provisioned(of: target.index, in: host).sorted { $0.qualifier < $1.qualifier }
    let page = try call.page(of: items, itemsMax: 50, key: \.qualifier)
    return .document {
      $0.page("ProvisionedConcurrencyConfigs", page) { writer, item in
        item.write(into: &writer, arn: target.arn(qualifier: item.qualifier))
      }
    }
  }

  private static let needsPublished = "The function resource provided must be an alias or a published version."

  /// The version or alias that a call is for; only these can have provisioned concurrency.
  private func provisionable(
    _ call: ControlPlaneCall, latest sentence: String, in host: isolated HostCore
  ) throws(AWSError) -> (FunctionTarget, qualifier: String) {
    let reference = try FunctionReference.read(call.function, qualifier: call.qualifier)
    guard let qualifier = reference.qualifier else {
      var violations = Violations()
      violations.addMissing("qualifier")
      throw violations.error
    }
    guard qualifier != FunctionID.latest else { throw .invalidParameter(sentence) }
    guard let index = host.indices[reference.name] else {
      throw .functionNotFound(reference.name, qualifier: qualifier, of: host.identity)
    }
    guard let version = host[index].deployment.resolve(qualifier: qualifier) else {
      throw FunctionVersion(text: qualifier) == nil
        ? .aliasNotFound(reference.arn(of: host.identity))
        : .functionNotFound(reference.name, qualifier: qualifier, of: host.identity)
    }
    guard version != .latest else { throw .invalidParameter(sentence) }
    return (
      FunctionTarget(
        index: index, name: reference.name, qualifier: qualifier, version: version, identity: host.identity),
      qualifier
    )
  }

  private func provisionedDocument(
    of target: FunctionTarget, _ qualifier: String, _ status: HTTPResponseStatus, in host: isolated HostCore
  ) throws(AWSError) -> HTTPResponse {
    guard let item = host.dispatcher.provisioned(of: target.index, in: host).first(where: { $0.qualifier == qualifier })
    else {
      throw AWSError(
        status: 404, code: "ProvisionedConcurrencyConfigNotFoundException",
        message: "No Provisioned Concurrency Config found for this function")
    }
    return .document(status) { item.write(into: &$0, arn: nil) }
  }
}
