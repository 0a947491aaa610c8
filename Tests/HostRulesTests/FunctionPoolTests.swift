import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Function pool tests` {
  private func request(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 0, low: number)) }
  private func key(_ number: Int) -> InstanceKey { InstanceKey(pool: .onDemand, number: number) }
  private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }
  private func pool(limit: Int = 10) -> FunctionPool { FunctionPool(instancesLimit: limit, idleLimit: .seconds(60)) }

  /// A pool with `count` idle instances, the last of which became idle last.
  private func warm(_ count: Int, limit: Int = 10) -> FunctionPool {
    var pool = pool(limit: limit)
    for number in 0..<count { _ = pool.submit(request(UInt64(number)), at: at(0)) }
    for number in 0..<count { _ = pool.becameAvailable(key(number), at: at(1)) }
    for number in 0..<count {
      pool.answered(key(number), at: at(2))
      _ = pool.becameAvailable(key(number), at: at(Int64(3 + number)))
    }
    return pool
  }

  @Test func `starts one instance for each request that waits`() {
    var pool = pool()
    #expect(pool.submit(request(1), at: at(0)) == .waits([.start(key(0), inside: nil)]))
    #expect(pool.submit(request(2), at: at(0)) == .waits([.start(key(1), inside: nil)]))
    #expect(pool.becameAvailable(key(1), at: at(5)) == [.handOver(request(1), to: key(1))])
    #expect(pool.becameAvailable(key(0), at: at(6)) == [.handOver(request(2), to: key(0))])
  }

  @Test func `keeps nothing for more requests once the function is gone`() {
    var pool = warm(2)
    _ = pool.submit(request(8), at: at(10))
    pool.isRetired = true
    #expect(pool.replaceAll(at: at(11)) == [.end(key(0), .scaleIn)])
    #expect(pool.submit(request(9), at: at(12)) == .waits([.start(key(2), inside: nil)]))
    pool.answered(key(1), at: at(13))
    #expect(pool.becameAvailable(key(1), at: at(14)) == [.end(key(1), .scaleIn)])
    #expect(pool.becameAvailable(key(2), at: at(15)) == [.handOver(request(9), to: key(2))])
    pool.answered(key(2), at: at(16))
    #expect(pool.becameAvailable(key(2), at: at(17)) == [.end(key(2), .scaleIn)])
  }

  @Test func `starts an instance ahead of any request, once, and where one may be`() {
    var pool = pool()
    #expect(pool.startAhead() == [.start(key(0), inside: nil)])
    #expect(pool.startAhead() == [])
    #expect(pool.submit(request(1), at: at(0)) == .waits([]))
    #expect(pool.becameAvailable(key(0), at: at(5)) == [.handOver(request(1), to: key(0))])
    var paused = FunctionPool(instancesLimit: 0, idleLimit: .seconds(60))
    #expect(paused.startAhead() == [])
  }

  @Test func `gives up an instance that was started ahead and fails`() {
    var pool = pool()
    _ = pool.startAhead()
    #expect(pool.initializationFailed(key(0), at: at(1)) == [])
    #expect(pool.instancesCount == 0)
    #expect(pool.submit(request(1), at: at(2)) == .waits([.start(key(1), inside: nil)]))
  }

  @Test func `takes the instance that became idle last`() {
    var pool = warm(3)
    #expect(pool.submit(request(9), at: at(10)) == .handOver(to: key(2)))
    #expect(pool.submit(request(8), at: at(10)) == .handOver(to: key(1)))
  }

  @Test func `lets a request wait for an instance that settles`() {
    var pool = warm(1)
    _ = pool.submit(request(5), at: at(10))
    pool.answered(key(0), at: at(20))
    #expect(pool.submit(request(6), at: at(20)) == .waits([]))
    #expect(pool.nextTick(after: at(20)) == at(120))
    #expect(pool.becameAvailable(key(0), at: at(21)) == [.handOver(request(6), to: key(0))])
  }

  @Test func `starts another instance when one settles for longer than the grace`() {
    var pool = warm(1)
    _ = pool.submit(request(5), at: at(10))
    pool.answered(key(0), at: at(20))
    #expect(pool.submit(request(6), at: at(20)) == .waits([]))
    #expect(pool.tick(at(119)) == [])
    #expect(pool.tick(at(120)) == [.start(key(1), inside: nil)])
    #expect(pool.becameAvailable(key(0), at: at(130)) == [.handOver(request(6), to: key(0))])
  }

  @Test func `counts an instance once however often it settles`() {
    var pool = warm(1)
    for round in 0..<5 {
      let time = Int64(100 + round * 10)
      #expect(pool.submit(request(UInt64(round)), at: at(time)) == .handOver(to: key(0)))
      pool.answered(key(0), at: at(time + 1))
      _ = pool.becameAvailable(key(0), at: at(time + 2))
    }
    _ = pool.submit(request(50), at: at(200))
    pool.answered(key(0), at: at(201))
    #expect(pool.submit(request(51), at: at(202)) == .waits([]))
    #expect(pool.submit(request(52), at: at(202)) == .waits([.start(key(1), inside: nil)]))
  }

  @Test func `has no more instances than the limit, however long one settles`() {
    var pool = warm(2, limit: 2)
    for number in 0..<2 { _ = pool.submit(request(UInt64(number)), at: at(10)) }
    for number in 0..<2 { pool.answered(key(number), at: at(11)) }
    for number in UInt64(2)..<4 { #expect(pool.submit(request(number), at: at(200)) == .waits([])) }
    #expect(pool.nextTick(after: at(200)) == nil)
    #expect(pool.removed(key(0), at: at(201)) == [.start(key(2), inside: nil)])
    #expect(pool.becameAvailable(key(1), at: at(202)) == [.handOver(request(2), to: key(1))])
  }

  @Test func `repeats a failed initialization inside the request, once`() {
    var pool = pool()
    _ = pool.submit(request(1), at: at(0))
    #expect(pool.initializationFailed(key(0), at: at(10)) == [.start(key(1), inside: request(1))])
    #expect(pool.phase(of: key(1)) == .bound(request(1)))
    #expect(pool.pendingCount == 0)
    #expect(pool.initializationFailed(key(1), at: at(20)) == [])
    #expect(pool.instancesCount == 0)
  }

  @Test func `hands a bound instance to its own request`() {
    var pool = pool()
    _ = pool.submit(request(1), at: at(0))
    _ = pool.initializationFailed(key(0), at: at(10))
    _ = pool.submit(request(2), at: at(11))
    #expect(pool.becameAvailable(key(1), at: at(20)) == [.handOver(request(1), to: key(1))])
  }

  @Test func `blames one waiting request for each failed initialization`() {
    var pool = pool()
    for number in 1...3 { _ = pool.submit(request(UInt64(number)), at: at(0)) }
    #expect(pool.initializationFailed(key(0), at: at(1)) == [.start(key(3), inside: request(1))])
    // The second failure in a row: starts are spaced from now on.
    #expect(pool.initializationFailed(key(1), at: at(1)) == [])
    #expect(pool.nextTick(after: at(1)) == at(51))
    #expect(pool.initializationFailed(key(2), at: at(2)) == [])
    #expect(pool.nextTick(after: at(2)) == at(102))
    #expect(
      pool.tick(at(102)) == [.start(key(4), inside: request(2)), .start(key(5), inside: request(3))])
  }

  @Test(arguments: [(0, 0), (1, 0), (2, 50), (3, 100), (4, 200), (7, 1600), (8, 2000), (1000, 2000)])
  func `spaces starts by twice as much with every failure`(failures: Int, milliseconds: Int64) {
    #expect(FunctionPool.backoff(afterFailures: failures) == .milliseconds(milliseconds))
  }

  @Test func `starts at once again after a success`() {
    var pool = pool()
    for number in 1...3 { _ = pool.submit(request(UInt64(number)), at: at(0)) }
    _ = pool.initializationFailed(key(0), at: at(1))
    _ = pool.initializationFailed(key(1), at: at(1))
    _ = pool.becameAvailable(key(2), at: at(1))
    _ = pool.initializationFailed(key(3), at: at(60))
    #expect(pool.nextTick(after: at(60)) == nil)
  }

  @Test func `ends what is idle for too long, the oldest first`() {
    var pool = warm(3)
    #expect(pool.nextTick(after: at(10)) == at(60_003))
    #expect(pool.tick(at(60_002)) == [])
    #expect(pool.tick(at(60_004)) == [.end(key(0), .idle), .end(key(1), .idle)])
    #expect(pool.instancesCount == 1)
    #expect(pool.nextTick(after: at(60_004)) == at(60_005))
  }

  @Test func `forgets an instance in every phase, and passes over one that it does not know`() {
    var pool = warm(1)
    #expect(pool.removed(key(0), at: at(10)) == [])
    #expect(pool.removed(key(0), at: at(10)) == [])
    #expect(pool.becameAvailable(key(0), at: at(10)) == [])
    #expect(pool.initializationFailed(key(0), at: at(10)) == [])
    pool.answered(key(0), at: at(10))
    #expect(pool.submit(request(1), at: at(11)) == .waits([.start(key(1), inside: nil)]))
    #expect(pool.removed(key(1), at: at(12)) == [.start(key(2), inside: nil)])
    _ = pool.becameAvailable(key(2), at: at(13))
    #expect(pool.removed(key(2), at: at(14)) == [])
    #expect(pool.instancesCount == 0)
  }

  @Test func `takes an overdue instance back`() {
    var pool = warm(1)
    _ = pool.submit(request(1), at: at(10))
    #expect(pool.becameAvailable(key(0), at: at(20)) == [])
    #expect(pool.phase(of: key(0)) == .idle(since: at(20)))
  }

  @Test func `gives back what waits`() {
    var pool = pool(limit: 1)
    _ = pool.submit(request(1), at: at(0))
    _ = pool.submit(request(2), at: at(0))
    #expect(pool.abandonPending() == [request(1), request(2)])
    #expect(pool.pendingCount == 0)
    #expect(pool.becameAvailable(key(0), at: at(1)) == [])
  }

  @Test func `starts an instance for each request that was admitted before the limit was lowered`() {
    var pool = pool(limit: 3)
    for number in 0..<3 { _ = pool.submit(request(UInt64(number)), at: at(0)) }
    pool.instancesLimit = 0
    #expect(pool.removed(key(0), at: at(1)) == [.start(key(3), inside: nil)])
    _ = pool.becameAvailable(key(1), at: at(2))
    #expect(pool.removed(key(2), at: at(3)) == [.start(key(4), inside: nil)])
    #expect(pool.initializationFailed(key(4), at: at(4)) == [.start(key(5), inside: request(1))])
  }

  @Test func `replaces what is idle at once and what works when it is done`() {
    var pool = warm(3)
    _ = pool.submit(request(9), at: at(10))
    _ = pool.submit(request(8), at: at(10))
    pool.answered(key(2), at: at(11))
    #expect(pool.replaceAll(at: at(12)) == [.end(key(0), .scaleIn)])
    // It settles, but will not be there: another starts at once.
    #expect(pool.submit(request(7), at: at(13)) == .waits([.start(key(3), inside: nil)]))
    #expect(pool.becameAvailable(key(2), at: at(14)) == [.end(key(2), .scaleIn)])
    #expect(pool.becameAvailable(key(3), at: at(15)) == [.handOver(request(7), to: key(3))])
    pool.answered(key(1), at: at(16))
    #expect(pool.submit(request(6), at: at(17)) == .waits([.start(key(4), inside: nil)]))
    #expect(pool.becameAvailable(key(1), at: at(18)) == [.end(key(1), .scaleIn)])
    pool.answered(key(3), at: at(19))
    #expect(pool.becameAvailable(key(3), at: at(20)) == [.handOver(request(6), to: key(3))])
    #expect(pool.instancesCount == 2)
  }

  @Test func `replaces what initializes, but not inside of a request`() {
    var pool = pool()
    _ = pool.submit(request(1), at: at(0))
    _ = pool.initializationFailed(key(0), at: at(1))
    _ = pool.submit(request(2), at: at(2))
    #expect(pool.replaceAll(at: at(3)) == [.end(key(2), .scaleIn), .start(key(3), inside: nil)])
    #expect(pool.becameAvailable(key(1), at: at(4)) == [.handOver(request(1), to: key(1))])
    pool.answered(key(1), at: at(5))
    #expect(pool.becameAvailable(key(1), at: at(6)) == [.end(key(1), .scaleIn)])
  }

  @Test func `knows whether a request would start an instance`() {
    var pool = warm(1)
    #expect(pool.needsStart(at: at(10)) == false)
    _ = pool.submit(request(5), at: at(10))
    #expect(pool.needsStart(at: at(10)) == true)
    pool.answered(key(0), at: at(11))
    #expect(pool.needsStart(at: at(12)) == false)
    #expect(pool.needsStart(at: at(111)) == true)
    _ = pool.submit(request(6), at: at(112))
    #expect(pool.needsStart(at: at(112)) == true)
  }

  @Test func `numbers its instances from where it is told to`() {
    var pool = FunctionPool(instancesLimit: 1, idleLimit: .seconds(1), firstNumber: 40)
    #expect(pool.submit(request(1), at: at(0)) == .waits([.start(key(40), inside: nil)]))
  }
}
