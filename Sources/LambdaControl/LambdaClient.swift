import Lifecycle
import Text

/// Asks the control plane of AWS Lambda: that of AWS, of Kelvin's host, or of whatever speaks the same API.
///
/// Every call here may be repeated without harm, so calls that were throttled or met a fault of the service are repeated, with
/// growing pauses, up to ``AWSSettings``' number of attempts. May be used by several tasks at once.
///
/// Every call throws a ``LambdaError``. Its code says whether the service refused (with a ``LambdaError/Refusal``), does not have
/// the call, did not answer, or answered what cannot be read.
public struct LambdaClient: Sendable {
  /// Where it asks.
  public let endpoint: EndpointURL
  /// The region in use, and that signatures are for.
  public let region: String
  /// What requests are signed with.
  public let credentials: AWSCredentials

  private let attemptsLimit: Int
  private let transport: any Transport
  private let now: @Sendable () -> Timestamp
  private let pause: @Sendable (Duration) async throws -> Void

  init(
    endpoint: EndpointURL, region: String, credentials: AWSCredentials, attemptsLimit: Int = 3,
    transport: any Transport, now: @escaping @Sendable () -> Timestamp,
    pause: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.endpoint = endpoint
    self.region = region
    self.credentials = credentials
    self.attemptsLimit = attemptsLimit
    self.transport = transport
    self.now = now
    self.pause = pause
  }

  /// One call of the API.
  struct Call: Sendable {
    /// AWS's name of it, for messages.
    var name: String
    var method: String
    /// Percent-encoded.
    var path: String
    var query: [QueryItem] = []
    /// JSON, or empty.
    var body = ""

    /// - Parameter segments: What stands between the slashes, not encoded.
    init(_ name: String, _ method: String, _ segments: [String], query: [QueryItem] = [], body: String = "") {
      self.name = name
      self.method = method
      path = segments.map { "/" + PercentEncoding.encoded($0) }.joined()
      self.query = query
      self.body = body
    }
  }

  /// Makes a call.
  ///
  /// - Returns: The body of an answer with a status of 2xx.
  /// - Throws: ``LambdaError`` if there is none.
  func answer(to call: Call) async throws(LambdaError) -> [UInt8] {
    var attempt = 1
    while true {
      let failure: LambdaError
      do {
        let result = try await transport.send(exchange(for: call))
        guard !(200..<300).contains(result.status) else { return result.body }
        failure = ErrorAnswer.failure(result, call: call.name, endpoint: endpoint)
      } catch {
        failure = error
      }
      guard attempt < attemptsLimit, let wait = LambdaClient.wait(after: failure, attempt: attempt) else {
        throw failure
      }
      do { try await pause(wait) } catch { throw failure }
      attempt += 1
    }
  }

  private func exchange(for call: Call) -> HTTPExchange {
    let body = Array(call.body.utf8)
    var headers = [Header("Host", endpoint.authority), Header("Accept", "application/json")]
    if !body.isEmpty { headers.append(Header("Content-Type", "application/json")) }
    let request = SignatureV4.Request(
      method: call.method, path: endpoint.path + call.path, query: call.query, headers: headers, body: body)
    headers += SignatureV4.headers(
      for: request, credentials: credentials, scope: SignatureV4.Scope(region: region), time: now())
    headers.append(Header("User-Agent", "kelvin"))
    let query = call.query.map { "\(PercentEncoding.encoded($0.name))=\(PercentEncoding.encoded($0.value))" }
    let url = "\(endpoint)\(call.path)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
    return HTTPExchange(method: call.method, url: url, headers: headers, body: body, timeout: .seconds(30))
  }

  /// How long to wait before a call is repeated; `nil` if repeating does not help.
  private static func wait(after failure: LambdaError, attempt: Int) -> Duration? {
    guard let refusal = failure.refusal else { return nil }
    let isThrottled = refusal.status == 429 || ["ThrottlingException", "Throttling"].contains(refusal.code)
    guard isThrottled || [500, 502, 503, 504].contains(refusal.status) else { return nil }
    if let seconds = refusal.retryAfterSeconds, (0...30).contains(seconds) { return .seconds(seconds) }
    // Spread over the whole span, so that clients that were refused together do not come back together.
    let longest = min(20_000, 500 << (attempt - 1))
    return .milliseconds(Int.random(in: longest / 2...longest))
  }
}
