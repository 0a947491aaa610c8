import HostRules
import LambdaAPI
import Lifecycle

/// A function and its current state in the host.
struct HostedFunction {
  let id: FunctionID
  let index: FunctionIndex
  /// As the configuration is now; instances that started before may have had another.
  var configuration: FunctionSpecification
  /// Whether the configuration no longer has it: what was admitted runs to its end, and nothing else is let in.
  var isRetired = false
  /// The region and account in its ARN.
  let identity: HostIdentity
  /// The external extensions of its instances.
  var extensionNames: [String] = []
  /// Those of them that its layers bring.
  var layerExtensions: Set<String> = []
  /// What the function's code configures; kelvin.yaml goes before it.
  var codeMemoryBytes: Int64?
  var codeTimeout: Nanoseconds?
  /// Whether the function's code has said its concurrency.
  var hasCodeConcurrency = false
  /// Its versions and aliases, and what callers configured of them; that goes before kelvin.yaml.
  var deployment: Deployment
  var instances: [InstanceKey: Instance] = [:]

  init(
    _ configuration: FunctionSpecification, index: FunctionIndex, deployment: Deployment,
    identity: HostIdentity = HostIdentity()
  ) {
    self.identity = identity
    self.deployment = deployment
    id = FunctionID(configuration.name)
    self.index = index
    self.configuration = configuration
  }

  var memoryBytes: Int64 { memoryBytes(of: .latest) }
  var timeout: Nanoseconds { timeout(of: .latest) }
  var temporaryStorageBytes: Int64 { temporaryStorageBytes(of: .latest) }

  func memoryBytes(of version: FunctionVersion) -> Int64 {
    deployment.settings(of: version).memoryBytes ?? configuration.memoryBytes ?? codeMemoryBytes
      ?? FunctionSpecification.defaultMemoryBytes
  }

  /// The longest that an invocation may take, whatever its trigger: the one number that limits and metrics show.
  func timeout(of version: FunctionVersion) -> Nanoseconds {
    configuredTimeout(of: version) ?? FunctionSpecification.defaultTimeout
  }

  /// How long an invocation with this trigger may take.
  func timeout(of version: FunctionVersion, for trigger: Trigger) -> Nanoseconds {
    configuredTimeout(of: version) ?? FunctionSpecification.defaultTimeout(for: trigger)
  }

  private func configuredTimeout(of version: FunctionVersion) -> Nanoseconds? {
    deployment.settings(of: version).timeout ?? configuration.timeout ?? codeTimeout
  }

  func temporaryStorageBytes(of version: FunctionVersion) -> Int64 {
    deployment.settings(of: version).temporaryStorageBytes ?? configuration.temporaryStorageBytes
      ?? FunctionSpecification.defaultTemporaryStorageBytes
  }

  /// The function's own variables.
  func environment(of version: FunctionVersion) -> [String: String] {
    deployment.settings(of: version).environment ?? configuration.environment
  }
}
