import Lifecycle
import TestSupport
import Testing

@testable import HostRules

/// Admission and pools as a host connects them, with instances that do whatever comes to their mind, beside a model that
/// counts everything anew each time.
@Suite struct `Admission property tests` {
  @Test(arguments: 0..<40)
  func `admits as counted by hand, and answers everybody once`(seed: Int) throws {
    var world = try World(seed: UInt64(seed))
    for _ in 0..<1500 {
      world.step()
      world.check()
    }
    world.drain()
  }
}

private struct World {
  static let functions = 3
  static let versions: [FunctionVersion] = [.latest, .published(1), .published(2)]
  static let account = 12

  struct Key: Hashable {
    var function: Int
    var instance: InstanceKey
  }

  enum Doing: Equatable {
    case starting
    case waiting
    case working(RequestID)
    case answered(Timestamp)
  }

  struct Worker {
    var version: FunctionVersion
    var doing = Doing.starting
    /// The request that its start is inside of.
    var bound: RequestID?
  }

  struct Request {
    var function: Int
    var version: FunctionVersion
    var grant: Admission.Grant
    /// In the queue of the provisioned pool.
    var waitsForProvisioned: Bool
  }

  var generator: SplitMix
  var now = Timestamp(nanoseconds: 0)
  var admission: Admission
  var pools: [[FunctionVersion: VersionPools]]
  var workers: [Key: Worker] = [:]
  /// Those without an answer.
  var requests: [RequestID: Request] = [:]
  var waiting: Set<RequestID> = []
  var answered: Set<RequestID> = []
  var reserved: [Int?]
  var requested: [[FunctionVersion: Int]]
  var isOpen: [[FunctionVersion: Bool]]
  var submitted: UInt64 = 0

  init(seed: UInt64) throws {
    generator = SplitMix(seed: seed)
    reserved = [4, nil, nil]
    requested = Array(repeating: [:], count: World.functions)
    isOpen = Array(repeating: [:], count: World.functions)
    let account = Admission.Account(concurrency: World.account, unreservedMinimum: 2)
    admission = try Admission(account, functions: reserved.map { ($0, nil) }, at: now)
    pools = (0..<World.functions).map { _ in
      var pools: [FunctionVersion: VersionPools] = [:]
      for (ordinal, version) in World.versions.enumerated() {
        pools[version] = VersionPools(ordinal: ordinal, instancesLimit: World.account, idleLimit: .seconds(2))
      }
      return pools
    }
  }

  mutating func random(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }

  private var sortedKeys: [Key] {
    workers.keys.sorted { left, right in
      left.function == right.function
        ? (left.instance.number, left.instance.pool == .provisioned ? 1 : 0)
          < (right.instance.number, right.instance.pool == .provisioned ? 1 : 0)
        : left.function < right.function
    }
  }

  // MARK: What happens

  mutating func step() {
    switch random(20) {
    case 0..<6: submit(random(World.functions), World.versions[random(World.versions.count)])
    case 6..<16: work(isKind: false)
    case 16..<18: pass(Nanoseconds.milliseconds(Int64(random(200))))
    case 18: changeReserved(random(World.functions))
    default: changeProvisioned(random(World.functions), World.versions[1 + random(2)])
    }
  }

  mutating func submit(_ function: Int, _ version: FunctionVersion) {
    let supply = pools[function][version]?.supply(limitsStarts: false, at: now) ?? .init()
    let hasProvisioned = supply.hasProvisioned
    #expect(hasProvisioned == isFree(function, version))
    let expected = decision(function, version, hasProvisioned: hasProvisioned)
    let decision = admission.admit(FunctionIndex(position: function), version, supply, at: now)
    guard case .admitted(let grant) = decision else {
      #expect(decision == expected.map { .throttled($0) })
      return
    }
    #expect(expected == nil)
    let isProvisioned = grant.pool == .provisioned
    #expect(grant.isSpillover == (!isProvisioned && requested[function][version] ?? 0 > 0))
    submitted += 1
    let id = RequestID(Identifier128(high: 1, low: submitted))
    requests[id] = Request(function: function, version: version, grant: grant, waitsForProvisioned: isProvisioned)
    waiting.insert(id)
    place(id, in: InstancePool(serving: grant.pool), function, version)
  }

  private mutating func place(_ id: RequestID, in pool: InstancePool, _ function: Int, _ version: FunctionVersion) {
    switch pools[function][version]?.submit(id, to: pool, at: now) {
    case .handOver(let instance)?: handOver(id, Key(function: function, instance: instance))
    case .waits(let actions)?: perform(actions, function, version)
    case nil: Issue.record("A version without pools admits a request.")
    }
  }

