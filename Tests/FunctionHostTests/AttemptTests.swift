import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import Testing

@testable import FunctionHost

@Suite struct `Attempts at one event` {
  private let request = RequestID(Identifier128(high: 1, low: 1))
  private let second = RequestID(Identifier128(high: 2, low: 2))

  private func instance() -> Instance {
    Instance(
      id: InstanceID(.zero), key: InstanceKey(pool: .onDemand, number: 0), function: FunctionIndex(position: 0),
      version: .latest, inside: nil)
  }

  /// A slot of concurrency, of which nothing is asked here.
  private var grant: Admission.Grant {
    guard
      let admission = try? Admission(
        .init(concurrency: 1, unreservedMinimum: 0), functions: [(nil, nil)], at: Timestamp(nanoseconds: 0))
    else {
      preconditionFailure("BUG: one function does not fit into an account")
    }
    var copy = admission
    let decision = copy.admit(
      FunctionIndex(position: 0), FunctionVersion.latest, Admission.Supply(needsStart: false),
      at: Timestamp(nanoseconds: 0))
    guard case .admitted(let grant) = decision else { preconditionFailure("BUG: nothing is admitted") }
    return grant
  }

  private func invocation(_ attempt: RequestID) -> Invocation {
    let time = Timestamp(nanoseconds: 0)
    let submission = Submission(
      request: request, function: FunctionIndex(position: 0), version: .latest, trigger: .direct, payload: ByteBuffer(),
      arn: "", trace: TraceID(sent: nil, of: request, at: time), completion: Nobody())
    return Invocation(submission, eventID: attempt, grant: grant, admittedAt: time)
  }

  private struct Nobody: SubmissionCompletion {
    func throttled(_: Submission, _: ThrottleReason, at _: Timestamp, in _: isolated HostCore) {}
    func finished(_: Submission, _: EndedInvocation, in _: isolated HostCore, telling _: (AnswerReceipt) -> Void) {}
  }

  @Test func `are told apart by what an answer is marked with`() {
    let instance = instance()
    // The first ran over its time and goes on; the second is given to the same instance.
    let (one, two) = (invocation(request), invocation(second))
    instance.noteAttempt(one)
    instance.noteAttempt(two)
    instance.invocation = two
    #expect(instance.attempt(at: request, marked: request.value.uuidText) == request)
    #expect(instance.attempt(at: request, marked: second.value.uuidText) == second)
  }

  @Test func `are that which runs without a mark`() {
    let instance = instance()
    #expect(instance.attempt(at: request, marked: nil) == request)
    let two = invocation(second)
    instance.noteAttempt(two)
    #expect(instance.attempt(at: request, marked: nil) == second)
    instance.invocation = two
    #expect(instance.attempt(at: request, marked: nil) == second)
  }

  @Test(arguments: ["", "nonsense", "00000000-0000-0009-0000-000000000009"])
  func `are nobody's if path and mark contradict each other`(mark: String) {
    let instance = instance()
    instance.noteAttempt(invocation(second))
    #expect(instance.attempt(at: request, marked: mark) == RequestID(.zero))
  }

  @Test func `are forgotten once no handler works on them`() {
    let instance = instance()
    instance.noteAttempt(invocation(second))
    instance.forgetAttempts()
    #expect(instance.attempt(at: request, marked: second.value.uuidText) == RequestID(.zero))
  }
}
