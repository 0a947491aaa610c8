import Lifecycle
import Testing

@testable import HostRules

@Suite struct `An answer piece by piece` {
  private let request = InstanceStart.current
  private let now = InstanceStart.at(9)

  @Test(arguments: InstanceStart.allCases)
  func `is begun only by the invocation that runs`(start: InstanceStart) {
    let machine = start.machine()
    let (mine, others) = (machine.mayStream(request), machine.mayStream(InstanceStart.other))
    #expect(mine == (start == .running))
    #expect(!others)
  }

  @Test func `refuses the runtime's other calls until its end, which is an answer's`() {
    var machine = InstanceStart.running.machine()
    machine.beginStream(of: request)
    let again = machine.mayStream(request)
    #expect(!again)
    for (call, target) in [
      (InstanceMachine.Call.next, "RuntimeReady"), (.response(request), "RuntimeInvocationResponse"),
      (.error(request, isHandlerTimeout: false), "RuntimeInvocationErrorResponse"),
    ] {
      let step = machine.take(call, at: now)
      #expect(step == .init(reply: .invalidState(from: "RuntimeInvocationResponse", to: target)))
    }
    let ended = machine.endStream(of: request, at: now)
    #expect(ended == .init(reply: .accepted, effect: .answered(request)))
    let waiting = machine.take(.next, at: now)
    #expect(waiting == .init(reply: .wait, effect: .available))
  }

  @Test func `ends an overlap if its caller had the timeout before`() {
    var machine = InstanceStart.running.machine()
    machine.beginStream(of: request)
    machine.passDeadline(at: now)
    let overlapping = machine.take(.next, at: now)
    #expect(overlapping == .init(reply: .wait, effect: .available))
    machine.settle()
    let beside = machine.handOver(InstanceStart.other)
    #expect(beside == [request])
    let mayStream = machine.mayStream(InstanceStart.other)
    #expect(mayStream)
    let stopped = machine.endStream(of: request, at: now)
    #expect(stopped == .init(reply: .accepted, overlapEnded: request))
  }
}
