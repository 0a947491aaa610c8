import Text
import HTTPServer
import HostRules
import LambdaAPI
import NIOHTTP1

/// PutFunctionConcurrency, GetFunctionConcurrency and DeleteFunctionConcurrency.
extension ControlPlane {
  func putConcurrency(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    var body = try call.read()
    let reserved = try body.integer("ReservedConcurrentExecutions")
    try body.finish(call.operation)
    var violations = Violations()
    if reserved == nil { violations.addMissing("reservedConcurrentExecutions") }
    violations.check(reserved, at: "reservedConcurrentExecutions", in: 0...Int64(Int32.max))
    try violations.finish()
    do {
      try host.dispatcher.setReserved(target.index, to: Int(clamping: reserved ?? 0), in: host)
    } catch {
      throw AWSError(error)
    }
    return reservedDocument(of: target, in: host)
  }

  func getConcurrency(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    reservedDocument(of: try host.wholeFunction(of: call), in: host)
  }

  func deleteConcurrency(_ call: ControlPlaneCall, in host: isolated HostCore) throws(AWSError) -> HTTPResponse {
    let target = try host.wholeFunction(of: call)
    do {
      try host.dispatcher.setReserved(target.index, to: nil, in: host)
    } catch {
      throw AWSError(error)
    }
    return HTTPResponse(status: .noContent)
  }

  private func reservedDocument(of target: FunctionTarget, in host: isolated HostCore) -> HTTPResponse {
    let reserved = host.dispatcher.reserved(of: target.index)
    return .document {
      $0.object { writer in
        if let reserved { writer.member("ReservedConcurrentExecutions", Int64(reserved)) }
      }
    }
  }
}
