public import Lifecycle

/// The part of a function's configuration that Kelvin reads.
public struct LambdaFunction: Hashable, Sendable {
  /// Without account, region and version.
  public var name: String
  /// Empty where the service does not say it.
  public var arn: String
  /// `$LATEST`, or a number; `$LATEST` where the service does not say it.
  public var version: String
  /// The memory of each instance, in units of 2^20 bytes; `nil` where it is not said.
  public var memoryMegabytes: Int64?
  /// Whole seconds, as AWS counts it; `nil` where it is not said.
  public var timeout: Nanoseconds?
  /// The size of `/tmp`, in units of 2^20 bytes; `nil` where it is not said.
  public var temporaryStorageMegabytes: Int64?
  /// `Active`, `Pending`, `Inactive`, `Failed`; `nil` where it is not said.
  public var state: String?
  /// AWS's identifier, such as `python3.13`; `nil` where it is not said.
  public var runtime: String?
}

/// The provisioned concurrency of one version or alias.
public struct ProvisionedConfiguration: Hashable, Sendable {
  /// The version or alias.
  public var qualifier: String
  /// As many instances as are configured.
  public var requested: Int64
  /// Started.
  public var allocated: Int64
  /// Ready for requests.
  public var available: Int64
  /// How far the service is with it.
  public var status: Status
  /// Why it failed.
  public var statusReason: String?
  /// As the service writes it.
  public var lastModified: String?

  /// How far the service is with provisioned concurrency.
  public enum Status: Hashable, Sendable {
    case inProgress, ready, failed
    /// A word of a later version of the service.
    case other(String)

    /// AWS's word.
    public var text: String {
      switch self {
      case .inProgress: "IN_PROGRESS"
      case .ready: "READY"
      case .failed: "FAILED"
      case .other(let text): text
      }
    }

    init(_ text: String) {
      self = [.inProgress, .ready, .failed].first { (known: Status) in known.text == text } ?? .other(text)
    }
  }
}

/// The limits of an account in a region.
public struct AccountConcurrency: Hashable, Sendable {
  /// The most executions at once.
  public var limit: Int64
  /// What is left of it for functions without a reserve.
  public var unreserved: Int64
}

/// A name for a version.
public struct FunctionAlias: Hashable, Sendable {
  /// The name, which is unique within its function.
  public var name: String
  /// The version that it stands for; with weights, the one that takes what is left.
  public var version: String
  /// What a person wrote about it; `nil` where it is not said.
  public var description: String?
}
