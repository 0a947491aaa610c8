import HostRules
import Lifecycle
import NIOCore
import Synchronization
import TestSupport
import Testing

@testable import FunctionHost
import LambdaAPI

/// Of a source of invocations that is none of the host's own.
@Suite(.timeLimit(.minutes(2))) struct `A submission` {
  @Test func `is finished once, and the event says of its answer what its source says`() async throws {
    let ends = EndLog(status: 299, bytesCount: 7)
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f")])) { host async throws in
      try await #require(host.core).submit("{}", to: ends, wantsLog: true)
      try await host.eventually { !$0.finished.isEmpty }
      try await ends.untilThereAre(1)
    }
    #expect(ends.all.map(\.kind) == ["success"])
    #expect(ends.all.map(\.hasTail) == [true])
    #expect(events.finished.map(\.responseStatus) == [299] && events.finished.map(\.responseBytes) == [7])
    #expect(events.finished.map(\.trigger) == [.schedule])
  }

  @Test func `is throttled once, without any answer that an event could tell of`() async throws {
    let ends = EndLog(status: 200, bytesCount: 0)
    let events = try await HostFixture.run(HostConfiguration(functions: [python("f", reserved: 0)])) {
      host async throws in
      try await #require(host.core).submit("{}", to: ends)
      try await ends.untilThereAre(1)
    }
    #expect(ends.all.map(\.kind) == ["reservedFunctionConcurrentInvocationLimit"])
    #expect(events.throttled.map(\.trigger) == [.schedule] && events.finished.isEmpty)
  }

  @Test func `is finished once by a host that stops before it is served`() async throws {
    let ends = EndLog(status: 503, bytesCount: 0)
    var configuration = HostConfiguration(functions: [python("f")])
    configuration.stopLimit = .milliseconds(200)
    let events = try await HostFixture.run(configuration) { host async throws in
      try await #require(host.core).submit(#"{"do":"sleep","seconds":30}"#, to: ends)
      try await host.eventually { !$0.invocationsStarted.isEmpty }
    }
    #expect(ends.all.map(\.kind) == ["crash"])
    #expect(events.finished.map(\.responseStatus) == [503])
  }
}

/// What a source of a test was told.
private final class EndLog: SubmissionCompletion, Sendable {
  struct End: Equatable { var kind: String, hasTail: Bool }

  private let ends = Mutex<[End]>([])
  private let receipt: AnswerReceipt
  var all: [End] { ends.withLock { $0 } }

  init(status: UInt16, bytesCount: Int) { receipt = AnswerReceipt(status: status, bytesCount: bytesCount) }

  func throttled(_ submission: Submission, _ reason: ThrottleReason, at time: Timestamp, in host: isolated HostCore) {
    ends.withLock { $0.append(End(kind: "\(reason)", hasTail: false)) }
  }

  func finished(
    _ submission: Submission, _ end: EndedInvocation, in host: isolated HostCore, telling tell: (AnswerReceipt) -> Void
  ) {
    tell(receipt)
    let kind = if case .failure(let fault) = end.result { "\(fault.outcome)" } else { "success" }
    ends.withLock { $0.append(End(kind: kind, hasTail: end.tail != nil)) }
  }

  func untilThereAre(_ count: Int) async throws {
    let end = ContinuousClock.now + .seconds(20)
    while all.count < count, ContinuousClock.now < end { try await Task.sleep(for: .milliseconds(5)) }
  }
}

extension HostCore {
  fileprivate func submit(_ payload: String, to log: EndLog, wantsLog: Bool = false) {
    let request = newRequestID()
    submit(
      Submission(
        request: request, function: FunctionIndex(position: 0), version: .latest, trigger: .schedule,
        payload: ByteBuffer(string: payload), arn: identity.arn("f", qualifier: nil),
        trace: TraceID(sent: nil, of: request, at: clock.now()), wantsLog: wantsLog, completion: log))
  }
}
