import LambdaAPI
import LambdaRecords
import Lifecycle
import NIOCore
import Text

/// The checked body of an extension's subscription.
struct Subscription: Equatable, Sendable {
  enum Destination: Equatable, Sendable {
    /// Batches are posted to this path; the host of the URI is always this machine.
    case http(port: Int, path: String)
    /// Records are written one to a line.
    case tcp(port: Int)

    var port: Int {
      switch self {
      case .http(let port, _), .tcp(let port): port
      }
    }
  }

  /// Why a subscription is refused: 400 with this sentence.
  struct Problem: Error, Equatable {
    var message: String
  }

  var schema: TelemetrySchema
  /// In the order in which they were asked for.
  var types: [TelemetryType] = []
  var recordsMax = 10_000
  var bytesMax = 262_144
  var timeout = Nanoseconds.milliseconds(1000)
  var destination = Destination.tcp(port: 0)

  static let recordsRange: ClosedRange<Int64> = 1000...10_000
  static let bytesRange: ClosedRange<Int64> = 262_144...1_048_576
  static let timeoutRange: ClosedRange<Int64> = 25...30_000
  /// Reserved inside of an instance.
  private static let reservedPort = 9001
  /// What means the instance itself. Only loopback is ever connected to.
  private static let localHosts: Set<String> = [
    "sandbox.localdomain", "sandbox", "localhost", "127.0.0.1", "0.0.0.0",
  ]

  /// Reads the body of `PUT /2022-07-01/telemetry`, or of `PUT /2020-08-15/logs`.
  ///
  /// - Parameter runtimePort: The instance's own Runtime API, which must not be subscribed.
  init(_ body: ByteBuffer, isLogs: Bool, runtimePort: Int?) throws(Problem) {
    var fields = Fields()
    let isObject = fields.read(body)
    guard isObject else { throw Problem(message: "The body must be a JSON object") }
    if let message = fields.problem { throw Problem(message: message) }
    schema = try Subscription.schema(fields.schemaVersion, isLogs: isLogs)
    types = try Subscription.types(fields.types)
    if let count = fields.recordsMax { recordsMax = try Subscription.checked(count, "maxItems", Self.recordsRange) }
    if let bytes = fields.bytesMax { bytesMax = try Subscription.checked(bytes, "maxBytes", Self.bytesRange) }
    if let milliseconds = fields.timeoutMilliseconds {
      timeout = .milliseconds(Int64(try Subscription.checked(milliseconds, "timeoutMs", Self.timeoutRange)))
    }
    destination = try Subscription.destination(fields)
    guard destination.port != Self.reservedPort, destination.port != runtimePort else {
      throw Problem(message: "destination: the port \(destination.port) is reserved")
    }
  }

  private static func schema(_ version: String?, isLogs: Bool) throws(Problem) -> TelemetrySchema {
    let known = TelemetrySchema.allCases.filter { $0.isLogs == isLogs }
    guard let version else { return isLogs ? .logs20200815 : .telemetry20220701 }
    guard let schema = known.first(where: { $0.rawValue == version }) else {
      let versions = known.map(\.rawValue).joined(separator: ", ")
      throw Problem(message: "schemaVersion: must be one of \(versions)")
    }
    return schema
  }

  private static func types(_ names: [String]?) throws(Problem) -> [TelemetryType] {
    guard let names, !names.isEmpty else {
      throw Problem(message: "types: must have at least one of platform, function, extension")
    }
    var types: [TelemetryType] = []
    for name in names {
      guard let type = TelemetryType(rawValue: name) else {
        throw Problem(message: "types: must be platform, function or extension")
      }
      if !types.contains(type) { types.append(type) }
    }
    return types
  }

  private static func checked(_ value: Int64, _ name: String, _ range: ClosedRange<Int64>) throws(Problem) -> Int {
    guard range.contains(value) else {
      throw Problem(message: "buffering.\(name): must be from \(range.lowerBound) to \(range.upperBound)")
    }
    return Int(value)
  }

