package import Lifecycle

/// A function by its position in the configuration.
package struct FunctionIndex: Hashable, Sendable {
  /// From 0.
  package var position: Int

  /// Makes the index of a function.
  ///
  /// - Parameter position: From 0.
  package init(position: Int) { self.position = position }
}

/// Decides who may run: the account's concurrency, divided into what functions set aside and a pool for everybody else.
///
/// The order is AWS's. An invocation takes a free slot of its version's provisioned concurrency; else, of a function with
/// reserved concurrency, a slot of what its provisioned concurrency leaves of it; else a slot of what all functions leave
/// of the account. A reserved part is floor and ceiling at once. Provisioned concurrency is taken out of the function's
/// reserved part, or out of the account's if it has none.
///
/// Limits may change while invocations run. None is ended for that; nothing is admitted until the new limits hold. A
/// provisioned slot in use stays set aside until it is given back.
package struct Admission: Sendable {
  /// Whether an invocation may run, and in which slot.
  package enum Decision: Equatable, Sendable {
    /// It may run, and holds the slot until it is given back.
    case admitted(Grant)
    /// It is refused, and holds nothing.
    case throttled(ThrottleReason)
  }

  /// A slot of concurrency, held from admission to answer.
  package struct Slot: Hashable, Sendable {
    /// Whose invocation holds it.
    package fileprivate(set) var function: FunctionIndex
    /// Whose provisioned concurrency it is; `nil`: on demand.
    package fileprivate(set) var provisioned: FunctionVersion?
  }

  /// A slot that was given to an invocation, and which part of the concurrency it is of.
  package struct Grant: Hashable, Sendable {
    /// What is given back at the end.
    package var slot: Slot
    /// Which part of the concurrency the slot is of.
    package var pool: ConcurrencyPool
    /// Whether the version has provisioned concurrency, and none of it was free.
    package var isSpillover: Bool
  }

  /// What instances there are for an invocation.
  package struct Supply: Hashable, Sendable {
    /// Whether a provisioned instance of the version can take it.
    package var hasProvisioned: Bool
    /// Whether it would make an instance start, on demand.
    package var needsStart: Bool

    /// No instance unless said otherwise, and no start that has a limit.
    package init(hasProvisioned: Bool = false, needsStart: Bool = false) {
      self.hasProvisioned = hasProvisioned
      self.needsStart = needsStart
    }
  }

  /// The limits of the account.
  package struct Account: Hashable, Sendable {
    /// The most executions at once, over all functions; at least 1.
    package var concurrency: Int
    /// What of it must stay for functions without a reserve.
    package var unreservedMinimum: Int
    /// Whether requests are limited to ``requestsPerSlot`` a second for each slot of concurrency.
    package var limitsRequestRate: Bool
    /// The most instances that a function starts within `scaleOutInterval`; `nil`: any number.
    package var scaleOutRate: Int?

    /// An account without limits of rates, unless said otherwise.
    package init(
      concurrency: Int, unreservedMinimum: Int, limitsRequestRate: Bool = false, scaleOutRate: Int? = nil
    ) {
      self.concurrency = concurrency
      self.unreservedMinimum = unreservedMinimum
      self.limitsRequestRate = limitsRequestRate
      self.scaleOutRate = scaleOutRate
    }
  }

  static let requestsPerSlot = 10
  static let scaleOutInterval = Nanoseconds.seconds(10)

  /// The limits of the account.
  package private(set) var account: Account
  private var parts: [Part]
  /// What functions set aside of the account's concurrency, provisioned slots that are given up but in use included.
  private var claimed = 0
  /// What they are configured to set aside of it.
  private var configuredClaims = 0
  private var unreservedRunning = 0
  /// Executions in progress, over all functions.
  package private(set) var runningCount = 0
  private var unreservedRequests: TokenBucket?

  /// Makes an admission with nothing in progress, in which all reserves are set aside.
  ///
  /// - Throws: ``AccountProblem`` if the parts leave less than the minimum for everybody else, or are negative.
  package init(_ account: Account, functions: [(reserved: Int?, provisioned: Int?)], at now: Timestamp)
    throws(AccountProblem)
  {
    try Admission.check(account, functions)
    self.account = account
    parts = functions.map { Part(reserved: $0.reserved) }
    for position in parts.indices {
      parts[position].starts = account.scaleOutRate.map { .init(limit: $0, per: Admission.scaleOutInterval, at: now) }
    }
    claimed = parts.reduce(0) { $0 + $1.claim }
    configuredClaims = claimed
    updateRates(at: now)
  }

  // MARK: Slots

  /// Takes a slot for an invocation of a function's version, or says why there is none. O(1).
  package mutating func admit(
    _ function: FunctionIndex, _ version: FunctionVersion, _ supply: Supply, at now: Timestamp
  ) -> Decision {
    let part = parts[function.position].provisioned[version]
    if supply.hasProvisioned, let part, part.running < part.requested {
      return admitProvisioned(function, version, at: now)
    }
    if let refusal = onDemandRefusal(function, needsStart: supply.needsStart, at: now) { return .throttled(refusal) }
    return .admitted(takeOnDemand(function, supply.needsStart, isSpillover: part?.isWanted ?? false, at: now))
  }

  private mutating func admitProvisioned(
    _ function: FunctionIndex, _ version: FunctionVersion, at now: Timestamp
  ) -> Decision {
    guard runningCount < account.concurrency else { return .throttled(.concurrentInvocationLimit) }
    guard parts[function.position].provisioned[version]?.requests?.take(at: now) ?? true else {
      return .throttled(.functionInvocationRateLimit)
    }
    change(function) { $0.provisioned[version]?.running += 1 }
    runningCount += 1
    let slot = Slot(function: function, provisioned: version)
    return .admitted(Grant(slot: slot, pool: .provisioned, isSpillover: false))
  }

  /// Gives a provisioned slot back and takes one on demand instead, if there is one.
  package mutating func moveToOnDemand(_ slot: Slot, at now: Timestamp) -> Grant? {
    guard slot.provisioned != nil else { return nil }
    release(slot)
    if onDemandRefusal(slot.function, needsStart: false, at: now) != nil {
      take(slot)
      return nil
    }
    return takeOnDemand(slot.function, false, isSpillover: true, at: now)
  }

  /// Gives a slot back. O(1).
  package mutating func release(_ slot: Slot) {
    let position = slot.function.position
    let running = slot.provisioned.map { parts[position].provisioned[$0]?.running ?? 0 } ?? parts[position].running
    precondition(running > 0, "BUG: function \(position) gave back a slot it did not hold")
    runningCount -= 1
    change(slot.function) { part in
      if let version = slot.provisioned {
        part.provisioned[version]?.running -= 1
        if part.provisioned[version]?.isOver == true { part.provisioned[version] = nil }
      } else {
        part.running -= 1
      }
    }
  }

  private mutating func take(_ slot: Slot) {
    runningCount += 1
    change(slot.function) { part in
      if let version = slot.provisioned {
        part.provisioned[version, default: Provisioned()].running += 1
      } else {
        part.running += 1
      }
    }
  }

  private mutating func takeOnDemand(
    _ function: FunctionIndex, _ needsStart: Bool, isSpillover: Bool, at now: Timestamp
  ) -> Grant {
    let slot = Slot(function: function, provisioned: nil)
    take(slot)
    let isReserved = parts[function.position].reserved != nil
    // There are tokens: it was not refused.
    if needsStart { _ = parts[function.position].starts?.take(at: now) }
    if isReserved {
      _ = parts[function.position].requests?.take(at: now)
    } else {
      _ = unreservedRequests?.take(at: now)
    }
    return Grant(slot: slot, pool: isReserved ? .reserved : .unreserved, isSpillover: isSpillover)
  }

  /// Why an invocation cannot run on demand, if it cannot. What would make a function grow faster than it may is
  /// refused as if its concurrency were used up, because for now it is.
  private mutating func onDemandRefusal(
    _ function: FunctionIndex, needsStart: Bool, at now: Timestamp
  ) -> ThrottleReason? {
    let part = parts[function.position]
    let canStart = !needsStart || parts[function.position].starts?.hasToken(at: now) ?? true
    if let reserved = part.reserved {
      guard part.running < reserved - part.provisionedClaim, canStart else {
        return .reservedFunctionConcurrentInvocationLimit
      }
      // Only while others run on that were admitted before the reserve was set aside.
      guard runningCount < account.concurrency else { return .concurrentInvocationLimit }
      let hasToken = parts[function.position].requests?.hasToken(at: now) ?? true
      return hasToken ? nil : .reservedFunctionInvocationRateLimit
    }
    guard unreservedRunning < account.concurrency - claimed, runningCount < account.concurrency, canStart else {
      return .concurrentInvocationLimit
    }
    return unreservedRequests?.hasToken(at: now) ?? true ? nil : .functionInvocationRateLimit
  }

  // MARK: Functions and account

  /// Takes one more function, with nothing in progress and nothing set aside.
  package mutating func addFunction(at now: Timestamp) -> FunctionIndex {
    var part = Part(reserved: nil)
    part.starts = account.scaleOutRate.map { .init(limit: $0, per: Admission.scaleOutInterval, at: now) }
    parts.append(part)
    return FunctionIndex(position: parts.count - 1)
  }

  /// Changes how many executions there may be at once, and how much of that must stay for everybody.
  ///
  /// - Throws: ``AccountProblem`` if that contradicts itself or what functions set aside; nothing has changed then.
  package mutating func setAccount(concurrency: Int, unreservedMinimum: Int, at now: Timestamp) throws(AccountProblem) {
    var next = account
    next.concurrency = concurrency
    next.unreservedMinimum = unreservedMinimum
    try Admission.check(next, parts.map { ($0.reserved, $0.provisionedRequested) })
    account = next
    updateRates(at: now)
  }

  /// Sets all that a function sets aside, without a look at what that leaves: ``setAccount(concurrency:unreservedMinimum:at:)``
  /// checks the whole.
  package mutating func claim(
    _ function: FunctionIndex, reserved: Int?, _ targets: [FunctionVersion: Int], at now: Timestamp
  ) {
    change(function) { $0.reserved = reserved }
    setProvisioned(function, to: targets, at: now)
  }

  // MARK: Limits

  /// What all functions leave of the account's concurrency.
  package var unreserved: Int { account.concurrency - configuredClaims }

  /// A function's reserved concurrency; `nil`: none.
  package func reserved(of function: FunctionIndex) -> Int? { parts[function.position].reserved }

  /// What is requested of provisioned concurrency for all versions of a function.
  package func provisioned(of function: FunctionIndex) -> Int { parts[function.position].provisionedRequested }

  /// The most executions that `function` could have at once.
  package func ceiling(_ function: FunctionIndex) -> Int {
    let part = parts[function.position]
    return max(0, part.reserved ?? account.concurrency - configuredClaims + part.configuredClaim)
  }

  /// Sets a function's reserved concurrency; `nil`: none.
  ///
  /// - Throws: ``ConcurrencyRefusal`` if it does not cover the function's provisioned concurrency, or leaves the
  ///   account less than the minimum; then nothing has changed.
  package mutating func setReserved(_ function: FunctionIndex, to reserved: Int?, at now: Timestamp)
    throws(ConcurrencyRefusal)
  {
    let part = parts[function.position]
    if let reserved {
      guard reserved >= part.provisionedRequested else {
        throw .reservedBelowProvisioned(reserved: reserved, provisioned: part.provisionedRequested)
      }
      guard leavesMinimum(adding: reserved, insteadOf: part.configuredClaim) else {
        throw .reservedLeavesTooLittle(minimum: account.unreservedMinimum)
      }
    }
    change(function) { $0.reserved = reserved }
    updateRates(at: now)
  }

  /// Checks that a function's version may have `requested` provisioned slots, all of its versions then `total`.
  ///
  /// - Throws: ``ConcurrencyRefusal`` if they do not fit into the function's reserve, or leave the account less than
  ///   the minimum.
  package func checkProvisioned(_ function: FunctionIndex, _ requested: Int, total: Int) throws(ConcurrencyRefusal) {
    let part = parts[function.position]
    if let reserved = part.reserved {
      guard total <= reserved else { throw .provisionedAboveReserved }
      return
    }
    let others = total - requested
    let available = account.concurrency - configuredClaims + part.configuredClaim - others
    guard requested <= available else { throw .provisionedAboveUnreserved(max(0, available)) }
    guard leavesMinimum(adding: total, insteadOf: part.configuredClaim) else {
      throw .provisionedLeavesTooLittle(minimum: account.unreservedMinimum)
    }
  }

  /// Sets what is requested of provisioned concurrency for each version of a function, which was checked before.
  package mutating func setProvisioned(_ function: FunctionIndex, to targets: [FunctionVersion: Int], at now: Timestamp)
  {
    change(function) { part in
      for version in Set(part.provisioned.keys).union(targets.keys) {
        part.provisioned[version, default: Provisioned()].requested = targets[version] ?? 0
        if part.provisioned[version]?.isOver == true { part.provisioned[version] = nil }
      }
    }
    updateRates(at: now)
  }

  /// Less than the minimum may be left already; only what makes it even less is refused.
  private func leavesMinimum(adding claim: Int, insteadOf old: Int) -> Bool {
    let (next, overflow) = (configuredClaims - old).addingReportingOverflow(claim)
    return claim <= old || !overflow && account.concurrency - next >= account.unreservedMinimum
  }

  /// Changes a function's part and keeps the sums in step.
  private mutating func change(_ function: FunctionIndex, _ body: (inout Part) -> Void) {
    let position = function.position
    claimed -= parts[position].claim
    configuredClaims -= parts[position].configuredClaim
    unreservedRunning -= parts[position].unreservedRunning
    body(&parts[position])
    claimed += parts[position].claim
    configuredClaims += parts[position].configuredClaim
    unreservedRunning += parts[position].unreservedRunning
  }

  private mutating func updateRates(at now: Timestamp) {
    guard account.limitsRequestRate else { return }
    for position in parts.indices { parts[position].updateRates(at: now) }
    Admission.setRate(of: &unreservedRequests, slots: max(0, account.concurrency - configuredClaims), at: now)
  }

  fileprivate static func setRate(of bucket: inout TokenBucket?, slots: Int, at now: Timestamp) {
    let (product, overflow) = slots.multipliedReportingOverflow(by: requestsPerSlot)
    let limit = overflow ? .max : product
    if bucket?.limit == limit { return }
    if bucket == nil {
      bucket = TokenBucket(limit: limit, per: .seconds(1), at: now)
    } else {
      bucket?.setLimit(limit, at: now)
    }
  }
}

