import Lifecycle
import Testing

@testable import HostRules

struct InstanceMachineTests {
  typealias Step = InstanceMachine.Step
  private static let current = RequestID(Identifier128(high: 0, low: 1))
  private static let other = RequestID(Identifier128(high: 0, low: 2))

  enum Start: String, CaseIterable {
    case initializing, waiting, running, overdue, answered, ended

    func machine() -> InstanceMachine {
      var machine = InstanceMachine()
      guard self != .initializing else { return machine }
      _ = machine.take(.next)
      if self == .running || self == .overdue || self == .answered { _ = machine.handOver(current) }
      if self == .overdue { machine.passDeadline() }
      if self == .answered { _ = machine.take(.response(current)) }
      if self == .ended { _ = machine.end() }
      return machine
    }
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var start: Start
    var call: InstanceMachine.Call
    var step: Step
    var after: InstanceMachine.State
    var testDescription: String { "\(start): \(call)" }

    init(_ start: Start, _ call: InstanceMachine.Call, _ step: Step, _ after: InstanceMachine.State) {
      (self.start, self.call, self.step, self.after) = (start, call, step, after)
    }
  }

  private static func refused(_ from: String, _ to: String) -> Step { Step(reply: .invalidState(from: from, to: to)) }
  private static let response = "RuntimeInvocationResponse"
  private static let failure = "RuntimeInvocationErrorResponse"

  static let nextCases = [
    Case(.initializing, .next, Step(reply: .wait, effect: .initialized), .waiting),
    Case(.waiting, .next, Step(reply: .waitsAlready), .waiting),
    Case(.running, .next, Step(reply: .sameEvent), .running(current)),
    Case(.overdue, .next, Step(reply: .wait, effect: .available), .waiting),
    Case(.answered, .next, Step(reply: .wait, effect: .available), .waiting),
    Case(.ended, .next, refused("RuntimeEnded", "RuntimeReady"), .ended),
  ]

  static let answerCases = [
    Case(.initializing, .response(current), Step(reply: .invalidRequestID), .initializing),
    Case(.waiting, .response(current), Step(reply: .invalidRequestID), .waiting),
    Case(.running, .response(current), Step(reply: .accepted, effect: .answered(current)), .answered(current)),
    Case(.running, .response(other), Step(reply: .invalidRequestID), .running(current)),
    Case(.overdue, .response(current), Step(reply: .accepted, overlapEnded: current), .answered(current)),
    Case(.overdue, .response(other), Step(reply: .invalidRequestID), .overdue(current)),
    Case(.answered, .response(current), refused("RuntimeResponseSent", response), .answered(current)),
    Case(.answered, .response(other), Step(reply: .invalidRequestID), .answered(current)),
    Case(.ended, .response(current), refused("RuntimeEnded", response), .ended),
    Case(.initializing, .error(current, isHandlerTimeout: false), Step(reply: .invalidRequestID), .initializing),
    Case(.waiting, .error(current, isHandlerTimeout: true), Step(reply: .invalidRequestID), .waiting),
    Case(
      .running, .error(current, isHandlerTimeout: false), Step(reply: .accepted, effect: .answered(current)),
      .answered(current)),
    Case(
      .running, .error(current, isHandlerTimeout: true), Step(reply: .accepted, effect: .answered(current)),
      .answered(current)),
    Case(.running, .error(other, isHandlerTimeout: true), Step(reply: .invalidRequestID), .running(current)),
    Case(
      .overdue, .error(current, isHandlerTimeout: false), Step(reply: .accepted, overlapEnded: current),
      .answered(current)),
    Case(.overdue, .error(current, isHandlerTimeout: true), Step(reply: .accepted), .answered(current)),
    Case(
      .answered, .error(current, isHandlerTimeout: false), refused("RuntimeResponseSent", failure), .answered(current)),
    Case(.ended, .error(current, isHandlerTimeout: false), refused("RuntimeEnded", failure), .ended),
  ]

