import Lifecycle
import TestSupport
import Testing

@testable import EventJournal

@Suite struct `The form of an event in the journal` {
  private func written(_ event: LifecycleEvent, after previous: LifecycleEvent.Subject? = nil) -> [UInt8] {
    let room = EventCodec.bytesMax(event)
    return unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      var writer = unsafe RecordWriter(UnsafeMutableRawBufferPointer(buffer))
      EventCodec.write(event, after: previous, to: &writer)
      count = writer.count
    }
  }

  private func read(_ bytes: [UInt8], after previous: LifecycleEvent.Subject? = nil) -> LifecycleEvent? {
    var reader = RecordReader(bytes, bytes.indices)
    let event = EventCodec.read(&reader, after: previous)
    return reader.remaining == 0 ? event : nil
  }

  @Test(arguments: 0..<10 as Range<UInt64>)
  func `comes back with all of it, and not when it is cut`(_ seed: UInt64) {
    for event in RandomStory.events(seed: seed, from: ten, lasting: .seconds(300), invocations: 50) {
      let bytes = written(event)
      #expect(read(bytes) == event)
      #expect(read(bytes.dropLast()) == nil)
      #expect(read(written(event, after: event.subject), after: event.subject) == event)
    }
  }

  @Test func `has a place for every field`() {
    let events: [(Any, Int)] = [
      (InstanceStarted(time: ten, initializationType: .onDemand, memoryLimitBytes: 1), 3),
      (WarmedUp(time: ten, duration: .zero, succeeded: true), 3),
      (
        InstanceReady(
          time: ten, duration: .zero, initializationType: .onDemand, phase: .initialization, status: .success), 5
      ),
      (InvocationStarted(request: RequestID(.zero), time: ten, trigger: .http, pool: .unreserved), 4),
      (InvocationHandedOver(request: RequestID(.zero), time: ten, start: ten, trigger: .http, pool: .unreserved), 5),
      (
        InvocationFinished(
          request: RequestID(.zero), start: ten, duration: .zero, trigger: .http, pool: .unreserved, outcome: .success),
        14
      ),
      (OverlapStarted(request: RequestID(.zero), time: ten), 2),
      (OverlapEnded(request: RequestID(.zero), time: ten), 2),
      (Throttled(time: ten, reason: .callerRateLimit, trigger: .http), 3),
      (InstanceStopped(time: ten, reason: .idle, lifetime: .zero, invocationsServed: 1), 4),
      (
        FunctionLimitsChanged(
          time: ten, reserved: nil, memoryLimitBytes: 1, timeout: .zero, temporaryStorageLimitBytes: 1), 7
      ),
      (AccountLimitsChanged(time: ten, concurrency: 1), 2), (FunctionsListed(time: ten, names: []), 2),
      (FunctionID("f"), 2),
    ]
    // A field that is added to one of these needs a place in the journal.
    for (event, fields) in events { #expect(Mirror(reflecting: event).children.count == fields, "\(type(of: event))") }
  }

  @Test func `keeps too long a name too long, and lists of names`() {
    let long = String(repeating: "é", count: 5_000)
    let read = read(
      written(
        LifecycleEvent(
          .function(FunctionID(long)), .throttled(Throttled(time: ten, reason: .callerRateLimit, trigger: .http)))))
    guard case .function(let function)? = read?.subject else {
      Issue.record("it does not come back")
      return
    }
    #expect(function.name.utf8.count == EventCodec.textBytesLimit)
    let listed = LifecycleEvent(.account, .functionsListed(FunctionsListed(time: ten, names: ["a", "", "b c"])))
    #expect(self.read(written(listed)) == listed)
  }
}
