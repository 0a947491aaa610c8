/// An error or a warning about a configuration file, with its position.
package struct ConfigurationProblem: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// From 1.
  package var line: Int
  /// From 1, in Unicode scalars.
  package var column: Int
  /// One sentence: what is wrong and what to write instead.
  package var message: String

  /// Makes a problem at a place of the file.
  package init(line: Int, column: Int, message: String) {
    self.line = line
    self.column = column
    self.message = message
  }

  /// `line:column: message`, so that a file name and a colon before it make what editors jump to.
  package var description: String { "\(line):\(column): \(message)" }

  /// In the order of the file.
  package static func < (left: ConfigurationProblem, right: ConfigurationProblem) -> Bool {
    (left.line, left.column, left.message) < (right.line, right.column, right.message)
  }
}

/// The result of reading a configuration file.
package struct ConfigurationReading: Hashable, Sendable {
  /// To be used only if there are no ``problems``: what was wrong has its default in it, or is left out.
  package var configuration: KelvinConfiguration
  /// All that is wrong, in the order of the file.
  package var problems: [ConfigurationProblem]
  /// Values that are valid, but have no effect yet, or probably not the intended one; in the order of the file.
  package var warnings: [ConfigurationProblem]
}
