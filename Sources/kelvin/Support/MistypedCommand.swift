import ArgumentParser
import Configuration

/// Finds a word on the command line that stands in the place of a command and is not one.
enum MistypedCommand {
  /// Names that other programs use for our commands.
  private static let otherNames = [
    "start": "host", "run": "host", "serve": "host", "up": "host", "log": "logs", "tail": "logs", "ps": "status",
    "ls": "status", "list": "status", "functions": "status", "call": "invoke", "new": "init", "create": "init",
    "check": "check-config", "validate": "check-config", "lint": "check-config", "watch": "top", "alerts": "rules",
    "concurrency": "reserved", "version": "--version", "lambda": "metrics lambda",
  ]

  /// The failure for a command line with such a word; `nil` if it has none.
  ///
  /// - Parameter arguments: Without the program's name.
  static func failure(_ arguments: [String], root: any ParsableCommand.Type = Kelvin.self) -> CommandFailure? {
    var command = root
    var path = ["kelvin"]
    for word in arguments {
      let children = command.configuration.subcommands
      guard !children.isEmpty, !word.hasPrefix("-") else { return nil }
      if word == "help", path.count == 1 { continue }
      if let child = children.first(where: { names(of: $0).contains(word) }) {
        command = child
        path.append(word)
        continue
      }
      return failure(word, behind: path, known: children.flatMap(names))
    }
    return nil
  }

  private static func failure(_ word: String, behind path: [String], known: [String]) -> CommandFailure {
    let place = path.joined(separator: " ")
    let other = path.count == 1 ? otherNames[word.lowercased()] : nil
    let close = other ?? Suggestion.closest(to: word, in: known)
    let advice = close.map { "Did you mean \(place) \($0)?" } ?? "\(place) --help lists the commands."
    return .usage("\(place) has no command \(TypedText.shown(word)). \(advice)")
  }

  private static func names(of command: any ParsableCommand.Type) -> [String] {
    [command._commandName] + command.configuration.aliases
  }
}
