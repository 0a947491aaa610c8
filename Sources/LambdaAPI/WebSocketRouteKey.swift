package import NIOCore
import Text

/// The keys of a WebSocket API's routes, and how a message says which one it is for.
package struct WebSocketRouteKey: Hashable, Sendable {
  /// Of clients that ask for a connection.
  package static let connect = "$connect"
  /// Of connections that were closed.
  package static let disconnect = "$disconnect"
  /// Of messages that are for no other route.
  package static let other = "$default"
  /// The most names on the way to the key.
  package static let depthMax = 8

  private static let prefix = "$request.body."

  /// The names of members on the way to the key, from outside in; at least one.
  package let path: [String]

  /// The member `action` of a message that is a JSON object.
  package static let action = WebSocketRouteKey(path: ["action"])

  private init(path: [String]) { self.path = path }

  /// Reads `action`, or API Gateway's form `$request.body.action`, with further names behind dots.
  ///
  /// - Returns: `nil` for another form, and for one with more than ``depthMax`` names.
  package init?(_ text: String) {
    let names = text.hasPrefix(Self.prefix) ? text.dropFirst(Self.prefix.count) : text[...]
    let path = names.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard path.count <= Self.depthMax, path.allSatisfy({ !$0.isEmpty && !$0.contains("$") && !$0.contains(" ") }) else {
      return nil
    }
    self.path = path
  }

  /// The key that a message names: a string, or a number or truth value as it is written.
  ///
  /// - Returns: `nil` if the message is not a JSON object or does not name one. Of members with one name, the last counts.
  /// - Complexity: O(size of the message).
  package func key(in message: ByteBuffer) -> String? {
    message.withReadableSpan { bytes in
      do {
        return try JSONReader.document(bytes, .payload) { (reader: inout JSONReader) throws(JSONError) in
          try key(&reader, depth: 0)
        }
      } catch {
        return nil
      }
    }
  }

  private func key(_ reader: inout JSONReader, depth: Int) throws(JSONError) -> String? {
    guard depth < path.count else { return try scalar(&reader) }
    guard try reader.kind() == .object else {
      try reader.skip()
      return nil
    }
    var found: String?
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      if name == path[depth] { found = try key(&reader, depth: depth + 1) } else { try reader.skip() }
    }
    return found
  }

  private func scalar(_ reader: inout JSONReader) throws(JSONError) -> String? {
    switch try reader.kind() {
    case .string: return try reader.string()
    case .number: return try reader.numberText()
    case .boolean: return try reader.boolean() ? "true" : "false"
    case .object, .array, .null:
      try reader.skip()
      return nil
    }
  }
}
