import Text
import Lifecycle

/// Walks a document and gathers what it says, and all that is wrong with it.
struct ConfigurationReader {
  /// Where relative folders begin.
  let folder: String
  /// Whether there is a folder at a path.
  let folderExists: (String) -> Bool
  /// Looks for the programs of functions; `nil`: they are not looked for.
  var programs: ProgramSearch?
  var configuration = KelvinConfiguration()
  var problems: [ConfigurationProblem] = []
  var warnings: [ConfigurationProblem] = []

  init(folder: String, folderExists: @escaping (String) -> Bool) {
    self.folder = folder
    self.folderExists = folderExists
    configuration.agent.dataDirectory = Self.absolute(configuration.agent.dataDirectory, in: folder)
  }

  mutating func read(_ text: String) {
    guard let root = YAMLDocument.read(text, problems: &problems) else { return }
    let sections = entries(of: root, name: "the file", keys: ["agent", "host", "functions", "alerts"])
    if let agent = sections["agent"] { readAgent(agent.value) }
    if let host = sections["host"] { readHost(host.value) }
    if let functions = sections["functions"] { readFunctions(functions) }
    if let alerts = sections["alerts"] { readAlerts(alerts.value) }
    checkAddresses(agent: sections["agent"], host: sections["host"])
    checkReservations(functions: sections["functions"])
  }

  private mutating func readAgent(_ node: YAMLNode) {
    let keys = entries(of: node, name: "agent", keys: ["listen", "dataDirectory", "window"])
    if let listen = address(keys["listen"]) { configuration.agent.listen = listen }
    if let path = path(keys["dataDirectory"]) { configuration.agent.dataDirectory = path }
    if let entry = keys["window"], let window = duration(entry) {
      let seconds = window.count / 1_000_000_000
      if window.count % 1_000_000_000 == 0, (1...3600).contains(seconds), 3600 % seconds == 0 {
        configuration.agent.window = window
      } else {
        add(entry.value, "window must be a whole number of seconds from 1s to 1h that divides an hour; write 60s.")
      }
    }
  }

  private mutating func readHost(_ node: YAMLNode) {
    let keys = entries(
      of: node, name: "host",
      keys: [
        "listen", "accountConcurrency", "unreservedMinimum", "requestRateLimit", "scaleOutRate", "isolation",
        "allowedHosts", "region", "accountId",
      ])
    if let listen = address(keys["listen"]) { configuration.host.listen = listen }
    readIdentity(keys)
    if let entry = keys["isolation"], let text = text(entry) {
      if let mode = IsolationMode(rawValue: text) {
        configuration.host.isolation = mode
      } else {
        add(entry.value, "isolation must be auto or none, but is \(quoted(text)).")
      }
    }
    if let count = integer(keys["accountConcurrency"], in: 1...100_000) {
      configuration.host.accountConcurrency = count
    }
    if let count = integer(keys["unreservedMinimum"], in: 0...100_000) { configuration.host.unreservedMinimum = count }
    if let limits = boolean(keys["requestRateLimit"]) { configuration.host.requestRateLimit = limits }
    configuration.host.allowedHosts = allowedHosts(keys["allowedHosts"])
    configuration.host.scaleOutRate = integer(keys["scaleOutRate"], in: 1...100_000)
    if configuration.host.unreservedMinimum > configuration.host.accountConcurrency {
      let entry = keys["unreservedMinimum"] ?? keys["accountConcurrency"]
      let minimum = configuration.host.unreservedMinimum
      add(
        entry?.value ?? node,
        "unreservedMinimum is \(minimum)\(keys["unreservedMinimum"] == nil ? " by default" : ""), more than "
          + "accountConcurrency, \(configuration.host.accountConcurrency); write a smaller unreservedMinimum.")
    }
  }

  private mutating func readIdentity(_ keys: [String: YAMLNode.Entry]) {
    if let entry = keys["region"], let text = text(entry) {
      if HostIdentity.isRegion(text) {
        configuration.host.identity.region = text
      } else {
        add(entry.value, "region must be the name of a region such as eu-west-1, but is \(quoted(text)).")
      }
    }
    if let entry = keys["accountId"], let text = text(entry) {
      if HostIdentity.isAccount(text) {
        configuration.host.identity.account = text
      } else {
        add(entry.value, "accountId must be the 12 digits of an AWS account, but is \(quoted(text)).")
      }
    }
  }

  private mutating func checkAddresses(agent: YAMLNode.Entry?, host: YAMLNode.Entry?) {
    let address = configuration.agent.listen
    guard address.port != 0, address == configuration.host.listen, let entry = host ?? agent else { return }
    add(entry.value, "agent and host would both listen on \(address); write another port for one of them.")
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
    problems.append(ConfigurationProblem(line: functions.line, column: functions.column, message: message))
  }
}