extension Admission {
  /// What one function sets aside and uses.
  private struct Part: Sendable {
    var reserved: Int?
    /// On demand.
    var running = 0
    var provisioned: [FunctionVersion: Provisioned] = [:]
    var requests: TokenBucket?
    var starts: TokenBucket?

    init(reserved: Int?) { self.reserved = reserved }

    var provisionedRequested: Int { provisioned.values.reduce(0) { $0 + $1.requested } }
    var provisionedClaim: Int { provisioned.values.reduce(0) { $0 + $1.claim } }
    var configuredClaim: Int { reserved ?? provisionedRequested }
    var claim: Int { reserved ?? provisionedClaim }
    var unreservedRunning: Int { reserved == nil ? running : 0 }

    mutating func updateRates(at now: Timestamp) {
      if let reserved { Admission.setRate(of: &requests, slots: reserved, at: now) } else { requests = nil }
      for version in provisioned.keys {
        if let slots = provisioned[version]?.requested {
          Admission.setRate(of: &provisioned[version, default: Provisioned()].requests, slots: slots, at: now)
        }
      }
    }
  }

  /// Provisioned concurrency of one version.
  private struct Provisioned: Sendable {
    var requested = 0
    var running = 0
    var requests: TokenBucket?

    var claim: Int { max(requested, running) }
    var isWanted: Bool { requested > 0 }
    var isOver: Bool { requested == 0 && running == 0 }
  }

