package import AWSClient

/// All functions of a control plane with their limits, as far as the caller may read them.
package struct ControlOverview: Sendable, Equatable {
  /// A value that the control plane may or may not give.
  package enum Answer<Value: Sendable & Equatable>: Sendable, Equatable {
    /// The service said it.
    case known(Value)
    /// The service does not have the call, or does not let us; ``ControlOverview/gaps`` has why.
    case unknown

    /// What is known; `nil` if nothing is. Where `nil` is a value too, as of a reserve, the case tells the two apart.
    package var value: Value? {
      switch self {
      case .known(let value): value
      case .unknown: nil
      }
    }
  }

  /// One function, with what was learnt of its limits.
  package struct Entry: Sendable, Equatable {
    /// Its configuration.
    package var function: LambdaFunction
    /// `nil` inside: no reserve.
    package var reserved: Answer<Int64?>
    /// Empty inside: none is configured.
    package var provisioned: Answer<[ProvisionedConcurrencyConfiguration]>
  }

  /// A call that brought nothing.
  package struct Gap: Sendable, Equatable {
    /// AWS's name of it.
    package var call: String
    /// Whether the service does not have it; else it refused it.
    package var isUnsupported: Bool
    /// A sentence.
    package var message: String
  }

  /// The service that it is from.
  package var endpoint: EndpointURL
  /// The region that requests were signed for; for a host of Kelvin's it says nothing.
  package var region: String
  /// The account's limits in that region.
  package var account: Answer<AccountConcurrency>
  /// In the order of the service, or of the names that were asked for.
  package var functions: [Entry]
  /// One for each call at most.
  package var gaps: [Gap]
}

extension LambdaClient {
  /// How many calls are under way at once: AWS allows 15 a second to all of an account.
  private static let callsAtOnce = 4

  /// Reads functions and their limits. What the service does not have, or does not let us read, is left open.
  ///
  /// - Parameter names: These functions alone; `nil` is all that there are.
  /// - Throws: `AWSClientError` if functions cannot be read, or nobody answers any more.
  package func overview(of names: [String]? = nil) async throws -> ControlOverview {
    var gaps = Gaps()
    let functions = try await functions(named: names)
    let account = try await gaps.answer("GetAccountSettings") { () async throws(AWSClientError) in
      try await accountConcurrency()
    }
    // The first one finds out what there is; the others need not ask for what there is not.
    var entries: [ControlOverview.Entry] = []
    if let first = functions.first { entries.append(try await entry(first, &gaps)) }
    let rest = Array(functions.dropFirst())
    let known = gaps
    let more = try await eachAtOnce(rest) { function in
      var own = known
      let entry = try await self.entry(function, &own)
      return (entry, own)
    }
    for (entry, own) in more {
      entries.append(entry)
      gaps.merge(own)
    }
    return ControlOverview(
      endpoint: endpoint, region: region, account: account, functions: entries, gaps: gaps.list)
  }

  private func functions(named names: [String]?) async throws(AWSClientError) -> [LambdaFunction] {
    guard let names else { return try await functions() }
    var functions: [LambdaFunction] = []
    for name in names { functions.append(try await function(name)) }
    return functions
  }

  private func entry(_ function: LambdaFunction, _ gaps: inout Gaps) async throws -> ControlOverview.Entry {
    let reserved = try await gaps.answer("GetFunctionConcurrency") { () async throws(AWSClientError) in
      try await self.reserved(of: function.name)
    }
    let provisioned = try await gaps.answer("ListProvisionedConcurrencyConfigs") { () async throws(AWSClientError) in
      try await self.provisioned(of: function.name)
    }
    return ControlOverview.Entry(function: function, reserved: reserved, provisioned: provisioned)
  }

  /// The results in the order of the elements, with a few under way at once.
  private func eachAtOnce<Element: Sendable, Result: Sendable>(
    _ elements: [Element], _ work: @escaping @Sendable (Element) async throws -> Result
  ) async throws -> [Result] {
    try await withThrowingTaskGroup(of: (Int, Result).self) { group in
      var results: [Int: Result] = [:]
      for (index, element) in elements.enumerated() {
        if index >= LambdaClient.callsAtOnce, let (done, result) = try await group.next() { results[done] = result }
        group.addTask { (index, try await work(element)) }
      }
      while let (done, result) = try await group.next() { results[done] = result }
      return elements.indices.compactMap { results[$0] }
    }
  }

  /// What the control plane does not give.
  private struct Gaps: Sendable {
    var list: [ControlOverview.Gap] = []

    /// - Throws: ``AWSClientError`` if the reason is not the call, but that nobody answers it.
    mutating func answer<Value: Sendable & Equatable>(
      _ call: String, _ ask: () async throws(AWSClientError) -> Value
    ) async throws -> ControlOverview.Answer<Value> {
      if list.contains(where: { $0.call == call }) { return .unknown }
      do {
        return .known(try await ask())
      } catch {
        // A function may be deleted while others are read; that says nothing about the call.
        if error.refusal?.code == "ResourceNotFoundException" { return .unknown }
        guard error.code == .unsupported || error.code == .refused else { throw error }
        list.append(.init(call: call, isUnsupported: error.code == .unsupported, message: error.message))
        return .unknown
      }
    }

    mutating func merge(_ other: Gaps) {
      for gap in other.list where !list.contains(where: { $0.call == gap.call }) { list.append(gap) }
    }
  }
}
