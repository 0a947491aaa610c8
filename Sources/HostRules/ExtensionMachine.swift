package import Lifecycle

/// The extensions of one instance: the answer to each call in each state, when the runtime may start, when all
/// extensions have finished with an invocation, and the steps of the instance's end.
///
/// An extension is known before it registers if it is external (a program that the host starts); an internal one, which
/// is a part of the runtime's process, becomes known when it registers. `event/next` is the hinge: the first one ends an
/// extension's own initialization, every other one ends its part in an invocation.
package struct ExtensionMachine: Sendable {
  /// An event for an extension.
  package enum Event: String, CaseIterable, Sendable {
    /// Each invocation of the instance.
    case invoke = "INVOKE"
    /// The end of the instance; for external extensions only.
    case shutdown = "SHUTDOWN"
  }

  /// Where one extension is, in the words of AWS's telemetry.
  package enum State: String, Equatable, Sendable {
    /// Its program was started (or is about to be); it has not registered.
    case started = "Started"
    /// Registered, and its own initialization goes on.
    case registered = "Registered"
    /// A call of `event/next` waits.
    case ready = "Ready"
    /// It was given an event and has not called again.
    case running = "Running"
    /// It reported that it could not start (`init/error`).
    case initializationError = "InitError"
    /// It reported that it ends because of an error (`exit/error`).
    case exitError = "ExitError"
    /// Its program has ended, or could not be started.
    case exited = "Exited"
  }

  /// One extension.
  package struct Member: Equatable, Sendable {
    /// The name of its file, or the one that it registered with.
    package let name: String
    /// Whether it is a program that the host starts.
    package let isExternal: Bool
    /// Set by its registration; `nil` before.
    package var identifier: Identifier128?
    /// What it registered for.
    package var events: [Event] = []
    /// Where it is.
    package var state = State.started
    /// Whether it got the event that the instance ends. It gets that once: a later call for an event waits for ever.
    package fileprivate(set) var knowsOfEnd = false

    /// Whether an invocation, or the end of the initialization, waits for it.
    fileprivate var isAwaited: Bool { state == .started || state == .registered || state == .running }
  }

  /// Where the instance is, as far as extensions are concerned.
  package enum Phase: Equatable, Sendable {
    /// Registration is open.
    case open
    /// The runtime has asked for its first event.
    case closed
    /// The runtime was asked to end, and has the first part of the budget.
    case endingRuntime
    /// The runtime is gone; extensions have what is left of the budget.
    case endingExtensions
    /// All is over.
    case ended
  }

  /// Why a call is refused.
  package enum Refusal: Error, Equatable, Sendable {
    /// It registered for something that there is not, or that is not for its kind.
    case invalidEvent(String)
    /// It registered too late: the runtime has asked for its first event, or the instance ends.
    case registrationClosed
    /// An internal extension has registered with the name already.
    case nameInUse
    /// ``ExtensionMachine/limit`` is reached.
    case tooMany
    /// No extension has been given the identifier.
    case unknown(Identifier128)
    /// The call does not fit where the extension is.
    case invalidState(from: State, to: State, name: String)
  }

  /// What `event/next` is answered.
  package enum Reply: Equatable, Sendable {
    /// Nothing until there is an event.
    case wait
    /// The instance ends: at once, or when it has been told what came before.
    case shutdown
  }

  /// A step of the instance's end.
  package enum Action: Equatable, Sendable {
    /// Ask the runtime to end, and come back after this time.
    case terminateRuntime(within: Nanoseconds)
    /// End the runtime, which has had its part of the budget.
    case killRuntime
    /// Tell these, whose calls wait, that the instance ends; and come back after this time.
    case tellShutdown([Identifier128])
    /// End the program of that name, which did not register for `SHUTDOWN` or has failed.
    case killExtension(String)
    /// Wait no longer than this for those that got the event.
    case await(Nanoseconds)
    /// End all that is left.
    case finish
  }

  /// The most extensions of one instance.
  package static let limit = 10
  static let budgetInternal = Nanoseconds.milliseconds(500)
  static let budgetExternal = Nanoseconds.milliseconds(2000)
  /// The runtime's part of the budget, in percent.
  static let runtimePercent: Int64 = 30

  /// Where the instance is.
  package private(set) var phase = Phase.open
  /// The external extensions, then those that registered by themselves.
  package private(set) var members: [Member]

  /// Makes a machine before any extension was started.
  ///
  /// - Parameter externals: The names of the programs that the host starts.
  package init(externals: [String]) {
    members = externals.map { Member(name: $0, isExternal: true) }
  }

  /// Whether the runtime may start.
  package var areExternalsRegistered: Bool { !members.contains { $0.isExternal && $0.state == .started } }
  /// Whether nobody is waited for: the initialization, or the invocation, is over as far as extensions are concerned.
  package var isSettled: Bool { !members.contains(where: \.isAwaited) }
  /// Whether an invocation waits for extensions.
  package var takesInvocations: Bool { members.contains { $0.identifier != nil && $0.events.contains(.invoke) } }
  /// Whether any extension has registered.
  package var isAnyoneRegistered: Bool { members.contains { $0.identifier != nil } }

  /// All the time that the instance's end may take.
  package var budget: Nanoseconds {
    if members.contains(where: { $0.isExternal && $0.identifier != nil }) { return ExtensionMachine.budgetExternal }
    return isAnyoneRegistered ? ExtensionMachine.budgetInternal : .zero
  }

  /// The extension that has this identifier by its registration.
  package func member(_ identifier: Identifier128) -> Member? { members.first { $0.identifier == identifier } }

  // MARK: Calls

  /// Registers an extension for events, which are in AWS's words.
  ///
  /// - Throws: ``Refusal`` if it comes too late, has no place, or asks for what is not there for its kind.
  package mutating func register(_ name: String, _ events: [String], as identifier: Identifier128) throws(Refusal) {
    let position = members.firstIndex { $0.name == name }
    let isExternal = position.map { members[$0].isExternal } ?? false
    var wanted: [Event] = []
    for text in events {
      // An internal extension ends with the runtime, so there is nobody to be told.
      guard let event = Event(rawValue: text), isExternal || event == .invoke else { throw .invalidEvent(text) }
      if !wanted.contains(event) { wanted.append(event) }
    }
    guard phase == .open || phase == .closed else { throw .registrationClosed }
    if let position, isExternal {
      guard members[position].state == .started else {
        throw .invalidState(from: members[position].state, to: .registered, name: name)
      }
      members[position].identifier = identifier
      members[position].events = wanted
      members[position].state = .registered
      return
    }
    guard phase == .open else { throw .registrationClosed }
    guard position == nil else { throw .nameInUse }
    guard members.count < ExtensionMachine.limit else { throw .tooMany }
    members.append(
      Member(name: name, isExternal: false, identifier: identifier, events: wanted, state: .registered))
  }

  /// Closes registration for internal extensions: the runtime has asked for its first event.
  package mutating func closeRegistration() {
    if phase == .open { phase = .closed }
  }

  /// Decides what an extension's call of `event/next` is answered.
  ///
  /// - Throws: ``Refusal`` if nobody has the identifier, or the extension has failed or ended.
  package mutating func next(_ identifier: Identifier128) throws(Refusal) -> Reply {
    let position = try position(of: identifier)
    switch members[position].state {
    case .registered, .ready, .running:
      members[position].state = .ready
      guard phase == .endingExtensions, members[position].events.contains(.shutdown), !members[position].knowsOfEnd
      else { return .wait }
      members[position].state = .running
      members[position].knowsOfEnd = true
      return .shutdown
    case .started, .initializationError, .exitError, .exited:
      throw .invalidState(from: members[position].state, to: .ready, name: members[position].name)
    }
  }

  /// Notes that an extension says that it cannot go on.
  ///
  /// - Throws: ``Refusal`` if nobody has the identifier, or the report does not fit where the extension is.
  package mutating func fail(_ identifier: Identifier128, _ state: State) throws(Refusal) {
    let position = try position(of: identifier)
    let isAllowed =
      switch members[position].state {
      case .registered: true
      case .ready, .running: state == .exitError
      case .started, .initializationError, .exitError, .exited: false
      }
    guard isAllowed else {
      throw .invalidState(from: members[position].state, to: state, name: members[position].name)
    }
    members[position].state = state
  }

  // MARK: What happens to the instance

  /// Begins an invocation of the instance.
  ///
  /// - Returns: The extensions that get the event; the invocation waits for them.
  package mutating func handOver() -> [Identifier128] {
    var told: [Identifier128] = []
    for position in members.indices where members[position].state == .ready {
      guard members[position].events.contains(.invoke), let identifier = members[position].identifier else { continue }
      members[position].state = .running
      told.append(identifier)
    }
    return told
  }

  /// Notes that the program of an external extension is gone.
  ///
  /// - Returns: What follows if the instance is ending. `nil`: it is not, and this is a crash.
  package mutating func exited(_ name: String) -> [Action]? {
    if let position = members.firstIndex(where: { $0.name == name && $0.isExternal }) {
      members[position].state = .exited
    }
    switch phase {
    case .open, .closed: return nil
    case .endingRuntime, .ended: return []
    case .endingExtensions: return finishIfAlone()
    }
  }

  /// Begins the end of the instance; does nothing if it has begun.
  ///
  /// - Parameter isRuntimeAlive: Whether there is a runtime to be asked first.
  package mutating func end(isRuntimeAlive: Bool) -> [Action] {
    guard phase == .open || phase == .closed else { return [] }
    guard budget > .zero else {
      phase = .ended
      return [.finish]
    }
    guard isRuntimeAlive else { return endExtensions(within: budget) }
    phase = .endingRuntime
    return [.terminateRuntime(within: Nanoseconds(budget.count * ExtensionMachine.runtimePercent / 100))]
  }

  /// Goes on to the end of the extensions: the runtime's process is gone.
  ///
  /// - Parameter left: What is left of the budget.
  package mutating func runtimeExited(left: Nanoseconds) -> [Action] {
    guard phase == .endingRuntime else { return [] }
    return endExtensions(within: left)
  }

  /// Takes the next step of the end: the time that the last action named is over.
  package mutating func timePassed() -> [Action] {
    switch phase {
    case .open, .closed, .ended: return []
    case .endingRuntime:
      let left = budget.count * (100 - ExtensionMachine.runtimePercent) / 100
      return [.killRuntime] + endExtensions(within: Nanoseconds(left))
    case .endingExtensions:
      phase = .ended
      return [.finish]
    }
  }

  private mutating func endExtensions(within left: Nanoseconds) -> [Action] {
    phase = .endingExtensions
    var told: [Identifier128] = []
    var actions: [Action] = []
    for position in members.indices where members[position].isExternal && members[position].state != .exited {
      let member = members[position]
      if let identifier = member.identifier, member.events.contains(.shutdown), !member.hasFailed {
        guard member.state == .ready else { continue }
        members[position].state = .running
        members[position].knowsOfEnd = true
        told.append(identifier)
      } else {
        actions.append(.killExtension(member.name))
      }
    }
    if !told.isEmpty { actions.insert(.tellShutdown(told), at: 0) }
    let end = finishIfAlone()
    return actions + (end.isEmpty ? [.await(left)] : end)
  }

  private mutating func finishIfAlone() -> [Action] {
    guard !members.contains(where: { $0.isExternal && $0.state != .exited }) else { return [] }
    phase = .ended
    return [.finish]
  }

  private func position(of identifier: Identifier128) throws(Refusal) -> Int {
    guard let position = members.firstIndex(where: { $0.identifier == identifier }) else { throw .unknown(identifier) }
    return position
  }
}

extension ExtensionMachine.Member {
  fileprivate var hasFailed: Bool { state == .initializationError || state == .exitError }
}
