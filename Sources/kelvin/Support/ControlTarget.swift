import AWSClient
import ArgumentParser
import BlockingHTTP
import Glibc
import LambdaControl

/// Which control plane a command asks. No command calls AWS unless `--aws` (or AWS's address) is on the command line.
struct ControlOptions: ParsableArguments {
  @Option(
    name: [.customLong("host-url"), .customLong("host-address")],
    help: ArgumentHelp(
      "The host's address. Default: $KELVIN_HOST, else $AWS_ENDPOINT_URL_LAMBDA if it is on this machine, else ./kelvin.yaml, else http://127.0.0.1:27316.",
      valueName: "url"))
  var host: String?

  @Option(
    name: .customLong("endpoint-url"),
    help: ArgumentHelp("The http or https address of any service with AWS Lambda's API.", valueName: "url"))
  var endpointURL: String?

  @Flag(name: .customLong("aws"), help: "Ask AWS itself, with the credentials and region of AWS's own command line.")
  var isAWS = false

  @Option(help: "The region of AWS. Default: $AWS_REGION, else $AWS_DEFAULT_REGION, else the profile's region.")
  var region: String?

  @Option(help: "The profile in ~/.aws. Default: $AWS_PROFILE.")
  var profile: String?

  func validate() throws {
    guard [host != nil, endpointURL != nil, isAWS].filter({ $0 }).count <= 1 else {
      throw ValidationError("--host-url, --endpoint-url and --aws name three different targets; give one.")
    }
    guard isAWS || endpointURL != nil || (region == nil && profile == nil) else {
      throw ValidationError("--region and --profile work only with --aws or --endpoint-url; give one of them, too.")
    }
  }
}

/// The control plane that a command speaks to.
struct ControlTarget {
  enum Kind: Hashable { case host, endpoint, aws }

  var kind: Kind
  var connection: ServiceConnection.Target
  var region: String?
  var profile: String?

  /// - Parameter fallback: The host's address if neither options nor environment name one; `nil` leaves it to `kelvin.yaml` and
  ///   the default.
  init(_ options: ControlOptions, fallback: String? = nil) throws {
    region = options.region
    profile = options.profile
    if options.isAWS {
      (kind, connection) = (.aws, .aws)
    } else if let text = options.endpointURL {
      (kind, connection) = (.endpoint, .endpoint(try ControlTarget.url(text)))
    } else if options.host == nil, Console.environment(Server.host.variable) ?? "" == "",
      let local = ControlTarget.localEndpoint()
    {
      (kind, connection) = (.host, .endpoint(local))
    } else {
      let address = try ServerClient.address(.host, option: options.host, fallback: fallback)
      (kind, connection) = (.host, .endpoint(try ControlTarget.url(address.url)))
    }
  }

  /// Runs `work` with a client; what goes wrong in AWS's API becomes a failure of the command.
  func withClient<Result: Sendable>(_ work: (LambdaClient) async throws -> Result) async throws -> Result {
    do {
      return try await ServiceConnection.with(.lambda, at: connection, region: region, settings: settings()) {
        try await work(LambdaClient($0))
      }
    } catch let error as AWSClientError {
      throw failure(error)
    }
  }

  /// Why a function of Kelvin's host cannot start, in whole sentences; `nil` if it can, or somebody else runs it.
  func startFailure(_ function: String) -> String? {
    // An answer of AWS's has no such thing, and a host that does not say more has said what it has to.
    guard kind == .host, case .endpoint(let url) = connection, url.isLoopback,
      let address = try? ServerAddress("\(url)", defaultPort: Server.host.defaultPort),
      let notes = try? HostNotes.asked(UnknownFunction.plainName(function), of: ServerClient(.host, at: address))
    else { return nil }
    return notes.startFailure.map { StartFailureText.sentences($0, of: function) }
  }

  /// The schedules of a host of Kelvin's; `nil` if somebody else is asked, or the host does not say.
  func schedules() -> ScheduleLines? {
    // What is shown beside them does not depend on them.
    guard kind == .host, case .endpoint(let url) = connection, url.isLoopback,
      let address = try? ServerAddress("\(url)", defaultPort: Server.host.defaultPort),
      let reply = try? ServerClient(.host, at: address).get(ScheduleLines.path, timeout: .seconds(10))
    else { return nil }
    return ScheduleLines(reply.body)
  }

  /// For a host on this machine, a profile that is not there is no reason to refuse: it needs none.
  private func settings() throws(AWSClientError) -> AWSSettings {
    var variables = Console.environment
    do {
      return try AWSSettings(variables: variables, profile: profile, readFile: ControlTarget.file)
    } catch {
      guard kind == .host else { throw error }
      for name in ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"] { variables[name] = nil }
      return try AWSSettings(variables: variables, readFile: ControlTarget.file)
    }
  }

  /// The command's failure for a failed call.
  func failure(_ error: AWSClientError) -> CommandFailure {
    switch error.code {
    case .unreachable where kind == .host:
      .unreachable("No host answers at \(place). \(Server.host.advice) To ask AWS itself, add --aws.")
    case .timedOut where kind == .host:
      .unreachable("The host at \(place) did not answer in time. Is it a Kelvin host?")
    case .unreachable, .timedOut: .unreachable(error.message)
    case .settings: .usage(error.message)
    default: .failure(error.message)
    }
  }

  /// Where it is asked, for messages.
  private var place: String {
    if case .endpoint(let url) = connection { "\(url)" } else { "AWS" }
  }

  /// What `AWS_ENDPOINT_URL_LAMBDA` says, if that is this machine: set for other tools it may name AWS, which only `--aws` does
  /// here.
  private static func localEndpoint() -> EndpointURL? {
    guard let text = Console.environment("AWS_ENDPOINT_URL_LAMBDA"), let url = try? EndpointURL(text) else {
      return nil
    }
    return url.isLoopback ? url : nil
  }

  private static func url(_ text: String) throws -> EndpointURL {
    do {
      return try EndpointURL(text)
    } catch {
      throw CommandFailure.usage(error.message)
    }
  }

  private static let file: @Sendable (String) -> [UInt8]? = { path in
    // A file that cannot be read is one that is not there, as for AWS's own tools.
    try? Console.file(path, bytesLimit: 1_048_576)
  }
}
