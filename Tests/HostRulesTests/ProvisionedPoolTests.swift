import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Provisioned pool tests` {
  private func request(_ number: UInt64) -> RequestID { RequestID(Identifier128(high: 0, low: number)) }
  private func key(_ number: Int) -> InstanceKey { InstanceKey(pool: .provisioned, number: number) }
  private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }
  private func starts(_ numbers: Range<Int>) -> [PoolAction] { numbers.map { .start(key($0), inside: nil) } }

  /// A pool of `count` idle instances, at 10 ms.
  private func filled(_ count: Int) -> ProvisionedPool {
    var pool = ProvisionedPool()
    _ = pool.setRequested(count, at: at(0))
    for number in 0..<count { _ = pool.becameAvailable(key(number), at: at(10)) }
    return pool
  }

  // MARK: Filling

  @Test func `starts all that is requested, and is ready when all are initialized`() {
    var pool = ProvisionedPool()
    #expect(pool.isEmpty)
    #expect(pool.setRequested(3, at: at(0)) == starts(0..<3))
    #expect(pool.status == .inProgress && pool.allocated == 3 && pool.available == 0)
    #expect(pool.hasFree(at: at(1)) == false)
    for number in 0..<2 { #expect(pool.becameAvailable(key(number), at: at(5)) == []) }
    #expect(pool.status == .inProgress && pool.available == 2)
    #expect(pool.becameAvailable(key(2), at: at(6)) == [])
    #expect(pool.status == .ready && pool.available == 3)
    #expect(pool.nextTick(after: at(7)) == nil)
  }

  @Test func `lets none serve before the whole request is allocated`() {
    var pool = ProvisionedPool()
    let limit = ProvisionedPool.initializingLimit
    #expect(pool.setRequested(limit + 1, at: at(0)) == starts(0..<limit))
    #expect(pool.allocated == limit)
    #expect(pool.hasFree(at: at(1)) == false)
    #expect(pool.becameAvailable(key(0), at: at(1)) == starts(limit..<limit + 1))
    #expect(pool.available == 1 && pool.allocated == limit + 1)
    #expect(pool.hasFree(at: at(2)) == true)
  }

  @Test func `replaces all: what is idle at once, what is in use once it has answered`() {
    var pool = filled(3)
    _ = pool.submit(request(1), at: at(20))
    let ends: [PoolAction] = [.end(key(0), .scaleIn), .end(key(1), .scaleIn)]
    #expect(pool.replaceAll(at: at(21)) == ends + starts(3..<6))
    #expect(pool.allocated == 4 && pool.available == 0 && pool.hasFree(at: at(21)) == false)
    for number in 3..<6 { #expect(pool.becameAvailable(key(number), at: at(25)) == []) }
    #expect(pool.status == .ready && pool.hasFree(at: at(26)) == true)
    pool.answered(key(2), at: at(30))
    #expect(pool.becameAvailable(key(2), at: at(31)) == [.end(key(2), .scaleIn)])
    #expect(pool.removed(key(2), at: at(32)) == [] && pool.allocated == 3)
  }

  @Test func `gives up what waits for an instance that is replaced`() {
    var pool = filled(1)
    _ = pool.submit(request(1), at: at(20))
    pool.answered(key(0), at: at(21))
    _ = pool.submit(request(2), at: at(22))
    #expect(pool.replaceAll(at: at(23)) == [.spill(request(2))] + starts(1..<2))
    #expect(pool.removed(key(0), at: at(24)) == [] && pool.allocated == 1)
  }

  @Test func `keeps idle instances for ever`() {
    var pool = filled(2)
    #expect(pool.tick(at(1_000_000_000)) == [])
    #expect(pool.hasFree(at: at(1_000_000_000)) == true)
  }

  @Test func `replaces an instance that dies, in every phase`() {
    var pool = filled(3)
    _ = pool.submit(request(1), at: at(20))
    _ = pool.submit(request(2), at: at(20))
    pool.answered(key(1), at: at(21))
    #expect(pool.removed(key(2), at: at(22)) == starts(3..<4))
    #expect(pool.removed(key(1), at: at(23)) == starts(4..<5))
    #expect(pool.removed(key(4), at: at(24)) == starts(5..<6))
    #expect(pool.status == .inProgress && pool.available == 1 && pool.allocated == 3)
    // Nothing is known of it any more.
    #expect(pool.removed(key(4), at: at(25)) == [])
    #expect(pool.becameAvailable(key(4), at: at(25)) == [])
    #expect(pool.initializationFailed(key(4), .error, at: at(25)) == [])
    pool.answered(key(4), at: at(25))
    #expect(pool.phase(of: key(4)) == nil)
  }

  @Test func `waits longer and longer to replace what dies without having served`() {
    var pool = filled(1)
    #expect(pool.removed(key(0), at: at(20)) == [])
    #expect(pool.nextTick(after: at(20)) == at(270))
    #expect(pool.tick(at(269)) == [])
    #expect(pool.tick(at(270)) == starts(1..<2))
    _ = pool.becameAvailable(key(1), at: at(300))
    #expect(pool.status == .ready)
    #expect(pool.removed(key(1), at: at(301)) == [])
    #expect(pool.nextTick(after: at(301)) == at(801))
    _ = pool.tick(at(801))
    _ = pool.becameAvailable(key(2), at: at(900))
    _ = pool.submit(request(1), at: at(901))
    pool.answered(key(2), at: at(902))
    // It has served: nothing is held up any more.
    #expect(pool.removed(key(2), at: at(903)) == starts(3..<4))
  }

  // MARK: Failing

  @Test func `fails with a reason after three failures in a row, and goes on trying one at a time`() {
    var pool = ProvisionedPool()
    _ = pool.setRequested(4, at: at(0))
    #expect(pool.initializationFailed(key(0), .error, at: at(1)) == [])
    #expect(pool.initializationFailed(key(1), .error, at: at(1)) == [])
    #expect(pool.status == .inProgress)
    #expect(pool.initializationFailed(key(2), .timeout, at: at(1)) == [])
    #expect(pool.status == .failed(reason: "FUNCTION_ERROR_INIT_TIMEOUT"))
    #expect(pool.initializationFailed(key(3), .error, at: at(1)) == [])
    #expect(pool.status == .failed(reason: "FUNCTION_ERROR_INIT_FAILURE"))
    #expect(pool.allocated == 0 && pool.available == 0)
    #expect(pool.nextTick(after: at(1)) == at(2001))
    #expect(pool.tick(at(2001)) == starts(4..<5))
    #expect(pool.nextTick(after: at(2001)) == nil)
    #expect(pool.initializationFailed(key(4), .error, at: at(2100)) == [])
    #expect(pool.nextTick(after: at(2100)) == at(6100))
    // The first success: the others start at once.
    #expect(pool.tick(at(6100)) == starts(5..<6))
    #expect(pool.becameAvailable(key(5), at: at(6200)) == starts(6..<9))
    #expect(pool.status == .inProgress)
  }

  @Test(arguments: [(0, 0), (1, 250), (2, 500), (3, 1000), (8, 32_000), (9, 60_000), (1_000_000, 60_000)])
  func `spaces starts by twice as much with every failure`(failures: Int, milliseconds: Int64) {
    #expect(ProvisionedPool.backoff(afterFailures: failures) == .milliseconds(milliseconds))
  }

  @Test func `starts afresh when it is requested again`() {
    var pool = ProvisionedPool()
    _ = pool.setRequested(1, at: at(0))
    for number in 0..<3 {
      _ = pool.initializationFailed(key(number), .error, at: at(Int64(number) * 10_000))
      _ = pool.tick(at(Int64(number + 1) * 10_000 - 1))
    }
    #expect(pool.status == .failed(reason: "FUNCTION_ERROR_INIT_FAILURE"))
    _ = pool.initializationFailed(key(3), .error, at: at(40_000))
    #expect(pool.setRequested(1, at: at(40_001)) == starts(4..<5))
    #expect(pool.status == .inProgress)
  }

  // MARK: Serving

  @Test func `hands requests to idle instances, and lets one wait for each that settles`() {
    var pool = filled(2)
    #expect(pool.submit(request(1), at: at(20)) == .handOver(to: key(1)))
    #expect(pool.submit(request(2), at: at(20)) == .handOver(to: key(0)))
    #expect(pool.hasFree(at: at(20)) == false)
    pool.answered(key(0), at: at(30))
    #expect(pool.hasFree(at: at(30)) == true)
    #expect(pool.submit(request(3), at: at(30)) == .waits([]))
    #expect(pool.hasFree(at: at(30)) == false)
    #expect(pool.becameAvailable(key(0), at: at(31)) == [.handOver(request(3), to: key(0))])
    #expect(pool.pendingCount == 0)
  }

  @Test func `gives a request up that waits for an instance that does not come back`() {
    var pool = filled(1)
    _ = pool.submit(request(1), at: at(20))
    pool.answered(key(0), at: at(30))
    _ = pool.submit(request(2), at: at(40))
    #expect(pool.nextTick(after: at(40)) == at(130))
    #expect(pool.tick(at(129)) == [])
    #expect(pool.tick(at(130)) == [.spill(request(2))])
    #expect(pool.hasFree(at: at(130)) == false)
    #expect(pool.becameAvailable(key(0), at: at(140)) == [])
    #expect(pool.hasFree(at: at(140)) == true)
  }

  @Test func `gives the newest up when one of those waited for dies`() {
    var pool = filled(2)
    for number in 1...2 { _ = pool.submit(request(UInt64(number)), at: at(20)) }
    for number in 0...1 { pool.answered(key(number), at: at(30)) }
    for number in 3...4 { _ = pool.submit(request(UInt64(number)), at: at(31)) }
    #expect(pool.removed(key(0), at: at(32)) == [.spill(request(4))] + starts(2..<3))
    #expect(pool.becameAvailable(key(1), at: at(33)) == [.handOver(request(3), to: key(1))])
  }

  @Test func `takes an overdue instance back`() {
    var pool = filled(1)
    _ = pool.submit(request(1), at: at(20))
    #expect(pool.becameAvailable(key(0), at: at(30)) == [])
    #expect(pool.phase(of: key(0)) == .idle)
  }

  // MARK: Changing

  @Test func `starts more when more is requested, and those that there are serve on`() {
    var pool = filled(2)
    #expect(pool.setRequested(4, at: at(20)) == starts(2..<4))
    #expect(pool.status == .inProgress && pool.available == 2)
    #expect(pool.hasFree(at: at(20)) == true)
  }

  @Test func `ends what initializes first, then what is idle, then what works when it has answered`() {
    var pool = filled(3)
    _ = pool.setRequested(5, at: at(20))
    _ = pool.submit(request(1), at: at(21))
    #expect(
      pool.setRequested(2, at: at(22)) == [
        .end(key(4), .scaleIn), .end(key(3), .scaleIn), .end(key(0), .scaleIn),
      ])
    #expect(pool.allocated == 2)
    _ = pool.submit(request(2), at: at(23))
    #expect(pool.setRequested(0, at: at(24)) == [])
    #expect(pool.available == 0 && pool.allocated == 2 && !pool.isEmpty)
    pool.answered(key(2), at: at(25))
    #expect(pool.hasFree(at: at(25)) == false)
    #expect(pool.becameAvailable(key(2), at: at(26)) == [.end(key(2), .scaleIn)])
    #expect(pool.removed(key(1), at: at(27)) == [])
    #expect(pool.isEmpty)
  }

  @Test func `serves who waits before it lets an unwanted instance go`() {
    var pool = filled(2)
    for number in 1...2 { _ = pool.submit(request(UInt64(number)), at: at(20)) }
    pool.answered(key(0), at: at(30))
    _ = pool.submit(request(3), at: at(31))
    #expect(pool.setRequested(0, at: at(32)) == [])
    #expect(pool.becameAvailable(key(0), at: at(33)) == [.handOver(request(3), to: key(0))])
    pool.answered(key(0), at: at(34))
    #expect(pool.becameAvailable(key(0), at: at(35)) == [.end(key(0), .scaleIn)])
  }

  @Test func `opens again only when all of a new request is allocated`() {
    var pool = filled(1)
    _ = pool.setRequested(0, at: at(20))
    #expect(!pool.isOpen && pool.isEmpty)
    _ = pool.setRequested(ProvisionedPool.initializingLimit + 1, at: at(30))
    #expect(!pool.isOpen)
  }

  @Test func `gives back what waits and starts nothing more when the host stops`() {
    var pool = filled(1)
    _ = pool.submit(request(1), at: at(20))
    pool.answered(key(0), at: at(21))
    _ = pool.submit(request(2), at: at(22))
    #expect(pool.abandonPending() == [request(2)])
    #expect(pool.removed(key(0), at: at(23)) == [])
    #expect(pool.nextTick(after: at(24)) == nil)
  }
}

@Suite struct `Provisioned plan tests` {
  private let now = Timestamp(nanoseconds: 7)
  private let aliases: [String: FunctionVersion] = ["current": .published(1), "other": .published(1)]

  private func resolve(_ qualifier: String) -> FunctionVersion? {
    aliases[qualifier] ?? FunctionVersion(text: qualifier)
  }

  @Test func `adds up what is requested of a version, in order of qualifier`() {
    var plan = ProvisionedPlan()
    plan.set("other", to: 2, at: now)
    plan.set("2", to: 5, at: now)
    plan.set("current", to: 3, at: now)
    plan.set("gone", to: 9, at: now)
    #expect(plan.entries.map(\.qualifier) == ["2", "current", "gone", "other"])
    #expect(plan.targets(resolve) == [.published(1): 5, .published(2): 5])
    plan.forgetUnresolved(resolve)
    #expect(plan.requested(by: "gone") == 0 && plan.requested(by: "2") == 5)
    plan.set("2", to: nil, at: now)
    plan.set("other", to: 0, at: now)
    #expect(plan.entries.map(\.qualifier) == ["current"])
  }

  @Test func `shares what a version has among those that stand for it`() {
    var plan = ProvisionedPlan()
    plan.set("current", to: 3, at: now)
    plan.set("other", to: 2, at: now)
    var pool = ProvisionedPool()
    _ = pool.setRequested(5, at: now)
    for number in 0..<4 { _ = pool.becameAvailable(InstanceKey(pool: .provisioned, number: number), at: now) }
    let configurations = plan.configurations(resolve) { $0 == .published(1) ? pool : nil }
    #expect(configurations.map(\.available) == [3, 1])
    #expect(configurations.map(\.allocated) == [3, 2])
    #expect(configurations.map(\.status) == [.ready, .inProgress])
    #expect(configurations.map(\.lastModified) == [now, now])
  }

  @Test func `says that a version is covered already`() throws {
    var plan = ProvisionedPlan()
    plan.set("current", to: 3, at: now)
    #expect(throws: ConcurrencyRefusal.versionCoveredByAlias) { try plan.checkCoverage(of: "1", resolve) }
    #expect(throws: ConcurrencyRefusal.aliasOfCoveredVersion) { try plan.checkCoverage(of: "other", resolve) }
    try plan.checkCoverage(of: "current", resolve)
    try plan.checkCoverage(of: "2", resolve)
  }
}
