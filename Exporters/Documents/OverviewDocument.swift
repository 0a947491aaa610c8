public import Lifecycle

/// The output of `kelvin status`: what an agent sees now and what a control plane has configured, joined by function.
public struct OverviewDocument: Sendable, Equatable {
  /// `nil` if no agent was asked, or none answered.
  public var status: StatusDocument?
  /// `nil` if no control plane was asked, or none answered.
  public var control: ControlDocument?

  /// Makes an overview of what was answered; without either, it has no functions.
  public init(status: StatusDocument?, control: ControlDocument?) {
    self.status = status
    self.control = control
  }

  /// One function. What is `nil` is not known.
  public struct Function: Sendable, Equatable {
    /// The function's name, without account, Region or version.
    public var name: String
    /// `nil` for `$LATEST`.
    public var version: String?
    /// AWS's word, such as `Active`; `nil` also for a function that only the agent knows.
    public var state: String?
    /// The memory of each instance, in bytes.
    public var memoryLimitBytes: Int64?
    /// How long an invocation may run. AWS knows whole seconds; the agent's more exact value is kept if it rounds up to
    /// those.
    public var timeout: Nanoseconds?
    /// The size of each instance's `/tmp`, in bytes.
    public var temporaryStorageLimitBytes: Int64?
    /// The function's reserved concurrency.
    public var reserved: ControlDocument.Reserved
    /// The function's provisioned concurrency.
    public var provisioned: Provisioned
    /// What the agent sees of it.
    public var activity: FunctionDocument?
  }

  /// Provisioned concurrency, as far as it is known.
  public enum Provisioned: Sendable, Equatable {
    /// Neither said anything of it.
    case unknown
    /// None is configured.
    case none
    /// Of all versions and aliases together, and of each where that is known.
    case some(FunctionDocument.Provisioned, byQualifier: [ProvisionedDocument.Configuration]?)
  }

  /// The functions of the control plane in its order, then those that only the agent knows.
  ///
  /// - Complexity: O(functions).
  public var functions: [Function] {
    var seen: [String: FunctionDocument] = [:]
    for function in status?.functions ?? [] where function.version == nil { seen[function.function] = function }
    let configured = (control?.functions ?? []).map { function in
      Function(function, activity: seen.removeValue(forKey: function.name))
    }
    let rest = (status?.functions ?? []).filter { $0.version != nil || seen[$0.function] != nil }
    return configured + rest.map { Function($0) }
  }

  /// The most executions at once in the account; of the control plane, else of the agent.
  public var concurrencyLimit: Int64? { control?.account?.concurrencyLimit ?? status?.account.concurrencyLimit }
}

extension OverviewDocument.Function {
  /// As the agent alone sees it.
  fileprivate init(_ document: FunctionDocument) {
    name = document.function
    version = document.version
    state = nil
    memoryLimitBytes = document.limits?.memoryLimitBytes
    timeout = document.limits?.timeout
    temporaryStorageLimitBytes = document.limits?.temporaryStorageLimitBytes
    reserved = ControlDocument.Reserved(document.limits)
    provisioned = OverviewDocument.Provisioned(document.limits)
    activity = document
  }

  /// As it is configured; what the control plane does not say, the agent may.
  fileprivate init(_ document: ControlDocument.Function, activity: FunctionDocument?) {
    let limits = activity?.limits
    name = document.name
    version = nil
    state = document.state
    memoryLimitBytes = document.memoryLimitBytes ?? limits?.memoryLimitBytes
    timeout = OverviewDocument.Function.timeout(document.timeout, limits?.timeout)
    temporaryStorageLimitBytes = document.temporaryStorageLimitBytes ?? limits?.temporaryStorageLimitBytes
    reserved = document.reserved == .unknown ? ControlDocument.Reserved(limits) : document.reserved
    provisioned =
      document.provisioned.map { OverviewDocument.Provisioned($0) } ?? OverviewDocument.Provisioned(limits)
    self.activity = activity
  }

  /// AWS counts whole seconds; an agent of the same host knows it to the nanosecond.
  private static func timeout(_ configured: Nanoseconds?, _ seen: Nanoseconds?) -> Nanoseconds? {
    guard let configured, let seen, configured.count >= 0 else { return configured ?? seen }
    let isSame = (0...configured.count).contains(seen.count) && configured.count - seen.count < 1_000_000_000
    return isSame ? seen : configured
  }
}

extension ControlDocument.Reserved {
  fileprivate init(_ limits: FunctionDocument.Limits?) {
    guard let limits else {
      self = .unknown
      return
    }
    self = limits.reserved.map { .some($0) } ?? .none
  }
}

extension OverviewDocument.Provisioned {
  fileprivate init(_ limits: FunctionDocument.Limits?) {
    guard let limits else {
      self = .unknown
      return
    }
    self = limits.provisioned.map { .some($0, byQualifier: nil) } ?? .none
  }

  fileprivate init(_ configurations: [ProvisionedDocument.Configuration]) {
    guard !configurations.isEmpty else {
      self = .none
      return
    }
    // The state of all is the one that asks for attention most.
    let status = ["FAILED", "IN_PROGRESS"].first { word in configurations.contains { $0.status == word } }
    let total = FunctionDocument.Provisioned(
      requested: OverviewDocument.Provisioned.sum(configurations.map(\.requested)),
      allocated: OverviewDocument.Provisioned.sum(configurations.map(\.allocated)),
      available: OverviewDocument.Provisioned.sum(configurations.map(\.available)),
      status: status ?? configurations[0].status)
    self = .some(total, byQualifier: configurations)
  }

  /// Saturates: the numbers come from outside.
  private static func sum(_ numbers: [Int64]) -> Int64 {
    numbers.reduce(0) { sum, number in
      let (total, overflow) = sum.addingReportingOverflow(number)
      return overflow ? (number < 0 ? .min : .max) : total
    }
  }
}
