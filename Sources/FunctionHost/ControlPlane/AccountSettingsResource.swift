import Text
import HTTPServer
import HostRules
import LambdaAPI

extension ControlPlane {
  func getAccountSettings(in host: isolated HostCore) -> HTTPResponse {
    let (limit, unreserved) = host.dispatcher.accountConcurrency
    let count = host.indices.count
    return .document {
      $0.object { writer in
        writer.key("AccountLimit")
        writer.object {
          // The host stores no code; these are AWS's limits, for who divides by them.
          $0.member("TotalCodeSize", 80_530_636_800)
          $0.member("CodeSizeUnzipped", 262_144_000)
          $0.member("CodeSizeZipped", 52_428_800)
          $0.member("ConcurrentExecutions", Int64(limit))
          $0.member("UnreservedConcurrentExecutions", Int64(unreserved))
        }
        writer.key("AccountUsage")
        writer.object {
          $0.member("TotalCodeSize", 0)
          $0.member("FunctionCount", Int64(count))
        }
      }
    }
  }
}
