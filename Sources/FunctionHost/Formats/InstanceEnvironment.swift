import HostRules
import LambdaRecords
import Lifecycle

/// The environment that an instance is started with.
///
/// In the order of precedence: what a process needs to start at all (from the host's own environment), the function's
/// own variables, and last what belongs to the platform, which no function can overrule.
struct InstanceEnvironment {
  var function: FunctionSpecification
  /// The function's own variables.
  var own: [String: String]
  var instance: InstanceID
  /// Where the instance finds its Runtime API: `address:port`.
  var runtimeAPI: String
  var memoryBytes: Int64
  var version = FunctionVersion.latest
  /// The name of the instance's log stream.
  var logStream = ""
  var initializationType = InitializationType.onDemand
  var identity = HostIdentity()
  /// The environment of the host.
  var base: [String: String]

  /// Variables of the host that instances are given, because interpreters and linkers do not start without them.
  private static let inherited = ["PATH", "HOME", "LD_LIBRARY_PATH", "USER", "LOGNAME", "SHELL"]

  var variables: [String: String] {
    var variables = [
      "PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": "/tmp", "LANG": "en_US.UTF-8", "TZ": ":UTC",
      "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
      // Clients of AWS refuse to start without credentials; these have no power anywhere.
      "AWS_ACCESS_KEY_ID": "kelvin", "AWS_SECRET_ACCESS_KEY": "kelvin", "AWS_SESSION_TOKEN": "kelvin",
    ]
    for name in InstanceEnvironment.inherited { if let value = base[name] { variables[name] = value } }
    variables.merge(own) { _, own in own }
    if !function.layers.isEmpty { LayerFolders.add(to: &variables) }
    variables.merge(platform) { _, platform in platform }
    return variables
  }

  /// What extensions are not given, beside every name that begins with an underscore.
  private static let runtimeOnly: Set<String> = [
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_XRAY_CONTEXT_MISSING",
    "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT", "_HANDLER",
  ]

  /// The environment of an external extension.
  var extensionVariables: [String: String] {
    variables.filter { !$0.key.hasPrefix("_") && !InstanceEnvironment.runtimeOnly.contains($0.key) }
  }

  private var platform: [String: String] {
    var variables = [
      "AWS_LAMBDA_RUNTIME_API": runtimeAPI,
      "AWS_LAMBDA_FUNCTION_NAME": function.name,
      "AWS_LAMBDA_FUNCTION_VERSION": version.text,
      "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": String(max(1, memoryBytes >> 20)),
      "AWS_LAMBDA_INITIALIZATION_TYPE": initializationType.name,
      "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/\(function.name)",
      "AWS_LAMBDA_LOG_STREAM_NAME": logStream,
      "AWS_REGION": identity.region,
      "AWS_DEFAULT_REGION": identity.region,
      "LAMBDA_TASK_ROOT": function.directory,
      "LAMBDA_RUNTIME_DIR": function.directory,
      "_HANDLER": handler,
    ]
    if function.logFormat == .json {
      variables["AWS_LAMBDA_LOG_FORMAT"] = "JSON"
      variables["AWS_LAMBDA_LOG_LEVEL"] = "INFO"
    }
    return variables
  }

  /// The function's own `_HANDLER`, else the last argument of its command (`python3 -m awslambdaric app.handler`).
  var handler: String {
    own["_HANDLER"] ?? (function.command.count > 1 ? function.command[function.command.count - 1] : "")
  }
}
