import Lifecycle
import Testing

@testable import HostRules

/// An instance in each of its phases. It begins to initialize at 1 ms and is ready at 3 ms.
enum InstanceStart: String, CaseIterable {
  case created, initializing, initialized, idle, frozen, running, overdue, answered, awaitingExtensions, ending

  static let current = RequestID(Identifier128(high: 0, low: 1))
  static let other = RequestID(Identifier128(high: 0, low: 2))

  static func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }

  var isServing: Bool { ![.created, .initializing, .initialized, .ending].contains(self) }

  func machine() -> InstanceMachine {
    var machine = InstanceMachine()
    if self == .created { return machine }
    _ = machine.start(at: InstanceStart.at(1))
    if self == .initializing { return machine }
    _ = machine.take(.next, at: InstanceStart.at(2))
    if self == .initialized { return machine }
    machine.becomeReady(at: InstanceStart.at(3))
    switch self {
    case .created, .initializing, .initialized, .idle: break
    case .frozen: _ = machine.freeze()
    case .running: _ = machine.handOver(InstanceStart.current)
    case .overdue:
      _ = machine.handOver(InstanceStart.current)
      machine.passDeadline(at: InstanceStart.at(5))
    case .answered, .awaitingExtensions:
      _ = machine.handOver(InstanceStart.current)
      _ = machine.take(.response(InstanceStart.current), at: InstanceStart.at(6))
      if self == .awaitingExtensions { _ = machine.take(.next, at: InstanceStart.at(7)) }
    case .ending: _ = machine.end(.idle, at: InstanceStart.at(8))
    }
    return machine
  }

  /// The phase of ``machine()``.
  var phase: InstanceMachine.Phase {
    switch self {
    case .created: .created
    case .initializing: .initializing(.init(startedAt: InstanceStart.at(1)))
    case .initialized: .initializing(.init(startedAt: InstanceStart.at(1), progress: .awaitingExtensions))
    case .idle: InstanceStart.serving(.idle)
    case .frozen: InstanceStart.serving(.frozen)
    case .running: InstanceStart.serving(.running(InstanceStart.current))
    case .overdue: InstanceStart.serving(.overdue(InstanceStart.current, since: InstanceStart.at(5)))
    case .answered: InstanceStart.serving(.answered(InstanceStart.current, at: InstanceStart.at(6)))
    case .awaitingExtensions: InstanceStart.serving(.awaitingExtensions)
    case .ending:
      .ending(
        .init(startedAt: InstanceStart.at(1), readyAt: InstanceStart.at(3), reason: .idle, manner: .atOnce))
    }
  }

  static func serving(_ activity: InstanceMachine.Activity) -> InstanceMachine.Phase {
    .serving(.init(startedAt: at(1), readyAt: at(3), activity: activity))
  }
}

/// What an instance's runtime calls, in every phase.
@Suite struct `Instance call tests` {
  typealias Step = InstanceMachine.Step
  private static let current = InstanceStart.current
  private static let other = InstanceStart.other

  struct Case: Sendable, CustomTestStringConvertible {
    var start: InstanceStart
    var call: InstanceMachine.Call
    var step: Step
    /// `nil`: as before.
    var after: InstanceMachine.Phase?
    var testDescription: String { "\(start): \(call)" }

    init(
      _ start: InstanceStart, _ call: InstanceMachine.Call, _ step: Step, _ after: InstanceMachine.Phase? = nil
    ) {
      (self.start, self.call, self.step, self.after) = (start, call, step, after)
    }
  }

  private static func refused(_ from: String, _ to: String) -> Step { Step(reply: .invalidState(from: from, to: to)) }
  private static func answered(_ milliseconds: Int64) -> InstanceMachine.Phase {
    InstanceStart.serving(.answered(current, at: InstanceStart.at(milliseconds)))
  }
  private static let response = "RuntimeInvocationResponse"
  private static let failure = "RuntimeInvocationErrorResponse"
  private static let waits = InstanceStart.serving(.awaitingExtensions)

  static let nextCases = [
    Case(.created, .next, refused("RuntimeStarted", "RuntimeReady")),
    Case(.initializing, .next, Step(reply: .wait, effect: .initialized), InstanceStart.initialized.phase),
    Case(.initialized, .next, Step(reply: .waitsAlready)),
    Case(.idle, .next, Step(reply: .waitsAlready)),
    Case(.frozen, .next, Step(reply: .waitsAlready)),
    Case(.running, .next, Step(reply: .sameEvent)),
    Case(.overdue, .next, Step(reply: .wait, effect: .available), waits),
    Case(.answered, .next, Step(reply: .wait, effect: .available), waits),
    Case(.awaitingExtensions, .next, Step(reply: .waitsAlready)),
    Case(.ending, .next, refused("RuntimeEnded", "RuntimeReady")),
  ]

