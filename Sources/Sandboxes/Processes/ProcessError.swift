/// Why a process could not be started, or why the keeper could not do its work.
package struct ProcessError: Error, Sendable, CustomStringConvertible {
  /// The kind of error, to branch on.
  package struct Code: Hashable, Sendable {
    private enum Kind {
      case invalidSpecification, commandNotFound, notExecutable, directory, launcher, resources, shutDown, unkillable
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The command is empty, or a string contains what the system cannot pass on (a zero byte, `=` in a name).
    package static let invalidSpecification = Code(.invalidSpecification)
    /// The command does not exist.
    package static let commandNotFound = Code(.commandNotFound)
    /// The command exists but cannot be executed.
    package static let notExecutable = Code(.notExecutable)
    /// The working directory cannot be entered.
    package static let directory = Code(.directory)
    /// `kelvin-launcher` is missing or failed by itself.
    package static let launcher = Code(.launcher)
    /// The system has no process, descriptor or memory left.
    package static let resources = Code(.resources)
    /// The keeper is shutting down.
    package static let shutDown = Code(.shutDown)
    /// A process did not end although it was killed.
    package static let unkillable = Code(.unkillable)
  }

  /// The kind of error, to branch on.
  package var code: Code
  /// One sentence for people.
  package var message: String

  /// Makes an error of its parts.
  ///
  /// - Parameter message: One sentence for people.
  package init(code: Code, message: String) {
    self.code = code
    self.message = message
  }

  /// The sentence.
  package var description: String { message }
}
