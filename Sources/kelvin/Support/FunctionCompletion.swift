import ArgumentParser
import Configuration
import Documents

extension CompletionKind {
  /// The names of the agent's functions; none where no agent answers at once.
  static var functions: CompletionKind { .custom { words, _, _ in FunctionCompletion.names(for: words) } }
}

/// Names of functions for a shell that completes a command line.
enum FunctionCompletion {
  /// Somebody waits for the key that was just pressed.
  private static let patience = Duration.milliseconds(500)
  private static let namesLimit = 1_000

  /// - Parameter words: The command line so far; an agent that it names is the one that is asked.
  static func names(for words: [String]) -> [String] {
    // Whatever goes wrong, there is nothing to complete, and a prompt is no place for messages.
    guard let address = try? address(words),
      let status = try? ServerClient(.agent, at: address).status(timeout: patience)
    else { return [] }
    return usable(status.functions.map(\.function))
  }

  /// Without repetitions, and without names that a shell would take for more than a word: they are data of others.
  static func usable(_ names: [String]) -> [String] {
    var seen: Set<String> = []
    // Not lazily: a lazy filter may look at an element twice.
    return Array(names.filter { FunctionLogFile.isName($0) && seen.insert($0).inserted }.prefix(namesLimit))
  }

  private static func address(_ words: [String]) throws -> ServerAddress {
    var option: String?
    if let index = words.lastIndex(of: "--agent"), index + 1 < words.count { option = words[index + 1] }
    option = option ?? words.last { $0.hasPrefix("--agent=") }.map { String($0.dropFirst("--agent=".count)) }
    return try ServerClient.address(.agent, option: option, complain: { _ in })
  }
}
