import HostRules
import Lifecycle
import NIOCore

/// Brings invocations and instances together: who is admitted, which instance serves whom, and how many instances there
/// are. Used on the host's loop.
///
/// `Admission` and `VersionPools` decide; this type tells them what happens, and has the host do what they want.
final class Dispatcher {
  /// What there is of one function.
  private struct Schedule {
    /// The instances of versions that were invoked or are provisioned.
    var versions: [FunctionVersion: VersionPools] = [:]
    /// What is configured of provisioned concurrency.
    var plan = ProvisionedPlan()
    /// Admitted, without an instance.
    var waiting: [RequestID: Invocation] = [:]
    /// What was said last of its limits.
    var limitsTold: FunctionLimitsChanged?
    /// When the pools are asked next whether time changed anything.
    var tick: (time: Timestamp, task: Scheduled<Void>)?
  }

  private(set) var admission: Admission
  private var schedules: [Schedule]

  init(_ admission: Admission, _ functions: [HostedFunction], at now: Timestamp) {
    self.admission = admission
    schedules = functions.map { function in
      var schedule = Schedule()
      schedule.plan.set(
        Deployment.currentAlias, to: function.configuration.provisioned, at: function.deployment.latest.modifiedAt)
      return schedule
    }
    for function in functions {
      self.admission.setProvisioned(function.index, to: targets(of: function), at: now)
    }
  }

  private subscript(index: FunctionIndex) -> Schedule {
    _read { yield schedules[index.position] }
    _modify { yield &schedules[index.position] }
  }

  // MARK: Invocations

  /// Whether no invocation is in progress or waits for an instance.
  var isIdle: Bool { admission.runningCount == 0 }

  /// Takes a slot of concurrency for an event, or says why there is none.
  func admit(_ submission: Submission, at now: Timestamp, in host: isolated HostCore) -> Admission.Decision {
    let (function, version) = (submission.function, submission.version)
    ensurePools(function, version, in: host)
    let limitsStarts = admission.account.scaleOutRate != nil
    let supply = self[function].versions[version]?.supply(limitsStarts: limitsStarts, at: now)
    return admission.admit(function, version, supply ?? Admission.Supply(needsStart: limitsStarts), at: now)
  }

  /// Has an admitted invocation served: at once if an instance is idle, else as soon as its pool has one for it.
  func place(_ invocation: Invocation, at now: Timestamp, in host: isolated HostCore) {
    place(invocation, in: InstancePool(serving: invocation.pool), at: now, in: host)
  }

  private func place(
    _ invocation: Invocation, in pool: InstancePool, at now: Timestamp, in host: isolated HostCore
  ) {
    let (function, version) = (invocation.submission.function, invocation.submission.version)
    switch self[function].versions[version]?.submit(invocation.request, to: pool, at: now) {
    case .handOver(let key):
      guard let instance = host[function].instances[key] else {
        preconditionFailure("BUG: the pool of function \(function.position) has an instance \(key) that there is not")
      }
      if invocation.hasWaited {
        self[function].waiting[invocation.request] = nil
      } else {
        host.emit(instance, .invocationStarted(invocation.started))
      }
      host.handOver(invocation, to: instance, at: now)
    case .waits(let actions):
      if !invocation.hasWaited {
        invocation.hasWaited = true
        self[function].waiting[invocation.request] = invocation
        host.emit(.function(host[function].id), .invocationStarted(invocation.started))
      }
      perform(actions, of: function, version, pool, at: now, in: host)
    case nil: preconditionFailure("BUG: function \(function.position) has no pools of its version \(version.text)")
    }
  }

  /// Gives back what an invocation held of the concurrency.
  func release(_ invocation: Invocation) { admission.release(invocation.slot) }

  /// Forgets every invocation that waits for an instance, and tells which they were: the host stops.
  func abandonWaiting() -> [Invocation] {
    schedules.indices.flatMap { position in
      let requests = schedules[position].versions.keys.flatMap {
        schedules[position].versions[$0]?.abandonPending() ?? []
      }
      return requests.compactMap { schedules[position].waiting.removeValue(forKey: $0) }
    }
  }

  /// Asks no pool any more whether time changed anything.
  func stop() {
    for schedule in schedules { schedule.tick?.task.cancel() }
  }

  // MARK: Instances

  /// The instance's invocation is over.
  func answered(_ instance: Instance, at now: Timestamp) {
    _ = self[instance.function].versions[instance.version]?.take(.answered, of: instance.key, at: now)
  }

