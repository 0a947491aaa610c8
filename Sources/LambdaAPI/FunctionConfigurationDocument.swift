package import Text
package import HostRules
package import Lifecycle

/// AWS's FunctionConfiguration document of one version of a function.
package struct FunctionConfigurationDocument: Equatable {
  /// What the host claims of functions that are programs on this machine.
  package static let runtime = "provided.al2023"

  /// The function's name.
  package var name: String
  /// Its ARN, qualified as the caller asked for it.
  package var arn: String
  /// The ARN of the role that it is said to have.
  package var role: String
  /// Which version it is.
  package var version: FunctionVersion
  /// What its runtime is told to call; empty if nothing says so.
  package var handler: String
  /// What a person wrote about it.
  package var description: String
  /// Its timeout in whole seconds, at least 1.
  package var timeoutSeconds: Int64
  /// Its memory in MB of 2^20 bytes.
  package var memoryMegabytes: Int64
  /// The size of its `/tmp` in MB of 2^20 bytes.
  package var temporaryStorageMegabytes: Int64
  /// Its own variables.
  package var environment: [String: String]
  /// What names its code, in Base64.
  package var codeSHA256: String
  /// Changes with every change of it.
  package var revision: Identifier128
  /// When it was last changed.
  package var modifiedAt: Timestamp
  /// Whether a change is in progress.
  package var isUpdating: Bool

  /// Makes a document of its parts.
  package init(
    name: String, arn: String, role: String, version: FunctionVersion, handler: String, description: String,
    timeoutSeconds: Int64, memoryMegabytes: Int64, temporaryStorageMegabytes: Int64, environment: [String: String],
    codeSHA256: String, revision: Identifier128, modifiedAt: Timestamp, isUpdating: Bool
  ) {
    self.name = name
    self.arn = arn
    self.role = role
    self.version = version
    self.handler = handler
    self.description = description
    self.timeoutSeconds = timeoutSeconds
    self.memoryMegabytes = memoryMegabytes
    self.temporaryStorageMegabytes = temporaryStorageMegabytes
    self.environment = environment
    self.codeSHA256 = codeSHA256
    self.revision = revision
    self.modifiedAt = modifiedAt
    self.isUpdating = isUpdating
  }

  /// AWS knows whole seconds alone; a begun one counts.
  package static func wholeSeconds(_ length: Nanoseconds) -> Int64 {
    max(1, length.count / 1_000_000_000 + (length.count % 1_000_000_000 > 0 ? 1 : 0))
  }

  private static var architecture: String {
    #if arch(arm64)
      "arm64"
    #else
      "x86_64"
    #endif
  }

  /// Writes the document.
  package func write(into writer: inout JSONWriter) {
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
  package func writeListed(into writer: inout JSONWriter) { writer.object { writeSettings(into: &$0) } }

  private func writeSettings(into writer: inout JSONWriter) {
    writer.member("FunctionName", name)
    writer.member("FunctionArn", arn)
    writer.member("Runtime", FunctionConfigurationDocument.runtime)
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
    writer.array { $0.string(FunctionConfigurationDocument.architecture) }
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
  package mutating func texts(_ texts: [String: String]) {
    object { for (name, text) in texts.sorted(by: { $0.key < $1.key }) { $0.member(name, text) } }
  }
}