  static let otherCases = [
    Case(.initializing, .initializationError, Step(reply: .accepted, effect: .initializationFailed), .ended),
    Case(.waiting, .initializationError, refused("RuntimeReady", "RuntimeInitError"), .waiting),
    Case(.running, .initializationError, refused("RuntimeRunning", "RuntimeInitError"), .running(current)),
    Case(.overdue, .initializationError, refused("RuntimeRunning", "RuntimeInitError"), .overdue(current)),
    Case(.answered, .initializationError, refused("RuntimeResponseSent", "RuntimeInitError"), .answered(current)),
    Case(.ended, .initializationError, refused("RuntimeEnded", "RuntimeInitError"), .ended),
    Case(.initializing, .overlapEnded(current), Step(reply: .accepted), .initializing),
    Case(.waiting, .overlapEnded(current), Step(reply: .accepted), .waiting),
    Case(.running, .overlapEnded(current), Step(reply: .accepted), .running(current)),
    Case(.overdue, .overlapEnded(current), Step(reply: .accepted), .overdue(current)),
    Case(.answered, .overlapEnded(current), Step(reply: .accepted), .answered(current)),
    Case(.ended, .overlapEnded(current), Step(reply: .accepted), .ended),
  ]

  @Test(arguments: nextCases + answerCases + otherCases)
  func `answers every call in every state`(_ given: Case) {
    var machine = given.start.machine()
    #expect(machine.take(given.call) == given.step)
    #expect(machine.state == given.after)
  }

  @Test func `passes a deadline only while it runs`() {
    for start in Start.allCases {
      var machine = start.machine()
      let before = machine.state
      machine.passDeadline()
      #expect(machine.state == (start == .running ? .overdue(Self.current) : before))
    }
  }

  @Test func `tells at its end which handlers still ran`() {
    for start in Start.allCases {
      var machine = start.machine()
      #expect(machine.end() == (start == .overdue ? [Self.current] : []))
      #expect(machine.state == .ended)
    }
  }

  @Test func `follows a handler that runs on beside the next event`() {
    var machine = Start.overdue.machine()
    #expect(machine.take(.next) == Step(reply: .wait, effect: .available))
    #expect(machine.isOverlapping(Self.current) == true)
    #expect(machine.handOver(Self.other) == [Self.current])
    // The late answer of the old handler ends the overlap and is not an answer of the new one.
    #expect(machine.take(.response(Self.current)) == Step(reply: .accepted, overlapEnded: Self.current))
    #expect(machine.take(.response(Self.current)) == Step(reply: .invalidRequestID))
    #expect(machine.state == .running(Self.other))
    #expect(machine.end() == [])
  }

  @Test func `takes the answer of an event that is repeated beside its own old handler`() {
    var machine = Start.overdue.machine()
    _ = machine.take(.next)
    #expect(machine.handOver(Self.current) == [Self.current])
    #expect(machine.take(.response(Self.current)) == Step(reply: .accepted, effect: .answered(Self.current)))
    #expect(machine.take(.overlapEnded(Self.current)) == Step(reply: .accepted, overlapEnded: Self.current))
  }

  @Test func `tells the start of an overlap once`() {
    var machine = Start.running.machine()
    _ = machine.take(.error(Self.current, isHandlerTimeout: true))
    _ = machine.take(.next)
    #expect(machine.handOver(Self.other) == [Self.current])
    _ = machine.take(.response(Self.other))
    _ = machine.take(.next)
    #expect(machine.handOver(RequestID(Identifier128(high: 0, low: 3))) == [])
    #expect(machine.take(.overlapEnded(Self.current)) == Step(reply: .accepted, overlapEnded: Self.current))
    #expect(machine.take(.overlapEnded(Self.current)) == Step(reply: .accepted))
  }

  @Test func `follows a bounded number of overlaps and counts the oldest as ended`() {
    var machine = InstanceMachine()
    _ = machine.take(.next)
    for number in 0..<InstanceMachine.overlapsLimit + 1 {
      let request = RequestID(Identifier128(high: 9, low: UInt64(number)))
      _ = machine.handOver(request)
      let step = machine.take(.error(request, isHandlerTimeout: true))
      let displaced =
        number == InstanceMachine.overlapsLimit ? RequestID(Identifier128(high: 9, low: 0)) : nil
      #expect(step == Step(reply: .accepted, effect: .answered(request), overlapEnded: displaced))
      _ = machine.take(.next)
    }
    #expect(machine.end().count == InstanceMachine.overlapsLimit)
  }

  @Test func `has a bug if an event is handed to an instance that did not ask`() async {
    await #expect(processExitsWith: .failure) {
      var machine = InstanceMachine()
      _ = machine.handOver(RequestID(.zero))
    }
  }
}
