import Text
import Lifecycle

/// Reads settings from a document and collects all problems.
struct ConfigurationReader {
  var nodes: NodeReader
  /// Looks for the programs of functions; `nil`: they are not looked for.
  var programs: ProgramSearch?
  var configuration = KelvinConfiguration()

  init(folder: String, folderExists: @escaping (String) -> Bool) {
    nodes = NodeReader(folder: folder, folderExists: folderExists)
    configuration.agent.dataDirectory = NodeReader.absolute(configuration.agent.dataDirectory, in: folder)
  }

  mutating func read(_ text: String) {
    guard let root = YAMLDocument.read(text, problems: &nodes.problems) else { return }
    let sections = nodes.entries(
      of: root, name: "the file", keys: ["agent", "host", "functions", "queues", "websockets", "schedules", "alerts"])
    if let agent = sections["agent"] { readAgent(agent.value) }
    if let host = sections["host"] { readHost(host.value) }
    if let functions = sections["functions"] { readFunctions(functions) }
    let functions = configuration.functions.map(\.name)
    if let entry = sections["queues"] {
      var reader = QueueReader(nodes, functions: functions)
      reader.read(entry)
      (nodes, configuration.queues) = (reader.nodes, reader.queues)
    }
    if let entry = sections["websockets"] {
      var reader = WebSocketReader(nodes: nodes, functions: functions)
      configuration.webSockets = reader.read(entry)
      nodes = reader.nodes
    }
    if let entry = sections["schedules"] {
      var reader = ScheduleReader(nodes: nodes, functions: functions)
      configuration.schedules = reader.read(entry)
      nodes = reader.nodes
    }
    if let alerts = sections["alerts"] { readAlerts(alerts.value) }
    checkAddresses(agent: sections["agent"], host: sections["host"])
    checkReservations(functions: sections["functions"])
  }

  private mutating func readAgent(_ node: YAMLNode) {
    let keys = nodes.entries(
      of: node, name: "agent",
      keys: ["listen", "dataDirectory", "window", "tokenFile", "webConfigFile", "requestsPerSecond", "socket"])
    if let listen = nodes.address(keys["listen"]) { configuration.agent.listen = listen }
    configuration.agent.tokenFile = nodes.path(keys["tokenFile"])
    configuration.agent.webConfigFile = nodes.path(keys["webConfigFile"])
    if let count = nodes.integer(keys["requestsPerSecond"], in: 1...1_000_000) {
      configuration.agent.requestsPerSecond = count
    }
    if let entry = keys["listen"], !configuration.agent.listen.isLoopback, keys["tokenFile"] == nil,
      keys["webConfigFile"] == nil
    {
      nodes.add(
        entry.value,
        "listen: \(configuration.agent.listen) is reached from other machines, so requests need credentials; write "
          + "tokenFile: FILE or webConfigFile: FILE beside it, or listen on 127.0.0.1:\(configuration.agent.listen.port)."
      )
    }
    if let path = nodes.path(keys["dataDirectory"]) { configuration.agent.dataDirectory = path }
    configuration.agent.socket = nodes.path(keys["socket"])
    if let entry = keys["window"], let window = nodes.duration(entry) {
      let seconds = window.count / 1_000_000_000
      if window.count % 1_000_000_000 == 0, (1...3600).contains(seconds), 3600 % seconds == 0 {
        configuration.agent.window = window
      } else {
        nodes.add(
          entry.value, "window must be a whole number of seconds from 1s to 1h that divides an hour; write 60s.")
      }
    }
  }

  private mutating func readHost(_ node: YAMLNode) {
    let keys = nodes.entries(
      of: node, name: "host",
      keys: [
        "listen", "accountConcurrency", "unreservedMinimum", "requestRateLimit", "scaleOutRate", "isolation",
        "allowedHosts", "region", "accountId",
      ])
    if let entry = keys["listen"], let listen = nodes.address(entry) {
      if listen.isLoopback {
        configuration.host.listen = listen
      } else {
        nodes.add(
          entry.value,
          "listen: \(listen) is reached from other machines, and whoever reaches the host runs its functions; write "
            + "127.0.0.1:\(listen.port), and put a proxy that asks for credentials in front of it.")
      }
    }
    readIdentity(keys)
    if let entry = keys["isolation"], let text = nodes.text(entry) {
      if let mode = IsolationMode(rawValue: text) {
        configuration.host.isolation = mode
      } else {
        nodes.add(entry.value, "isolation must be auto or none, but is \(quoted(text)).")
      }
    }
    if let count = nodes.integer(keys["accountConcurrency"], in: 1...100_000) {
      configuration.host.accountConcurrency = count
    }
    if let count = nodes.integer(keys["unreservedMinimum"], in: 0...100_000) {
      configuration.host.unreservedMinimum = count
    }
    if let limits = nodes.boolean(keys["requestRateLimit"]) { configuration.host.requestRateLimit = limits }
    configuration.host.allowedHosts = allowedHosts(keys["allowedHosts"])
    configuration.host.scaleOutRate = nodes.integer(keys["scaleOutRate"], in: 1...100_000)
    if configuration.host.unreservedMinimum > configuration.host.accountConcurrency {
      let entry = keys["unreservedMinimum"] ?? keys["accountConcurrency"]
      let minimum = configuration.host.unreservedMinimum
      nodes.add(
        entry?.value ?? node,
        "unreservedMinimum is \(minimum)\(keys["unreservedMinimum"] == nil ? " by default" : ""), more than "
          + "accountConcurrency, \(configuration.host.accountConcurrency); write a smaller unreservedMinimum.")
    }
  }

  private mutating func readIdentity(_ keys: [String: YAMLNode.Entry]) {
    if let entry = keys["region"], let text = nodes.text(entry) {
      if HostIdentity.isRegion(text) {
        configuration.host.identity.region = text
      } else {
        nodes.add(entry.value, "region must be the name of a region such as eu-west-1, but is \(quoted(text)).")
      }
    }
    if let entry = keys["accountId"], let text = nodes.text(entry) {
      if HostIdentity.isAccount(text) {
        configuration.host.identity.account = text
      } else {
        nodes.add(entry.value, "accountId must be the 12 digits of an AWS account, but is \(quoted(text)).")
      }
    }
  }

  private mutating func checkAddresses(agent: YAMLNode.Entry?, host: YAMLNode.Entry?) {
    let address = configuration.agent.listen
    guard address.port != 0, address == configuration.host.listen, let entry = host ?? agent else { return }
    nodes.add(entry.value, "agent and host would both listen on \(address); write another port for one of them.")
  }

  /// What functions keep for themselves must leave the unreserved minimum.
  private mutating func checkReservations(functions: YAMLNode.Entry?) {
    guard let functions else { return }
    let kept = configuration.functions.reduce(Int64(0)) { $0 + ($1.reserved ?? $1.provisioned ?? 0) }
    let host = configuration.host
    let available = max(0, host.accountConcurrency - host.unreservedMinimum)
    guard kept > available, host.unreservedMinimum <= host.accountConcurrency else { return }
    let message =
      "The functions reserve or provision \(kept) together, but accountConcurrency \(host.accountConcurrency) less unreservedMinimum "
      + "\(host.unreservedMinimum) leaves \(available); reserve or provision less, or raise accountConcurrency."
    nodes.problems.append(ConfigurationProblem(line: functions.line, column: functions.column, message: message))
  }
}
