import Lifecycle
import Testing

@testable import HostRules

private let first = Identifier128(high: 1, low: 1)
private let second = Identifier128(high: 2, low: 2)

@Suite struct `The states of an instance's extensions` {
  /// A machine whose external extension `agent` is in a state.
  private func machine(_ state: ExtensionMachine.State, _ events: [String] = ["INVOKE", "SHUTDOWN"]) throws
    -> ExtensionMachine
  {
    var machine = ExtensionMachine(externals: ["agent"])
    if state == .started { return machine }
    if state == .exited {
      _ = machine.exited("agent")
      return machine
    }
    try machine.register("agent", events, as: first)
    switch state {
    case .registered: break
    case .ready: _ = try machine.next(first)
    case .running:
      _ = try machine.next(first)
      machine.closeRegistration()
      #expect(machine.handOver() == [first])
    case .initializationError, .exitError: try machine.fail(first, state)
    case .started, .exited: break
    }
    return machine
  }

  /// What becomes of the member, or the refusal.
  private func outcome(
    _ state: ExtensionMachine.State, _ call: (inout ExtensionMachine) throws -> Void
  ) throws -> String {
    var machine = try machine(state)
    do {
      try call(&machine)
      return machine.members[0].state.rawValue
    } catch ExtensionMachine.Refusal.invalidState {
      return "refused"
    } catch ExtensionMachine.Refusal.unknown {
      return "unknown"
    }
  }

  private static let states: [ExtensionMachine.State] = [
    .started, .registered, .ready, .running, .initializationError, .exitError, .exited,
  ]

  @Test func `answers every call in every state`() throws {
    let expected: [String: [String]] = [
      "register": ["Registered", "refused", "refused", "refused", "refused", "refused", "refused"],
      "next": ["unknown", "Ready", "Ready", "Ready", "refused", "refused", "unknown"],
      "init/error": ["unknown", "InitError", "refused", "refused", "refused", "refused", "unknown"],
      "exit/error": ["unknown", "ExitError", "ExitError", "ExitError", "refused", "refused", "unknown"],
      "invoke": ["Started", "Registered", "Running", "Running", "InitError", "ExitError", "Exited"],
      "exit": ["Exited", "Exited", "Exited", "Exited", "Exited", "Exited", "Exited"],
    ]
    let calls: [String: (inout ExtensionMachine) throws -> Void] = [
      "register": { try $0.register("agent", [], as: second) }, "next": { _ = try $0.next(first) },
      "init/error": { try $0.fail(first, .initializationError) }, "exit/error": { try $0.fail(first, .exitError) },
      "invoke": { _ = $0.handOver() }, "exit": { _ = $0.exited("agent") },
    ]
    for (name, call) in calls {
      #expect(try Self.states.map { try outcome($0, call) } == expected[name], "\(name)")
    }
  }

  @Test func `knows in every state whether the runtime may start and whether anybody is waited for`() throws {
    let registered = try Self.states.map { try machine($0).areExternalsRegistered }
    #expect(registered == [false, true, true, true, true, true, true])
    #expect(try Self.states.map { try machine($0).isSettled } == [false, false, true, false, true, true, true])
  }

  @Test func `tells of invocations only those that registered for them`() throws {
    var machine = ExtensionMachine(externals: ["a", "b", "c"])
    try machine.register("a", ["INVOKE"], as: first)
    try machine.register("b", ["SHUTDOWN"], as: second)
    try machine.register("c", [], as: Identifier128(high: 3, low: 3))
    for identifier in [first, second, Identifier128(high: 3, low: 3)] { _ = try machine.next(identifier) }
    #expect(machine.isSettled && machine.takesInvocations)
    #expect(machine.handOver() == [first])
    #expect(!machine.isSettled)
    #expect(try machine.next(first) == .wait)
    #expect(machine.isSettled)
  }