  /// Tells the instance's pool what happened to it, and does what follows.
  func tell(_ event: PoolEvent, of instance: Instance, at now: Timestamp, in host: isolated HostCore) {
    let actions = self[instance.function].versions[instance.version]?.take(event, of: instance.key, at: now)
    perform(actions ?? [], of: instance.function, instance.version, instance.key.pool, at: now, in: host)
  }

  /// The settings of a version changed: idle on-demand instances of it are ended now, the others once they have answered.
  func versionChanged(_ function: FunctionIndex, _ version: FunctionVersion, in host: isolated HostCore) {
    let now = host.clock.now()
    host.lodgings.giveUpAll(of: version, function, in: host)
    let actions = self[function].versions[version]?.replace(.onDemand, at: now) ?? []
    perform(actions, of: function, version, .onDemand, at: now, in: host)
    tellLimits(of: function, at: now, in: host)
  }

  /// Starts an instance of the version of a function's URL before there is a request, so that the host learns what the function's code
  /// configures.
  func startAhead(_ function: FunctionIndex, in host: isolated HostCore) {
    let now = host.clock.now()
    guard let version = host[function].deployment.resolve(qualifier: Deployment.currentAlias) else { return }
    ensurePools(function, version, in: host)
    let actions = self[function].versions[version]?.startAhead() ?? []
    perform(actions, of: function, version, .onDemand, at: now, in: host)
  }

  /// Makes the pools of a version if it has none yet.
  private func ensurePools(_ function: FunctionIndex, _ version: FunctionVersion, in host: isolated HostCore) {
    guard self[function].versions[version] == nil else { return }
    self[function].versions[version] = VersionPools(
      ordinal: self[function].versions.count, instancesLimit: admission.ceiling(function),
      idleLimit: host[function].configuration.idleLimit)
  }

  /// Does what a pool decided, and asks the version's pools when time will change their mind.
  private func perform(
    _ actions: [PoolAction], of function: FunctionIndex, _ version: FunctionVersion, _ pool: InstancePool,
    at now: Timestamp, in host: isolated HostCore
  ) {
    for action in actions {
      switch action {
      case .start(let key, let request):
        let invocation = request.flatMap { self[function].waiting.removeValue(forKey: $0) }
        let instance = Instance(
          id: host.newInstanceID(), key: key, function: function, version: version, inside: invocation)
        host.starts.startInstance(instance, inside: invocation, at: now, in: host)
      case .handOver(let request, let key):
        // One that waited, or that the instance was started inside of.
        guard let instance = host[function].instances[key],
          let invocation = self[function].waiting.removeValue(forKey: request) ?? instance.invocation
        else { continue }
        host.handOver(invocation, to: instance, at: now)
      case .end(let key, let reason):
        if let instance = host[function].instances[key] { host.ends.end(instance, reason, at: now, in: host) }
      case .spill(let request): spill(request, of: function, at: now, in: host)
      }
    }
    if pool == .provisioned { tellLimits(of: function, at: now, in: host) }
    scheduleTick(function, version, at: now, in: host)
  }

  /// Has a request that was admitted to provisioned concurrency run on demand, in a slot of its own if there is one.
  private func spill(
    _ request: RequestID, of function: FunctionIndex, at now: Timestamp, in host: isolated HostCore
  ) {
    guard let invocation = self[function].waiting[request] else { return }
    invocation.isSpillover = true
    if let grant = admission.moveToOnDemand(invocation.slot, at: now) {
      invocation.slot = grant.slot
      invocation.pool = grant.pool
    }
    // On demand in any case: without a slot of its own it keeps the provisioned one, whose instance does not come.
    place(invocation, in: .onDemand, at: now, in: host)
  }

  private func scheduleTick(
    _ function: FunctionIndex, _ version: FunctionVersion, at now: Timestamp, in host: isolated HostCore
  ) {
    guard let time = self[function].versions[version]?.nextTick(after: now) else { return }
    // A tick that comes too early finds nothing to do and is set again: cheaper than to move it with every invocation.
    if let tick = self[function].tick {
      if tick.time <= time { return }
      tick.task.cancel()
    }
    self[function].tick = (time, host.schedule(after: time - now) { $0.dispatcher.tick(function, in: $0) })
  }

  private func tick(_ function: FunctionIndex, in host: isolated HostCore) {
    self[function].tick = nil
    let now = host.clock.now()
    for version in Array(self[function].versions.keys) {
      for pool in InstancePool.allCases {
        let actions = self[function].versions[version]?.tick(pool, at: now) ?? []
        perform(actions, of: function, version, pool, at: now, in: host)
      }
    }
  }

  // MARK: Reload

  /// Limits as they are to be after a reload: computed before anything is changed, so that one that contradicts another
  /// changes nothing.
  struct NextLimits {
    fileprivate var admission: Admission
    fileprivate var plans: [FunctionIndex: ProvisionedPlan] = [:]
  }