// What a value may be; each adds a problem and returns nil if it is something else.
extension ConfigurationReader {
  mutating func add(_ node: YAMLNode, _ message: String) {
    problems.append(ConfigurationProblem(line: node.line, column: node.column, message: message))
  }

  /// The entries of a mapping by key. Nothing instead of a mapping means an empty one. Unknown and repeated keys are problems;
  /// of repeated ones the first counts.
  mutating func entries(of node: YAMLNode, name: String, keys known: [String]) -> [String: YAMLNode.Entry] {
    var result: [String: YAMLNode.Entry] = [:]
    for entry in uniqueEntries(of: node, name: name) {
      if known.contains(entry.key) {
        result[entry.key] = entry
        continue
      }
      let hint =
        Suggestion.closest(to: entry.key, in: known).map { "did you mean \($0)?" }
        ?? "its keys are \(known.joined(separator: ", "))."
      let message = "\(quoted(entry.key)) is not a key of \(name); \(hint)"
      problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
    }
    return result
  }

  mutating func uniqueEntries(of node: YAMLNode, name: String) -> [YAMLNode.Entry] {
    guard case .map(let entries) = node.value else {
      if case .null = node.value { return [] }
      add(node, "\(name) must be a mapping of keys to values, but is \(node.kind).")
      return []
    }
    var firstLines: [String: Int] = [:]
    return entries.filter { entry in
      guard let first = firstLines[entry.key] else {
        firstLines[entry.key] = entry.line
        return true
      }
      let message = "\(quoted(entry.key)) is written twice in \(name), first in line \(first); keep one."
      problems.append(ConfigurationProblem(line: entry.line, column: entry.column, message: message))
      return false
    }
  }

  mutating func text(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry else { return nil }
    switch entry.value.value {
    case .text(let text, _): return text
    case .null:
      problems.append(
        ConfigurationProblem(
          line: entry.line, column: entry.column,
          message: "\(entry.key) has no value; write one, or leave the line out."))
    case .list, .map: add(entry.value, "\(entry.key) must be one value, but is \(entry.value.kind).")
    }
    return nil
  }

  mutating func integer(_ entry: YAMLNode.Entry?, in range: ClosedRange<Int64>) -> Int64? {
    guard let entry, let text = text(entry) else { return nil }
    let isNumber = text.utf8.count <= 18 && text.utf8.allSatisfy { (48...57).contains($0) }
    guard case .text(_, isPlain: true) = entry.value.value, isNumber, let number = Int64(text), range.contains(number)
    else {
      add(
        entry.value,
        "\(entry.key) must be a whole number from \(range.lowerBound) to \(range.upperBound), without quotes, but is "
          + "\(quoted(text)).")
      return nil
    }
    return number
  }

  mutating func duration(_ entry: YAMLNode.Entry) -> Nanoseconds? {
    guard let text = text(entry) else { return nil }
    do {
      return try DurationText.parse(text)
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
      return nil
    }
  }

  mutating func memory(_ entry: YAMLNode.Entry?, megabytes range: ClosedRange<Int64>) -> Int64? {
    guard let entry, let text = text(entry) else { return nil }
    do {
      let bytes = try MemoryText.bytes(text)
      if range.contains(bytes / MemoryText.bytesPerMegabyte) { return bytes }
      add(
        entry.value,
        "\(entry.key) must be from \(range.lowerBound)MB to \(range.upperBound / 1024)GB, but is \(quoted(text)).")
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
    }
    return nil
  }

  mutating func path(_ entry: YAMLNode.Entry?) -> String? {
    guard let entry, let text = text(entry) else { return nil }
    guard !text.isEmpty, text.utf8.count <= 4095, !text.utf8.contains(0) else {
      add(entry.value, "\(entry.key) must be the path of a folder, of at most 4,095 bytes.")
      return nil
    }
    return Self.absolute(text, in: folder)
  }

  private mutating func address(_ entry: YAMLNode.Entry?) -> ListenAddress? {
    guard let entry, let text = text(entry) else { return nil }
    do {
      return try ListenAddress.parse(text)
    } catch {
      add(entry.value, "\(entry.key): \(error.message).")
      return nil
    }
  }

  /// `path` after `folder` unless it is absolute; steps that go nowhere are taken out.
  static func absolute(_ path: String, in folder: String) -> String {
    let joined = path.hasPrefix("/") ? path : "\(folder)/\(path)"
    let steps = joined.split(separator: "/").filter { $0 != "." }
    return (joined.hasPrefix("/") ? "/" : "") + steps.joined(separator: "/")
  }
}
