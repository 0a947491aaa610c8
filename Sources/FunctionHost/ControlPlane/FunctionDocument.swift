import Text
import Digests
import HostRules
import Lifecycle

/// AWS's FunctionConfiguration document of one version of a function.
struct FunctionDocument: Equatable {
  /// What the host claims of functions that are programs on this machine.
  static let runtime = "provided.al2023"

  var name: String
  var arn: String
  var role: String
  var version: FunctionVersion
  var handler: String
  var description: String
  var timeoutSeconds: Int64
  var memoryMegabytes: Int64
  var temporaryStorageMegabytes: Int64
  var environment: [String: String]
  var codeSHA256: String
  var revision: Identifier128
  var modifiedAt: Timestamp
  var isUpdating: Bool

  /// - Parameter qualifier: As it ends the ARN; `nil` for the bare one.
  init(_ state: FunctionState, _ version: FunctionVersion, qualifier: String?) {
    let configuration = state.configuration
    let entry = state.deployment[version] ?? state.deployment.latest
    name = configuration.name
    arn = state.identity.arn(name, qualifier: qualifier)
    role = state.identity.roleARN
    self.version = version
    environment = state.environment(of: version)
    handler = environment["_HANDLER"] ?? (configuration.command.count > 1 ? configuration.command.last ?? "" : "")
    description = entry.settings.description ?? ""
    timeoutSeconds = FunctionDocument.wholeSeconds(state.timeout(of: version))
    memoryMegabytes = max(1, state.memoryBytes(of: version) >> 20)
    temporaryStorageMegabytes = max(1, state.temporaryStorageBytes(of: version) >> 20)
    codeSHA256 = FunctionDocument.fingerprint(of: configuration)
    revision = entry.revision
    modifiedAt = entry.modifiedAt
    isUpdating = version == .latest && state.deployment.isUpdating
  }

  /// AWS knows whole seconds alone; a begun one counts.
  static func wholeSeconds(_ length: Nanoseconds) -> Int64 {
    max(1, length.count / 1_000_000_000 + (length.count % 1_000_000_000 > 0 ? 1 : 0))
  }

  /// The code of a function lies where its program is, and is not packed: what names it is directory and command.
  static func fingerprint(of configuration: FunctionConfiguration) -> String {
    let text = ([configuration.directory] + configuration.command).joined(separator: "\0")
    return Base64.encode(SHA256.digest(Array(text.utf8)))
  }

  private static var architecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "x86_64"
    #endif
  }

  /// Writes the document.
  func write(into writer: inout JSONWriter) {
    writer.object { writer in
      writeSettings(into: &writer)
      writer.member("State", "Active")
      writer.member("LastUpdateStatus", isUpdating ? "InProgress" : "Successful")
      if isUpdating {
        writer.member("LastUpdateStatusReason", "The function is being created.")
        writer.member("LastUpdateStatusReasonCode", "Creating")
      }
    }
  }

  /// Writes the document as it is in lists, which leave out in what state it is.
  func writeListed(into writer: inout JSONWriter) { writer.object { writeSettings(into: &$0) } }

  private func writeSettings(into writer: inout JSONWriter) {
    writer.member("FunctionName", name)
    writer.member("FunctionArn", arn)
    writer.member("Runtime", FunctionDocument.runtime)
    writer.member("Role", role)
    writer.member("Handler", handler)
    writer.member("CodeSize", 0)
    writer.member("Description", description)
    writer.member("Timeout", timeoutSeconds)
    writer.member("MemorySize", memoryMegabytes)
    writer.member("LastModified", RFC3339.milliseconds(nanoseconds: modifiedAt.nanoseconds, offset: "+0000"))
    writer.member("CodeSha256", codeSHA256)
    writer.member("Version", version.text)
    if !environment.isEmpty {
      writer.key("Environment")
      writer.object {
        $0.key("Variables")
        $0.texts(environment)
      }
    }
    writer.key("TracingConfig")
    writer.object { $0.member("Mode", "PassThrough") }
    writer.member("RevisionId", revision.uuidText)
    writer.member("PackageType", "Zip")
    writer.key("Architectures")
    writer.array { $0.string(FunctionDocument.architecture) }
    writer.key("EphemeralStorage")
    writer.object { $0.member("Size", temporaryStorageMegabytes) }
    writer.key("SnapStart")
    writer.object {
      $0.member("ApplyOn", "None")
      $0.member("OptimizationStatus", "Off")
    }
  }
}

extension JSONWriter {
  /// Writes an object of texts, in order of their names.
  mutating func texts(_ texts: [String: String]) {
    object { for (name, text) in texts.sorted(by: { $0.key < $1.key }) { $0.member(name, text) } }
  }
}
