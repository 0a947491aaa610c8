package import HostRules

extension AWSError {
  /// Why concurrency is not changed, word for word as AWS says it: clients look for these sentences.
  package init(_ refusal: ConcurrencyRefusal) {
    switch refusal {
    case .reservedLeavesTooLittle(let minimum):
      self = .accountLimit(
        "Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below "
          + "its minimum value of [\(minimum)].")
    case .reservedBelowProvisioned(let reserved, let provisioned):
      self = .invalidParameter(
        " ReservedConcurrentExecutions  \(reserved) should not be lower than function's total provisioned concurrency "
          + "[\(provisioned)].")
    case .provisionedAboveReserved:
      self = .invalidParameter(
        "Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function")
    case .provisionedAboveUnreserved(let unreserved):
      self = .accountLimit(
        "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency "
          + "[\(unreserved)].")
    case .provisionedLeavesTooLittle(let minimum):
      self = .accountLimit(
        "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its "
          + "minimum value of [\(minimum)].")
    case .versionCoveredByAlias: self = .conflict("Version is pointed by a Provisioned Concurrency alias")
    case .aliasOfCoveredVersion:
      self = .conflict(
        "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version")
    }
  }
}

extension AWSError {
  /// Why a function's versions and aliases are not changed, as AWS says it.
  package init(_ refusal: Deployment.Refusal, of target: FunctionTarget, alias: String = "") {
    switch refusal {
    case .revisionDiffers: self = .revisionDiffers
    case .updateInProgress:
      self = .conflict(
        "The operation cannot be performed at this time. An update is in progress for resource: "
          + target.unqualifiedARN)
    case .aliasExists:
      self = .conflict("Alias already exists: \(target.arn(qualifier: alias))")
    case .noSuchAlias: self = .aliasNotFound(target.arn(qualifier: alias))
    case .noSuchVersion(let version):
      self = .functionNotFound(target.name, qualifier: version.text, of: target.identity)
    case .tooMany:
      self = .accountLimit(
        "This host keeps at most \(Deployment.countLimit) versions and as many aliases of one function.")
    }
  }

  /// There is no alias of this ARN.
  package static func aliasNotFound(_ arn: String) -> AWSError { .notFound("Cannot find alias arn: \(arn)") }
}
