import FoundationEssentials
import Lifecycle

/// The documents of AWS Lambda's API as they are on the wire; what is not named here is passed over.
enum Wire {
  static func decode<Document: Decodable>(_ type: Document.Type, _ body: [UInt8], of call: String) throws(LambdaError)
    -> Document
  {
    do {
      return try decoder.decode(type, from: Data(body))
    } catch {
      throw LambdaError(.malformed, "The answer to \(call) cannot be read: \(reason(error)).")
    }
  }

  /// AWS begins names with a capital letter, most of the time: `Message` and `message` are the same here.
  private static var decoder: JSONDecoder {
    let decoder = JSONDecoder()
    decoder.keyDecodingStrategy = .custom { path in
      let name = path.last?.stringValue ?? ""
      return WireKey(name.prefix(1).lowercased() + name.dropFirst())
    }
    return decoder
  }

  private struct WireKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }

    init(_ name: String) { stringValue = name }
    init?(stringValue: String) { self.init(stringValue) }
    init?(intValue: Int) { nil }
  }

  private static func reason(_ error: any Error) -> String {
    switch error {
    case DecodingError.keyNotFound(let key, _): "\(key.stringValue) is missing"
    case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
      "\(context.codingPath.last?.stringValue ?? "it") has another type than expected"
    default: "it is not JSON"
    }
  }

  struct Function: Decodable {
    var functionName: String
    var functionArn: String?
    var version: String?
    var memorySize: Int64?
    var timeout: Int64?
    var ephemeralStorage: Storage?
    var state: String?
    var runtime: String?

    struct Storage: Decodable { var size: Int64 }

    var value: LambdaFunction {
      LambdaFunction(
        name: functionName, arn: functionArn ?? "", version: version ?? "$LATEST", memoryMegabytes: memorySize,
        timeout: timeout.map { .seconds($0) }, temporaryStorageMegabytes: ephemeralStorage?.size, state: state,
        runtime: runtime)
    }
  }

  struct FunctionAnswer: Decodable { var configuration: Function }

  struct Functions: Decodable {
    var functions: [Function]
    var nextMarker: String?
  }

  struct Reserved: Decodable { var reservedConcurrentExecutions: Int64? }

  struct Provisioned: Decodable {
    var functionArn: String?
    var requestedProvisionedConcurrentExecutions: Int64
    var allocatedProvisionedConcurrentExecutions: Int64?
    var availableProvisionedConcurrentExecutions: Int64?
    var status: String
    var statusReason: String?
    var lastModified: String?

    /// - Parameter qualifier: Of the call; a list names it in each ARN.
    func value(qualifier: String?) -> ProvisionedConfiguration {
      ProvisionedConfiguration(
        qualifier: qualifier ?? functionArn?.split(separator: ":").last.map(String.init) ?? "",
        requested: requestedProvisionedConcurrentExecutions, allocated: allocatedProvisionedConcurrentExecutions ?? 0,
        available: availableProvisionedConcurrentExecutions ?? 0, status: .init(status), statusReason: statusReason,
        lastModified: lastModified)
    }
  }

  struct ProvisionedList: Decodable {
    var provisionedConcurrencyConfigs: [Provisioned]
    var nextMarker: String?
  }

  struct Account: Decodable {
    var accountLimit: Limit

    struct Limit: Decodable {
      var concurrentExecutions: Int64
      var unreservedConcurrentExecutions: Int64
    }
  }

  struct Alias: Decodable {
    var name: String
    var functionVersion: String
    var description: String?

    var value: FunctionAlias { FunctionAlias(name: name, version: functionVersion, description: description) }
  }

  struct Aliases: Decodable {
    var aliases: [Alias]
    var nextMarker: String?
  }

  /// An error document: the message is under either name.
  struct Refusal: Decodable {
    var message: String?
    var type: String?
    var reason: String?

    static func reading(_ body: [UInt8]) -> Refusal? {
      // A body that is no error document says nothing; the status does.
      try? decoder.decode(Refusal.self, from: Data(body))
    }
  }
}
