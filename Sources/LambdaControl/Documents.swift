package import Lifecycle

/// The part of a function's configuration that Kelvin reads.
package struct LambdaFunction: Hashable, Sendable {
  /// Without account, region and version.
  package var name: String
  /// Empty where the service does not say it.
  package var arn: String
  /// `$LATEST`, or a number; `$LATEST` where the service does not say it.
  package var version: String
  /// The memory of each instance, in units of 2^20 bytes; `nil` where it is not said.
  package var memoryMegabytes: Int64?
  /// Whole seconds, as AWS counts it; `nil` where it is not said.
  package var timeout: Nanoseconds?
  /// The size of `/tmp`, in units of 2^20 bytes; `nil` where it is not said.
  package var temporaryStorageMegabytes: Int64?
  /// `Active`, `Pending`, `Inactive`, `Failed`; `nil` where it is not said.
  package var state: String?
  /// AWS's identifier, such as `python3.13`; `nil` where it is not said.
  package var runtime: String?
}

/// The provisioned concurrency of one version or alias.
package struct ProvisionedConcurrencyConfiguration: Hashable, Sendable {
  /// The version or alias.
  package var qualifier: String
  /// As many instances as are configured.
  package var requested: Int64
  /// Started.
  package var allocated: Int64
  /// Ready for requests.
  package var available: Int64
  /// How far the service is with it.
  package var status: Status
  /// Why it failed.
  package var statusReason: String?
  /// As the service writes it.
  package var lastModified: String?

  /// How far the service is with provisioned concurrency.
  package enum Status: Hashable, Sendable {
    case inProgress, ready, failed
    /// A word of a later version of the service.
    case other(String)

    /// AWS's word.
    package var text: String {
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
package struct AccountConcurrency: Hashable, Sendable {
  /// The most executions at once.
  package var limit: Int64
  /// What is left of it for functions without a reserve.
  package var unreserved: Int64
}

/// A name for a version.
package struct FunctionAlias: Hashable, Sendable {
  /// The name, which is unique within its function.
  package var name: String
  /// The version that it stands for; with weights, the one that takes what is left.
  package var version: String
  /// What a person wrote about it; `nil` where it is not said.
  package var description: String?
}
