package import Documents

/// Reserved and provisioned concurrency in the words that every table and command uses.
package enum ConcurrencyText {
  /// `50`, `0 (paused)`, `no reserve`.
  package static func reserved(_ reserved: Int64?) -> String {
    guard let reserved else { return "no reserve" }
    return reserved == 0 ? "0 (paused)" : String(reserved)
  }

  /// `5/5/3, in progress`: requested, allocated and available.
  package static func provisioned(
    requested: Int64, allocated: Int64, available: Int64, status: String, reason: String? = nil
  ) -> String {
    let reason = reason.map { " (\(DisplayText.safe($0)))" } ?? ""
    return "\(requested)/\(allocated)/\(available), \(state(status))\(reason)"
  }

  /// `orders: reserved 50`.
  package static func line(_ document: ReservedDocument) -> String {
    let name = DisplayText.safe(document.function)
    guard let reserved = document.reserved else { return "\(name): no reserve" }
    return "\(name): reserved \(self.reserved(reserved))"
  }

  /// `orders:current: provisioned 5, allocated 5, available 3, in progress`, a line for each version or alias.
  package static func lines(_ document: ProvisionedDocument) -> [String] {
    guard !document.provisioned.isEmpty else {
      return ["\(DisplayText.safe(document.function)): no provisioned concurrency"]
    }
    return document.provisioned.map { line($0, of: document.function) }
  }

  /// One of these lines.
  package static func line(_ configuration: ProvisionedDocument.Configuration, of function: String) -> String {
    let reason = configuration.statusReason.map { " (\($0))" } ?? ""
    return DisplayText.safe(
      "\(function):\(configuration.qualifier): provisioned \(configuration.requested), allocated "
        + "\(configuration.allocated), available \(configuration.available), \(state(configuration.status))\(reason)")
  }

  private static func state(_ status: String) -> String {
    switch status {
    case "READY": "ready"
    case "IN_PROGRESS": "in progress"
    case "FAILED": "failed"
    default: DisplayText.safe(status)
    }
  }
}
