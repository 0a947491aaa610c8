import Text
import HTTPServer
import HostRules
import LambdaAPI
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
