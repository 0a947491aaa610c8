import Testing

@testable import FunctionRuntime

private let done = HandlerOutcome.success([1])

struct PhaseCase: Sendable, CustomTestStringConvertible {
  enum Event: Sendable { case ended, deadline, posted }
  var from: HandlerPhase
  var event: Event
  var to: HandlerPhase
  var action: HandlerPhase.Action
  var testDescription: String { "\(from) \(event)" }
}

@Test(
  arguments: [
    PhaseCase(from: .running, event: .ended, to: .finished(done), action: .wake),
    PhaseCase(from: .running, event: .deadline, to: .aborted, action: .cancel),
    PhaseCase(from: .running, event: .posted, to: .running, action: .nothing),
    PhaseCase(from: .finished(done), event: .ended, to: .finished(done), action: .nothing),
    PhaseCase(from: .finished(done), event: .deadline, to: .finished(done), action: .nothing),
    PhaseCase(from: .finished(done), event: .posted, to: .finished(done), action: .nothing),
    PhaseCase(from: .aborted, event: .ended, to: .abortedAndEnded, action: .wake),
    PhaseCase(from: .aborted, event: .deadline, to: .aborted, action: .nothing),
    PhaseCase(from: .aborted, event: .posted, to: .overlapping, action: .nothing),
    PhaseCase(from: .abortedAndEnded, event: .ended, to: .abortedAndEnded, action: .nothing),
    PhaseCase(from: .abortedAndEnded, event: .deadline, to: .abortedAndEnded, action: .nothing),
    PhaseCase(from: .abortedAndEnded, event: .posted, to: .over, action: .reportEnd),
    PhaseCase(from: .overlapping, event: .ended, to: .over, action: .reportEnd),
    PhaseCase(from: .overlapping, event: .deadline, to: .overlapping, action: .nothing),
    PhaseCase(from: .overlapping, event: .posted, to: .overlapping, action: .nothing),
    PhaseCase(from: .over, event: .ended, to: .over, action: .nothing),
    PhaseCase(from: .over, event: .deadline, to: .over, action: .nothing),
    PhaseCase(from: .over, event: .posted, to: .over, action: .nothing),
  ])
func `every phase answers every event`(_ given: PhaseCase) {
  var phase = given.from
  let action =
    switch given.event {
    case .ended: phase.handlerEnded(done)
    case .deadline: phase.deadlinePassed()
    case .posted: phase.errorPosted()
    }
  #expect(phase == given.to)
  #expect(action == given.action)
}

@Test(
  arguments: zip(
    ["OrderIsEmpty", "Function.HandlerTimeout", "Runtime.InvalidConfiguration", "lowercase", "Generic<Int>", "E2", ""],
    [
      "Function.OrderIsEmpty", "Function.HandlerTimeout", "Runtime.InvalidConfiguration", "Function.Unknown",
      "Function.Unknown", "Function.Unknown", "Function.Unknown",
    ]))
func `the type in the header is one that AWS accepts`(_ type: String, _ header: String) {
  #expect(FunctionFailure(type: type, message: "").headerType == header)
}
