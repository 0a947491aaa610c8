import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore

/// What a reload changed, by the names of functions, each list in order.
package struct HostChanges: Hashable, Sendable {
  /// Functions that there were not before.
  package var added: [String] = []
  /// Functions whose instances are replaced.
  package var changed: [String] = []
  /// Functions of which only limits of concurrency or the rules for browsers changed; their instances stay.
  package var adjusted: [String] = []
  /// Functions that are gone.
  package var removed: [String] = []
  /// Schedules, WebSockets and queues that came, went or changed: the trigger and the name, such as `schedule cleanup`.
  package var eventSources: [String] = []
  /// Keys of the section `host` that were taken over, such as `accountConcurrency`.
  package var hostKeys: [String] = []
  /// How many functions stayed as they were.
  package var unchangedCount = 0

  /// Nothing changed.
  package init() {}
}

/// Another configuration for a host that runs.
///
/// Everything that can be refused is computed first; then the change is made as a whole, within one turn of the loop.
struct HostReload {
  /// What is to become of one function.
  private struct Step {
    enum Kind { case add, revive, change, adjust, remove }
    var kind: Kind
    var function: FunctionIndex
    /// As it is to be; of one that is removed, as it was.
    var specification: FunctionSpecification
    var extensions: FunctionExtensions?
  }

  private let next: HostConfiguration
  private let now: Timestamp
  private let steps: [Step]
  private let limits: Dispatcher.NextLimits

  /// Compares; changes nothing.
  ///
  /// - Throws: ``HostError`` if the configuration contradicts itself or what holds.
  init(_ next: HostConfiguration, in host: isolated HostCore) throws(HostError) {
    guard !host.isStopping else { throw HostError(.configuration, "The host is stopping.") }
    now = host.clock.now()
    try HostCore.validate(next, at: now)
    self.next = next
    steps = try HostReload.steps(to: next, in: host)
    limits = try host.dispatcher.nextLimits(
      (next.accountConcurrency, next.unreservedMinimum), adding: steps.count { $0.kind == .add },
      HostReload.limitsChanges(steps, at: now, in: host), at: now, in: host)
  }

  /// Makes the change.
  func make(in host: isolated HostCore) -> HostChanges {
    for step in steps { prepare(step, in: host) }
    var changes = changes
    changes.eventSources = HostReload.differentSources(host.configuration, next)
    if host.configuration.accountConcurrency != next.accountConcurrency {
      changes.hostKeys.append("accountConcurrency")
    }
    if host.configuration.unreservedMinimum != next.unreservedMinimum { changes.hostKeys.append("unreservedMinimum") }
    var adopted = host.configuration
    adopted.functions = next.functions
    adopted.accountConcurrency = next.accountConcurrency
    adopted.unreservedMinimum = next.unreservedMinimum
    adopted.webSockets = next.webSockets
    adopted.schedules = next.schedules
    adopted.queues = next.queues
    // Functions that are gone are so before anything else is told, and what is told of the others is told later.
    host.adopt(adopted, at: now)
    host.dispatcher.take(limits, in: host)
    for step in steps where [.change, .remove, .revive].contains(step.kind) {
      host.dispatcher.functionChanged(step.function, in: host)
    }
    for step in steps where step.kind == .add {
      host.dispatcher.tellLimits(of: step.function, at: host.clock.now(), in: host)
    }
    for step in steps where [.add, .change, .revive].contains(step.kind) { host.startAhead(step.function) }
    host.queues.configure(next.queues, in: host)
    return changes
  }

  private static func steps(to next: HostConfiguration, in host: isolated HostCore) throws(HostError) -> [Step] {
    let names = Set(next.functions.map(\.name))
    var steps = host.functions.filter { !$0.isRetired && !names.contains($0.id.name) }.map {
      Step(kind: .remove, function: $0.index, specification: $0.configuration)
    }
    let retired = Dictionary(
      host.functions.lazy.filter(\.isRetired).map { ($0.id.name, $0.index) }, uniquingKeysWith: { first, _ in first })
    var position = host.functions.count
    for specification in next.functions {
      let name = specification.name
      guard let index = host.indices[name] else {
        let old = retired[name]
        steps.append(
          Step(
            kind: old == nil ? .add : .revive, function: old ?? FunctionIndex(position: position),
            specification: specification, extensions: try FunctionExtensions(of: specification, logger: host.logger)))
        if old == nil { position += 1 }
        continue
      }
      let extensions = try FunctionExtensions(of: specification, logger: host.logger)
      let current = host[index]
      let replaces =
        !current.configuration.isSameProcess(as: specification) || extensions.names != current.extensionNames
      guard replaces || specification != current.configuration else { continue }
      steps.append(
        Step(
          kind: replaces ? .change : .adjust, function: index, specification: specification, extensions: extensions))
    }
    return steps
  }