  /// One of the instances does something; a kind one never fails.
  mutating func work(isKind: Bool) {
    let keys = sortedKeys
    guard !keys.isEmpty else { return }
    work(keys[random(keys.count)], isKind: isKind)
  }

  mutating func work(_ key: Key, isKind: Bool) {
    guard let worker = workers[key] else { return }
    let fails = !isKind && random(8) == 0
    switch worker.doing {
    case .starting:
      if fails { return initializationFailed(key, worker) }
      becameAvailable(key, worker)
    case .waiting: if fails { removed(key, worker) }
    case .working(let request):
      answer(request)
      if fails { return removed(key, worker) }
      workers[key]?.doing = .answered(now)
      #expect(pools[key.function][worker.version]?.take(.answered, of: key.instance, at: now) == [])
    case .answered:
      if fails { return removed(key, worker) }
      becameAvailable(key, worker)
    }
  }

  mutating func becameAvailable(_ key: Key, _ worker: Worker) {
    workers[key]?.doing = .waiting
    tell(.available, key, worker)
  }

  mutating func initializationFailed(_ key: Key, _ worker: Worker) {
    workers[key] = nil
    if let bound = worker.bound { answer(bound) }
    tell(.initializationFailed(.error), key, worker)
  }

  mutating func removed(_ key: Key, _ worker: Worker) {
    workers[key] = nil
    tell(.removed, key, worker)
  }

  private mutating func tell(_ event: PoolEvent, _ key: Key, _ worker: Worker) {
    perform(pools[key.function][worker.version]?.take(event, of: key.instance, at: now), key.function, worker.version)
  }

  mutating func answer(_ id: RequestID) {
    #expect(answered.insert(id).inserted, "answered twice")
    guard let request = requests.removeValue(forKey: id) else {
      Issue.record("An answer for nobody.")
      return
    }
    admission.release(request.grant.slot)
  }

  mutating func pass(_ time: Nanoseconds) {
    now = now + time
    for function in 0..<World.functions {
      for version in World.versions {
        for pool in InstancePool.allCases { perform(pools[function][version]?.tick(pool, at: now), function, version) }
      }
    }
  }

  mutating func changeReserved(_ function: Int) {
    let value: Int? = random(3) == 0 ? nil : random(7)
    do throws(ConcurrencyRefusal) {
      try admission.setReserved(FunctionIndex(position: function), to: value, at: now)
      reserved[function] = value
      setCeilings()
    } catch {
      // A refusal changes nothing, which every later decision shows.
    }
  }

  mutating func changeProvisioned(_ function: Int, _ version: FunctionVersion) {
    let value = random(4)
    var targets = requested[function]
    targets[version] = value == 0 ? nil : value
    do throws(ConcurrencyRefusal) {
      if value > 0 {
        let total = targets.values.reduce(0, +)
        try admission.checkProvisioned(FunctionIndex(position: function), value, total: total)
      }
    } catch {
      return
    }
    requested[function] = targets
    admission.setProvisioned(FunctionIndex(position: function), to: targets, at: now)
    setCeilings()
    let actions = pools[function][version]?.setProvisioned(value, at: now)
    if value == 0 { isOpen[function][version] = false }
    perform(actions, function, version)
  }

  mutating func setCeilings() {
    for function in 0..<World.functions {
      for version in World.versions {
        pools[function][version]?.instancesLimit = admission.ceiling(FunctionIndex(position: function))
      }
    }
  }

