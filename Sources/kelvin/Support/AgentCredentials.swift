import Access
import Configuration

/// What commands show to an agent that asks for credentials.
enum AgentCredentials {
  /// Names a file whose first word is the token to send.
  static let tokenVariable = "KELVIN_TOKEN_FILE"
  /// Names a file with the authorities that an agent's certificate is checked with, in PEM.
  static let authoritiesVariable = "KELVIN_CA_FILE"

  static let advice = "Name a file with a token in \(tokenVariable)."

  /// The largest file that is read, in bytes.
  private static let bytesMax = 1 << 20

  static var authoritiesFile: String? { Console.environment(authoritiesVariable).flatMap { $0.isEmpty ? nil : $0 } }

  /// The token to send; `nil` for none.
  ///
  /// - Parameters:
  ///   - role: What it is to open.
  ///   - isConfigured: Whether the agent is that of the `kelvin.yaml` in the working directory, whose own tokens it knows.
  /// - Throws: ``CommandFailure`` if the file that the environment names has none.
  static func token(for role: AccessRole, isConfigured: Bool) throws(CommandFailure) -> String? {
    if let path = Console.environment(tokenVariable), !path.isEmpty {
      let bytes: [UInt8]
      do {
        bytes = try Console.file(path, bytesLimit: bytesMax)
      } catch {
        throw CommandFailure.usage("The file of \(tokenVariable): \(error)")
      }
      let words = String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isWhitespace)
      guard let word = words.first else { throw CommandFailure.usage("\(path), named in \(tokenVariable), is empty.") }
      return String(word)
    }
    guard isConfigured, ConfigurationFile.exists(defaultConfigurationPath),
      let reading = try? ConfigurationFile.read(path: defaultConfigurationPath), reading.problems.isEmpty,
      let path = reading.configuration.agent.tokenFile,
      // Where it may not be read, the agent will say that it needs a token.
      let bytes = try? Console.file(path, bytesLimit: bytesMax)
    else { return nil }
    return TokenFile.secret(for: role, in: String(decoding: bytes, as: UTF8.self))
  }
}
