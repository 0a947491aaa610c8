package import AWSClient

extension LambdaClient {
  /// The reserved concurrency of a function; `nil` if it has none.
  package func reserved(of function: String) async throws(AWSClientError) -> Int64? {
    let call = ServiceCall("GetFunctionConcurrency", "GET", ["2019-09-30", "functions", function, "concurrency"])
    let body = try await answer(to: call)
    return try Wire.decode(Wire.Reserved.self, body, of: call.name).reservedConcurrentExecutions
  }

  /// Reserves concurrency for a function; 0 pauses it.
  ///
  /// - Returns: What is reserved now.
  package func setReserved(of function: String, to reserved: Int64) async throws(AWSClientError) -> Int64? {
    let call = ServiceCall(
      "PutFunctionConcurrency", "PUT", ["2017-10-31", "functions", function, "concurrency"],
      body: #"{"ReservedConcurrentExecutions":\#(reserved)}"#)
    let body = try await answer(to: call)
    return try Wire.decode(Wire.Reserved.self, body, of: call.name).reservedConcurrentExecutions
  }

  /// Gives a function's reserved concurrency back to the pool that all share.
  package func removeReserved(of function: String) async throws(AWSClientError) {
    let call = ServiceCall("DeleteFunctionConcurrency", "DELETE", ["2017-10-31", "functions", function, "concurrency"])
    _ = try await answer(to: call)
  }

  /// The provisioned concurrency of a version or alias; `nil` if it has none.
  package func provisioned(
    of function: String, qualifier: String
  ) async throws(AWSClientError) -> ProvisionedConcurrencyConfiguration? {
    let call = provisionedCall("GetProvisionedConcurrencyConfig", "GET", function, qualifier)
    do {
      let body = try await answer(to: call)
      return try Wire.decode(Wire.Provisioned.self, body, of: call.name).value(qualifier: qualifier)
    } catch {
      if error.refusal?.code == "ProvisionedConcurrencyConfigNotFoundException" { return nil }
      throw error
    }
  }

  /// The provisioned concurrency of all versions and aliases of a function that have some.
  package func provisioned(of function: String) async throws(AWSClientError) -> [ProvisionedConcurrencyConfiguration] {
    try await pages { marker throws(AWSClientError) in
      let call = ServiceCall(
        "ListProvisionedConcurrencyConfigs", "GET", ["2019-09-30", "functions", function, "provisioned-concurrency"],
        query: [QueryItem("List", "ALL")] + LambdaClient.paging(marker))
      let page = try Wire.decode(Wire.ProvisionedList.self, try await answer(to: call), of: call.name)
      return (page.provisionedConcurrencyConfigs.map { $0.value(qualifier: nil) }, page.nextMarker)
    }
  }

  /// Asks for instances that are ready before any request; they are started after the answer.
  ///
  /// - Parameter requested: At least 1.
  package func setProvisioned(
    of function: String, qualifier: String, to requested: Int64
  ) async throws(AWSClientError) -> ProvisionedConcurrencyConfiguration {
    var call = provisionedCall("PutProvisionedConcurrencyConfig", "PUT", function, qualifier)
    call.body = #"{"ProvisionedConcurrentExecutions":\#(requested)}"#
    return try Wire.decode(Wire.Provisioned.self, try await answer(to: call), of: call.name).value(qualifier: qualifier)
  }

  /// Ends the provisioned concurrency of a version or alias; nothing happens if there is none.
  package func removeProvisioned(of function: String, qualifier: String) async throws(AWSClientError) {
    _ = try await answer(to: provisionedCall("DeleteProvisionedConcurrencyConfig", "DELETE", function, qualifier))
  }

  private func provisionedCall(_ name: String, _ method: String, _ function: String, _ qualifier: String) -> ServiceCall
  {
    ServiceCall(
      name, method, ["2019-09-30", "functions", function, "provisioned-concurrency"],
      query: [QueryItem("Qualifier", qualifier)])
  }
}
