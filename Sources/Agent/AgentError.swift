internal import HTTPServer
internal import WindowStore

/// Why an agent did not start or did not save, or why a data directory cannot be read.
package struct AgentError: Error, Sendable, CustomStringConvertible {
  /// The kind of error, to branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind { case configuration, listen, store, unknownFunction }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }

    /// The configuration has an impossible value.
    package static let configuration = Code(.configuration)
    /// The agent or store has never seen the function that is asked for.
    package static let unknownFunction = Code(.unknownFunction)
    /// The address cannot be listened on.
    package static let listen = Code(.listen)
    /// The data directory cannot be used.
    package static let store = Code(.store)
  }

  /// Which kind of problem it is.
  package var code: Code
  /// One sentence for people: what is wrong and what to do.
  package var message: String
  /// The error of a lower room that led to it; `nil` if the agent found the problem itself.
  package var cause: (any Error)?

  /// Makes an error of its parts.
  package init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
    self.code = code
    self.message = message
    self.cause = cause
  }

  init(_ error: StoreError) { self.init(.store, error.message, cause: error.cause) }

  init(listening error: any Error) {
    guard let known = error as? HTTPServerError else {
      self.init(.listen, "the agent cannot listen", cause: error)
      return
    }
    self.init(.listen, known.message, cause: known.cause)
  }

  /// The same as ``message``: the cause is not repeated in it.
  package var description: String { message }
}
