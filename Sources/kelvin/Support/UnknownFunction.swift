import AWSClient
import Configuration
import LambdaControl

/// The message of every command about a function that does not exist.
enum UnknownFunction {
  /// The most names that a message lists.
  private static let namesLimit = 20

  /// - Parameters:
  ///   - known: The functions that there are; `nil` if that cannot be said.
  ///   - place: Where it was looked for: an address, or a folder behind "in".
  static func failure(_ name: String, known: [String]?, at place: String) -> CommandFailure {
    var advice = ""
    if let known {
      if let close = Suggestion.closest(to: name, in: known) {
        advice = " Did you mean \(close)?"
      } else if known.isEmpty {
        advice = " There are no functions."
      } else {
        let more = known.count > namesLimit ? " and \(known.count - namesLimit) more" : ""
        advice = " There \(known.count == 1 ? "is" : "are") \(known.prefix(namesLimit).joined(separator: ", "))\(more)."
      }
    }
    return .usage("There is no function \(TypedText.shown(name)) \(place).\(advice)")
  }

  /// Runs `work`; if it fails because the service does not have one of the functions, says so.
  ///
  /// - Throws: ``CommandFailure`` with exit code 64 then; whatever else `work` throws stays what it is.
  static func reported<Result: Sendable>(
    _ names: [String], of client: LambdaClient, _ work: () async throws -> Result
  ) async throws -> Result {
    do {
      return try await work()
    } catch let error as AWSClientError where error.refusal?.code == "ResourceNotFoundException" {
      // A service that does not list its functions cannot say which one is missing: its own words stay.
      guard let known = try? await client.functions(limit: FunctionChoice.listLimit).map(\.name) else { throw error }
      let missing = names.map(plainName).first { !known.contains($0) }
      guard let missing, known.count < FunctionChoice.listLimit else { throw error }
      throw failure(missing, known: known, at: "at \(client.endpoint)")
    }
  }

  /// The name in a reference: without a version or alias, or out of a whole or partial ARN.
  static func plainName(_ reference: String) -> String {
    let parts = reference.split(separator: ":", omittingEmptySubsequences: false)
    if let word = parts.firstIndex(of: "function"), word > 0, word + 1 < parts.count { return String(parts[word + 1]) }
    return parts.first.map(String.init) ?? reference
  }
}

/// Text from outside, for a message.
enum TypedText {
  /// Control characters escaped.
  static func safe(_ text: String) -> String { escaped(text.unicodeScalars[...]) }

  /// Control characters escaped, cut after 140 characters.
  static func shown(_ text: String) -> String {
    escaped(text.unicodeScalars.prefix(140)) + (text.unicodeScalars.count > 140 ? "…" : "")
  }

  private static func escaped(_ scalars: Substring.UnicodeScalarView) -> String {
    var result = ""
    for scalar in scalars {
      let isPrintable = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
      if isPrintable {
        result.unicodeScalars.append(scalar)
      } else {
        result += "\\u{\(String(scalar.value, radix: 16))}"
      }
    }
    return result
  }
}
