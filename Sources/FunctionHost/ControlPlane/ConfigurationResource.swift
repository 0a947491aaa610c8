import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore

/// GetFunctionConfiguration and UpdateFunctionConfiguration.
extension HostCore {
  func getFunctionConfiguration(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try target(of: call)
    let document = FunctionDocument(self[target.index], target.version, qualifier: target.qualifier)
    return note(target.index, in: .document { document.write(into: &$0) })
  }

  func updateFunctionConfiguration(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let body = try call.read()
    let target = try wholeFunction(of: call, allowsLatest: true)
    let current = FunctionDocument(self[target.index], .latest, qualifier: nil)
    let change = try ConfigurationChange(body, current)
    do {
      try self[target.index].deployment.update(
        change.settings, ifRevision: change.revision, at: clock.now(), using: &generator)
    } catch {
      throw AWSError(error, of: target)
    }
    dispatcher.versionChanged(target.index, .latest, in: self)
    finishUpdateSoon(of: target.index)
    let document = FunctionDocument(self[target.index], .latest, qualifier: nil)
    return .document { document.write(into: &$0) }
  }

  /// The change is in effect at once, for every instance that starts from here on; but a client must see it in progress
  /// first, as it is on AWS, so that what waits for its end there also works here.
  private func finishUpdateSoon(of function: FunctionIndex) {
    loop.execute {
      self.assumeIsolated { core in
        core[function].deployment.finishUpdate(using: &core.generator)
      }
    }
  }
}
