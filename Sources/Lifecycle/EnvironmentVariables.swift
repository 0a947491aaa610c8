/// AWS Lambda's rules for a function's environment variables.
public enum EnvironmentVariables {
  /// The most that all variables of a function together may be, in bytes of their JSON.
  public static let bytesMax = 4096

  /// The names that AWS keeps for itself.
  public static let reservedNames: Set<String> = credentialNames.union([
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_DEFAULT_REGION", "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
    "AWS_LAMBDA_FUNCTION_NAME", "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE",
    "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION",
    "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
  ])

  /// The names of credentials, which on AWS are those of the function's role. A host has no roles, so its configuration
  /// may set them.
  public static let credentialNames: Set<String> = [
    "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
  ]

  /// The beginning of AWS's sentences about a function's variables.
  public static let failure =
    "Lambda was unable to configure your environment variables because the environment variables you have provided "

  /// AWS's sentence about reserved names that were used.
  public static func reservedSentence(_ names: some Sequence<String>) -> String {
    failure + "contains reserved keys that are currently not supported for modification. Reserved keys used in this "
      + "request: \(names.sorted().joined(separator: ", "))"
  }

  /// AWS's words for names that ``isName(_:)`` refuses.
  public static let nameConstraint =
    "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [a-zA-Z]([a-zA-Z0-9_])+, "
    + "Member must not be null]"

  /// Whether AWS takes a name: a letter, then at least one letter, digit or `_`.
  public static func isName(_ name: String) -> Bool {
    let bytes = name.utf8
    guard bytes.count >= 2, let first = bytes.first, isLetter(first) else { return false }
    return bytes.allSatisfy {
      isLetter($0) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || $0 == UInt8(ascii: "_")
    }
  }

  private static func isLetter(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
  }

  /// The bytes of the variables as compact JSON, which is what AWS measures.
  ///
  /// - Complexity: O(bytes).
  public static func measuredBytes(of variables: [String: String]) -> Int {
    // Braces; of each variable two quotes around name and value and a colon; commas between them.
    2 + max(0, variables.count - 1)
      + variables.reduce(0) { $0 + jsonBytes($1.key) + jsonBytes($1.value) + 5 }
  }

  private static func jsonBytes(_ text: String) -> Int {
    text.utf8.reduce(0) { count, byte in
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"), 0x09, 0x0A, 0x0D: count + 2
      case 0..<0x20: count + 6
      default: count + 1
      }
    }
  }
}