  mutating func perform(_ actions: [PoolAction]?, _ function: Int, _ version: FunctionVersion) {
    for action in actions ?? [] {
      switch action {
      case .start(let instance, let bound):
        let key = Key(function: function, instance: instance)
        #expect(workers[key] == nil, "a number is used twice")
        if let bound { #expect(waiting.remove(bound) != nil) }
        workers[key] = Worker(version: version, bound: bound)
      case .handOver(let id, let instance): handOver(id, Key(function: function, instance: instance))
      case .end(let instance, _):
        let worker = workers.removeValue(forKey: Key(function: function, instance: instance))
        if case .working = worker?.doing { Issue.record("An instance was ended while it worked.") }
        #expect(worker?.bound == nil || worker?.doing != .starting)
      case .spill(let id):
        #expect(waiting.contains(id))
        requests[id]?.waitsForProvisioned = false
        if let slot = requests[id]?.grant.slot, let grant = admission.moveToOnDemand(slot, at: now) {
          requests[id]?.grant = grant
        }
        place(id, in: .onDemand, function, version)
      }
    }
    noteOpen(function, version)
  }

  private mutating func handOver(_ id: RequestID, _ key: Key) {
    #expect(workers[key]?.doing == .waiting, "an event for an instance that did not ask")
    if workers[key]?.bound == id { workers[key]?.bound = nil } else { #expect(waiting.remove(id) != nil) }
    #expect(requests[id]?.function == key.function && requests[id]?.version == workers[key]?.version)
    requests[id]?.waitsForProvisioned = false
    workers[key]?.doing = .working(id)
  }

  // MARK: The model

  private mutating func noteOpen(_ function: Int, _ version: FunctionVersion) {
    let wanted = requested[function][version] ?? 0
    if wanted > 0, provisioned(function, version).count >= wanted { isOpen[function][version] = true }
  }

  private func provisioned(_ function: Int, _ version: FunctionVersion) -> [Worker] {
    var found: [Worker] = []
    for (key, worker) in workers where key.function == function && worker.version == version {
      if key.instance.pool == .provisioned { found.append(worker) }
    }
    return found
  }

  private func isFree(_ function: Int, _ version: FunctionVersion) -> Bool {
    var free = 0
    for worker in provisioned(function, version) {
      switch worker.doing {
      case .waiting: free += 1
      case .answered(let since) where now < since + ProvisionedPool.settleGrace: free += 1
      case .answered, .starting, .working: break
      }
    }
    for request in requests.values where request.function == function && request.version == version {
      if request.waitsForProvisioned { free -= 1 }
    }
    return isOpen[function][version] == true && free > 0
  }

  private func running(_ function: Int, provisioned version: FunctionVersion?) -> Int {
    var count = 0
    for request in requests.values where request.function == function {
      if request.grant.slot.provisioned == version { count += 1 }
    }
    return count
  }

  private func provisionedClaim(_ function: Int) -> Int {
    var claim = 0
    for version in World.versions {
      let wanted: Int = requested[function][version] ?? 0
      claim += max(wanted, running(function, provisioned: version))
    }
    return claim
  }

  /// Why an invocation is refused; `nil`: it is admitted.
  private func decision(_ function: Int, _ version: FunctionVersion, hasProvisioned: Bool) -> ThrottleReason? {
    let isAccountFull = requests.count >= World.account
    if hasProvisioned, running(function, provisioned: version) < requested[function][version] ?? 0 {
      return isAccountFull ? .concurrentInvocationLimit : nil
    }
    if let part = reserved[function] {
      guard running(function, provisioned: nil) < part - provisionedClaim(function) else {
        return .reservedFunctionConcurrentInvocationLimit
      }
      return isAccountFull ? .concurrentInvocationLimit : nil
    }
    var claims = 0
    var unreserved = 0
    for other in 0..<World.functions {
      if let part = reserved[other] {
        claims += part
      } else {
        claims += provisionedClaim(other)
        unreserved += running(other, provisioned: nil)
      }
    }
    return unreserved < World.account - claims && !isAccountFull ? nil : .concurrentInvocationLimit
  }

  /// What holds after every step.
  func check() {
    #expect(admission.runningCount == requests.count)
    #expect(requests.count <= World.account)
    for function in 0..<World.functions {
      for version in World.versions {
        #expect(pools[function][version]?.provisioned.allocated == provisioned(function, version).count)
      }
    }
  }

  /// Lets everybody finish, and looks at what is left.
  mutating func drain() {
    var rounds = 0
    while rounds < 400, !requests.isEmpty || !isFull {
      rounds += 1
      pass(.milliseconds(700))
      for key in sortedKeys {
        work(key, isKind: true)
      }
    }
    #expect(requests.isEmpty, "requests without an answer")
    #expect(isFull, "a provisioned pool is not full")
    #expect(waiting.isEmpty && answered.count == Int(submitted))
    #expect(admission.runningCount == 0)
  }

  private var isFull: Bool {
    for function in 0..<World.functions {
      for version in World.versions {
        let wanted: Int = requested[function][version] ?? 0
        var ready = 0
        for worker in provisioned(function, version) where worker.doing != .starting { ready += 1 }
        guard ready == wanted else { return false }
        if wanted > 0, pools[function][version]?.provisioned.status != .ready { return false }
      }
    }
    return true
  }
}