  private static func destination(_ fields: Fields) throws(Problem) -> Destination {
    switch fields.networkProtocol {
    case "TCP":
      guard let port = fields.port, (1...65_535).contains(port) else {
        throw Problem(message: "destination.port: must be from 1 to 65535")
      }
      return .tcp(port: Int(port))
    case "HTTP":
      guard let uri = fields.uri, let (port, path) = httpTarget(uri) else {
        throw Problem(
          message: "destination.URI: must be http://sandbox.localdomain:PORT/PATH, and no other machine")
      }
      return .http(port: port, path: path)
    default: throw Problem(message: "destination.protocol: must be HTTP or TCP")
    }
  }

  private static func httpTarget(_ uri: String) -> (port: Int, path: String)? {
    guard uri.hasPrefix("http://"), uri.utf8.count <= 2048, uri.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      return nil
    }
    let rest = uri.dropFirst("http://".count)
    let end = rest.firstIndex { $0 == "/" || $0 == "?" || $0 == "#" } ?? rest.endIndex
    let authority = rest[..<end].split(separator: ":", omittingEmptySubsequences: false)
    guard let host = authority.first, localHosts.contains(host.lowercased()), authority.count <= 2 else { return nil }
    var port = 80
    if authority.count == 2 {
      guard let number = UInt16(authority[1]), number > 0 else { return nil }
      port = Int(number)
    }
    let target = rest[end...].prefix { $0 != "#" }
    return (port, target.first == "/" ? String(target) : "/" + target)
  }

  /// The members of the body, as they stand there.
  private struct Fields {
    var schemaVersion: String?
    var types: [String]?
    var recordsMax: Int64?
    var bytesMax: Int64?
    var timeoutMilliseconds: Int64?
    var networkProtocol: String?
    var uri: String?
    var port: Int64?
    var problem: String?

    mutating func read(_ body: ByteBuffer) -> Bool {
      var fields = self
      defer { self = fields }
      return body.readObject { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case "schemaVersion": fields.schemaVersion = try reader.stringOrOther() ?? ""
        case "types": try fields.readTypes(&reader)
        case "buffering": try fields.readBuffering(&reader)
        case "destination": try fields.readDestination(&reader)
        default: try reader.skip()
        }
      }
    }

    private mutating func readTypes(_ reader: inout JSONReader) throws(JSONError) {
      var names: [String] = []
      let isList = try reader.arrayOrOther { (reader: inout JSONReader) throws(JSONError) in
        let name = try reader.stringOrOther()
        if names.count < 64 { names.append(name ?? "") }
      }
      if isList { types = names } else { problem = "types: must be a list" }
    }

    private mutating func readBuffering(_ reader: inout JSONReader) throws(JSONError) {
      var fields = self
      func integer(_ reader: inout JSONReader, _ name: String) throws(JSONError) -> Int64? {
        let value = try reader.integerOrOther()
        if value == nil { fields.problem = "buffering.\(name): must be a whole number" }
        return value
      }
      let isObject = try reader.objectOrOther { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case "maxItems": fields.recordsMax = try integer(&reader, name)
        case "maxBytes": fields.bytesMax = try integer(&reader, name)
        case "timeoutMs": fields.timeoutMilliseconds = try integer(&reader, name)
        default: try reader.skip()
        }
      }
      if !isObject { fields.problem = "buffering: must be an object" }
      self = fields
    }

    private mutating func readDestination(_ reader: inout JSONReader) throws(JSONError) {
      var fields = self
      let isObject = try reader.objectOrOther { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case "protocol": fields.networkProtocol = try reader.stringOrOther()
        case "URI": fields.uri = try reader.stringOrOther()
        case "port": fields.port = try reader.integerOrOther()
        default: try reader.skip()
        }
      }
      if !isObject { fields.problem = "destination: must be an object" }
      self = fields
    }
  }
}
