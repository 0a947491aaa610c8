/// One request over the network.
package struct HTTPExchange: Sendable, Equatable {
  /// The HTTP method.
  package var method: String
  /// With scheme, host and an encoded path and query.
  package var url: String
  /// Sent as they are, with no other ones but those of the connection.
  package var headers: [Header]
  /// Empty for none.
  package var body: [UInt8]
  /// From the first byte sent to the last one received.
  package var timeout: Duration

  /// Makes an exchange of its parts.
  package init(method: String, url: String, headers: [Header] = [], body: [UInt8] = [], timeout: Duration) {
    self.method = method
    self.url = url
    self.headers = headers
    self.body = body
    self.timeout = timeout
  }
}

/// The answer to a request.
package struct HTTPResult: Sendable, Equatable {
  /// The HTTP status.
  package var status: Int
  /// In their order.
  package var headers: [Header]
  /// All of it.
  package var body: [UInt8]

  /// Makes a result of its parts.
  package init(status: Int, headers: [Header] = [], body: [UInt8] = []) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  /// The value of the first header with this name, in whatever case.
  package func header(_ name: String) -> String? {
    let name = name.lowercased()
    return headers.first { $0.name.lowercased() == name }?.value
  }
}

/// Something that carries requests; the network, or a test's stand-in for it.
package protocol Transport: Sendable {
  /// Carries one request, once.
  ///
  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/unreachable``, ``AWSClientError/Code/timedOut`` or
  ///   ``AWSClientError/Code/malformed`` if there is no answer that can be read, whatever its status.
  func send(_ exchange: HTTPExchange) async throws(AWSClientError) -> HTTPResult
}
