import CTransfer
import Dispatch
import Synchronization

/// The network over http and https; keeps connections for later requests. Uses the proxies of the environment
/// (`https_proxy`, `no_proxy` and the like), except for servers on this machine.
struct NetworkTransport: Transport {
  /// The largest body that is taken, in bytes; a page of 50 functions stays far below it.
  static let bodyBytesLimit = 16 * 1024 * 1024
  /// The largest head of an answer that is taken, in bytes.
  static let headBytesLimit = 256 * 1024

  private let certificates: String?
  private let connections: IdleConnections

  fileprivate init(certificates: String?, connections: IdleConnections) {
    self.certificates = certificates
    self.connections = connections
  }

  /// Carries requests while `body` runs.
  ///
  /// - Parameter certificates: A file with the authorities to trust in place of the system's, as `AWS_CA_BUNDLE` names it.
  static func with<Result: Sendable>(
    certificates: String?, _ body: (NetworkTransport) async throws -> Result
  ) async throws -> Result {
    let connections = IdleConnections()
    defer { connections.close() }
    return try await body(NetworkTransport(certificates: certificates, connections: connections))
  }

  /// Carries one request over a connection of its own, and waits for the answer on this thread.
  ///
  /// - Throws: ``AWSClientError`` as ``Transport/send(_:)`` does.
  static func sendOnce(_ exchange: HTTPExchange, certificates: String?) throws(AWSClientError) -> HTTPResult {
    let connections = IdleConnections()
    defer { connections.close() }
    return try NetworkTransport(certificates: certificates, connections: connections).sendBlocking(exchange)
  }

  func send(_ exchange: HTTPExchange) async throws(AWSClientError) -> HTTPResult {
    let connection = try connection(for: exchange)
    let cancellation = Cancellation()
    // A thread of its own, because libcurl waits.
    let (outcome, answer) = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        DispatchQueue.global().async {
          continuation.resume(returning: perform(exchange, on: connection, cancellation))
        }
      }
    } onCancel: {
      cancellation.cancel()
    }
    return try result(outcome, answer, of: exchange, connection)
  }

  /// Carries one request and waits for its answer on this thread.
  func sendBlocking(_ exchange: HTTPExchange) throws(AWSClientError) -> HTTPResult {
    let connection = try connection(for: exchange)
    let (outcome, answer) = perform(exchange, on: connection, Cancellation())
    return try result(outcome, answer, of: exchange, connection)
  }

  private func connection(for exchange: HTTPExchange) throws(AWSClientError) -> KeptConnection {
    for header in exchange.headers {
      // A line break would begin another header.
      guard !"\(header.name)\(header.value)".utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }) else {
        throw AWSClientError(.settings, "The header \(header.name) of the request has a control character in it.")
      }
    }
    guard let connection = connections.take() else {
      throw AWSClientError(
        .unreachable, "Requests need libcurl, which is not installed; install it (Debian's package is libcurl4).")
    }
    return connection
  }

  private func result(
    _ outcome: ctransfer_outcome, _ answer: Answer, of exchange: HTTPExchange, _ connection: KeptConnection
  ) throws(AWSClientError) -> HTTPResult {
    connections.put(connection)
    if let failure = NetworkTransport.failure(outcome, answer.sentence, url: exchange.url) { throw failure }
    return HTTPResult(status: answer.status, headers: answer.headers, body: answer.body)
  }

  /// What one exchange brought.
  private struct Answer: Sendable {
    var status = 0
    var headers: [Header] = []
    var body: [UInt8] = []
    var sentence = ""
  }

  private func perform(
    _ exchange: HTTPExchange, on connection: KeptConnection, _ cancellation: Cancellation
  ) -> (ctransfer_outcome, Answer) {
    let isLocal = (try? EndpointURL(String(exchange.url.prefix { $0 != "?" })))?.isLoopback ?? false
    let headers = exchange.headers.map { "\($0.name): \($0.value)\n" }.joined()
    var result = unsafe ctransfer_result()
    defer { unsafe ctransfer_result_free(&result) }
    var request = unsafe ctransfer_request()
    unsafe request.timeout_milliseconds = exchange.timeout.wholeMilliseconds
    unsafe request.connect_milliseconds = 10_000
    unsafe request.uses_proxy = isLocal ? 0 : 1
    unsafe request.body_limit = NetworkTransport.bodyBytesLimit
    unsafe request.header_limit = NetworkTransport.headBytesLimit
    let outcome = unsafe withCTexts(exchange.method, exchange.url, headers, certificates) {
      method, url, headers, file in
      unsafe exchange.body.withUnsafeBytes { body in
        unsafe cancellation.withFlag { flag in
          unsafe request.method = method
          unsafe request.url = url
          unsafe request.headers = headers
          unsafe request.certificates = file
          unsafe request.body = body.baseAddress
          unsafe request.body_count = body.count
          unsafe request.cancelled = flag
          return unsafe connection.perform(&request, &result)
        }
      }
    }
    return unsafe (outcome, NetworkTransport.answer(result))
  }

  private static func answer(_ result: ctransfer_result) -> Answer {
    var answer = Answer(status: unsafe Int(result.status))
    if let bytes = unsafe result.body {
      answer.body = unsafe Array(UnsafeBufferPointer(start: bytes, count: result.body_count))
    }
    if let bytes = unsafe result.headers {
      let text = unsafe String(decoding: UnsafeBufferPointer(start: bytes, count: result.header_count), as: UTF8.self)
      answer.headers = headers(text)
    }
    unsafe withUnsafeBytes(of: result.sentence) { bytes in
      answer.sentence = unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
    return answer
  }

  /// The fields of a head. A line that is not a field is ignored.
  static func headers(_ head: String) -> [Header] {
    head.split(whereSeparator: \.isNewline).compactMap { line in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      let value = line[line.index(after: colon)...].drop { $0 == " " || $0 == "\t" }
      return Header(String(line[..<colon]), String(value))
    }
  }

  private static func failure(_ outcome: ctransfer_outcome, _ sentence: String, url: String) -> AWSClientError? {
    // Scheme and host: the rest is what is asked, not where.
    let place = url.split(separator: "/", maxSplits: 2).prefix(2).joined(separator: "//").prefix { $0 != "?" }
    return switch outcome {
    case CTRANSFER_DONE: nil
    case CTRANSFER_TIMED_OUT: AWSClientError(.timedOut, "\(place) did not answer in time.")
    case CTRANSFER_NO_TRUST: AWSClientError(.unreachable, "\(place) cannot be reached over TLS: \(sentence).")
    case CTRANSFER_MALFORMED: AWSClientError(.malformed, "The answer of \(place) cannot be read: \(sentence).")
    case CTRANSFER_TOO_LARGE:
      AWSClientError(
        .malformed, "The answer of \(place) cannot be read: it is larger than \(bodyBytesLimit >> 20) MiB.")
    case CTRANSFER_NO_CONNECTION:
      AWSClientError(.unreachable, "\(place) cannot be reached: \(sentence).", isConnectionFailure: true)
    case CTRANSFER_CLOSED:
      AWSClientError(
        .unreachable, "\(place) closed the connection before it answered.", isConnectionFailure: true)
    default: AWSClientError(.unreachable, "The request to \(place) failed: \(sentence).")
    }
  }
}