  static let answerCases = [
    Case(.running, .response(current), Step(reply: .accepted, effect: .answered(current)), answered(9)),
    Case(.running, .response(other), Step(reply: .invalidRequestID)),
    Case(.overdue, .response(current), Step(reply: .accepted, overlapEnded: current), answered(5)),
    Case(.overdue, .response(other), Step(reply: .invalidRequestID)),
    Case(.answered, .response(current), refused("RuntimeResponseSent", response)),
    Case(.answered, .response(other), Step(reply: .invalidRequestID)),
    Case(.ending, .response(current), refused("RuntimeEnded", response)),
    Case(
      .running, .error(current, isHandlerTimeout: false), Step(reply: .accepted, effect: .answered(current)),
      answered(9)
    ),
    Case(
      .running, .error(current, isHandlerTimeout: true), Step(reply: .accepted, effect: .answered(current)), answered(9)
    ),
    Case(.running, .error(other, isHandlerTimeout: true), Step(reply: .invalidRequestID)),
    Case(
      .overdue, .error(current, isHandlerTimeout: false), Step(reply: .accepted, overlapEnded: current), answered(5)),
    Case(.overdue, .error(current, isHandlerTimeout: true), Step(reply: .accepted), answered(5)),
    Case(.answered, .error(current, isHandlerTimeout: false), refused("RuntimeResponseSent", failure)),
    Case(.ending, .error(current, isHandlerTimeout: false), refused("RuntimeEnded", failure)),
  ]

  /// Nobody answers what was not handed over.
  static let earlyAnswerCases = [
    InstanceStart.created, .initializing, .initialized, .idle, .frozen, .awaitingExtensions,
  ].flatMap { start in
    [InstanceMachine.Call.response(current), .error(current, isHandlerTimeout: true)].map {
      Case(start, $0, Step(reply: .invalidRequestID))
    }
  }

  static let otherCases =
    [
      Case(.created, .initializationError, Step(reply: .accepted, effect: .initializationFailed)),
      Case(.initializing, .initializationError, Step(reply: .accepted, effect: .initializationFailed)),
      Case(.running, .initializationError, refused("RuntimeRunning", "RuntimeInitError")),
      Case(.overdue, .initializationError, refused("RuntimeRunning", "RuntimeInitError")),
      Case(.answered, .initializationError, refused("RuntimeResponseSent", "RuntimeInitError")),
      Case(.ending, .initializationError, refused("RuntimeEnded", "RuntimeInitError")),
    ]
    + [InstanceStart.initialized, .idle, .frozen, .awaitingExtensions].map {
      Case($0, .initializationError, refused("RuntimeReady", "RuntimeInitError"))
    } + InstanceStart.allCases.map { Case($0, .overlapEnded(current), Step(reply: .accepted)) }

  @Test(arguments: nextCases + answerCases + earlyAnswerCases + otherCases)
  func `are answered in every phase`(_ given: Case) {
    var machine = given.start.machine()
    #expect(machine.take(given.call, at: InstanceStart.at(9)) == given.step)
    #expect(machine.phase == given.after ?? given.start.phase)
  }
}

/// What happens to an instance beside its runtime's calls.
@Suite struct `Instance machine tests` {
  typealias Step = InstanceMachine.Step
  private static let current = InstanceStart.current
  private static let other = InstanceStart.other

  private func at(_ milliseconds: Int64) -> Timestamp { InstanceStart.at(milliseconds) }

  @Test(arguments: InstanceStart.allCases) func `says of every phase what it is`(_ start: InstanceStart) {
    let machine = start.machine()
    #expect(machine.phase == start.phase)
    #expect(machine.startedAt == (start == .created ? nil : at(1)))
    #expect(machine.readyAt == (start.isServing || start == .ending ? at(3) : nil))
    #expect(machine.initializationDuration == (machine.readyAt == nil ? .zero : .milliseconds(2)))
    #expect(machine.isInitializing == [.created, .initializing, .initialized].contains(start))
    #expect(machine.isRuntimeInitializing == [.created, .initializing].contains(start))
    #expect(machine.isAwaitingExtensions == [.initialized, .awaitingExtensions].contains(start))
    #expect(machine.isEnding == (start == .ending))
    #expect(machine.warmUpPossibleSince == (start == .initializing ? at(1) : nil))
    #expect(machine.isBeforeFirstReport == start.isServing)
    let state: InstanceState =
      machine.isInitializing ? .initializing : [.idle, .frozen].contains(start) ? .idle : .busy
    #expect(machine.state == state)
  }