  @Test func `takes internal extensions until the runtime has asked for an event, and for INVOKE alone`() throws {
    var machine = ExtensionMachine(externals: [])
    #expect(throws: ExtensionMachine.Refusal.invalidEvent("SHUTDOWN")) {
      try machine.register("inner", ["INVOKE", "SHUTDOWN"], as: first)
    }
    try machine.register("inner", ["INVOKE", "INVOKE"], as: first)
    #expect(machine.members.map(\.events) == [[.invoke]])
    #expect(throws: ExtensionMachine.Refusal.nameInUse) { try machine.register("inner", [], as: second) }
    machine.closeRegistration()
    #expect(throws: ExtensionMachine.Refusal.registrationClosed) { try machine.register("late", [], as: second) }
    #expect(machine.budget == .milliseconds(500))
  }

  @Test func `refuses unknown events, unknown identifiers and the eleventh extension`() throws {
    var machine = ExtensionMachine(externals: ["agent"])
    #expect(throws: ExtensionMachine.Refusal.invalidEvent("RESTORE")) {
      try machine.register("agent", ["RESTORE"], as: first)
    }
    #expect(throws: ExtensionMachine.Refusal.unknown(second)) { try machine.next(second) }
    for number in 1..<ExtensionMachine.limit {
      try machine.register("inner\(number)", [], as: Identifier128(high: 9, low: UInt64(number)))
    }
    #expect(throws: ExtensionMachine.Refusal.tooMany) { try machine.register("more", [], as: second) }
  }

  @Test func `ends at once without extensions`() {
    var machine = ExtensionMachine(externals: [])
    #expect(machine.end(isRuntimeAlive: true) == [.finish])
    #expect(machine.end(isRuntimeAlive: true) == [])
    // One that never registered has no part in the end.
    var silent = ExtensionMachine(externals: ["agent"])
    #expect(silent.end(isRuntimeAlive: false) == [.finish])
  }

  @Test func `gives the runtime its part of the budget, then extensions theirs`() throws {
    var machine = try machine(.ready)
    #expect(machine.end(isRuntimeAlive: true) == [.terminateRuntime(within: .milliseconds(600))])
    #expect(
      machine.timePassed() == [.killRuntime, .tellShutdown([first]), .await(.milliseconds(1400))])
    #expect(machine.runtimeExited(left: .zero) == [])
    #expect(machine.timePassed() == [.finish])
    #expect(machine.timePassed() == [])
  }

  @Test func `goes on as soon as the runtime has ended, and finishes with the last extension`() throws {
    var machine = try machine(.ready)
    _ = machine.end(isRuntimeAlive: true)
    #expect(machine.runtimeExited(left: .milliseconds(1900)) == [.tellShutdown([first]), .await(.milliseconds(1900))])
    #expect(machine.exited("agent") == [.finish])
  }

  @Test func `tells an extension of the end when it asks, if it was busy`() throws {
    var machine = try machine(.running)
    #expect(machine.end(isRuntimeAlive: false) == [.await(.milliseconds(2000))])
    #expect(try machine.next(first) == .shutdown)
    #expect(machine.exited("agent") == [.finish])
  }

  @Test func `tells an extension of the end once, and lets it wait when it asks again`() throws {
    var machine = try machine(.ready)
    #expect(machine.end(isRuntimeAlive: false) == [.tellShutdown([first]), .await(.milliseconds(2000))])
    #expect(try machine.next(first) == .wait)
    #expect(try machine.next(first) == .wait)
    var busy = try self.machine(.running)
    _ = busy.end(isRuntimeAlive: false)
    #expect(try busy.next(first) == .shutdown)
    #expect(try busy.next(first) == .wait)
    #expect(busy.timePassed() == [.finish])
  }

  @Test func `kills who is not to be told, and waits for nobody else`() throws {
    var machine = try machine(.ready, ["INVOKE"])
    #expect(machine.end(isRuntimeAlive: false) == [.killExtension("agent"), .await(.milliseconds(2000))])
    #expect(machine.exited("agent") == [.finish])
    var failed = try self.machine(.exitError)
    #expect(failed.end(isRuntimeAlive: false) == [.killExtension("agent"), .await(.milliseconds(2000))])
  }

  @Test func `gives internal extensions half a second and no word`() throws {
    var machine = ExtensionMachine(externals: [])
    try machine.register("inner", ["INVOKE"], as: first)
    #expect(machine.end(isRuntimeAlive: true) == [.terminateRuntime(within: .milliseconds(150))])
    #expect(machine.runtimeExited(left: .milliseconds(400)) == [.finish])
    #expect(throws: ExtensionMachine.Refusal.registrationClosed) { try machine.register("late", [], as: second) }
  }

  @Test func `takes an exit for a crash unless the instance is ending`() throws {
    var machine = try machine(.running)
    #expect(machine.exited("agent") == nil)
    #expect(machine.isSettled)
  }
}
