import Glibc
import Lifecycle

/// Opens a ``ServiceClient`` with the credentials and the region that AWS's own tools would use.
package enum ServiceConnection {
  /// What is asked.
  package enum Target: Hashable, Sendable {
    /// The service at this address, whatever it is.
    case endpoint(EndpointURL)
    /// What AWS's tools would ask: the endpoint that they are told to use, else that of the region.
    case aws
  }

  /// Runs `body` with a client, and closes its connections after that.
  ///
  /// - Parameters:
  ///   - region: Goes before what `settings` say.
  /// - Throws: ``AWSClientError`` with ``AWSClientError/Code/credentials`` or ``AWSClientError/Code/settings`` if something is missing
  ///   that the target needs; whatever `body` throws.
  package static func with<Result: Sendable>(
    _ service: AWSService, at target: Target, region: String? = nil, settings: AWSSettings,
    _ body: (ServiceClient) async throws -> Result
  ) async throws -> Result {
    try await NetworkTransport.with(certificates: settings.certificates) { transport in
      try await body(client(of: service, at: target, region: region, settings: settings, transport: transport))
    }
  }

  static func client(
    of service: AWSService, at target: Target, region named: String?, settings: AWSSettings,
    transport: any Transport
  ) async throws(AWSClientError) -> ServiceClient {
    let region = try await region(target, named ?? settings.region, settings, transport)
    let endpoint = try endpoint(of: service, at: target, region: region, settings: settings)
    let credentials = try await credentials(for: endpoint, settings: settings, transport: transport)
    let retry = RetryPolicy(attemptsLimit: settings.attemptsLimit, repeatsConnections: !endpoint.isLoopback)
    return ServiceClient(
      service, endpoint: endpoint, region: region, credentials: credentials, retry: retry, transport: transport,
      surroundings: .system)
  }

  private static func endpoint(
    of service: AWSService, at target: Target, region: String, settings: AWSSettings
  ) throws(AWSClientError) -> EndpointURL {
    switch target {
    case .endpoint(let url): url
    case .aws:
      try EndpointURL(
        settings.endpoint(of: service) ?? "https://\(service.signingName).\(region).\(AWSPartition.domain(of: region))")
    }
  }

  private static func region(
    _ target: Target, _ known: String?, _ settings: AWSSettings, _ transport: any Transport
  ) async throws(AWSClientError) -> String {
    if let known {
      guard AWSPartition.isRegionName(known) else {
        throw AWSClientError(.settings, "\"\(known)\" is not the name of a region; write one such as eu-central-1.")
      }
      return known
    }
    guard case .aws = target else { return "us-east-1" }
    if let metadata = InstanceMetadata(settings: settings, transport: transport), let region = await metadata.region(),
      AWSPartition.isRegionName(region)
    {
      return region
    }
    throw AWSClientError(
      .settings, "No region is known; name one with --region, AWS_REGION, or region in ~/.aws/config.")
  }

  private static func credentials(
    for endpoint: EndpointURL, settings: AWSSettings, transport: any Transport
  ) async throws(AWSClientError) -> AWSCredentials {
    let chain = CredentialChain(settings: settings, transport: transport)
    // A server on this machine takes any signature, so nothing that is slow or half there keeps a person from asking it.
    if endpoint.isLoopback { return (try? await chain.credentials(asksNetwork: false)) ?? .local }
    guard let found = try await chain.credentials(asksNetwork: true) else {
      throw AWSClientError(
        .credentials,
        "No credentials for \(endpoint) were found: not in AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, profile "
          + "\"\(settings.profileName)\", a container's endpoint or a machine's metadata. "
          + "Run aws configure, or name a profile with --profile.")
    }
    return found
  }
}

extension ClientSurroundings {
  /// The machine's clock and chance.
  package static let system = ClientSurroundings(
    now: {
      var time = timespec()
      // Fails only for a clock id that the kernel does not know.
      unsafe _ = clock_gettime(CLOCK_REALTIME, &time)
      return Timestamp(seconds: Int64(time.tv_sec)) + Nanoseconds(Int64(time.tv_nsec))
    },
    pause: { try await Task.sleep(for: $0) }, random: { Int64.random(in: $0) })
}

/// Where the regions of AWS are.
enum AWSPartition {
  private static let domains: [(prefix: String, domain: String)] = [
    ("cn-", "amazonaws.com.cn"), ("us-isob-", "sc2s.sgov.gov"), ("us-isof-", "csp.hci.ic.gov"),
    ("us-iso-", "c2s.ic.gov"), ("eu-isoe-", "cloud.adc-e.uk"), ("eusc-", "amazonaws.eu"),
  ]

  static func domain(of region: String) -> String {
    domains.first { region.hasPrefix($0.prefix) }?.domain ?? "amazonaws.com"
  }

  /// Whether it may stand in the name of a host.
  static func isRegionName(_ text: String) -> Bool {
    (1...63).contains(text.utf8.count) && text.first != "-" && text.last != "-"
      && text.utf8.allSatisfy { byte in
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
          || byte == UInt8(ascii: "-")
      }
  }
}
