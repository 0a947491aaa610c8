package import HostRules
import Lifecycle
package import Text

extension ProvisionedConfiguration {
  /// - Parameter arn: Only of an element of a list.
  package func write(into writer: inout JSONWriter, arn: String?) {
    writer.object { writer in
      if let arn { writer.member("FunctionArn", arn) }
      writer.member("RequestedProvisionedConcurrentExecutions", Int64(requested))
      // None is available to callers until the whole request is allocated.
      writer.member("AvailableProvisionedConcurrentExecutions", Int64(available))
      writer.member("AllocatedProvisionedConcurrentExecutions", Int64(allocated))
      switch status {
      case .inProgress: writer.member("Status", "IN_PROGRESS")
      case .ready: writer.member("Status", "READY")
      case .failed(let reason):
        writer.member("Status", "FAILED")
        writer.member("StatusReason", reason)
      }
      writer.member("LastModified", RFC3339.seconds(nanoseconds: lastModified.nanoseconds, offset: "+0000"))
    }
  }
}
