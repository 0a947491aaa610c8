import Agent
import Configuration
import FunctionHost
import Lifecycle
import Logging
import Text

/// Reads the configuration again and has the host take over what is different, while everything runs on.
///
/// One reload at a time, in the order in which they were asked for. A file with a problem changes nothing.
actor Reloader {
  /// What a reload did.
  struct Outcome: Sendable {
    /// In the words of the host.
    var changes: HostChanges
    /// Keys that are different and need a restart, such as `agent.listen`.
    var needRestart: [String]
    /// Both for people.
    var sentence: String
  }

  private let path: String
  private let host: FunctionHost?
  private let agent: Agent?
  private let logger: Logger
  /// As they hold.
  private var settings: KelvinConfiguration
  /// The last reload that was asked for.
  private var last: Task<Result<Outcome, ReloadFailure>, Never>?

  /// - Parameter settings: Those that were read when everything started.
  init(
    _ path: String, _ settings: KelvinConfiguration, host: FunctionHost?, agent: Agent?, logger: Logger
  ) {
    self.path = path
    self.settings = settings
    self.host = host
    self.agent = agent
    self.logger = logger
  }

  /// Reads and takes over; says in a document for callers over HTTP what became of it, and logs the same.
  func reload() async -> (succeeded: Bool, document: String) {
    let previous = last
    let task = Task {
      _ = await previous?.value
      return await self.reloadNow()
    }
    last = task
    switch await task.value {
    case .success(let outcome):
      logger.notice("\(outcome.sentence)")
      return (true, ReloadText.document(outcome))
    case .failure(let failure):
      logger.error("The configuration was not reloaded.", metadata: ["reason": "\(failure.text)"])
      return (false, ReloadText.document(failure))
    }
  }

  private func reloadNow() async -> Result<Outcome, ReloadFailure> {
    do {
      let next = try read()
      var changes = HostChanges()
      if let host {
        // Where the data is changes with a restart alone.
        var adopted = next
        adopted.agent.dataDirectory = settings.agent.dataDirectory
        try RuntimeFiles.write(for: adopted)
        changes = try await host.reload(HostConfiguration(adopted, environment: Console.environment))
        agent?.host.functionsChanged(to: next.functions.count)
      }
      let needRestart = RestartKeys.different(settings, next, hasHost: host != nil)
      settings = RestartKeys.holding(of: settings, next)
      return .success(
        Outcome(
          changes: changes, needRestart: needRestart, sentence: ReloadText.sentence(changes, needRestart, path)))
    } catch let error as ReloadFailure {
      return .failure(error)
    } catch let error as CommandFailure {
      return .failure(ReloadFailure(problems: [error.message]))
    } catch let error as HostError {
      return .failure(ReloadFailure(problems: [Sentence.text(error.message)]))
    } catch {
      return .failure(ReloadFailure(problems: ["\(error)"]))
    }
  }

  private func read() throws -> KelvinConfiguration {
    let reading: ConfigurationReading
    do {
      let programs = host == nil ? nil : ProgramSearch(environment: Console.environment)
      reading = try ConfigurationFile.read(path: path, programs: programs)
    } catch {
      throw ReloadFailure(problems: [Sentence.text(error.message)])
    }
    for warning in reading.warnings {
      logger.warning("\(warning.message)", metadata: ["place": "\(path):\(warning.line):\(warning.column)"])
    }
    guard reading.problems.isEmpty else {
      throw ReloadFailure(problems: reading.problems.map { "\(path):\($0)" })
    }
    guard host == nil || !reading.configuration.functions.isEmpty else {
      throw ReloadFailure(problems: ["\(path) has no functions; to stop all of them, stop the host."])
    }
    return reading.configuration
  }
}

/// Why nothing was reloaded.
struct ReloadFailure: Error, Sendable {
  /// Whole sentences, with file and line where a line is to blame; at least one.
  var problems: [String]
  var text: String { problems.joined(separator: " ") }
}

