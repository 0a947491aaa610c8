import AWSClient
import Lifecycle
import Text

/// A document of AWS Lambda's API.
protocol WireDocument {
  init(_ object: WireObject) throws(WireProblem)
}

/// The documents of AWS Lambda's API as they are on the wire; members that are not named here are ignored.
enum Wire {
  static func decode<Document: WireDocument>(
    _ type: Document.Type, _ body: [UInt8], of call: String
  ) throws(AWSClientError) -> Document {
    do {
      return try Document(try WireObject(body))
    } catch {
      throw AWSClientError(.malformed, "The answer to \(call) cannot be read: \(error.message).")
    }
  }

  struct Function: WireDocument {
    var functionName: String
    var functionArn: String?
    var version: String?
    var memorySize: Int64?
    var timeout: Int64?
    var ephemeralStorage: Storage?
    var state: String?
    var runtime: String?

    struct Storage: WireDocument {
      var size: Int64

      init(_ object: WireObject) throws(WireProblem) {
        size = try WireObject.there(try object.integer("size"), "size")
      }
    }

    init(_ object: WireObject) throws(WireProblem) {
      functionName = try WireObject.there(try object.text("functionName"), "functionName")
      functionArn = try object.text("functionArn")
      version = try object.text("version")
      memorySize = try object.integer("memorySize")
      timeout = try object.integer("timeout")
      if let storage = try object.object("ephemeralStorage") { ephemeralStorage = try Storage(storage) }
      state = try object.text("state")
      runtime = try object.text("runtime")
    }

    var value: LambdaFunction {
      LambdaFunction(
        name: functionName, arn: functionArn ?? "", version: version ?? "$LATEST", memoryMegabytes: memorySize,
        timeout: timeout.map { .seconds($0) }, temporaryStorageMegabytes: ephemeralStorage?.size, state: state,
        runtime: runtime)
    }
  }

  struct FunctionAnswer: WireDocument {
    var configuration: Function

    init(_ object: WireObject) throws(WireProblem) {
      configuration = try Function(try WireObject.there(try object.object("configuration"), "configuration"))
    }
  }

  struct Functions: WireDocument {
    var functions: [Function]
    var nextMarker: String?

    init(_ object: WireObject) throws(WireProblem) {
      functions = try object.list("functions") { (item: WireObject) throws(WireProblem) in try Function(item) }
      nextMarker = try object.text("nextMarker")
    }
  }

  struct Reserved: WireDocument {
    var reservedConcurrentExecutions: Int64?

    init(_ object: WireObject) throws(WireProblem) {
      reservedConcurrentExecutions = try object.integer("reservedConcurrentExecutions")
    }
  }

  struct Provisioned: WireDocument {
    var functionArn: String?
    var requestedProvisionedConcurrentExecutions: Int64
    var allocatedProvisionedConcurrentExecutions: Int64?
    var availableProvisionedConcurrentExecutions: Int64?
    var status: String
    var statusReason: String?
    var lastModified: String?

    init(_ object: WireObject) throws(WireProblem) {
      functionArn = try object.text("functionArn")
      requestedProvisionedConcurrentExecutions = try WireObject.there(
        try object.integer("requestedProvisionedConcurrentExecutions"), "requestedProvisionedConcurrentExecutions")
      allocatedProvisionedConcurrentExecutions = try object.integer("allocatedProvisionedConcurrentExecutions")
      availableProvisionedConcurrentExecutions = try object.integer("availableProvisionedConcurrentExecutions")
      status = try WireObject.there(try object.text("status"), "status")
      statusReason = try object.text("statusReason")
      lastModified = try object.text("lastModified")
    }

    /// - Parameter qualifier: Of the call; a list names it in each ARN.
    func value(qualifier: String?) -> ProvisionedConcurrencyConfiguration {
      ProvisionedConcurrencyConfiguration(
        qualifier: qualifier ?? functionArn?.split(separator: ":").last.map(String.init) ?? "",
        requested: requestedProvisionedConcurrentExecutions, allocated: allocatedProvisionedConcurrentExecutions ?? 0,
        available: availableProvisionedConcurrentExecutions ?? 0, status: .init(status), statusReason: statusReason,
        lastModified: lastModified)
    }
  }

  struct ProvisionedList: WireDocument {
    var provisionedConcurrencyConfigs: [Provisioned]
    var nextMarker: String?

    init(_ object: WireObject) throws(WireProblem) {
      provisionedConcurrencyConfigs = try object.list("provisionedConcurrencyConfigs") {
        (item: WireObject) throws(WireProblem) in try Provisioned(item)
      }
      nextMarker = try object.text("nextMarker")
    }
  }

  struct Account: WireDocument {
    var accountLimit: Limit

    struct Limit: WireDocument {
      var concurrentExecutions: Int64
      var unreservedConcurrentExecutions: Int64

      init(_ object: WireObject) throws(WireProblem) {
        concurrentExecutions = try WireObject.there(
          try object.integer("concurrentExecutions"), "concurrentExecutions")
        unreservedConcurrentExecutions = try WireObject.there(
          try object.integer("unreservedConcurrentExecutions"), "unreservedConcurrentExecutions")
      }
    }

    init(_ object: WireObject) throws(WireProblem) {
      accountLimit = try Limit(try WireObject.there(try object.object("accountLimit"), "accountLimit"))
    }
  }

  struct Alias: WireDocument {
    var name: String
    var functionVersion: String
    var description: String?

    init(_ object: WireObject) throws(WireProblem) {
      name = try WireObject.there(try object.text("name"), "name")
      functionVersion = try WireObject.there(try object.text("functionVersion"), "functionVersion")
      description = try object.text("description")
    }

    var value: FunctionAlias { FunctionAlias(name: name, version: functionVersion, description: description) }
  }

  struct Aliases: WireDocument {
    var aliases: [Alias]
    var nextMarker: String?

    init(_ object: WireObject) throws(WireProblem) {
      aliases = try object.list("aliases") { (item: WireObject) throws(WireProblem) in try Alias(item) }
      nextMarker = try object.text("nextMarker")
    }
  }
}
