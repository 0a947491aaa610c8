import AWSClient
import Configuration
import LambdaControl

/// The function that a command is about.
enum FunctionChoice {
  /// The most names that a message lists.
  private static let namesLimit = 20
  /// The most functions that are asked for: AWS gives 50 at a time, and accounts may have thousands.
  static let listLimit = 1_000

  /// What the command line names; else the only function of the target; else, of several, the only one of `kelvin.yaml`.
  ///
  /// - Throws: ``CommandFailure`` with exit code 64 if that leaves several or none; `AWSClientError` if the target cannot be asked.
  static func name(_ option: String?, of client: LambdaClient) async throws -> String {
    if let option { return option }
    let configured = configuredNames()
    let names: [String]
    do {
      names = try await client.functions(limit: listLimit).map(\.name)
    } catch {
      guard error.code == .unsupported, configured.count == 1 else { throw error }
      return configured[0]
    }
    if names.count == 1 { return names[0] }
    if configured.count == 1, names.contains(configured[0]) { return configured[0] }
    guard !names.isEmpty else { throw CommandFailure.usage("There are no functions at \(client.endpoint).") }
    let shown = names.prefix(namesLimit).joined(separator: ", ")
    let more = names.count > namesLimit ? " and \(names.count - namesLimit) more" : ""
    throw CommandFailure.usage("Which function? Name one with --function: \(shown)\(more).")
  }

  private static func configuredNames() -> [String] {
    guard ConfigurationFile.exists(defaultConfigurationPath),
      let reading = try? ConfigurationFile.read(path: defaultConfigurationPath), reading.problems.isEmpty
    else { return [] }
    return reading.configuration.functions.map(\.name)
  }
}