  /// What a reload changes of a function's limits.
  struct LimitsChange {
    var function: FunctionIndex
    var reserved: Int?
    /// For each alias or version.
    var provisioned: ProvisionedPlan
  }

  /// Computes what limits will be once all of `changes` are made together.
  ///
  /// - Parameters:
  ///   - account: Executions at once, and what of them must stay unreserved.
  ///   - added: How many functions there are to be more.
  /// - Throws: ``HostError`` with ``HostError/Code/configuration`` if they contradict each other.
  func nextLimits(
    _ account: (concurrency: Int, unreservedMinimum: Int), adding added: Int, _ changes: [LimitsChange],
    at now: Timestamp, in host: isolated HostCore
  ) throws(HostError) -> NextLimits {
    var next = NextLimits(admission: admission)
    do throws(AccountProblem) {
      for _ in 0..<added { _ = next.admission.addFunction(at: now) }
      // All are given up before any is taken, so that their order does not matter.
      for change in changes { next.admission.claim(change.function, reserved: nil, [:], at: now) }
      for change in changes {
        let targets = change.provisioned.targets { qualifier in
          change.function.position < host.functions.count
            ? host[change.function].deployment.resolve(qualifier: qualifier)
            : Deployment.initialVersion(of: qualifier)
        }
        next.admission.claim(change.function, reserved: change.reserved, targets, at: now)
        next.plans[change.function] = change.provisioned
      }
      try next.admission.setAccount(
        concurrency: account.concurrency, unreservedMinimum: account.unreservedMinimum, at: now)
    } catch {
      throw HostError(.configuration, error.message)
    }
    return next
  }

  /// Makes those limits hold, for functions that exist by now.
  func take(_ next: NextLimits, in host: isolated HostCore) {
    let now = host.clock.now()
    admission = next.admission
    while schedules.count < host.functions.count { schedules.append(Schedule()) }
    for (function, plan) in next.plans { self[function].plan = plan }
    ceilingsChanged()
    for function in next.plans.keys.sorted(by: { $0.position < $1.position }) {
      startWhatIsPlanned(of: function, at: now, in: host)
    }
  }

  /// The configuration of a function is another one: its instances are replaced, those in use once they have answered.
  func functionChanged(_ function: FunctionIndex, in host: isolated HostCore) {
    let now = host.clock.now()
    let state = host[function]
    for version in self[function].versions.keys.sorted() {
      self[function].versions[version]?.isRetired = state.isRetired
      self[function].versions[version]?.idleLimit = state.configuration.idleLimit
      host.lodgings.giveUpAll(of: version, function, in: host)
      for pool in InstancePool.allCases {
        let actions = self[function].versions[version]?.replace(pool, at: now) ?? []
        perform(actions, of: function, version, pool, at: now, in: host)
      }
    }
    if state.isRetired { self[function].limitsTold = nil }
    tellLimits(of: function, at: now, in: host)
  }

  /// What is configured of provisioned concurrency.
  func plan(of function: FunctionIndex) -> ProvisionedPlan { self[function].plan }

  // MARK: Reserved and provisioned concurrency

  /// `nil`: none.
  func reserved(of function: FunctionIndex) -> Int? { admission.reserved(of: function) }

  /// Account limit, and what functions leave of it for those without a reserve.
  var accountConcurrency: (limit: Int, unreserved: Int) { (admission.account.concurrency, admission.unreserved) }

  /// Sets a function's reserved concurrency; `nil`: none. Invocations in progress are not touched.
  func setReserved(
    _ function: FunctionIndex, to reserved: Int?, in host: isolated HostCore
  ) throws(ConcurrencyRefusal) {
    let now = host.clock.now()
    try admission.setReserved(function, to: reserved, at: now)
    ceilingsChanged()
    tellLimits(of: function, at: now, in: host)
    host.queues.limitsChanged(of: host[function].id.name, in: host)
  }

  /// One for each version or alias that has provisioned concurrency configured, in order of qualifier.
  func provisioned(of function: FunctionIndex, in host: isolated HostCore) -> [ProvisionedConfiguration] {
    self[function].plan.configurations(host[function].deployment.resolve) { self[function].versions[$0]?.provisioned }
  }

