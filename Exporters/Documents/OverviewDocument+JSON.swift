import Text
import Lifecycle

extension OverviewDocument {
  /// The members of a ``StatusDocument`` where an agent answered, and `controlPlane` where one did.
  ///
  /// - Complexity: O(functions).
  public func json() -> [UInt8] {
    let functions = functions
    var writer = JSONWriter.document(capacity: 1_024 + 640 * functions.count)
    writer.beginObject()
    status?.writeHead(to: &writer)
    if let control { control.write(to: &writer) }
    writer.key("account")
    writer.beginObject()
    if let status { writer.member("concurrentExecutions", status.account.concurrentExecutions) }
    writer.member("concurrencyLimit", orNull: concurrencyLimit)
    if let account = control?.account { writer.member("unreservedConcurrency", account.unreservedConcurrency) }
    writer.endObject()
    writer.key("functions")
    writer.beginArray()
    for function in functions { function.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}

extension ControlDocument {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.key("controlPlane")
    writer.beginObject()
    writer.member("endpoint", endpoint)
    if let region { writer.member("region", region) }
    writer.key("unknown")
    writer.beginArray()
    for call in unknown { writer.string(call) }
    writer.endArray()
    writer.endObject()
  }
}

extension OverviewDocument.Function {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("function", name)
    if let version { writer.member("version", version) }
    if let state { writer.member("state", state) }
    if let activity { writer.member("firstSeen", RFC3339.text(activity.firstSeen)) }
    writeLimits(to: &writer)
    activity?.writeActivity(to: &writer)
    writer.endObject()
  }

  /// Nothing at all if nothing is known.
  private func writeLimits(to writer: inout JSONWriter) {
    let isKnown =
      memoryLimitBytes != nil || timeout != nil || temporaryStorageLimitBytes != nil || reserved != .unknown
      || provisioned != .unknown
    guard isKnown else { return }
    writer.key("limits")
    writer.beginObject()
    if let memoryLimitBytes { writer.member("memoryLimitBytes", memoryLimitBytes) }
    if let timeout { writer.member("timeoutSeconds", nanoseconds: Int128(timeout.count)) }
    if let temporaryStorageLimitBytes { writer.member("temporaryStorageLimitBytes", temporaryStorageLimitBytes) }
    switch reserved {
    case .unknown: break
    case .none: writer.member("reserved", orNull: nil)
    case .some(let reserved): writer.member("reserved", reserved)
    }
    writeProvisioned(to: &writer)
    writer.endObject()
  }

  private func writeProvisioned(to writer: inout JSONWriter) {
    switch provisioned {
    case .unknown: break
    case .none: writer.member("provisioned", orNull: nil)
    case .some(let total, let byQualifier):
      writer.key("provisioned")
      total.write(to: &writer)
      guard let byQualifier else { return }
      writer.key("provisionedByQualifier")
      writer.beginArray()
      for configuration in byQualifier { configuration.write(to: &writer) }
      writer.endArray()
    }
  }
}
