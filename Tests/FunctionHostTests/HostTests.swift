import Lifecycle
import Testing

@testable import FunctionHost

@Suite("A host with real functions", .serialized, .timeLimit(.minutes(2)))
struct HostTests {
  @Test func `answers the first invocation cold and the second warm, in one instance`() async throws {
    let events = try await HostFixture.run(HostConfiguration(functions: [python("echo")])) { host in
      let first = try await host.invoke("echo", #"{"a":1}"#)
      #expect(first.status == 200)
      #expect(first.body == #"{"a": 1}"#)
      #expect(first.header("X-Kelvin-Cold") == "1")
      #expect(first.header("X-Amz-Function-Error") == nil)
      #expect(first.header("X-Amz-Executed-Version") == "$LATEST")
      let second = try await host.invoke("echo", #"{"a":2}"#)
      #expect(second.header("X-Kelvin-Cold") == "0")
      #expect(second.body == #"{"a": 2}"#)
    }
    #expect(events.started.count == 1)
    #expect(events.ready.map(\.status) == [.success])
    #expect(events.finished.map(\.isColdStart) == [true, false])
    #expect(events.finished.map(\.outcome) == [.success, .success])
    #expect(events.stopped.map(\.reason) == [.shutdown])
    #expect(events.stopped.map(\.invocationsServed) == [2])
  }
}
