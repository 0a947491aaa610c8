/// One request over the network.
struct HTTPExchange: Sendable, Equatable {
  var method: String
  /// With scheme, host and an encoded path and query.
  var url: String
  var headers: [Header] = []
  var body: [UInt8] = []
  /// From the first byte sent to the last one received.
  var timeout: Duration
}

/// The answer to a request.
struct HTTPResult: Sendable, Equatable {
  var status: Int
  var headers: [Header] = []
  var body: [UInt8] = []

  /// The value of the first header with this name, in whatever case.
  func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name.lowercased() == name }?.value
  }
}

/// Something that carries requests; the network, or a test's stand-in for it.
protocol Transport: Sendable {
  /// - Throws: ``LambdaError`` with ``LambdaError/Code/unreachable``, ``LambdaError/Code/timedOut`` or
  ///   ``LambdaError/Code/malformed`` if there is no answer that can be read, whatever its status.
  func send(_ exchange: HTTPExchange) async throws(LambdaError) -> HTTPResult
}
