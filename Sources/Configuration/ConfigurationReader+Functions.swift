import Text
import Lifecycle

extension ConfigurationReader {
  private static let keys = [
    "command", "runtime", "handler", "interpreter", "directory", "environment", "memory", "temporaryStorage", "timeout",
    "onTimeout", "abortSignal",
    "abortLimit", "reserved", "provisioned", "databaseConnections", "extensions", "layers", "logFormat", "freeze",
    "cors", "responseMode", "invokeMode",
  ]

  /// The longest argument or environment variable that Linux hands to a process, with its closing zero byte.
  private static let argumentBytesLimit = 131_072

  mutating func readFunctions(_ section: YAMLNode.Entry) {
    let entries = nodes.uniqueEntries(of: section.value, name: "functions")
    if entries.count > KelvinConfiguration.functionsLimit {
      nodes.add(
        section.value,
        "functions has \(entries.count) entries; at most \(KelvinConfiguration.functionsLimit) are allowed.")
      return
    }
    for entry in entries { readFunction(entry) }
  }

  private mutating func readFunction(_ entry: YAMLNode.Entry) {
    nodes.checkName(entry, of: "a function")
    let keys = nodes.entries(of: entry.value, name: "the function \(quoted(entry.key))", keys: Self.keys)
    var function = FunctionSettings(name: entry.key, command: [], directory: nodes.folder)
    function.line = entry.line
    readProgram(entry, keys, into: &function)
    var hasDirectory = true
    if let path = nodes.path(keys["directory"]), let node = keys["directory"]?.value {
      function.directory = path
      hasDirectory = nodes.folderExists(path)
      if !hasDirectory { nodes.add(node, "directory: there is no folder \(path); write the path of one.") }
    }
    function.extensions = nodes.existingFolder(keys["extensions"])
    function.layers = layers(keys["layers"])
    function.freezes = nodes.boolean(keys["freeze"]) ?? false
    function.logFormat = LogFormatSetting.read(keys["logFormat"], &nodes)
    function.responseMode = ResponseModeSetting.read(keys["responseMode"], keys["invokeMode"], &nodes)
    if let environment = keys["environment"] { function.environment = self.environment(environment) }
    // Without its folder nothing can be said of a program in it.
    if hasDirectory { checkProgram(of: function, keys) }
    function.memoryBytes = nodes.memory(keys["memory"], megabytes: 128...10_240)
    function.temporaryStorageBytes = nodes.memory(keys["temporaryStorage"], megabytes: 16...10_240)
    function.timeout = nodes.timeout(keys["timeout"])
    function.timeoutPolicy = TimeoutPolicy.read(keys["onTimeout"], &nodes)
    function.abortSignal = AbortSignalName.read(keys["abortSignal"], &nodes)
    function.abortLimit = nodes.timeout(keys["abortLimit"])
    if function.timeoutPolicy != .continue, keys["abortSignal"] == nil {
      nodes.warn(keys["abortLimit"], "has no effect: without abortSignal, onTimeout: restart ends the instance at once")
    }
    if let entry = keys["cors"] { function.cors = cors(entry.value) }
    function.databaseConnections = nodes.integer(keys["databaseConnections"], in: 0...10_000)
    readConcurrency(keys, into: &function)
    configuration.functions.append(function)
  }

  /// AWS's quota.
  private static let layersMax = 5

  private mutating func layers(_ entry: YAMLNode.Entry?) -> [String] {
    guard let entry else { return [] }
    guard case .list(let items) = entry.value.value, items.count <= Self.layersMax else {
      nodes.add(entry.value, "layers must be a list of at most \(Self.layersMax) folders, such as [layers/tools].")
      return []
    }
    return items.compactMap { item in
      nodes.existingFolder(YAMLNode.Entry(key: "layers", line: entry.line, column: entry.column, value: item))
    }
  }

  /// A command, or a runtime with a handler.
  private mutating func readProgram(
    _ entry: YAMLNode.Entry, _ keys: [String: YAMLNode.Entry], into function: inout FunctionSettings
  ) {
    if let command = keys["command"] {
      function.command = self.command(command)
      for name in ["runtime", "handler", "interpreter"] {
        guard let other = keys[name] else { continue }
        nodes.add(other.value, "\(name) and command exclude each other; write command, or runtime and handler.")
      }
      return
    }
    guard let runtime = keys["runtime"] else {
      let message =
        "The function \(quoted(entry.key)) has no command; write command: [program, argument, …] below its name, "
        + "or runtime and handler."
      nodes.problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
      return
    }
    function.runtime = RuntimeSettings.read(runtime, keys, &nodes)
  }

