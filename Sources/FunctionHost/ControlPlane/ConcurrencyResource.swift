import Text
import HTTPServer
import HostRules
import NIOHTTP1

/// PutFunctionConcurrency, GetFunctionConcurrency and DeleteFunctionConcurrency.
extension HostCore {
  func putConcurrency(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    var body = try call.read()
    let reserved = try body.integer("ReservedConcurrentExecutions")
    try body.finish(call.operation)
    var violations = Violations()
    if reserved == nil { violations.addMissing("reservedConcurrentExecutions") }
    violations.check(reserved, at: "reservedConcurrentExecutions", in: 0...Int64(Int32.max))
    try violations.finish()
    do {
      try dispatcher.setReserved(target.index, to: Int(clamping: reserved ?? 0), in: self)
    } catch {
      throw AWSError(error)
    }
    return reservedDocument(of: target)
  }

  func getConcurrency(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    reservedDocument(of: try wholeFunction(of: call))
  }

  func deleteConcurrency(_ call: ControlPlaneCall) throws(AWSError) -> HTTPResponse {
    let target = try wholeFunction(of: call)
    do {
      try dispatcher.setReserved(target.index, to: nil, in: self)
    } catch {
      throw AWSError(error)
    }
    return HTTPResponse(status: .noContent)
  }

  private func reservedDocument(of target: FunctionTarget) -> HTTPResponse {
    let reserved = dispatcher.reserved(of: target.index)
    return .document {
      $0.object { writer in
        if let reserved { writer.member("ReservedConcurrentExecutions", Int64(reserved)) }
      }
    }
  }
}

extension AWSError {
  /// Why concurrency is not changed, word for word as AWS says it: clients look for these sentences.
  init(_ refusal: ConcurrencyRefusal) {
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
