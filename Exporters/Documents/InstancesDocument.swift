public import Text
public import Lifecycle
public import Windows

/// The answer of `GET /api/v1/instances`: the instances that are alive, by function and start.
public struct InstancesDocument: Sendable, Equatable {
  /// The instant that it is of.
  public var time: Timestamp
  /// By function and start; only those that are alive.
  public var instances: [InstanceDocument]

  /// Makes a document of instances that are in order already.
  public init(time: Timestamp, instances: [InstanceDocument]) {
    self.time = time
    self.instances = instances
  }

  /// Converts snapshots, whatever their order.
  public init(time: Timestamp, snapshots: some Sequence<InstanceSnapshot>) {
    let ordered = snapshots.sorted { left, right in
      (left.function, left.started, left.instance) < (right.function, right.started, right.instance)
    }
    self.init(time: time, instances: ordered.map { InstanceDocument($0, at: time) })
  }
}

/// One instance in an ``InstancesDocument``.
public struct InstanceDocument: Sendable, Equatable {
  /// The name of the function that it serves.
  public var function: String
  /// `nil` for `$LATEST`; then there is no such member.
  public var version: String?
  /// As the text of a UUID.
  public var instance: String
  /// `initializing`, `idle` or `busy`.
  public var state: String
  /// `on-demand`, `provisioned-concurrency`, `snap-start` or `lambda-managed-instances`.
  public var initializationType: String
  /// When its process was started.
  public var started: Timestamp
  /// How long it has been alive; never negative.
  public var age: Nanoseconds
  /// `nil` while it runs; then there is no such member.
  public var initialization: Nanoseconds?
  /// `nil` until its warm-up has ended, and without one; then there is no such member.
  public var warmUp: Nanoseconds?
  /// How many invocations have finished in it.
  public var invocations: UInt64

  /// Converts a snapshot; `time` is the instant that ages are of.
  public init(_ snapshot: InstanceSnapshot, at time: Timestamp) {
    function = snapshot.function.name
    version = snapshot.function.version == FunctionID.latest ? nil : snapshot.function.version
    instance = snapshot.instance.value.uuidText
    state = snapshot.state.name
    initializationType = snapshot.initializationType.name
    started = snapshot.started
    age = max(.zero, time - snapshot.started)
    initialization = snapshot.initialization
    warmUp = snapshot.warmUp
    invocations = snapshot.invocations
  }
}

extension InstancesDocument {
  /// The document as JSON.
  ///
  /// - Complexity: O(instances).
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 64 + 256 * instances.count)
    writer.beginObject()
    writer.member("time", RFC3339.text(time))
    writer.key("instances")
    writer.beginArray()
    for instance in instances { instance.write(to: &writer) }
    writer.endArray()
    writer.endObject()
    return writer.bytes
  }

  /// Reads what ``json()`` writes. Members that this version does not know are ignored.
  ///
  /// - Throws: `JSONError` if it is not such a document.
  public init(json: [UInt8]) throws(JSONError) {
    var time: Timestamp?
    var instances: [InstanceDocument]?
    try JSONReader.document(json) { (reader: inout JSONReader) throws(JSONError) in
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case "time": time = try reader.time()
        case "instances":
          var read: [InstanceDocument] = []
          try reader.array { (reader: inout JSONReader) throws(JSONError) in
            read.append(try InstanceDocument(from: &reader))
          }
          instances = read
        default: try reader.skip()
        }
      }
    }
    guard let time, let instances else { throw JSONError(.missing, "time or instances is missing", position: 0) }
    self.init(time: time, instances: instances)
  }
}

extension InstanceDocument {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("function", function)
    if let version { writer.member("version", version) }
    writeLife(to: &writer, age: age)
    writer.endObject()
  }

  /// All that does not say whose it is; without an age, only what stays as it is while nothing happens.
  func writeLife(to writer: inout JSONWriter, age: Nanoseconds?) {
    writer.member("instance", instance)
    writer.member("state", state)
    writer.member("initializationType", initializationType)
    writer.member("started", RFC3339.text(started))
    if let age { writer.member("ageSeconds", nanoseconds: Int128(age.count)) }
    if let initialization { writer.member("initializationSeconds", nanoseconds: Int128(initialization.count)) }
    if let warmUp { writer.member("warmupSeconds", nanoseconds: Int128(warmUp.count)) }
    writer.member("invocations", invocations)
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    let position = reader.position
    var document = InstanceDocument()
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "function": document.function = try reader.string()
      case "version": document.version = try reader.stringOrNull()
      case "instance": document.instance = try reader.string()
      case "state": document.state = try reader.string()
      case "initializationType": document.initializationType = try reader.string()
      case "started": document.started = try reader.time()
      case "ageSeconds": document.age = try reader.duration()
      case "initializationSeconds": document.initialization = try reader.durationOrNull()
      case "warmupSeconds": document.warmUp = try reader.durationOrNull()
      case "invocations": document.invocations = try reader.unsigned()
      default: try reader.skip()
      }
    }
    guard !document.function.isEmpty, !document.instance.isEmpty else {
      throw JSONError(.missing, "an instance has no function or no identity", position: position)
    }
    self = document
  }

  private init() {
    function = ""
    instance = ""
    state = ""
    initializationType = ""
    started = Timestamp(nanoseconds: 0)
    age = .zero
    invocations = 0
  }
}
