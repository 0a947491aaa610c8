package import HTTPServer

/// An operation of AWS's Lambda API that the host implements, by AWS's name.
package enum ControlPlaneOperation: String, CaseIterable, Sendable {
  case invoke = "Invoke"
  case invokeAsync = "InvokeAsync"
  case invokeWithResponseStream = "InvokeWithResponseStream"
  case listFunctions = "ListFunctions"
  case getFunction = "GetFunction"
  case getFunctionConfiguration = "GetFunctionConfiguration"
  case updateFunctionConfiguration = "UpdateFunctionConfiguration"
  case publishVersion = "PublishVersion"
  case listVersions = "ListVersionsByFunction"
  case createAlias = "CreateAlias"
  case getAlias = "GetAlias"
  case listAliases = "ListAliases"
  case updateAlias = "UpdateAlias"
  case deleteAlias = "DeleteAlias"
  case putConcurrency = "PutFunctionConcurrency"
  case getConcurrency = "GetFunctionConcurrency"
  case deleteConcurrency = "DeleteFunctionConcurrency"
  case putProvisioned = "PutProvisionedConcurrencyConfig"
  case getProvisioned = "GetProvisionedConcurrencyConfig"
  case deleteProvisioned = "DeleteProvisionedConcurrencyConfig"
  case listProvisioned = "ListProvisionedConcurrencyConfigs"
  case getAccountSettings = "GetAccountSettings"
  case putEventInvokeConfig = "PutFunctionEventInvokeConfig"
  case updateEventInvokeConfig = "UpdateFunctionEventInvokeConfig"
  case getEventInvokeConfig = "GetFunctionEventInvokeConfig"
  case deleteEventInvokeConfig = "DeleteFunctionEventInvokeConfig"
  case listEventInvokeConfigs = "ListFunctionEventInvokeConfigs"
  case getFunctionURL = "GetFunctionUrlConfig"
  case listFunctionURLs = "ListFunctionUrlConfigs"
}

