/// A runtime for functions that are a module in Node or Python: one file without packages, which is a part of this program.
///
/// It speaks the Runtime API and Kelvin's paths beside it. The files of this folder are the runtimes.
package enum LanguageRuntime: String, CaseIterable, Hashable, Sendable {
  /// `kelvin-node.cjs`.
  case node
  /// `kelvin_python.py`.
  case python

  /// The file's name.
  package var fileName: String {
    switch self {
    case .node: "kelvin-node.cjs"
    case .python: "kelvin_python.py"
    }
  }

  /// The whole file; held by the program for its life.
  package var bytes: [UInt8] {
    switch self {
    case .node: PackageResources.kelvin_node_cjs
    case .python: PackageResources.kelvin_python_py
    }
  }

  /// The command of a function.
  ///
  /// - Parameters:
  ///   - interpreter: The program that runs the file.
  ///   - handler: As AWS has it, such as `index.handler`.
  ///   - file: Where ``bytes`` are.
  ///   - goesOn: Whether an instance takes the next event although a handler has exceeded its time.
  ///   - abortSignal: The signal by which the host says that a handler has exceeded its time; `nil`: none.
  package func command(interpreter: String, handler: String, file: String, goesOn: Bool, abortSignal: String?)
    -> [String]
  {
    var command = [interpreter, file]
    if goesOn { command.append("--on-timeout=continue") }
    if let abortSignal { command.append("--abort-signal=\(abortSignal)") }
    return command + [handler]
  }
}