/// Connections that wait for their next request.
private final class IdleConnections: Sendable {
  private let idle = Mutex<[KeptConnection]>([])

  /// One for this request alone; `nil` if there is no libcurl.
  func take() -> KeptConnection? { idle.withLock { $0.popLast() } ?? KeptConnection() }

  func put(_ connection: KeptConnection) { idle.withLock { $0.append(connection) } }

  func close() { idle.withLock { $0.removeAll() } }
}

/// One connection, or what keeps it.
@safe private final class KeptConnection: @unchecked Sendable {
  // Sendable: whoever took it from those that are idle is the only one who has it.
  private let transfer: OpaquePointer

  init?() {
    guard let transfer = unsafe ctransfer_new() else { return nil }
    unsafe self.transfer = transfer
  }

  deinit { unsafe ctransfer_free(transfer) }

  func perform(_ request: inout ctransfer_request, _ result: inout ctransfer_result) -> ctransfer_outcome {
    unsafe ctransfer_perform(transfer, &request, &result)
  }
}

/// Set when nobody wants the answer any more.
@safe private final class Cancellation: @unchecked Sendable {
  // Sendable: the flag is only ever written and read as one atomic number.
  private let flag: UnsafeMutablePointer<Int32>

  init() {
    unsafe flag = .allocate(capacity: 1)
    unsafe flag.initialize(to: 0)
  }

  deinit { unsafe flag.deallocate() }

  func cancel() { unsafe ctransfer_cancel(flag) }

  func withFlag<Result>(_ body: (UnsafePointer<Int32>) -> Result) -> Result { unsafe body(UnsafePointer(flag)) }
}

extension Duration {
  /// Rounded up, at least 1.
  fileprivate var wholeMilliseconds: Int {
    let (seconds, attoseconds) = components
    return max(1, Int(seconds) * 1_000 + Int((attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000))
  }
}

private func withCTexts<Result>(
  _ method: String, _ url: String, _ headers: String, _ file: String?,
  _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>, UnsafePointer<CChar>?) -> Result
) -> Result {
  unsafe method.withCString { method in
    unsafe url.withCString { url in
      unsafe headers.withCString { headers in
        guard let file else { return unsafe body(method, url, headers, nil) }
        return unsafe file.withCString { unsafe body(method, url, headers, $0) }
      }
    }
  }
}

extension HTTPExchange {
  /// Sends it over the network, on a connection of its own, and waits for the answer on this thread.
  ///
  /// - Parameter certificates: A file with the authorities to trust in place of the system's.
  /// - Throws: ``AWSClientError`` as ``Transport/send(_:)`` does.
  package func answer(trusting certificates: String?) throws(AWSClientError) -> HTTPResult {
    try NetworkTransport.sendOnce(self, certificates: certificates)
  }
}

/// Requests one after the other, over connections that are kept for later ones.
package final class ExchangeConnections: Sendable {
  private let connections = IdleConnections()
  private let transport: NetworkTransport

  /// - Parameter certificates: A file with the authorities to trust in place of the system's.
  package init(trusting certificates: String?) {
    transport = NetworkTransport(certificates: certificates, connections: connections)
  }

  deinit { connections.close() }

  /// Sends a request and waits for the answer on this thread.
  ///
  /// - Throws: ``AWSClientError`` as ``Transport/send(_:)`` does.
  package func answer(to exchange: HTTPExchange) throws(AWSClientError) -> HTTPResult {
    try transport.sendBlocking(exchange)
  }
}
