public import Lifecycle

/// What is read of a function's configuration.
public struct LambdaFunction: Hashable, Sendable {
  public var name: String
  public var arn: String
  public var version: String
  public var memoryMegabytes: Int64?
  public var timeout: Nanoseconds?
  public var temporaryStorageMegabytes: Int64?
  /// `Active`, `Pending`, `Inactive`, `Failed`; `nil` where it is not said.
  public var state: String?
  public var runtime: String?
}

/// The provisioned concurrency of one version or alias.
public struct ProvisionedConfiguration: Hashable, Sendable {
  /// The version or alias.
  public var qualifier: String
  public var requested: Int64
  /// Started.
  public var allocated: Int64
  /// Ready for requests.
  public var available: Int64
  public var status: Status
  /// Why it failed.
  public var statusReason: String?
  /// As the service writes it.
  public var lastModified: String?

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
  public var name: String
  public var version: String
  public var description: String?
}
