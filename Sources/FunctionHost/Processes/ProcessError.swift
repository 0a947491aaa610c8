/// Why a process could not be started, or the keeper not do its work.
public struct ProcessError: Error, Sendable, CustomStringConvertible {
  /// What to branch on.
  public struct Code: Hashable, Sendable {
    private enum Kind {
      case invalidSpecification, commandNotFound, notExecutable, directory, launcher, resources, shutDown, unkillable
    }
    private let kind: Kind
    private init(_ kind: Kind) { self.kind = kind }
    /// The command is empty, or a string contains what the system cannot pass on (a zero byte, `=` in a name).
    public static let invalidSpecification = Code(.invalidSpecification)
    /// The command does not exist.
    public static let commandNotFound = Code(.commandNotFound)
    /// The command exists but cannot be executed.
    public static let notExecutable = Code(.notExecutable)
    /// The working directory cannot be entered.
    public static let directory = Code(.directory)
    /// `kelvin-launcher` is missing or failed by itself.
    public static let launcher = Code(.launcher)
    /// The system has no process, descriptor or memory left.
    public static let resources = Code(.resources)
    /// The keeper is shutting down.
    public static let shutDown = Code(.shutDown)
    /// A process did not end although it was killed.
    public static let unkillable = Code(.unkillable)
  }

  /// What to branch on.
  public var code: Code
  /// One sentence for people.
  public var message: String
  /// The sentence.
  public var description: String { message }
}
