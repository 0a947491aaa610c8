import HostRules
import Lifecycle

/// Changes reserved and provisioned concurrency while the host runs.
extension HostCore {
  /// `nil`: none.
  func reserved(of function: FunctionIndex) -> Int? { admission.reserved(of: function) }

  /// Sets a function's reserved concurrency; `nil`: none. Invocations in progress are not touched.
  func setReserved(_ function: FunctionIndex, to reserved: Int?) throws(ConcurrencyRefusal) {
    let now = clock.now()
    try admission.setReserved(function, to: reserved, at: now)
    ceilingsChanged()
    tellLimits(of: function, at: now)
  }

  /// One for each version or alias that has provisioned concurrency configured, in order of qualifier.
  func provisioned(of function: FunctionIndex) -> [ProvisionedConfiguration] {
    let state = self[function]
    return state.plan.configurations(state.deployment.resolve) { state.versions[$0]?.provisioned }
  }

  /// Sets the provisioned concurrency of a version or alias; `nil` removes it.
  ///
  /// - Parameters:
  ///   - qualifier: One that stands for a published version; nothing is done for another.
  ///   - requested: At least 1.
  func setProvisioned(
    _ function: FunctionIndex, qualifier: String, to requested: Int?
  ) throws(ConcurrencyRefusal) {
    let now = clock.now()
    let deployment = self[function].deployment
    if let requested, requested > 0 {
      guard let version = deployment.resolve(qualifier: qualifier), version != .latest else { return }
      try self[function].plan.checkCoverage(of: qualifier, deployment.resolve)
      let others = admission.provisioned(of: function) - self[function].plan.requested(by: qualifier)
      let (total, overflow) = others.addingReportingOverflow(requested)
      try admission.checkProvisioned(function, requested, total: overflow ? .max : total)
    }
    self[function].plan.set(qualifier, to: requested, at: now)
    applyPlan(of: function, renewing: deployment.resolve(qualifier: qualifier), at: now)
  }

  /// Account limit, and what functions leave of it for those without a reserve.
  var accountConcurrency: (limit: Int, unreserved: Int) {
    (admission.account.concurrency, admission.unreserved)
  }

  /// The settings of a version changed: idle on-demand instances of it are ended now, the others once they have answered.
  func versionChanged(_ function: FunctionIndex, _ version: FunctionVersion) {
    let now = clock.now()
    giveUpVacantSandboxes(function, version)
    let actions = self[function].versions[version]?.replaceOnDemand(at: now) ?? []
    perform(actions, of: function, version, .onDemand, at: now)
    tellLimits(of: function, at: now)
  }

  /// Aliases were moved or deleted: provisioned concurrency moves with them.
  func aliasesChanged(_ function: FunctionIndex) {
    self[function].plan.forgetUnresolved(self[function].deployment.resolve)
    applyPlan(of: function, at: clock.now())
  }

  /// Starts the provisioned instances that the host was configured with.
  func startProvisioned() {
    let now = clock.now()
    for function in functions.indices where !functions[function].plan.entries.isEmpty {
      applyPlan(of: FunctionIndex(position: function), at: now)
    }
  }

  /// - Parameter renewed: A version whose pool is told of its request although it may be the same: one that failed is
  ///   tried again at once.
  private func applyPlan(of function: FunctionIndex, renewing renewed: FunctionVersion? = nil, at now: Timestamp) {
    let targets = self[function].provisionedTargets
    admission.setProvisioned(function, to: targets, at: now)
    ceilingsChanged()
    for version in targets.keys { ensurePools(function, version) }
    for (version, pools) in self[function].versions {
      let requested = targets[version] ?? 0
      guard requested != pools.provisioned.requested || version == renewed else { continue }
      let actions = self[function].versions[version]?.setProvisioned(requested, at: now) ?? []
      perform(actions, of: function, version, .provisioned, at: now)
    }
    tellLimits(of: function, at: now)
  }

  /// What one function sets aside changes what all others could have.
  private func ceilingsChanged() {
    for position in functions.indices {
      let ceiling = admission.ceiling(FunctionIndex(position: position))
      for version in functions[position].versions.keys {
        functions[position].versions[version]?.instancesLimit = ceiling
      }
    }
  }

  // MARK: Limits

  /// Says the limits of a function, unless they are what was said last.
  func tellLimits(of function: FunctionIndex, at now: Timestamp) {
    var limits = self[function].limits(reserved: admission.reserved(of: function), at: now)
    limits.time = self[function].limitsTold?.time ?? now
    guard limits != self[function].limitsTold else { return }
    limits.time = now
    self[function].limitsTold = limits
    emit(.function(self[function].id), .limitsChanged(limits))
  }
}

extension Deployment {
  /// As ``resolve(qualifier:)``, for whom it is given to as a function.
  fileprivate var resolve: (String) -> FunctionVersion? { { resolve(qualifier: $0) } }
}
