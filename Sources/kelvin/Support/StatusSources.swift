import AWSClient
import BlockingHTTP
import Documents
import LambdaControl
import Lifecycle

/// The answers of agent and control plane to `kelvin status`.
struct StatusSources {
  var document: OverviewDocument
  /// `nil` without an agent.
  var instances: InstancesDocument?
  /// `nil` without a host of Kelvin's.
  var schedules: ScheduleLines?
  /// What is missing and why, a sentence or two each.
  var notes: [String] = []

  /// Asks both.
  ///
  /// An agent watches the host beside it, so next to functions of another service it is asked only if somebody names it.
  ///
  /// - Throws: ``CommandFailure`` if neither answers, or AWS or a service that was named does not.
  static func asked(agent: String?, control: ControlOptions, functions: [String]?) async throws -> StatusSources {
    let isAgentNamed = agent != nil || !(Console.environment(Server.agent.variable) ?? "").isEmpty
    let isForeign = control.isAWS || control.endpointURL != nil
    let seen = isForeign && !isAgentNamed ? nil : Result { () throws(CommandFailure) in try AgentAnswer.asked(agent) }
    if let failure = seen?.failure, failure.exitCode == CommandFailure.usage("").exitCode { throw failure }
    let answer = seen.flatMap { try? $0.get() }
    let target = try ControlTarget(control, fallback: answer?.status.host?.listen)
    let overview: ControlOverview
    do {
      overview = try await target.withClient { client in
        try await UnknownFunction.reported(functions ?? [], of: client) { try await client.overview(of: functions) }
      }
    } catch let failure as CommandFailure {
      return try withoutControl(seen, failure, isForeign: isForeign, functions: functions)
    }
    let document = ControlDocument(overview, region: target.kind == .host ? nil : overview.region)
    var sources = StatusSources(
      document: OverviewDocument(status: answer?.status, control: document), instances: answer?.instances)
    sources.schedules = target.schedules()
    sources.notes = overview.gaps.map { "\($0.message) Its values are left out." }
    if case .failure(let failure)? = seen {
      sources.notes.append("\(failure.message) Without it, instances and totals are not shown.")
    } else if let host = answer?.status.host, !isAgentNamed, !isSame(host.listen, overview.endpoint) {
      sources.notes.append(
        "The agent watches the host at \(host.listen), not \(overview.endpoint); the agent's values are left out. "
          + "To see both, name the agent with --agent.")
      sources.leaveAgentOut()
    }
    sources.keep(functions)
    return sources
  }

  /// The agent's part alone.
  private static func withoutControl(
    _ seen: Result<AgentAnswer, CommandFailure>?, _ failure: CommandFailure, isForeign: Bool, functions: [String]?
  ) throws -> StatusSources {
    guard let seen, !isForeign, failure.exitCode != CommandFailure.usage("").exitCode else { throw failure }
    guard case .success(let answer) = seen else {
      // Where nobody answers at all, the agent's failure says how to start both.
      throw failure.exitCode == CommandFailure.unreachable("").exitCode ? seen.failure ?? failure : failure
    }
    var sources = StatusSources(
      document: OverviewDocument(status: answer.status, control: nil), instances: answer.instances)
    // An agent without a host in its process is asked alone on purpose.
    if answer.status.host != nil { sources.notes = ["\(failure.message) Only the agent's values are shown."] }
    let known = answer.status.functions.map(\.function)
    if let missing = functions?.first(where: { !known.contains($0) }) {
      throw UnknownFunction.failure(missing, known: known, at: "at \(answer.place)")
    }
    sources.keep(functions)
    return sources
  }

  private mutating func leaveAgentOut() {
    document.status = nil
    instances = nil
  }

  /// Of these functions alone, where somebody named some.
  private mutating func keep(_ functions: [String]?) {
    guard let functions else { return }
    document.status?.functions.removeAll { !functions.contains($0.function) }
    schedules?.entries.removeAll { !functions.contains($0.function) }
    instances?.instances.removeAll { !functions.contains($0.function) }
  }

  /// Whether the address that an agent gives of its host is where the functions are.
  private static func isSame(_ listen: String, _ endpoint: EndpointURL) -> Bool {
    guard let host = try? EndpointURL("http://\(listen)") else { return false }
    return host.port == endpoint.port && (host.host == endpoint.host || (host.isLoopback && endpoint.isLoopback))
  }
}

/// An agent's answer.
private struct AgentAnswer {
  var status: StatusDocument
  var instances: InstancesDocument
  /// The agent's address.
  var place: String

  static func asked(_ option: String?) throws(CommandFailure) -> AgentAnswer {
    do {
      let client = try ServerClient(.agent, option: option)
      let status = try client.get("/api/v1/status").body
      let instances = try client.get("/api/v1/instances").body
      return AgentAnswer(
        status: try StatusDocument(json: status), instances: try InstancesDocument(json: instances),
        place: "\(client.address)")
    } catch let failure as CommandFailure {
      throw failure
    } catch {
      throw CommandFailure.failure("The agent's answer cannot be read: \(error).")
    }
  }
}

extension Result {
  fileprivate var failure: Failure? {
    switch self {
    case .success: nil
    case .failure(let failure): failure
    }
  }
}

extension ControlDocument {
  init(_ overview: ControlOverview, region: String?) {
    self.init(
      endpoint: "\(overview.endpoint)", region: region, unknown: overview.gaps.map(\.call),
      account: overview.account.value.map { .init(concurrencyLimit: $0.limit, unreservedConcurrency: $0.unreserved) },
      functions: overview.functions.map { .init($0) })
  }
}

extension ControlDocument.Function {
  fileprivate init(_ entry: ControlOverview.Entry) {
    let function = entry.function
    let reserved: ControlDocument.Reserved =
      switch entry.reserved {
      case .unknown: .unknown
      case .known(let reserved): reserved.map { .some($0) } ?? .none
      }
    self.init(
      name: function.name, state: function.state, memoryLimitBytes: function.memoryMegabytes.map { $0 << 20 },
      timeout: function.timeout, temporaryStorageLimitBytes: function.temporaryStorageMegabytes.map { $0 << 20 },
      reserved: reserved, provisioned: entry.provisioned.value.map { $0.map { .init($0) } })
  }
}