  /// What differs between the two configurations; what callers set of the rest stays.
  private static func limitsChanges(
    _ steps: [Step], at now: Timestamp, in host: isolated HostCore
  ) -> [Dispatcher.LimitsChange] {
    steps.compactMap { step in
      let next = step.specification
      var plan = ProvisionedPlan()
      switch step.kind {
      // Paused for good: nothing that still waits somewhere is let in.
      case .remove: return Dispatcher.LimitsChange(function: step.function, reserved: 0, provisioned: plan)
      case .add, .revive:
        plan.set(Deployment.currentAlias, to: next.provisioned, at: now)
        return Dispatcher.LimitsChange(function: step.function, reserved: next.reserved, provisioned: plan)
      case .change, .adjust:
        let old = host[step.function].configuration
        guard old.reserved != next.reserved || old.provisioned != next.provisioned else { return nil }
        plan = host.dispatcher.plan(of: step.function)
        if old.provisioned != next.provisioned { plan.set(Deployment.currentAlias, to: next.provisioned, at: now) }
        let reserved =
          old.reserved == next.reserved ? host.dispatcher.reserved(of: step.function) : next.reserved
        return Dispatcher.LimitsChange(function: step.function, reserved: reserved, provisioned: plan)
      }
    }
  }

  /// Changes what the host knows of a function, before its instances are.
  private func prepare(_ step: Step, in host: isolated HostCore) {
    let (index, specification) = (step.function, step.specification)
    switch step.kind {
    case .remove:
      host[index].isRetired = true
      host.setIndex(nil, of: specification.name)
      host.startFailures[specification.name] = nil
      return
    case .add:
      host.append(
        HostedFunction(
          specification, index: index, deployment: Deployment(at: now, using: &host.generator), identity: host.identity)
      )
      host.setIndex(index, of: specification.name)
    case .revive:
      host[index].isRetired = false
      host[index].deployment = Deployment(at: now, using: &host.generator)
      host[index].forgetCode()
      host.setIndex(index, of: specification.name)
      host.controlPlane.configuredEventLimits[index.position] = [:]
    case .change:
      let old = host[index].configuration
      if old.command != specification.command || old.directory != specification.directory { host[index].forgetCode() }
      host.startFailures[specification.name] = nil
      host[index].deployment.forget(
        VersionSettings.Keys(different: old, specification), at: now, using: &host.generator)
    case .adjust: break
    }
    host[index].configuration = specification
    if let extensions = step.extensions { host[index].take(extensions) }
    host.reporter.logs?.take(specification.name, specification.logFormat, of: index.position)
  }

  private static func differentSources(_ old: HostConfiguration, _ new: HostConfiguration) -> [String] {
    func names<Source: Hashable>(
      _ trigger: Trigger, _ list: KeyPath<HostConfiguration, [Source]>, _ name: (Source) -> String
    )
      -> [String]
    {
      Set(Set(old[keyPath: list]).symmetricDifference(new[keyPath: list]).map { "\(trigger.name) \(name($0))" })
        .sorted()
    }
    return names(.queue, \.queues, \.name) + names(.schedule, \.schedules, \.name)
      + names(.websocket, \.webSockets, \.name)
  }

  private var changes: HostChanges {
    func names(_ kinds: Set<Step.Kind>) -> [String] {
      steps.filter { kinds.contains($0.kind) }.map(\.specification.name).sorted()
    }
    var changes = HostChanges()
    changes.added = names([.add, .revive])
    changes.changed = names([.change])
    changes.adjusted = names([.adjust])
    changes.removed = names([.remove])
    changes.unchangedCount = next.functions.count - changes.added.count - changes.changed.count - changes.adjusted.count
    return changes
  }
}

extension HostedFunction {
  /// The code is another one, and what it configures is not known yet.
  fileprivate mutating func forgetCode() {
    codeMemoryBytes = nil
    codeTimeout = nil
    hasCodeConcurrency = false
  }
}

extension VersionSettings.Keys {
  /// What the file says otherwise than before; there, what callers have set gives way.
  fileprivate init(different old: FunctionSpecification, _ new: FunctionSpecification) {
    self = []
    if old.memoryBytes != new.memoryBytes { insert(.memory) }
    if old.timeout != new.timeout { insert(.timeout) }
    if old.temporaryStorageBytes != new.temporaryStorageBytes { insert(.temporaryStorage) }
    if old.environment != new.environment { insert(.environment) }
  }
}

extension FunctionSpecification {
  /// Whether instances of the one may serve as instances of the other.
  fileprivate func isSameProcess(as other: FunctionSpecification) -> Bool {
    var same = other
    same.reserved = reserved
    same.provisioned = provisioned
    same.cors = cors
    return self == same
  }
}