  /// Sets the provisioned concurrency of a version or alias; `nil` removes it.
  ///
  /// - Parameters:
  ///   - qualifier: One that stands for a published version; nothing is done for another.
  ///   - requested: At least 1.
  func setProvisioned(
    _ function: FunctionIndex, qualifier: String, to requested: Int?, in host: isolated HostCore
  ) throws(ConcurrencyRefusal) {
    let now = host.clock.now()
    let deployment = host[function].deployment
    if let requested, requested > 0 {
      guard let version = deployment.resolve(qualifier: qualifier), version != .latest else { return }
      try self[function].plan.checkCoverage(of: qualifier, deployment.resolve)
      let others = admission.provisioned(of: function) - self[function].plan.requested(by: qualifier)
      let (total, overflow) = others.addingReportingOverflow(requested)
      try admission.checkProvisioned(function, requested, total: overflow ? .max : total)
    }
    self[function].plan.set(qualifier, to: requested, at: now)
    applyPlan(of: function, renewing: deployment.resolve(qualifier: qualifier), at: now, in: host)
  }

  /// Aliases were moved or deleted: provisioned concurrency moves with them.
  func aliasesChanged(_ function: FunctionIndex, in host: isolated HostCore) {
    self[function].plan.forgetUnresolved(host[function].deployment.resolve)
    applyPlan(of: function, at: host.clock.now(), in: host)
  }

  /// Starts the provisioned instances that the host was configured with.
  func startProvisioned(in host: isolated HostCore) {
    let now = host.clock.now()
    for position in schedules.indices where !schedules[position].plan.entries.isEmpty {
      applyPlan(of: FunctionIndex(position: position), at: now, in: host)
    }
  }

  /// - Parameter renewed: A version whose pool is told of its request although it may be the same: one that failed is
  ///   tried again at once.
  private func applyPlan(
    of function: FunctionIndex, renewing renewed: FunctionVersion? = nil, at now: Timestamp, in host: isolated HostCore
  ) {
    admission.setProvisioned(function, to: targets(of: host[function]), at: now)
    ceilingsChanged()
    startWhatIsPlanned(of: function, renewing: renewed, at: now, in: host)
  }

  /// Has the pools of a function know what the plan says, which was set aside already.
  private func startWhatIsPlanned(
    of function: FunctionIndex, renewing renewed: FunctionVersion? = nil, at now: Timestamp, in host: isolated HostCore
  ) {
    let targets = targets(of: host[function])
    for version in targets.keys { ensurePools(function, version, in: host) }
    for (version, pools) in self[function].versions {
      let requested = targets[version] ?? 0
      guard requested != pools.provisioned.requested || version == renewed else { continue }
      let actions = self[function].versions[version]?.setProvisioned(requested, at: now) ?? []
      perform(actions, of: function, version, .provisioned, at: now, in: host)
    }
    tellLimits(of: function, at: now, in: host)
  }

  /// Provisioned instances that are requested of each version.
  private func targets(of function: HostedFunction) -> [FunctionVersion: Int] {
    self[function.index].plan.targets(function.deployment.resolve)
  }

  /// What one function sets aside changes what all others could have.
  private func ceilingsChanged() {
    for position in schedules.indices {
      let ceiling = admission.ceiling(FunctionIndex(position: position))
      for version in schedules[position].versions.keys {
        schedules[position].versions[version]?.instancesLimit = ceiling
      }
    }
  }

  // MARK: Limits

  /// Says the limits of a function, unless they are what was said last.
  func tellLimits(of function: FunctionIndex, at now: Timestamp, in host: isolated HostCore) {
    let state = host[function]
    guard !state.isRetired else { return }
    var limits = FunctionLimitsChanged(
      time: self[function].limitsTold?.time ?? now, reserved: admission.reserved(of: function).map(Int64.init),
      provisioned: provisionedConcurrency(of: function), memoryLimitBytes: state.memoryBytes, timeout: state.timeout,
      temporaryStorageLimitBytes: state.temporaryStorageBytes)
    guard limits != self[function].limitsTold else { return }
    limits.time = now
    self[function].limitsTold = limits
    host.emit(.function(state.id), .limitsChanged(limits))
  }

  /// All versions together; `nil` if nothing is requested and nothing is left of what was.
  private func provisionedConcurrency(of function: FunctionIndex) -> ProvisionedConcurrency? {
    let pools = self[function].versions.values.lazy.map(\.provisioned).filter { !$0.isEmpty }
    let requested = self[function].plan.entries.reduce(0) { $0 + $1.requested }
    guard requested > 0 || !pools.isEmpty else { return nil }
    return ProvisionedConcurrency(
      requested: Int64(requested), allocated: Int64(pools.reduce(0) { $0 + $1.allocated }),
      available: Int64(pools.reduce(0) { $0 + $1.available }))
  }
}

extension Deployment {
  /// As ``resolve(qualifier:)``, for whom it is given to as a function.
  fileprivate var resolve: (String) -> FunctionVersion? { { resolve(qualifier: $0) } }
}
