import LambdaRecords
import Lifecycle
import LogImport
import Testing
import Text
import Windows

@Suite struct `Logs that are pushed` {
  private static let stream = "2026/11/24/[$LATEST]0f3c9a5e3d414b6f8a52d1b7c0e91a24"
  private static let request = "5d3f0000-fe6b-4a35-82b5-000000000016"
  private static let now = Timestamp(seconds: 1_795_516_800)

  /// What CloudWatch hands to a subscriber, with times in milliseconds after `now`.
  private func subscription(_ events: [(Int64, String)]) -> [UInt8] {
    let list = events.enumerated().map { index, event in
      let message = event.1.replacing("\t", with: "\\t")
      return #"{"id":"\#(index)","timestamp":\#(Self.now.nanoseconds / 1_000_000 + event.0),"message":"\#(message)"}"#
    }
    return Array(
      (#"{"messageType":"DATA_MESSAGE","owner":"1","logGroup":"/aws/lambda/orders","logStream":"\#(Self.stream)","#
        + #""subscriptionFilters":[],"logEvents":[\#(list.joined(separator: ","))]}"#).utf8)
  }

  private var start: (Int64, String) { (0, "START RequestId: \(Self.request) Version: $LATEST") }
  private var report: (Int64, String) {
    (
      250,
      "REPORT RequestId: \(Self.request)\tDuration: 248.00 ms\tBilled Duration: 249 ms\tMemory Size: 128 MB\t"
        + "Max Memory Used: 40 MB"
    )
  }

  @Test func `begin to run at once, and end with their report`() throws {
    var logs = LiveLogs()
    let first = logs.take(subscription([start]).span, function: nil, stream: nil, now: Self.now)
    #expect(first.understood == 1 && first.repeated == 0 && first.rejected.isEmpty)
    let begun = try #require(first.events.first)
    #expect(first.events.count == 1)
    guard case .invocationStarted(let started) = begun.kind, case .instance(_, let function) = begun.subject else {
      Issue.record("\(begun)")
      return
    }
    #expect(function == FunctionID("orders"))
    #expect(started.time == Self.now)
    let second = logs.take(subscription([report]).span, function: nil, stream: nil, now: Self.now)
    let ended = try #require(second.events.first)
    guard case .invocationFinished(let finished) = ended.kind else {
      Issue.record("\(ended)")
      return
    }
    #expect(second.events.count == 1)
    #expect(finished.request == started.request)
    #expect(finished.start == Self.now)
    #expect(finished.duration == .milliseconds(248))
    #expect(finished.memoryUsedBytes == 40 << 20)
  }

  @Test func `count once however often they come`() {
    var logs = LiveLogs()
    let both = subscription([start, report])
    #expect(logs.take(both.span, function: nil, stream: nil, now: Self.now).events.count == 1)
    let again = logs.take(both.span, function: nil, stream: nil, now: Self.now)
    #expect(again.events.isEmpty)
    #expect(again.understood == 0 && again.repeated == 2)
  }

  @Test func `tell the attempts of one request apart, also behind a restart`() {
    // AWS tries a failed asynchronous event again under the same id, a minute later.
    func attempt(_ number: Int64) -> [UInt8] {
      subscription([start, report].map { ($0.0 + number * 60_000, $0.1) })
    }
    var logs = LiveLogs()
    var told: [ToldLife] = []
    for number in 0..<3 as Range<Int64> {
      let reading = logs.take(attempt(number).span, function: nil, stream: nil, now: Self.now + .seconds(60 * number))
      #expect(reading.events.count == 1 && reading.repeated == 0, "attempt \(number)")
      told += reading.events.compactMap(ToldLife.init)
      let again = logs.take(attempt(number).span, function: nil, stream: nil, now: Self.now + .seconds(60 * number))
      #expect(again.events.isEmpty && again.repeated == 2, "attempt \(number)")
      var next = LiveLogs()
      next.know(told)
      for known in 0...number {
        let reading = next.take(attempt(known).span, function: nil, stream: nil, now: Self.now + .seconds(60 * number))
        #expect(reading.events.isEmpty && reading.repeated == 2, "attempt \(known), known since \(number)")
      }
      logs = next
    }
    #expect(Set(told.map(\.identity)).count == 3)
  }

  @Test func `of absurd times are refused, and the good rest counts`() {
    for year in [1678, 1970, 2261] {
      var logs = LiveLogs()
      let records = [#"{"time":"\(year)-01-01T00:00:00.000Z""#, #"{"time":"2026-11-24T10:00:00.000Z""#].map { time in
        time + #","type":"platform.start","record":{"requestId":"\#(Self.request)","version":"$LATEST"}}"#
      }
      for list in [records, records.reversed()] {
        let body = Array("[\(list.joined(separator: ","))]".utf8)
        let reading = logs.take(body.span, function: "orders", stream: nil, now: Self.now)
        #expect(reading.rejected.count == 1, "\(year)")
      }
      let ended = logs.take(subscription([report]).span, function: nil, stream: nil, now: Self.now)
      #expect(ended.events.count == 1)
    }
  }

  @Test func `count by a report that comes hours after its start`() {
    var logs = LiveLogs()
    var told = logs.take(subscription([start]).span, function: nil, stream: nil, now: Self.now).events
    // Other pushes come meanwhile.
    let other = Array("2026-11-24T12:00:00.250Z \(report.1.replacing("16", with: "99"))\n".utf8)
    _ = logs.take(other.span, function: "orders", stream: nil, now: Self.now + .seconds(7_300))
    told += logs.take(subscription([report]).span, function: nil, stream: nil, now: Self.now + .seconds(7_400)).events
    #expect(told.compactMap(ToldLife.init).count == 1)
  }

  @Test func `are known behind what was forgotten`() {
    // The first attempt names no function and is not used; the second does.
    func line(_ second: Int) -> [UInt8] {
      Array("2026-11-24T10:0\(second / 60):0\(second % 60).250Z \(report.1)\n".utf8)
    }
    var logs = LiveLogs()
    #expect(logs.take(line(0).span, function: "orders", stream: nil, now: Self.now).events.count == 1)
    let second = logs.take(line(60).span, function: "orders", stream: nil, now: Self.now + .seconds(60)).events
    #expect(second.count == 1)
    // Of the process before only the second is known.
    var next = LiveLogs()
    next.know(second.compactMap(ToldLife.init))
    #expect(next.take(line(60).span, function: "orders", stream: nil, now: Self.now + .seconds(90)).events.isEmpty)
    #expect(next.take(line(0).span, function: "orders", stream: nil, now: Self.now + .seconds(90)).events.count == 1)
  }

  @Test func `know the initializations of a process before`() throws {
    let cold = subscription([start, (report.0, report.1 + "\tInit Duration: 301.00 ms")])
    let failed = subscription([
      (-500, "INIT_REPORT Init Duration: 502.00 ms\tPhase: init\tStatus: error\tError Type: Runtime.Unknown")
    ])
    var logs = LiveLogs()
    let first = logs.take(failed.span, function: nil, stream: nil, now: Self.now).events
    let second = logs.take(cold.span, function: nil, stream: nil, now: Self.now).events
    #expect(first.count == 1 && second.count == 2)
    var next = LiveLogs()
    next.know((first + second).compactMap(ToldLife.init))
    #expect(next.take(cold.span, function: nil, stream: nil, now: Self.now).events.isEmpty)
    #expect(next.take(failed.span, function: nil, stream: nil, now: Self.now).events.isEmpty)
  }

  @Test func `take what could not be used when it comes again`() {
    var logs = LiveLogs()
    let line = Array("2026-11-24T10:00:00.250Z \(report.1)\n".utf8)
    #expect(logs.take(line.span, function: nil, stream: nil, now: Self.now).events.isEmpty)
    #expect(logs.take(line.span, function: "orders", stream: nil, now: Self.now).events.count == 1)
    #expect(logs.take(line.span, function: "orders", stream: nil, now: Self.now).events.isEmpty)
  }

  @Test func `need a function and a time, and say so`() {
    var logs = LiveLogs()
    let line = Array("2026-11-24T10:00:00.250Z \(report.1)\n".utf8)
    let nobody = logs.take(line.span, function: nil, stream: nil, now: Self.now)
    #expect(nobody.events.isEmpty)
    #expect(nobody.rejected.map(\.reason) == [.functionName])
    #expect(nobody.rejected.first?.sentence.contains("?function=") == true)
    var others = LiveLogs()
    let named = others.take(line.span, function: "orders", stream: nil, now: Self.now)
    #expect(named.events.map(\.subject) == [.function(FunctionID("orders"))])
    var third = LiveLogs()
    let untimed = third.take(Array(report.1.utf8).span, function: "orders", stream: nil, now: Self.now)
    #expect(untimed.events.isEmpty && untimed.rejected.map(\.reason) == [.malformed])
  }

  @Test func `are refused where they are no text`() {
    var logs = LiveLogs()
    let bytes: [UInt8] = (0..<600).map { _ in UInt8.random(in: 0...255) } + [0, 1, 2]
    let reading = logs.take(([0x7F, 0x45, 0x4C, 0x46] + bytes).span, function: "orders", stream: nil, now: Self.now)
    #expect(reading.events.isEmpty && reading.rejected.count == 1)
  }

  @Test func `of the platform that cannot be read are told`() {
    var logs = LiveLogs()
    let line = Array("REPORT RequestId: nonsense\tDuration: 3.00 ms\n".utf8)
    let reading = logs.take(line.span, function: "orders", stream: nil, now: Self.now)
    #expect(reading.events.isEmpty && reading.understood == 0)
    #expect(reading.rejected.map(\.reason) == [.malformed])
  }

  @Test func `name an instance each where nothing does`() {
    var logs = LiveLogs()
    let line = Array("2026-11-24T10:00:00.250Z \(report.1)\tInit Duration: 301.00 ms\n".utf8)
    var instances: Set<InstanceID> = []
    for function in ["orders", "invoices"] {
      let other = Self.request.replacing("16", with: function == "orders" ? "17" : "18")
      let own = Array(String(decoding: line, as: UTF8.self).replacing(Self.request, with: other).utf8)
      for event in logs.take(own.span, function: function, stream: nil, now: Self.now).events {
        if case .instance(let instance, _) = event.subject { instances.insert(instance) }
      }
    }
    #expect(instances.count == 2)
  }
}