/// Every path of AWS's Lambda API for functions, and what AWS calls its methods, whether this host has them or not.
package enum ControlPlaneAPI {
  /// One method of one path.
  package struct Entry: Sendable {
    /// The method.
    package var method: String
    /// As `Route.path` has it: `{F}` stands for a function's name, `{A}` for an alias.
    package var path: String
    /// AWS's name for it.
    package var operation: String
  }

  /// Invoke, which is called all the time, is the first.
  package static let entries: [Entry] = list.split(separator: "\n").flatMap { line in
    let words = line.split(separator: " ").map(String.init)
    return stride(from: 1, to: words.count - 1, by: 2).map { position in
      Entry(
        method: words[position], path: "/" + words[0].replacing("*", with: "{}"), operation: words[position + 1])
    }
  }

  /// One path a line: itself, then methods and names.
  private static let list = """
    2015-03-31/functions/{F}/invocations POST Invoke
    2014-11-13/functions/{F}/invoke-async POST InvokeAsync
    2015-03-31/functions GET ListFunctions POST CreateFunction
    2015-03-31/functions/{F} DELETE DeleteFunction GET GetFunction
    2015-03-31/functions/{F}/aliases GET ListAliases POST CreateAlias
    2015-03-31/functions/{F}/aliases/{A} DELETE DeleteAlias GET GetAlias PUT UpdateAlias
    2015-03-31/functions/{F}/code PUT UpdateFunctionCode
    2015-03-31/functions/{F}/configuration GET GetFunctionConfiguration PUT UpdateFunctionConfiguration
    2015-03-31/functions/{F}/policy GET GetPolicy POST AddPermission
    2015-03-31/functions/{F}/policy/* DELETE RemovePermission
    2015-03-31/functions/{F}/versions GET ListVersionsByFunction POST PublishVersion
    2017-10-31/functions/{F}/concurrency DELETE DeleteFunctionConcurrency PUT PutFunctionConcurrency
    2019-09-25/functions/{F}/event-invoke-config DELETE DeleteFunctionEventInvokeConfig \
      GET GetFunctionEventInvokeConfig POST UpdateFunctionEventInvokeConfig PUT PutFunctionEventInvokeConfig
    2019-09-25/functions/{F}/event-invoke-config/list GET ListFunctionEventInvokeConfigs
    2019-09-30/functions/{F}/concurrency GET GetFunctionConcurrency
    2019-09-30/functions/{F}/provisioned-concurrency DELETE DeleteProvisionedConcurrencyConfig \
      GET GetProvisionedConcurrencyConfig PUT PutProvisionedConcurrencyConfig
    2020-06-30/functions/{F}/code-signing-config DELETE DeleteFunctionCodeSigningConfig \
      GET GetFunctionCodeSigningConfig PUT PutFunctionCodeSigningConfig
    2021-07-20/functions/{F}/runtime-management-config GET GetRuntimeManagementConfig PUT PutRuntimeManagementConfig
    2021-10-31/functions/{F}/url DELETE DeleteFunctionUrlConfig GET GetFunctionUrlConfig \
      POST CreateFunctionUrlConfig PUT UpdateFunctionUrlConfig
    2021-10-31/functions/{F}/urls GET ListFunctionUrlConfigs
    2021-11-15/functions/{F}/response-streaming-invocations POST InvokeWithResponseStream
    2024-08-31/functions/{F}/recursion-config GET GetFunctionRecursionConfig PUT PutFunctionRecursionConfig
    2025-11-30/functions/{F}/function-scaling-config GET GetFunctionScalingConfig PUT PutFunctionScalingConfig
    2025-12-01/functions/{F}/durable-executions GET ListDurableExecutionsByFunction
    2015-03-31/event-source-mappings GET ListEventSourceMappings POST CreateEventSourceMapping
    2015-03-31/event-source-mappings/* DELETE DeleteEventSourceMapping GET GetEventSourceMapping \
      PUT UpdateEventSourceMapping
    2016-08-19/account-settings GET GetAccountSettings
    2017-03-31/tags/* DELETE UntagResource GET ListTags POST TagResource
    2018-10-31/layers GET ListLayers
    2018-10-31/layers/*/versions GET ListLayerVersions POST PublishLayerVersion
    2018-10-31/layers/*/versions/* DELETE DeleteLayerVersion GET GetLayerVersion
    2018-10-31/layers/*/versions/*/policy GET GetLayerVersionPolicy POST AddLayerVersionPermission
    2018-10-31/layers/*/versions/*/policy/* DELETE RemoveLayerVersionPermission
    2020-04-22/code-signing-configs GET ListCodeSigningConfigs POST CreateCodeSigningConfig
    2020-04-22/code-signing-configs/* DELETE DeleteCodeSigningConfig GET GetCodeSigningConfig \
      PUT UpdateCodeSigningConfig
    2020-04-22/code-signing-configs/*/functions GET ListFunctionsByCodeSigningConfig
    2025-11-30/capacity-providers GET ListCapacityProviders POST CreateCapacityProvider
    2025-11-30/capacity-providers/* DELETE DeleteCapacityProvider GET GetCapacityProvider PUT UpdateCapacityProvider
    2025-11-30/capacity-providers/*/function-versions GET ListFunctionVersionsByCapacityProvider
    2025-12-01/durable-execution-callbacks/*/fail POST SendDurableExecutionCallbackFailure
    2025-12-01/durable-execution-callbacks/*/heartbeat POST SendDurableExecutionCallbackHeartbeat
    2025-12-01/durable-execution-callbacks/*/succeed POST SendDurableExecutionCallbackSuccess
    2025-12-01/durable-executions/* DELETE DeleteDurableExecution GET GetDurableExecution
    2025-12-01/durable-executions/*/checkpoint POST CheckpointDurableExecution
    2025-12-01/durable-executions/*/history GET GetDurableExecutionHistory
    2025-12-01/durable-executions/*/pause POST PauseDurableExecution
    2025-12-01/durable-executions/*/resume POST ResumeDurableExecution
    2025-12-01/durable-executions/*/state GET GetDurableExecutionState
    2025-12-01/durable-executions/*/stop POST StopDurableExecution
    2026-07-09/resource-policy/* DELETE DeleteResourcePolicy GET GetResourcePolicy PUT PutResourcePolicy
    """
}

extension ControlPlaneOperation {
  /// The operation itself, or the one that has its path and method and is told from it by the query.
  package func told(by query: [HTTPQueryItem]) -> ControlPlaneOperation {
    self == .getProvisioned && query.contains { $0.name == "List" && $0.value == "ALL" } ? .listProvisioned : self
  }

  /// Whether its body is for a function.
  package var takesPayload: Bool {
    switch self {
    case .invoke, .invokeAsync, .invokeWithResponseStream: true
    default: false
    }
  }
}