  private mutating func command(_ entry: YAMLNode.Entry) -> [String] {
    switch entry.value.value {
    case .list(let items):
      var words: [String] = []
      for item in items {
        guard case .text(let word, _) = item.value, !word.utf8.contains(0), word.utf8.count < Self.argumentBytesLimit
        else {
          nodes.add(item, "Each item of command must be a string of less than 128 kB, but this is \(item.kind).")
          return []
        }
        words.append(word)
      }
      if let program = words.first, !program.isEmpty { return words }
      nodes.add(entry.value, "command is empty; write the program and its arguments, such as [python3, app.py].")
    case .text(let text, _):
      let items = text.split(separator: " ").joined(separator: ", ")
      nodes.add(
        entry.value, "command must be a list, because no shell reads it; write command: [\(items.prefix(200))].")
    case .null, .map:
      nodes.add(entry.value, "command must be a list, such as [python3, app.py], but is \(entry.value.kind).")
    }
    return []
  }

  /// The program of a command that can be read must be one that the host can start.
  private mutating func checkProgram(of function: FunctionSettings, _ keys: [String: YAMLNode.Entry]) {
    var node: YAMLNode?
    if case .list(let items)? = keys["command"]?.value.value { node = items.first }
    let name = ["interpreter", "runtime", "command"].first { keys[$0] != nil }
    guard let programs, let program = function.runtime?.interpreter ?? function.command.first, let name,
      let place = node ?? keys[name]?.value,
      let problem = programs.problem(
        program, in: function.directory, path: function.environment["PATH"],
        layers: function.layers)
    else { return }
    nodes.add(place, "\(name): \(problem)")
  }

  private mutating func environment(_ entry: YAMLNode.Entry) -> [String: String] {
    var result: [String: String] = [:]
    for variable in nodes.uniqueEntries(of: entry.value, name: "environment") {
      guard isVariable(variable) else { continue }
      switch variable.value.value {
      case .null: result[variable.key] = ""
      case .text(let text, _) where !text.utf8.contains(0): result[variable.key] = text
      case .text: nodes.add(variable.value, "\(variable.key) must have no zero byte.")
      case .list, .map: nodes.add(variable.value, "\(variable.key) must be a string, but is \(variable.value.kind).")
      }
    }
    let bytes = EnvironmentVariables.measuredBytes(of: result)
    if bytes > EnvironmentVariables.bytesMax {
      let message =
        EnvironmentVariables.failure
        + "exceeded the 4KB limit: they are \(bytes) bytes as JSON. Put large values into a file."
      nodes.problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
    }
    return result
  }

  /// Whether AWS takes the name of a variable. `_HANDLER` and credentials are for this file to set: there is no other
  /// place that could.
  private mutating func isVariable(_ variable: YAMLNode.Entry) -> Bool {
    let name = variable.key
    if name == "_HANDLER" || EnvironmentVariables.credentialNames.contains(name) { return true }
    var message: String?
    if EnvironmentVariables.reservedNames.contains(name) {
      message = EnvironmentVariables.reservedSentence([name]) + ". " + Self.advice(about: name)
    } else if !EnvironmentVariables.isName(name) {
      message =
        "\(quoted(name)) is not a valid name for a variable: \(EnvironmentVariables.nameConstraint). Write at least "
        + "two letters, digits and _, a letter first."
    }
    guard let message else { return true }
    nodes.problems.append(ConfigurationProblem(line: variable.line, column: variable.column, message: message))
    return false
  }

  private static func advice(about name: String) -> String {
    name == "AWS_REGION" || name == "AWS_DEFAULT_REGION"
      ? "Write region: below host:, or leave it out." : "The host sets it for each instance; leave it out."
  }

  private mutating func readConcurrency(_ keys: [String: YAMLNode.Entry], into function: inout FunctionSettings) {
    function.reserved = nodes.integer(keys["reserved"], in: 0...100_000)
    guard let entry = keys["provisioned"], let provisioned = nodes.integer(entry, in: 0...100_000) else { return }
    function.provisioned = provisioned
    if let reserved = function.reserved, provisioned > reserved {
      nodes.add(
        entry.value, "provisioned is \(provisioned), more than reserved, \(reserved); write at most \(reserved).")
    }
  }
}
