import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

/// The network, with http and https, each connection kept for the next request.
struct NetworkTransport: Transport {
  /// The largest body that is taken, in bytes; a page of 50 functions stays far below it.
  static let bodyBytesLimit = 16 * 1024 * 1024

  private let client: HTTPClient

  /// Carries requests while `body` runs.
  ///
  /// - Parameter certificates: A file with the authorities to trust in place of the system's, as `AWS_CA_BUNDLE` names it.
  static func with<Result: Sendable>(
    certificates: String?, _ body: (NetworkTransport) async throws -> Result
  ) async throws -> Result {
    var configuration = HTTPClient.Configuration(
      redirectConfiguration: .disallow, timeout: .init(connect: .seconds(10)), decompression: .disabled)
    configuration.httpVersion = .http1Only
    // A port where nobody listens is an answer, not a reason to wait.
    configuration.connectionPool.retryConnectionEstablishment = false
    if let certificates {
      var security = TLSConfiguration.makeClientConfiguration()
      security.trustRoots = .file(certificates)
      configuration.tlsConfiguration = security
    }
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    do {
      let result = try await body(NetworkTransport(client: client))
      try await client.shutdown()
      return result
    } catch {
      // The reason why the work failed is the news, not what closing adds to it.
      try? await client.shutdown()
      throw error
    }
  }

  func send(_ exchange: HTTPExchange) async throws(LambdaError) -> HTTPResult {
    var request = HTTPClientRequest(url: exchange.url)
    request.method = HTTPMethod(rawValue: exchange.method)
    for header in exchange.headers { request.headers.add(name: header.name, value: header.value) }
    if !exchange.body.isEmpty { request.body = .bytes(exchange.body) }
    let deadline = NIODeadline.now() + TimeAmount(exchange.timeout)
    do {
      let response = try await client.execute(request, deadline: deadline)
      let body = try await response.body.collect(upTo: NetworkTransport.bodyBytesLimit)
      return HTTPResult(
        status: Int(response.status.code), headers: response.headers.map { Header($0.name, $0.value) },
        body: Array(body.readableBytesView))
    } catch {
      throw NetworkTransport.failure(error, url: exchange.url)
    }
  }

  private static func failure(_ error: any Error, url: String) -> LambdaError {
    // Scheme and host: the rest is what is asked, not where.
    let place = url.split(separator: "/", maxSplits: 2).prefix(2).joined(separator: "//").prefix { $0 != "?" }
    switch error {
    case let error as HTTPClientError where error == .deadlineExceeded || error == .readTimeout:
      return LambdaError(.timedOut, "\(place) did not answer in time.")
    case let error as HTTPClientError where error == .connectTimeout:
      return LambdaError(.unreachable, "\(place) cannot be reached: the connection was not made in time.")
    case is NIOTooManyBytesError, is HTTPParserError:
      return LambdaError(.malformed, "The answer of \(place) cannot be read: \(error).")
    case let error as NIOSSLError:
      return LambdaError(.unreachable, "\(place) cannot be reached over TLS: \(error).")
    case let error as NIOConnectionError:
      let reason = error.connectionErrors.first.map { "\($0.error)" } ?? "its name is not known"
      return LambdaError(.unreachable, "\(place) cannot be reached: \(reason).")
    default:
      return LambdaError(.unreachable, "\(place) cannot be asked: \(error).")
    }
  }
}
