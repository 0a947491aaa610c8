public import Lifecycle

/// The functions of a control plane: the part of an ``OverviewDocument`` that comes from AWS Lambda's API.
public struct ControlDocument: Sendable, Equatable {
  /// The address that was asked.
  public var endpoint: String
  /// Of AWS.
  public var region: String?
  /// The calls that the service does not have or refused; what they would have said is left out.
  public var unknown: [String]
  /// `nil` if it is not known.
  public var account: Account?
  /// In the order of the control plane.
  public var functions: [Function]

  /// The account's settings (AWS: GetAccountSettings).
  public struct Account: Sendable, Equatable {
    /// The most executions at once, over all functions.
    public var concurrencyLimit: Int64
    /// The part of ``concurrencyLimit`` that no function has reserved.
    public var unreservedConcurrency: Int64

    /// Makes the settings of an account. `unreservedConcurrency` is at most `concurrencyLimit`.
    public init(concurrencyLimit: Int64, unreservedConcurrency: Int64) {
      self.concurrencyLimit = concurrencyLimit
      self.unreservedConcurrency = unreservedConcurrency
    }
  }

  /// One function; `nil` is what is not said.
  public struct Function: Sendable, Equatable {
    /// The function's name, without account, Region or version.
    public var name: String
    /// AWS's word: `Active`, `Pending`, `Inactive`, `Failed`.
    public var state: String?
    /// The memory of each instance, in bytes.
    public var memoryLimitBytes: Int64?
    /// To the second.
    public var timeout: Nanoseconds?
    /// The size of each instance's `/tmp`, in bytes.
    public var temporaryStorageLimitBytes: Int64?
    /// The function's reserved concurrency.
    public var reserved: Reserved
    /// The provisioned concurrency of each version and alias that has any; empty if none has.
    public var provisioned: [ProvisionedDocument.Configuration]?

    /// Makes a function of which nothing is known but what is given.
    public init(
      name: String, state: String? = nil, memoryLimitBytes: Int64? = nil, timeout: Nanoseconds? = nil,
      temporaryStorageLimitBytes: Int64? = nil, reserved: Reserved = .unknown,
      provisioned: [ProvisionedDocument.Configuration]? = nil
    ) {
      self.name = name
      self.state = state
      self.memoryLimitBytes = memoryLimitBytes
      self.timeout = timeout
      self.temporaryStorageLimitBytes = temporaryStorageLimitBytes
      self.reserved = reserved
      self.provisioned = provisioned
    }
  }

  /// Reserved concurrency, as far as it is known.
  public enum Reserved: Sendable, Equatable {
    /// The control plane did not say.
    case unknown
    /// None is configured.
    case none
    /// As many executions at once; 0: paused.
    case some(Int64)
  }

  /// Makes what one control plane says. `functions` is empty if it has none, or if it refused to list them.
  public init(
    endpoint: String, region: String? = nil, unknown: [String] = [], account: Account? = nil, functions: [Function]
  ) {
    self.endpoint = endpoint
    self.region = region
    self.unknown = unknown
    self.account = account
    self.functions = functions
  }
}
