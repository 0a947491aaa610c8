import Digests
import HostRules
import LambdaAPI
import Lifecycle
import Text

extension FunctionConfigurationDocument {
  /// - Parameter qualifier: As it ends the ARN; `nil` for the bare one.
  init(_ state: HostedFunction, _ version: FunctionVersion, qualifier: String?) {
    let configuration = state.configuration
    let entry = state.deployment[version] ?? state.deployment.latest
    let environment = state.environment(of: version)
    self.init(
      name: configuration.name, arn: state.identity.arn(configuration.name, qualifier: qualifier),
      role: state.identity.roleARN, version: version,
      handler: environment["_HANDLER"] ?? (configuration.command.count > 1 ? configuration.command.last ?? "" : ""),
      description: entry.settings.description ?? "",
      timeoutSeconds: FunctionConfigurationDocument.wholeSeconds(state.timeout(of: version)),
      memoryMegabytes: max(1, state.memoryBytes(of: version) >> 20),
      temporaryStorageMegabytes: max(1, state.temporaryStorageBytes(of: version) >> 20), environment: environment,
      codeSHA256: FunctionConfigurationDocument.fingerprint(of: configuration), revision: entry.revision,
      modifiedAt: entry.modifiedAt, isUpdating: version == .latest && state.deployment.isUpdating)
  }

  /// The code of a function lies where its program is, and is not packed: what names it is directory and command.
  static func fingerprint(of configuration: FunctionSpecification) -> String {
    let text = ([configuration.directory] + configuration.command).joined(separator: "\0")
    return Base64.encode(SHA256.digest(Array(text.utf8)))
  }
}
