import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Admission tests` {
  private let first = FunctionIndex(position: 0)
  private let second = FunctionIndex(position: 1)
  private let start = Timestamp(nanoseconds: 0)
  private let one = FunctionVersion.published(1)

  private func make(
    _ functions: [(reserved: Int?, provisioned: Int?)], account: Int = 10, minimum: Int = 1, rates: Bool = false,
    scaleOut: Int? = nil
  ) throws -> Admission {
    let account = Admission.Account(
      concurrency: account, unreservedMinimum: minimum, limitsRequestRate: rates, scaleOutRate: scaleOut)
    var admission = try Admission(account, functions: functions, at: start)
    for (position, function) in functions.enumerated() {
      guard let provisioned = function.provisioned else { continue }
      admission.setProvisioned(FunctionIndex(position: position), to: [one: provisioned], at: start)
    }
    return admission
  }

  private func admit(
    _ admission: inout Admission, _ function: FunctionIndex, _ version: FunctionVersion = .latest,
    provisioned: Bool = false, starts: Bool = false, at now: Timestamp? = nil
  ) -> Admission.Decision {
    admission.admit(function, version, .init(hasProvisioned: provisioned, needsStart: starts), at: now ?? start)
  }

  /// What became of it: the pool, or the reason.
  private func pool(_ decision: Admission.Decision) -> ConcurrencyPool? {
    if case .admitted(let grant) = decision { grant.pool } else { nil }
  }

  private func slot(_ decision: Admission.Decision) throws -> Admission.Slot {
    guard case .admitted(let grant) = decision else {
      Issue.record("It was refused: \(decision)")
      throw AdmissionTestError.refused
    }
    return grant.slot
  }

  private enum AdmissionTestError: Error { case refused }

  // MARK: Order

  @Test func `holds a reserved function to its part and leaves it that part`() throws {
    var admission = try make([(2, nil), (nil, nil)])
    let reserved = try slot(admit(&admission, first))
    #expect(pool(admit(&admission, first)) == .reserved)
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    var unreserved: [Admission.Slot] = []
    for _ in 0..<8 { unreserved.append(try slot(admit(&admission, second))) }
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
    admission.release(reserved)
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
    #expect(pool(admit(&admission, first)) == .reserved)
    admission.release(unreserved[0])
    #expect(pool(admit(&admission, second)) == .unreserved)
    #expect(admission.runningCount == 10)
  }

  @Test func `refuses everything of a paused function`() throws {
    var admission = try make([(0, nil)])
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    #expect(admission.ceiling(first) == 0)
  }

  @Test func `takes a provisioned slot first, then the rest of the reserve`() throws {
    var admission = try make([(3, 2)])
    for _ in 0..<2 {
      let decision = admit(&admission, first, one, provisioned: true)
      #expect(pool(decision) == .provisioned)
      if case .admitted(let grant) = decision { #expect(!grant.isSpillover) }
    }
    // An instance is free, but no slot is: another invocation waits for one that settles.
    guard case .admitted(let spilled) = admit(&admission, first, one, provisioned: true) else {
      Issue.record("The rest of the reserve was refused.")
      return
    }
    #expect(spilled.pool == .reserved && spilled.isSpillover)
    #expect(
      admit(&admission, first, one, provisioned: true) == .throttled(.reservedFunctionConcurrentInvocationLimit))
  }

  @Test func `throttles the latest version where all of the reserve is provisioned`() throws {
    var admission = try make([(2, 2)])
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    #expect(pool(admit(&admission, first, one, provisioned: true)) == .provisioned)
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
  }

  @Test func `takes provisioned concurrency without a reserve out of what all share`() throws {
    var admission = try make([(nil, 4), (nil, nil)])
    for _ in 0..<6 { #expect(pool(admit(&admission, second)) == .unreserved) }
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
    #expect(admit(&admission, first) == .throttled(.concurrentInvocationLimit))
    #expect(admit(&admission, first, one) == .throttled(.concurrentInvocationLimit))
    #expect(pool(admit(&admission, first, one, provisioned: true)) == .provisioned)
  }

  @Test func `runs on demand, as spillover, while no provisioned instance is free`() throws {
    var admission = try make([(nil, 4)])
    guard case .admitted(let grant) = admit(&admission, first, one, provisioned: false) else {
      Issue.record("It was refused.")
      return
    }
    #expect(grant.pool == .unreserved && grant.isSpillover)
    guard case .admitted(let other) = admit(&admission, first, .latest) else {
      Issue.record("It was refused.")
      return
    }
    #expect(!other.isSpillover)
  }

  @Test func `moves a slot to on demand if there is one`() throws {
    var admission = try make([(2, 1)])
    let provisioned = try slot(admit(&admission, first, one, provisioned: true))
    let moved = admission.moveToOnDemand(provisioned, at: start)
    #expect(moved?.pool == .reserved && moved?.isSpillover == true)
    #expect(admission.runningCount == 1)
    let again = try slot(admit(&admission, first, one, provisioned: true))
    #expect(admission.moveToOnDemand(again, at: start) == nil)
    #expect(admission.runningCount == 2)
    admission.release(again)
    #expect(pool(admit(&admission, first, one, provisioned: true)) == .provisioned)
    #expect(admission.moveToOnDemand(try #require(moved?.slot), at: start) == nil)
  }

  // MARK: Changes while running

  @Test func `keeps a provisioned slot in use set aside when provisioned concurrency ends`() throws {
    var admission = try make([(3, 2)])
    let used = try slot(admit(&admission, first, one, provisioned: true))
    admission.setProvisioned(first, to: [:], at: start)
    #expect(admission.provisioned(of: first) == 0)
    #expect(pool(admit(&admission, first, one)) == .reserved)
    #expect(pool(admit(&admission, first, one)) == .reserved)
    #expect(admit(&admission, first, one) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    admission.release(used)
    #expect(pool(admit(&admission, first, one)) == .reserved)
    #expect(admission.runningCount == 3)
  }

  @Test func `holds a lowered reserve once enough has finished`() throws {
    var admission = try make([(5, nil), (nil, nil)])
    let slots = try (0..<5).map { _ in try slot(admit(&admission, first)) }
    try admission.setReserved(first, to: 2, at: start)
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    for slot in slots[..<4] { admission.release(slot) }
    #expect(pool(admit(&admission, first)) == .reserved)
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
  }

  @Test func `never has more in all than the account, also when a reserve is set while others run`() throws {
    var admission = try make([(nil, nil), (nil, nil)])
    let slots = try (0..<10).map { _ in try slot(admit(&admission, second)) }
    try admission.setReserved(first, to: 5, at: start)
    #expect(admit(&admission, first) == .throttled(.concurrentInvocationLimit))
    admission.release(slots[0])
    #expect(pool(admit(&admission, first)) == .reserved)
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
  }

  @Test func `counts what ran before a reserve into it, and out of it when it is off`() throws {
    var admission = try make([(nil, nil), (nil, nil)])
    let slots = try (0..<3).map { _ in try slot(admit(&admission, first)) }
    try admission.setReserved(first, to: 4, at: start)
    #expect(pool(admit(&admission, first)) == .reserved)
    #expect(admit(&admission, first) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    for _ in 0..<6 { #expect(pool(admit(&admission, second)) == .unreserved) }
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
    try admission.setReserved(first, to: nil, at: start)
    #expect(admit(&admission, second) == .throttled(.concurrentInvocationLimit))
    for slot in slots { admission.release(slot) }
    for _ in 0..<3 { #expect(pool(admit(&admission, second)) == .unreserved) }
    #expect(admit(&admission, first) == .throttled(.concurrentInvocationLimit))
  }

  // MARK: Refusals

  @Test func `refuses a reserve that leaves too little, and one below what is provisioned`() throws {
    var admission = try make([(nil, 5), (nil, nil)], account: 1000, minimum: 100)
    #expect(throws: ConcurrencyRefusal.reservedBelowProvisioned(reserved: 4, provisioned: 5)) {
      try admission.setReserved(first, to: 4, at: start)
    }
    #expect(throws: ConcurrencyRefusal.reservedLeavesTooLittle(minimum: 100)) {
      try admission.setReserved(first, to: 901, at: start)
    }
    #expect(throws: ConcurrencyRefusal.reservedLeavesTooLittle(minimum: 100)) {
      try admission.setReserved(second, to: .max, at: start)
    }
    try admission.setReserved(first, to: 900, at: start)
    #expect(admission.unreserved == 100 && admission.reserved(of: first) == 900)
    #expect(throws: ConcurrencyRefusal.reservedLeavesTooLittle(minimum: 100)) {
      try admission.setReserved(second, to: 1, at: start)
    }
    try admission.setReserved(second, to: 0, at: start)
    try admission.setReserved(first, to: 899, at: start)
    #expect(admission.unreserved == 101)
  }

  @Test func `takes back a reserve in an account that has less than the minimum`() throws {
    var admission = try make([(nil, nil)], account: 50, minimum: 100)
    try admission.setReserved(first, to: 0, at: start)
    #expect(throws: ConcurrencyRefusal.reservedLeavesTooLittle(minimum: 100)) {
      try admission.setReserved(first, to: 1, at: start)
    }
    try admission.setReserved(first, to: nil, at: start)
    #expect(admission.unreserved == 50)
  }

  @Test func `refuses provisioned concurrency above the reserve, above the account, and below the minimum`() throws {
    let admission = try make([(10, nil), (nil, nil)], account: 1000, minimum: 100)
    #expect(throws: ConcurrencyRefusal.provisionedAboveReserved) {
      try admission.checkProvisioned(first, 11, total: 11)
    }
    #expect(throws: ConcurrencyRefusal.provisionedAboveReserved) {
      try admission.checkProvisioned(first, 6, total: 11)
    }
    try admission.checkProvisioned(first, 10, total: 10)
    #expect(throws: ConcurrencyRefusal.provisionedAboveUnreserved(990)) {
      try admission.checkProvisioned(second, 991, total: 991)
    }
    #expect(throws: ConcurrencyRefusal.provisionedLeavesTooLittle(minimum: 100)) {
      try admission.checkProvisioned(second, 891, total: 891)
    }
    #expect(throws: ConcurrencyRefusal.provisionedAboveUnreserved(0)) {
      try admission.checkProvisioned(second, 1, total: .max)
    }
    try admission.checkProvisioned(second, 890, total: 890)
  }

  // MARK: Rates

  @Test func `lets ten requests a second pass for each slot of the account`() throws {
    var admission = try make([(nil, nil)], account: 3, rates: true)
    for _ in 0..<30 { admission.release(try slot(admit(&admission, first))) }
    #expect(admit(&admission, first) == .throttled(.functionInvocationRateLimit))
    let later = start + .milliseconds(34)
    #expect(pool(admit(&admission, first, at: later)) == .unreserved)
    #expect(admit(&admission, first, at: later) == .throttled(.functionInvocationRateLimit))
  }

  @Test func `lets ten requests a second pass for each slot of a reserve and of provisioned concurrency`() throws {
    var admission = try make([(2, 1)], rates: true)
    for _ in 0..<20 { admission.release(try slot(admit(&admission, first))) }
    #expect(admit(&admission, first) == .throttled(.reservedFunctionInvocationRateLimit))
    for _ in 0..<10 { admission.release(try slot(admit(&admission, first, one, provisioned: true))) }
    #expect(admit(&admission, first, one, provisioned: true) == .throttled(.functionInvocationRateLimit))
    #expect(pool(admit(&admission, first, one, provisioned: true, at: start + .milliseconds(100))) == .provisioned)
  }

  @Test func `follows a changed limit with its rate`() throws {
    var admission = try make([(1, nil)], account: 10, rates: true)
    for _ in 0..<10 { admission.release(try slot(admit(&admission, first))) }
    try admission.setReserved(first, to: 4, at: start)
    let later = start + .milliseconds(500)
    for _ in 0..<20 { admission.release(try slot(admit(&admission, first, at: later))) }
    #expect(admit(&admission, first, at: later) == .throttled(.reservedFunctionInvocationRateLimit))
    try admission.setReserved(first, to: nil, at: later)
    #expect(pool(admit(&admission, first, at: later)) == .unreserved)
  }

  @Test func `counts only what is admitted against a rate`() throws {
    var admission = try make([(nil, nil)], account: 1, rates: true)
    let held = try slot(admit(&admission, first))
    for _ in 0..<20 { #expect(admit(&admission, first) == .throttled(.concurrentInvocationLimit)) }
    admission.release(held)
    for _ in 0..<9 { admission.release(try slot(admit(&admission, first))) }
    #expect(admit(&admission, first) == .throttled(.functionInvocationRateLimit))
  }

  @Test func `lets a function grow by so many instances in ten seconds`() throws {
    var admission = try make([(nil, nil), (50, nil)], account: 100, scaleOut: 2)
    for _ in 0..<2 { #expect(pool(admit(&admission, first, starts: true)) == .unreserved) }
    #expect(admit(&admission, first, starts: true) == .throttled(.concurrentInvocationLimit))
    // One that needs no instance is no growth, and every function has a rate of its own.
    #expect(pool(admit(&admission, first)) == .unreserved)
    for _ in 0..<2 { #expect(pool(admit(&admission, second, starts: true)) == .reserved) }
    #expect(admit(&admission, second, starts: true) == .throttled(.reservedFunctionConcurrentInvocationLimit))
    let later = start + .seconds(5)
    #expect(pool(admit(&admission, first, starts: true, at: later)) == .unreserved)
    #expect(admit(&admission, first, starts: true, at: later) == .throttled(.concurrentInvocationLimit))
    #expect(pool(admit(&admission, first, starts: true, at: start + .seconds(100))) == .unreserved)
    #expect(pool(admit(&admission, first, starts: true, at: start + .seconds(100))) == .unreserved)
    #expect(admit(&admission, first, starts: true, at: start + .seconds(100)) == .throttled(.concurrentInvocationLimit))
  }

  // MARK: Configuration

  struct Configured: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var account: Int
    var minimum: Int
    var reserved: [Int?]
    var provisioned: [Int?] = [nil, nil]
    var isValid: Bool
  }

  @Test(arguments: [
    Configured(testDescription: "all but the minimum", account: 1000, minimum: 100, reserved: [900], isValid: true),
    Configured(testDescription: "one too many", account: 1000, minimum: 100, reserved: [900, 1], isValid: false),
    Configured(
      testDescription: "a small account, nothing reserved", account: 5, minimum: 100, reserved: [nil], isValid: true),
    Configured(
      testDescription: "a paused function in a full account", account: 100, minimum: 100, reserved: [0], isValid: true),
    Configured(testDescription: "a negative reserve", account: 1000, minimum: 100, reserved: [-1], isValid: false),
    Configured(testDescription: "no account", account: 0, minimum: 0, reserved: [], isValid: false),
    Configured(
      testDescription: "a sum that overflows", account: 1000, minimum: 100, reserved: [.max, .max], isValid: false),
    Configured(
      testDescription: "provisioned within reserved", account: 1000, minimum: 100, reserved: [900], provisioned: [900],
      isValid: true),
    Configured(
      testDescription: "provisioned above reserved", account: 1000, minimum: 100, reserved: [5], provisioned: [6],
      isValid: false),
    Configured(
      testDescription: "provisioned that leaves too little", account: 1000, minimum: 100, reserved: [nil, 100],
      provisioned: [801, nil], isValid: false),
    Configured(
      testDescription: "negative provisioned", account: 1000, minimum: 100, reserved: [nil], provisioned: [-1],
      isValid: false),
  ])
  func `takes only what leaves the unreserved minimum`(_ given: Configured) {
    let account = Admission.Account(concurrency: given.account, unreservedMinimum: given.minimum)
    let functions = zip(given.reserved, given.provisioned).map { (reserved: $0, provisioned: $1) }
    let admission = try? Admission(account, functions: functions, at: start)
    #expect((admission != nil) == given.isValid)
  }

  // MARK: Reload

  @Test func `takes more functions and another account while invocations run`() throws {
    var admission = try make([(reserved: 2, provisioned: nil)])
    let running = try slot(admit(&admission, first))
    #expect(admission.addFunction(at: start) == second)
    admission.claim(second, reserved: 3, [:], at: start)
    #expect(admission.unreserved == 5 && admission.ceiling(second) == 3)
    #expect(pool(admit(&admission, second)) == .reserved)
    // The first is gone: what runs of it is one of everybody's, and gives back what it holds.
    admission.claim(first, reserved: nil, [:], at: start)
    #expect(admission.unreserved == 7)
    admission.release(running)
    #expect(admission.runningCount == 1)
    try admission.setAccount(concurrency: 4, unreservedMinimum: 1, at: start)
    #expect(admission.account.concurrency == 4 && admission.unreserved == 1)
    #expect(throws: AccountProblem.self) { try admission.setAccount(concurrency: 3, unreservedMinimum: 1, at: start) }
    #expect(admission.account.concurrency == 4)
  }
}
