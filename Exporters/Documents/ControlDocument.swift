public import Lifecycle

/// What a control plane says of its functions: the part of an ``OverviewDocument`` that comes from AWS Lambda's API.
public struct ControlDocument: Sendable, Equatable {
  /// The address that was asked.
  public var endpoint: String
  /// Of AWS.
  public var region: String?
  /// The calls that the service does not have or refused; what they would have said is left out.
  public var unknown: [String]
  /// `nil` if it is not known.
  public var account: Account?
  public var functions: [Function]

  public struct Account: Sendable, Equatable {
    public var concurrencyLimit: Int64
    public var unreservedConcurrency: Int64

    public init(concurrencyLimit: Int64, unreservedConcurrency: Int64) {
      self.concurrencyLimit = concurrencyLimit
      self.unreservedConcurrency = unreservedConcurrency
    }
  }

  /// One function; `nil` is what is not said.
  public struct Function: Sendable, Equatable {
    public var name: String
    /// AWS's word: `Active`, `Pending`, `Inactive`, `Failed`.
    public var state: String?
    public var memoryLimitBytes: Int64?
    /// To the second.
    public var timeout: Nanoseconds?
    public var temporaryStorageLimitBytes: Int64?
    public var reserved: Reserved
    public var provisioned: [ProvisionedDocument.Configuration]?

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
    case unknown, none
    case some(Int64)
  }

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