  private static func check(
    _ account: Account, _ functions: [(reserved: Int?, provisioned: Int?)]
  ) throws(AccountProblem) {
    guard account.concurrency >= 1, account.unreservedMinimum >= 0 else {
      throw AccountProblem(
        message: "The account concurrency must be at least 1 and the unreserved minimum at least 0; they are "
          + "\(account.concurrency) and \(account.unreservedMinimum).")
    }
    guard account.scaleOutRate.map({ $0 >= 1 }) ?? true else {
      throw AccountProblem(message: "The scale-out rate must be at least 1; leave it out for none.")
    }
    guard functions.allSatisfy({ $0.reserved ?? 0 >= 0 && $0.provisioned ?? 0 >= 0 }) else {
      throw AccountProblem(message: "A reserved or provisioned concurrency must be at least 0; leave it out for none.")
    }
    guard functions.allSatisfy({ $0.provisioned ?? 0 <= $0.reserved ?? .max }) else {
      throw AccountProblem(message: "A function's provisioned concurrency must not be above its reserved one.")
    }
    let (claimed, overflow) = functions.reduce((0, false)) { sum, part in
      let (next, overflow) = sum.0.addingReportingOverflow(part.reserved ?? part.provisioned ?? 0)
      return (next, sum.1 || overflow)
    }
    // An account as small as the minimum may still run functions, as long as none of them sets anything aside.
    guard !overflow, claimed == 0 || account.concurrency - claimed >= account.unreservedMinimum else {
      throw AccountProblem(
        message: "The reserved and provisioned concurrency of all functions together is "
          + "\(overflow ? "too large" : String(claimed)); with an account concurrency of \(account.concurrency), "
          + "\(account.unreservedMinimum) must stay unreserved: lower a function's reserved or provisioned concurrency "
          + "or raise the account's.")
    }
  }
}

/// Why the limits that an account and its functions are configured with contradict each other.
package struct AccountProblem: Error, Equatable, Sendable {
  /// A sentence for people that says what to do.
  package var message: String
}

/// Why reserved or provisioned concurrency is not changed.
package enum ConcurrencyRefusal: Error, Equatable, Sendable {
  /// The account would be left with less than the minimum for functions without a reserve.
  case reservedLeavesTooLittle(minimum: Int)
  /// The function's provisioned concurrency has to fit into its reserved one.
  case reservedBelowProvisioned(reserved: Int, provisioned: Int)
  /// The function's provisioned concurrency would be more than its reserve.
  case provisionedAboveReserved
  /// The account has no more than this left.
  case provisionedAboveUnreserved(Int)
  /// The account would be left with less than the minimum for functions without a reserve.
  case provisionedLeavesTooLittle(minimum: Int)
  /// An alias that points to the version has provisioned concurrency.
  case versionCoveredByAlias
  /// The version that the alias points to has provisioned concurrency already.
  case aliasOfCoveredVersion
}
