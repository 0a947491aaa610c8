import AWSClient
import Text
import ArgumentParser
import Configuration
import Documents
import LambdaControl
import Lifecycle
import Table

struct Provisioned: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Keeps instances of a function initialized and warmed up before any request.",
    discussion: """
      Without a number the command shows what is provisioned. 0 and off remove it. With a number the command waits \
      until all instances are ready, and shows the progress on standard error.

      Provisioned concurrency belongs to a version or an alias, never to $LATEST (as on AWS). Kelvin's host gives \
      every function an alias named current, which function URLs and kelvin invoke use.

      Examples:
        kelvin provisioned 5
        kelvin provisioned off --function orders
        kelvin provisioned 20 --function orders --qualifier live --aws --region eu-central-1
      """)

  @Argument(help: "A number of instances, or off.")
  var amount: ConcurrencyAmount?

  @Option(help: "The function. Not needed if there is only one.", completion: .functions)
  var function: String?

  @Option(
    help: ArgumentHelp("The version or alias. Default: current; all if no number is given.", valueName: "version"))
  var qualifier: String?

  @Flag(name: .customLong("no-wait"), help: "Do not wait until the instances are ready.")
  var isImpatient = false

  @Option(
    help: ArgumentHelp("How long to wait: 30s, 10m.", valueName: "duration"), transform: MetricsLambda.duration
  )
  var timeout = Nanoseconds.seconds(600)

  @Option(name: [.short, .long], help: "The output format.")
  var output = TextOutput.text

  @OptionGroup var control: ControlOptions

  func run() async throws {
    try await reportingFailure {
      let target = try ControlTarget(control)
      let document = try await target.withClient { client in
        let name = try await FunctionChoice.name(function, of: client)
        let provisioned = try await UnknownFunction.reported([name], of: client) {
          try await apply(to: name, client, target)
        }
        return ProvisionedDocument(function: name, provisioned: provisioned)
      }
      if document.provisioned.contains(where: { $0.status == "FAILED" }),
        let reason = target.startFailure(document.function)
      {
        Console.message("kelvin: \(reason)")
      }
      try Console.result(
        output == .json
          ? String(decoding: document.json(), as: UTF8.self)
          : ConcurrencyText.lines(document).joined(separator: "\n"))
    }
  }

  private func apply(
    to name: String, _ client: LambdaClient, _ target: ControlTarget
  ) async throws -> [ProvisionedDocument.Configuration] {
    let version = qualifier ?? "current"
    switch amount {
    case nil:
      guard let qualifier else { return try await client.provisioned(of: name).map { .init($0) } }
      return try await client.provisioned(of: name, qualifier: qualifier).map { [.init($0)] } ?? []
    case .off, .count(0):
      try await client.removeProvisioned(of: name, qualifier: version)
      return []
    case .count(let count):
      let accepted = try await client.setProvisioned(of: name, qualifier: version, to: count)
      return [.init(isImpatient ? accepted : try await filled(accepted, of: name, client, target))]
    }
  }

  /// Waits until the instances are ready.
  ///
  /// - Throws: ``CommandFailure`` with exit code 1 if they cannot be started, are no longer wanted, or take too long.
  private func filled(
    _ accepted: ProvisionedConcurrencyConfiguration, of function: String, _ client: LambdaClient,
    _ target: ControlTarget
  ) async throws -> ProvisionedConcurrencyConfiguration {
    var progress = ProgressLine()
    defer { progress.end() }
    let clock = ContinuousClock()
    let deadline = clock.now + .nanoseconds(timeout.count)
    var pause = Duration.milliseconds(100)
    var now = accepted
    while now.status == .inProgress {
      progress.show(ConcurrencyText.line(.init(now), of: function))
      guard clock.now + pause < deadline else {
        throw CommandFailure.failure(
          "\(function):\(now.qualifier) has \(now.available) of \(now.requested) instances ready after "
            + "\(DurationText.text(timeout)). The others may still become ready. To look again: kelvin provisioned "
            + "--function \(function)")
      }
      try await clock.sleep(for: pause)
      // AWS takes minutes and allows 15 calls a second to all of an account; a host on this machine takes a moment.
      pause = min(pause * 3 / 2, client.endpoint.isLoopback ? .milliseconds(500) : .seconds(5))
      guard let next = try await client.provisioned(of: function, qualifier: now.qualifier) else {
        throw CommandFailure.failure(
          "The provisioned concurrency of \(function):\(now.qualifier) was removed while the command waited.")
      }
      now = next
    }
    guard now.status != .failed else {
      throw CommandFailure.failure(
        "The instances of \(function):\(now.qualifier) cannot be started: "
          + Sentence.text(now.statusReason ?? "no reason is given")
          + (target.startFailure(function).map { " \($0)" } ?? ""))
    }
    return now
  }
}

extension ProvisionedDocument.Configuration {
  init(_ provisioned: ProvisionedConcurrencyConfiguration) {
    self.init(
      qualifier: provisioned.qualifier, requested: provisioned.requested, allocated: provisioned.allocated,
      available: provisioned.available, status: provisioned.status.text, statusReason: provisioned.statusReason)
  }
}