/// The keys of a configuration that hold from the start of the process to its end.
enum RestartKeys {
  /// Those in which two configurations differ, in the order of the file's documentation.
  static func different(_ old: KelvinConfiguration, _ new: KelvinConfiguration, hasHost: Bool) -> [String] {
    var keys: [String] = []
    func compare<Value: Equatable>(_ name: String, _ key: KeyPath<KelvinConfiguration, Value>) {
      if old[keyPath: key] != new[keyPath: key] { keys.append(name) }
    }
    compare("agent.listen", \.agent.listen)
    compare("agent.socket", \.agent.socket)
    compare("agent.dataDirectory", \.agent.dataDirectory)
    compare("agent.tokenFile", \.agent.tokenFile)
    compare("agent.webConfigFile", \.agent.webConfigFile)
    compare("agent.requestsPerSecond", \.agent.requestsPerSecond)
    compare("agent.window", \.agent.window)
    guard hasHost else { return keys }
    compare("host.listen", \.host.listen)
    compare("host.requestRateLimit", \.host.requestRateLimit)
    compare("host.scaleOutRate", \.host.scaleOutRate)
    compare("host.isolation", \.host.isolation)
    compare("host.allowedHosts", \.host.allowedHosts)
    compare("host.identity", \.host.identity)
    return keys
  }

  /// What holds after a reload: the new configuration with the old values of what needs a restart.
  static func holding(of old: KelvinConfiguration, _ new: KelvinConfiguration) -> KelvinConfiguration {
    var holding = new
    holding.agent = old.agent
    holding.host.listen = old.host.listen
    holding.host.requestRateLimit = old.host.requestRateLimit
    holding.host.scaleOutRate = old.host.scaleOutRate
    holding.host.isolation = old.host.isolation
    holding.host.allowedHosts = old.host.allowedHosts
    holding.host.identity = old.host.identity
    return holding
  }
}

/// What a reload did, for people and for programs.
enum ReloadText {
  /// One sentence or two, such as: Reloaded kelvin.yaml: orders changed, mailer is new; 3 functions stay as they were.
  static func sentence(_ changes: HostChanges, _ needRestart: [String], _ path: String) -> String {
    let parts = [
      part(changes.added, "is new", "are new"), part(changes.changed, "changed", "changed"),
      part(changes.adjusted, "has other limits", "have other limits"), part(changes.removed, "is gone", "are gone"),
      part(changes.hostKeys.map { "host.\($0)" }, "is as the file says now", "are as the file says now"),
      part(changes.eventSources, "is as the file says now", "are as the file says now"),
    ].compactMap(\.self)
    var text = "Reloaded \(path): \(parts.isEmpty ? "nothing changed" : parts.joined(separator: "; "))."
    if !needRestart.isEmpty { text += " A restart is needed for \(needRestart.joined(separator: ", "))." }
    return text
  }

  private static func part(_ names: [String], _ one: String, _ many: String) -> String? {
    guard !names.isEmpty else { return nil }
    let shown = names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
    return "\(shown) \(names.count == 1 ? one : many)"
  }

  /// `{"functions":{"added":[…],"changed":[…],"adjusted":[…],"removed":[…],"unchanged":0},"host":[…],"eventSources":[…],"needRestart":[…],"message":"…"}`
  static func document(_ outcome: Reloader.Outcome) -> String {
    func strings(_ names: [String]) -> JSONValue { .array(names.map { .string($0) }) }
    let changes = outcome.changes
    let document: JSONValue = [
      "functions": [
        "added": strings(changes.added), "changed": strings(changes.changed), "adjusted": strings(changes.adjusted),
        "removed": strings(changes.removed), "unchanged": .number(changes.unchangedCount),
      ],
      "host": strings(changes.hostKeys), "eventSources": strings(changes.eventSources),
      "needRestart": strings(outcome.needRestart),
      "message": .string(outcome.sentence),
    ]
    return "\(document.text)\n"
  }

  /// `{"error":{"code":"configuration","message":"…","problems":[…]}}`
  static func document(_ failure: ReloadFailure) -> String {
    let document: JSONValue = [
      "error": [
        "code": "configuration", "message": .string(failure.text),
        "problems": .array(failure.problems.map { .string($0) }),
      ]
    ]
    return "\(document.text)\n"
  }
}
