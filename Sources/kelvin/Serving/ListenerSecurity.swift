import Access
import Agent
import Configuration
import Digests
import Logging
import TLSListener

/// What the agent's listener asks of those who reach it, out of the files that its settings name. The files are read again when
/// they change.
struct ListenerSecurity {
  private let tokens: WatchedFile<[AccessToken]>?
  private let web: WatchedFile<WebRules>?

  /// Reads the files.
  ///
  /// - Throws: ``CommandFailure`` with exit code 64 if one cannot be used, or if a listener that other machines reach would ask for
  ///   no credentials.
  init(_ settings: AgentSettings, logger: Logger) throws {
    let complain = { @Sendable (problem: WatchedFileProblem) in logger.warning("\(problem.message)") }
    do throws(WatchedFileProblem) {
      if let path = settings.tokenFile {
        tokens = try TokenFile.watched(path, complain: complain)
      } else {
        tokens = nil
      }
      let needsCredentials = !settings.listen.isLoopback && tokens == nil
      if let path = settings.webConfigFile {
        web = try WatchedFile(
          path, others: { $0.files },
          read: { path throws(WatchedFileProblem) in
            try WebRules(path, needsCredentials: needsCredentials)
          }, complain: complain)
      } else {
        web = nil
      }
    } catch {
      throw CommandFailure.usage(Sentence.text(error.message))
    }
  }

  /// Hands it to an agent.
  func apply(to configuration: inout AgentConfiguration) {
    let (tokens, web) = (tokens, web)
    configuration.knowsClients = web?.value.knowsClients ?? false
    if tokens != nil || !(web?.value.users.isEmpty ?? true) {
      configuration.access = AccessControl(
        tokens: { tokens?.value ?? [] }, users: { web?.value.users ?? [:] })
    }
    guard let web, let first = web.value.tls else { return }
    // A file that lost its certificates changes nothing: whoever comes still gets TLS.
    configuration.tls = { web.value.tls ?? first }
  }
}

/// A file of certificates and users, ready for use.
private struct WebRules: Sendable {
  var tls: TLSContext?
  var users: [String: PasswordHash] = [:]
  var knowsClients = false
  /// Of certificates and keys: they are renewed without the file that names them.
  var files: [String] = []

  /// Reads the file, and those that it names.
  ///
  /// - Parameter needsCredentials: Whether it has to ask for some.
  init(_ path: String, needsCredentials: Bool) throws(WatchedFileProblem) {
    do {
      let web = try ConfigurationFile.webConfiguration(path: path)
      try read(web, path)
      guard !needsCredentials || web.asksForCredentials else {
        throw WatchedFileProblem(
          "\(path) asks for no credentials, and agent.listen is reached from other machines: write basic_auth_users or "
            + "client_auth_type: RequireAndVerifyClientCert into it, or agent.tokenFile: FILE into kelvin.yaml")
      }
    } catch let error as ConfigurationError {
      throw WatchedFileProblem(error.message)
    } catch let error as TLSError {
      throw WatchedFileProblem("\(path): \(error.message)")
    } catch let error as WatchedFileProblem {
      throw error
    } catch {
      throw WatchedFileProblem("\(path): \(error)")
    }
  }

  private mutating func read(_ web: WebConfiguration, _ path: String) throws {
    for (name, text) in web.users {
      guard let hash = PasswordHash(text) else {
        throw WatchedFileProblem(
          "\(path): the password of the user \(name) is not hashed with bcrypt at a cost of at most "
            + "\(PasswordHash.costMax): htpasswd -nBC 10 \(name) prints a line with one")
      }
      users[name] = hash
    }
    guard let certificate = web.certificateFile, let key = web.keyFile else { return }
    files = [certificate, key] + (web.clientAuthoritiesFile.map { [$0] } ?? [])
    knowsClients = web.clientCertificates == .required
    tls = try TLSContext(
      TLSContext.Settings(
        certificateFile: certificate, keyFile: key, clientCertificates: .init(web.clientCertificates),
        clientAuthoritiesFile: web.clientAuthoritiesFile, versionMin: web.takesTLS12 ? .tls12 : .tls13,
        versionMax: web.takesTLS13 ? .tls13 : .tls12))
  }
}

extension TLSContext.ClientCertificates {
  fileprivate init(_ type: WebConfiguration.ClientCertificates) {
    switch type {
    case .none: self = .none
    case .checkedIfGiven: self = .checkedIfGiven
    case .required: self = .required
    }
  }
}
