import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import Text

/// What a function's code says of its limits. kelvin.yaml and callers of the control plane go before it.
extension RuntimeCalls {
  func takeConfiguration(_ body: ByteBuffer, from instance: Instance, in host: isolated HostCore)
    -> HTTPResponse
  {
    guard let said = CodeConfiguration(body) else {
      return RuntimeAPI.error(
        .badRequest, "InvalidConfiguration",
        "memoryBytes must be 1 to \(FunctionSpecification.memoryBytesMax), timeoutNanoseconds above 0 to 900 s, reserved and "
          + "provisioned 0 to \(CodeConfiguration.concurrencyMax).")
    }
    let function = instance.function
    let memoryBefore = host[function].memoryBytes(of: instance.version)
    host[function].codeMemoryBytes = said.memoryBytes ?? host[function].codeMemoryBytes
    host[function].codeTimeout = said.timeout ?? host[function].codeTimeout
    do throws(ConcurrencyRefusal) {
      try apply(said, to: function, in: host)
    } catch {
      return RuntimeAPI.error(.badRequest, "InvalidConfiguration", AWSError(error).message)
    }
    host.dispatcher.tellLimits(of: function, at: host.clock.now(), in: host)
    // No instance serves with another memory than the code asks for; those that are starting are started again.
    if host[function].configuration.startsAhead, host[function].memoryBytes(of: instance.version) != memoryBefore {
      host.dispatcher.versionChanged(function, instance.version, in: host)
    }
    return RuntimeAPI.accepted
  }

  /// Sets what is set nowhere else, the first time that the code says it: what a caller changed later stays.
  private func apply(_ said: CodeConfiguration, to function: FunctionIndex, in host: isolated HostCore)
    throws(ConcurrencyRefusal)
  {
    let configuration = host[function].configuration
    guard !host[function].hasCodeConcurrency else { return }
    if let reserved = said.reserved, configuration.reserved == nil, host.dispatcher.reserved(of: function) == nil {
      try host.dispatcher.setReserved(function, to: reserved, in: host)
    }
    if let provisioned = said.provisioned, provisioned > 0, configuration.provisioned == nil,
      host.dispatcher.provisioned(of: function, in: host).isEmpty
    {
      try host.dispatcher.setProvisioned(function, qualifier: Deployment.currentAlias, to: provisioned, in: host)
    }
    // Not before: what was refused is refused to every instance.
    host[function].hasCodeConcurrency = true
  }
}

/// The limits that a function's code says.
private struct CodeConfiguration {
  static let concurrencyMax = 100_000

  var memoryBytes: Int64?
  var timeout: Nanoseconds?
  var reserved: Int?
  var provisioned: Int?

  /// `nil` for what is no object, or has a value out of its bounds.
  init?(_ body: ByteBuffer) {
    var said: [String: Int64] = [:]
    let isObject = body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "memoryBytes", "timeoutNanoseconds", "reserved", "provisioned": said[name] = try reader.integerOrOther()
      default: try reader.skip()
      }
    }
    let concurrency = 0...Int64(CodeConfiguration.concurrencyMax)
    guard isObject,
      said["memoryBytes"].map({ (1...FunctionSpecification.memoryBytesMax).contains($0) }) ?? true,
      said["timeoutNanoseconds"].map({ $0 > 0 && $0 <= FunctionSpecification.timeoutMax.count }) ?? true,
      said["reserved"].map(concurrency.contains) ?? true, said["provisioned"].map(concurrency.contains) ?? true
    else { return nil }
    memoryBytes = said["memoryBytes"]
    timeout = said["timeoutNanoseconds"].map(Nanoseconds.init)
    reserved = said["reserved"].map { Int($0) }
    provisioned = said["provisioned"].map { Int($0) }
  }
}
