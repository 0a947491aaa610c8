package import Lifecycle
import Text

/// A service of AWS, by the names that it has in signatures, addresses and settings.
package struct AWSService: Hashable, Sendable {
  /// As in the scope of a signature, and first in the name of its host.
  package var signingName: String
  /// As in `AWS_ENDPOINT_URL_…` and in the `services` sections of the shared config file, in lower case.
  package var settingsName: String

  /// AWS Lambda.
  package static let lambda = AWSService(signingName: "lambda", settingsName: "lambda")

  /// Makes a service of its names.
  package init(signingName: String, settingsName: String) {
    self.signingName = signingName
    self.settingsName = settingsName
  }
}

/// One call of a service's API.
package struct ServiceCall: Sendable {
  /// AWS's name of it, for messages.
  package var name: String
  /// The HTTP method.
  package var method: String
  /// Percent-encoded; begins with a slash.
  package var path: String
  /// The parameters of the query, not encoded.
  package var query: [QueryItem]
  /// JSON, or empty.
  package var body: String

  /// Makes a call.
  ///
  /// - Parameter segments: What stands between the slashes, not encoded.
  package init(_ name: String, _ method: String, _ segments: [String], query: [QueryItem] = [], body: String = "") {
    self.name = name
    self.method = method
    path = segments.map { "/" + PercentEncoding.encoded($0) }.joined()
    self.query = query
    self.body = body
  }
}

/// What a client takes from its surroundings: the time, pauses and chance. Tests give it their own.
package struct ClientSurroundings: Sendable {
  /// The time of day, for signatures.
  package var now: @Sendable () -> Timestamp
  /// Waits. Throws if its task is cancelled.
  package var pause: @Sendable (Duration) async throws -> Void
  /// A number in a range, each as likely as any other.
  package var random: @Sendable (ClosedRange<Int64>) -> Int64

  /// Makes surroundings of their parts.
  package init(
    now: @escaping @Sendable () -> Timestamp, pause: @escaping @Sendable (Duration) async throws -> Void,
    random: @escaping @Sendable (ClosedRange<Int64>) -> Int64
  ) {
    self.now = now
    self.pause = pause
    self.random = random
  }
}

/// Calls a service of AWS, or whatever speaks its API: signs each request, and repeats those that failed for a moment.
///
/// A call may reach the service more than once (``RetryPolicy``), so it must do no harm twice. May be used by several tasks at once.
package struct ServiceClient: Sendable {
  /// What is called.
  package let service: AWSService
  /// Where it is.
  package let endpoint: EndpointURL
  /// The region in use, and that signatures are for.
  package let region: String
  /// What requests are signed with.
  package let credentials: AWSCredentials

  private let retry: RetryPolicy
  private let transport: any Transport
  private let surroundings: ClientSurroundings

  /// From the first byte of a request to the last one of its answer.
  private static let timeout = Duration.seconds(30)

  /// Makes a client of its parts.
  package init(
    _ service: AWSService, endpoint: EndpointURL, region: String, credentials: AWSCredentials, retry: RetryPolicy,
    transport: any Transport, surroundings: ClientSurroundings
  ) {
    self.service = service
    self.endpoint = endpoint
    self.region = region
    self.credentials = credentials
    self.retry = retry
    self.transport = transport
    self.surroundings = surroundings
  }

  /// Makes a call.
  ///
  /// - Returns: The body of an answer with a status of 2xx.
  /// - Throws: ``AWSClientError`` of the last attempt. Its code says whether the service refused (with an
  ///   ``AWSClientError/Refusal``), does not have the call, did not answer, or answered what cannot be read.
  package func answer(to call: ServiceCall) async throws(AWSClientError) -> [UInt8] {
    var attempt = 1
    while true {
      let failure: AWSClientError
      do {
        let result = try await transport.send(exchange(for: call))
        guard !(200..<300).contains(result.status) else { return result.body }
        failure = ErrorAnswer.failure(result, call: call.name, endpoint: endpoint)
      } catch {
        failure = error
      }
      guard let wait = retry.delay(after: failure, attempt: attempt, random: surroundings.random) else { throw failure }
      // Cancelled while it waits: what is known is how the last attempt ended.
      do { try await surroundings.pause(wait) } catch { throw failure }
      attempt += 1
    }
  }

  /// Each attempt is signed anew, because a signature is good for five minutes.
  private func exchange(for call: ServiceCall) -> HTTPExchange {
    let body = Array(call.body.utf8)
    var headers = [Header("Host", endpoint.authority), Header("Accept", "application/json")]
    if !body.isEmpty { headers.append(Header("Content-Type", "application/json")) }
    let request = SignatureV4.Request(
      method: call.method, path: endpoint.path + call.path, query: call.query, headers: headers, body: body)
    headers += SignatureV4.headers(
      for: request, credentials: credentials,
      scope: SignatureV4.Scope(region: region, service: service.signingName), time: surroundings.now())
    headers.append(Header("User-Agent", "kelvin"))
    let query = call.query.map { "\(PercentEncoding.encoded($0.name))=\(PercentEncoding.encoded($0.value))" }
    let url = "\(endpoint)\(call.path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    return HTTPExchange(
      method: call.method, url: url, headers: headers, body: body, timeout: ServiceClient.timeout)
  }
}
