package import AWSClient

extension LambdaClient {
  /// The most pages of a list that are read; a service that sends more is taken for one that never ends its list.
  private static let pagesLimit = 2_000

  /// Functions in the service's order, without their versions.
  ///
  /// - Parameter limit: The most to return; pages after it are not read.
  package func functions(limit: Int = .max) async throws(AWSClientError) -> [LambdaFunction] {
    try await pages(limit: limit) { marker throws(AWSClientError) in
      let call = ServiceCall("ListFunctions", "GET", ["2015-03-31", "functions"], query: LambdaClient.paging(marker))
      let page = try Wire.decode(Wire.Functions.self, try await answer(to: call), of: call.name)
      return (page.functions.map(\.value), page.nextMarker)
    }
  }

  /// One function.
  ///
  /// - Parameter qualifier: A version or alias; `nil` is `$LATEST`.
  package func function(_ name: String, qualifier: String? = nil) async throws(AWSClientError) -> LambdaFunction {
    let query = qualifier.map { [QueryItem("Qualifier", $0)] } ?? []
    let call = ServiceCall("GetFunction", "GET", ["2015-03-31", "functions", name], query: query)
    return try Wire.decode(Wire.FunctionAnswer.self, try await answer(to: call), of: call.name).configuration.value
  }

  /// The names of versions of a function.
  package func aliases(of function: String) async throws(AWSClientError) -> [FunctionAlias] {
    try await pages { marker throws(AWSClientError) in
      let call = ServiceCall(
        "ListAliases", "GET", ["2015-03-31", "functions", function, "aliases"], query: LambdaClient.paging(marker))
      let page = try Wire.decode(Wire.Aliases.self, try await answer(to: call), of: call.name)
      return (page.aliases.map(\.value), page.nextMarker)
    }
  }

  /// One alias.
  ///
  /// - Throws: ``AWSClientError``, with ``AWSClientError/Code/refused`` if the function has no alias of that name.
  package func alias(_ name: String, of function: String) async throws(AWSClientError) -> FunctionAlias {
    let call = ServiceCall("GetAlias", "GET", ["2015-03-31", "functions", function, "aliases", name])
    return try Wire.decode(Wire.Alias.self, try await answer(to: call), of: call.name).value
  }

  /// The limits of the account.
  package func accountConcurrency() async throws(AWSClientError) -> AccountConcurrency {
    let call = ServiceCall("GetAccountSettings", "GET", ["2016-08-19", "account-settings"])
    let limit = try Wire.decode(Wire.Account.self, try await answer(to: call), of: call.name).accountLimit
    return AccountConcurrency(limit: limit.concurrentExecutions, unreserved: limit.unreservedConcurrentExecutions)
  }

  /// Reads page after page until there is no marker, `limit` is reached, or the service goes round in circles.
  func pages<Element>(
    limit: Int = .max, _ page: (_ marker: String?) async throws(AWSClientError) -> ([Element], String?)
  ) async throws(AWSClientError) -> [Element] {
    var elements: [Element] = []
    var seen: Set<String> = []
    var marker: String?
    repeat {
      let (more, next) = try await page(marker)
      elements += more
      marker = next.flatMap { $0.isEmpty ? nil : $0 }
      guard let marker else { break }
      guard seen.insert(marker).inserted, seen.count < LambdaClient.pagesLimit else {
        throw AWSClientError(.malformed, "\(endpoint) does not end a list: it gives the same pages again, or too many.")
      }
    } while elements.count < limit
    return Array(elements.prefix(limit))
  }

  static func paging(_ marker: String?) -> [QueryItem] {
    [QueryItem("MaxItems", "50")] + (marker.map { [QueryItem("Marker", $0)] } ?? [])
  }
}