  @Test(arguments: InstanceStart.allCases) func `starts once, and not after its end`(_ start: InstanceStart) {
    var machine = start.machine()
    #expect(machine.start(at: at(9)) == (start == .created))
    #expect(machine.startedAt == at(start == .created ? 9 : 1))
    var ended = InstanceMachine()
    _ = ended.end(.shutdown, at: at(1))
    #expect(ended.start(at: at(2)) == false)
    #expect(ended.startedAt == nil && ended.end?.reason == .shutdown)
  }

  @Test func `takes one warm-up, while its runtime initializes`() {
    var machine = InstanceStart.initializing.machine()
    machine.warmUp()
    #expect(machine.warmUpPossibleSince == nil)
    #expect(machine.take(.next, at: at(4)) == Step(reply: .wait, effect: .initialized))
    machine.becomeReady(at: at(5))
    #expect(machine.initializationDuration == .milliseconds(4))
  }

  @Test(arguments: InstanceStart.allCases) func `passes a deadline only while it runs`(_ start: InstanceStart) {
    var machine = start.machine()
    machine.passDeadline(at: at(5))
    #expect(machine.phase == (start == .running ? InstanceStart.overdue.phase : start.phase))
  }

  @Test(arguments: InstanceStart.allCases) func `stands still only while it is idle`(_ start: InstanceStart) {
    var machine = start.machine()
    #expect(machine.freeze() == (start == .idle))
    #expect(machine.phase == (start == .idle ? InstanceStart.frozen.phase : start.phase))
    #expect(machine.thaw() == (start == .idle || start == .frozen))
    #expect(machine.phase == (start == .frozen ? InstanceStart.idle.phase : start.phase))
  }

  @Test func `does not stand still while a handler runs on`() {
    var machine = InstanceStart.overdue.machine()
    _ = machine.take(.next, at: at(9))
    machine.settle()
    #expect(machine.freeze() == false)
    _ = machine.take(.overlapEnded(Self.current), at: at(10))
    #expect(machine.freeze() == true)
  }

  @Test func `is idle again once runtime and extensions are done`() {
    var machine = InstanceStart.awaitingExtensions.machine()
    machine.report()
    #expect(machine.isBeforeFirstReport == false)
    machine.settle()
    #expect(machine.state == .idle)
    #expect(machine.handOver(Self.other) == [])
    #expect(machine.isBeforeFirstReport == false)
  }

  // MARK: The end

  @Test(arguments: InstanceStart.allCases)
  func `tells at its end which handlers still ran, and remembers the first reason`(_ start: InstanceStart) {
    var machine = start.machine()
    let stopped = start == .overdue ? [Self.current] : []
    #expect(machine.end(.timeout, at: at(20)) == (start == .ending ? .kill : .begin(overlapsEnded: stopped)))
    #expect(machine.end?.reason == (start == .ending ? .idle : .timeout))
    #expect(machine.startedAt == (start == .created ? nil : at(1)))
    #expect(machine.end(.shutdown, at: at(21)) == .kill)
    #expect(machine.end?.reason == (start == .ending ? .idle : .timeout))
  }

  @Test func `is given a grace once, which a further end cuts short`() {
    var machine = InstanceStart.running.machine()
    #expect(machine.end(.timeout, within: .seconds(1), at: at(20)) == .begin(overlapsEnded: []))
    #expect(machine.end?.manner == .byItself && machine.end?.isByItself == true)
    #expect(machine.end(.failure, within: .seconds(1), at: at(21)) == .nothing)
    #expect(machine.end(.shutdown, at: at(22)) == .kill)
  }

  @Test(arguments: [Nanoseconds.zero, .seconds(1)])
  func `leaves its extensions their budget, whoever ends it again`(_ grace: Nanoseconds) {
    var machine = InstanceStart.idle.machine()
    #expect(machine.end(.scaleIn, within: grace, budget: .seconds(2), at: at(20)) == .begin(overlapsEnded: []))
    #expect(machine.end?.extensionsDeadline == at(2020))
    #expect(machine.end?.isByItself == (grace > .zero))
    #expect(machine.end(.shutdown, at: at(21)) == .nothing)
  }

