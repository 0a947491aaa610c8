import Text

/// What `kelvin reserved` says: `{"function":"orders","reserved":50}`.
public struct ReservedDocument: Sendable, Equatable {
  public var function: String
  /// `nil` (in JSON `null`): no reserve. 0: paused.
  public var reserved: Int64?

  public init(function: String, reserved: Int64?) {
    self.function = function
    self.reserved = reserved
  }

  public func json() -> [UInt8] {
    var writer = JSONWriter.document()
    writer.beginObject()
    writer.member("function", function)
    writer.member("reserved", orNull: reserved)
    writer.endObject()
    return writer.bytes
  }
}

/// What `kelvin provisioned` says: a function, and an entry for each version or alias that has provisioned concurrency.
public struct ProvisionedDocument: Sendable, Equatable {
  public var function: String
  public var provisioned: [Configuration]

  /// The provisioned concurrency of one version or alias.
  public struct Configuration: Sendable, Equatable {
    public var qualifier: String
    public var requested: Int64
    public var allocated: Int64
    public var available: Int64
    /// `READY`, `IN_PROGRESS` or `FAILED` (the words of AWS).
    public var status: String
    /// Why it failed; then there is such a member.
    public var statusReason: String?

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

  public init(function: String, provisioned: [Configuration]) {
    self.function = function
    self.provisioned = provisioned
  }

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
