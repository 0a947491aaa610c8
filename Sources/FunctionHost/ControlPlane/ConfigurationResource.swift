import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore

/// GetFunctionConfiguration and UpdateFunctionConfiguration.
extension ControlPlane {
  func getFunctionConfiguration(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.target(of: call)
    let document = FunctionConfigurationDocument(host[target.index], target.version, qualifier: target.qualifier)
    return note(target.index, in: .document { document.write(into: &$0) }, in: host)
  }

  func updateFunctionConfiguration(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError)
    -> HTTPResponse
  {
    let body = try call.read()
    let target = try host.wholeFunction(of: call, allowsLatest: true)
    let current = FunctionConfigurationDocument(host[target.index], .latest, qualifier: nil)
    let change = try ConfigurationChange(body, current)
    do {
      try host[target.index].deployment.update(
        change.settings, ifRevision: change.revision, at: host.clock.now(), using: &host.generator)
    } catch {
      throw AWSError(error, of: target)
    }
    host.dispatcher.versionChanged(target.index, .latest, in: host)
    finishUpdateSoon(of: target.index, in: host)
    let document = FunctionConfigurationDocument(host[target.index], .latest, qualifier: nil)
    return .document { document.write(into: &$0) }
  }

  /// The change is in effect at once, for every instance that starts from here on; but a client must see it in progress
  /// first, as it is on AWS, so that what waits for its end there also works here.
  private func finishUpdateSoon(of function: FunctionIndex, in host: isolated HostCore) {
    host.loop.execute {
      host.assumeIsolated { core in
        core[function].deployment.finishUpdate(using: &core.generator)
      }
    }
  }
}