  @Test func `was killed when it was killed first`() {
    var machine = InstanceStart.running.machine()
    machine.kill(at: at(9))
    #expect(machine.phase == InstanceStart.running.phase)
    _ = machine.end(.failure, at: at(10))
    #expect(machine.end?.killedAt == nil)
    machine.kill(at: at(11))
    machine.kill(at: at(12))
    #expect(machine.end?.killedAt == at(11))
  }

  // MARK: Overlaps

  @Test func `follows a handler that runs on beside the next event`() {
    var machine = InstanceStart.overdue.machine()
    #expect(machine.take(.next, at: at(9)) == Step(reply: .wait, effect: .available))
    machine.settle()
    #expect(machine.isOverlapping(Self.current) == true)
    #expect(machine.handOver(Self.other) == [Self.current])
    // The late answer of the old handler ends the overlap and is not an answer of the new one.
    let late = machine.take(.response(Self.current), at: at(10))
    #expect(late == Step(reply: .accepted, overlapEnded: Self.current))
    #expect(machine.take(.response(Self.current), at: at(11)) == Step(reply: .invalidRequestID))
    #expect(machine.phase == InstanceStart.serving(.running(Self.other)))
    #expect(machine.end(.failure, at: at(12)) == .begin(overlapsEnded: []))
  }

  @Test func `takes the answer of an event that is repeated beside its own old handler`() {
    var machine = InstanceStart.overdue.machine()
    _ = machine.take(.next, at: at(9))
    machine.settle()
    #expect(machine.handOver(Self.current) == [Self.current])
    let answer = machine.take(.response(Self.current), at: at(10))
    #expect(answer == Step(reply: .accepted, effect: .answered(Self.current)))
    let end = machine.take(.overlapEnded(Self.current), at: at(11))
    #expect(end == Step(reply: .accepted, overlapEnded: Self.current))
  }

  @Test func `tells the start of an overlap once`() {
    var machine = InstanceStart.running.machine()
    _ = machine.take(.error(Self.current, isHandlerTimeout: true), at: at(9))
    _ = machine.take(.next, at: at(10))
    machine.settle()
    #expect(machine.handOver(Self.other) == [Self.current])
    _ = machine.take(.response(Self.other), at: at(11))
    _ = machine.take(.next, at: at(12))
    machine.settle()
    #expect(machine.handOver(RequestID(Identifier128(high: 0, low: 3))) == [])
    let end = Step(reply: .accepted, overlapEnded: Self.current)
    #expect(machine.take(.overlapEnded(Self.current), at: at(13)) == end)
    #expect(machine.take(.overlapEnded(Self.current), at: at(14)) == Step(reply: .accepted))
  }

  @Test func `follows a bounded number of overlaps and counts the oldest as ended`() {
    var machine = InstanceStart.idle.machine()
    for number in 0..<InstanceMachine.overlapsLimit + 1 {
      let request = RequestID(Identifier128(high: 9, low: UInt64(number)))
      _ = machine.handOver(request)
      let step = machine.take(.error(request, isHandlerTimeout: true), at: at(9))
      let displaced =
        number == InstanceMachine.overlapsLimit ? RequestID(Identifier128(high: 9, low: 0)) : nil
      #expect(step == Step(reply: .accepted, effect: .answered(request), overlapEnded: displaced))
      _ = machine.take(.next, at: at(10))
      machine.settle()
    }
    guard case .begin(let stopped) = machine.end(.idle, at: at(11)) else {
      Issue.record("It was ended before.")
      return
    }
    #expect(stopped.count == InstanceMachine.overlapsLimit)
  }

  // MARK: Bugs

  @Test func `has a bug if an event is handed to an instance that did not ask`() async {
    await #expect(processExitsWith: .failure) {
      var machine = InstanceMachine()
      _ = machine.handOver(RequestID(.zero))
    }
  }

  @Test func `has a bug if an instance is ready whose runtime did not ask`() async {
    await #expect(processExitsWith: .failure) {
      var machine = InstanceStart.initializing.machine()
      machine.becomeReady(at: InstanceStart.at(9))
    }
  }

  @Test func `has a bug if an instance settles that works`() async {
    await #expect(processExitsWith: .failure) {
      var machine = InstanceStart.running.machine()
      machine.settle()
    }
  }
}
