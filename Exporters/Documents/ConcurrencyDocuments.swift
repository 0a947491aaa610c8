import Text

/// The output of `kelvin reserved --output json`: `{"function":"orders","reserved":50}`.
public struct ReservedDocument: Sendable, Equatable {
  /// The function's name.
  public var function: String
  /// `nil` (in JSON `null`): no reserve. 0: paused.
  public var reserved: Int64?

  /// Makes what is configured for a function.
  public init(function: String, reserved: Int64?) {
    self.function = function
    self.reserved = reserved
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document()
    writer.beginObject()
    writer.member("function", function)
    writer.member("reserved", orNull: reserved)
    writer.endObject()
    return writer.bytes
  }
}

/// The output of `kelvin provisioned --output json`: a function, and an entry for each version or alias that has
/// provisioned concurrency.
public struct ProvisionedDocument: Sendable, Equatable {
  /// The function's name.
  public var function: String
  /// An entry for each version or alias with provisioned concurrency; empty if there is none.
  public var provisioned: [Configuration]

  /// The provisioned concurrency of one version or alias.
  public struct Configuration: Sendable, Equatable {
    /// The version's number, or the alias.
    public var qualifier: String
    /// As many instances as are configured.
    public var requested: Int64
    /// As many instances as have been started.
    public var allocated: Int64
    /// As many instances as are ready for an invocation.
    public var available: Int64
    /// `READY`, `IN_PROGRESS` or `FAILED` (the words of AWS).
    public var status: String
    /// Why it failed; then there is such a member.
    public var statusReason: String?

    /// Makes the state of one version or alias. `statusReason` goes with the status `FAILED`.
    public init(
      qualifier: String, requested: Int64, allocated: Int64, available: Int64, status: String,
      statusReason: String? = nil
    ) {
      self.qualifier = qualifier
      self.requested = requested
      self.allocated = allocated
      self.available = available
      self.status = status
      self.statusReason = statusReason
    }

    func write(to writer: inout JSONWriter) {
      writer.beginObject()
      writer.member("qualifier", qualifier)
      writer.member("requested", requested)
      writer.member("allocated", allocated)
      writer.member("available", available)
      writer.member("status", status)
      if let statusReason { writer.member("statusReason", statusReason) }
      writer.endObject()
    }
  }

  /// Makes what is configured for a function.
  public init(function: String, provisioned: [Configuration]) {
    self.function = function
    self.provisioned = provisioned
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document()
    writer.beginObject()
    writer.member("function", function)
    writer.key("provisioned")
    writer.beginArray()
    for configuration in provisioned { configuration.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }
}
