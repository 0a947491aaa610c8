package import HostRules
import Text
import Lifecycle
import NIOCore

/// The members of `$LATEST` that an UpdateFunctionConfiguration changes.
package struct ConfigurationChange: Equatable {
  /// The timeouts that are taken, in seconds.
  package static let timeoutSeconds: ClosedRange<Int64> = 1...900
  /// The amounts of memory that are taken, in MB of 2^20 bytes.
  package static let memoryMegabytes: ClosedRange<Int64> = 128...10_240
  /// The sizes of `/tmp` that are taken, in MB of 2^20 bytes.
  package static let temporaryStorageMegabytes: ClosedRange<Int64> = 512...10_240
  /// The longest description, in characters.
  package static let descriptionLengthMax = 256

  /// What is changed; what is `nil` stays.
  package var settings = VersionSettings()
  /// The revision that the client believes to change.
  package var revision: String?

  /// - Parameter current: `$LATEST` as it is. What cannot be changed may be named with the value that it has.
  package init(_ body: RequestBody, _ current: FunctionConfigurationDocument) throws(AWSError) {
    var body = body
    let timeout = try body.integer("Timeout")
    let memory = try body.integer("MemorySize")
    let description = try body.string("Description")
    let storage = try ConfigurationChange.temporaryStorage(&body)
    let environment = try ConfigurationChange.environment(&body)
    revision = try body.string("RevisionId")
    var violations = Violations()
    violations.check(timeout, at: "timeout", in: ConfigurationChange.timeoutSeconds)
    violations.check(memory, at: "memorySize", in: ConfigurationChange.memoryMegabytes)
    violations.check(storage, at: "ephemeralStorage.size", in: ConfigurationChange.temporaryStorageMegabytes)
    violations.check(description, at: "description", length: 0...ConfigurationChange.descriptionLengthMax)
    if let environment { ConfigurationChange.checkNames(environment, &violations) }
    try violations.finish()
    if let environment { try ConfigurationChange.check(environment) }
    try ConfigurationChange.checkOthers(&body, current)
    settings = VersionSettings(
      memoryBytes: memory.map { $0 << 20 }, timeout: timeout.map { .seconds($0) },
      temporaryStorageBytes: storage.map { $0 << 20 }, environment: environment, description: description)
  }

  private static func temporaryStorage(_ body: inout RequestBody) throws(AWSError) -> Int64? {
    guard var storage = try body.object("EphemeralStorage") else { return nil }
    guard let size = try storage.integer("Size") else {
      var violations = Violations()
      violations.addMissing("ephemeralStorage.size")
      throw violations.error
    }
    try storage.finish(.updateFunctionConfiguration)
    return size
  }

  private static func environment(_ body: inout RequestBody) throws(AWSError) -> [String: String]? {
    guard var environment = try body.object("Environment") else { return nil }
    let variables = try environment.object("Variables")?.strings() ?? [:]
    try environment.finish(.updateFunctionConfiguration)
    return variables
  }

  // MARK: Variables

  private static func checkNames(_ variables: [String: String], _ violations: inout Violations) {
    guard !variables.keys.allSatisfy(EnvironmentVariables.isName) else { return }
    violations.addUnshown(at: "environment.variables", EnvironmentVariables.nameConstraint)
  }

  private static func check(_ variables: [String: String]) throws(AWSError) {
    let reserved = variables.keys.filter(EnvironmentVariables.reservedNames.contains)
    guard reserved.isEmpty else { throw .invalidParameter(EnvironmentVariables.reservedSentence(reserved)) }
    guard variables.values.allSatisfy({ !$0.utf8.contains(0) }) else {
      throw .invalidParameter(
        EnvironmentVariables.failure + "contain the character NUL, which no process can be given.")
    }
    guard EnvironmentVariables.measuredBytes(of: variables) <= EnvironmentVariables.bytesMax else {
      var writer = JSONWriter()
      writer.texts(variables)
      throw .invalidParameter(
        EnvironmentVariables.failure + "exceeded the 4KB limit. String measured: \(String(buffer: writer.buffer))")
    }
  }

  // MARK: What cannot be changed

  /// Takes what says what is so already, and refuses the rest.
  private static func checkOthers(_ body: inout RequestBody, _ current: FunctionConfigurationDocument) throws(AWSError)
  {
    let accepted: [(String, [JSONValue])] = [
      ("Handler", [.string(current.handler)]),
      ("Runtime", [.string(FunctionConfigurationDocument.runtime)]),
      ("Role", [.string(current.role)]),
      ("TracingConfig", [[:], ["Mode": "PassThrough"]]),
      ("SnapStart", [[:], ["ApplyOn": "None"]]),
      ("Layers", [[]]),
      ("FileSystemConfigs", [[]]),
      ("VpcConfig", [[:], ["SubnetIds": [], "SecurityGroupIds": []]]),
      ("DeadLetterConfig", [[:], ["TargetArn": ""]]),
      ("KMSKeyArn", [""]),
      ("ImageConfig", [[:]]),
    ]
    for (name, values) in accepted {
      guard let value = body.value(name), !values.contains(where: value.meansTheSame) else { continue }
      throw .notImplemented(
        "This host cannot change \(name) of a function; it changes MemorySize, Timeout, EphemeralStorage, Environment "
          + "and Description. The rest is configured in kelvin.yaml.")
    }
    try body.finish(.updateFunctionConfiguration)
  }
}
