internal import Digests
package import HTTPServer
package import NIOCore
internal import NIOHTTP1
internal import Text

/// What a client asks for that opens a connection (RFC 6455 section 4).
package struct WebSocketHandshake: Sendable {
  /// The name of the protocol in `Upgrade`.
  package static let protocolName = "websocket"

  /// Why there is no handshake.
  package enum Problem: Error, Equatable {
    /// 426: it does not ask for the protocol at all.
    case noUpgrade
    /// 426: it asks for another version than 13.
    case version
    /// 400, with a sentence.
    case malformed(String)
  }

  private let key: String
  /// The subprotocols that the client offers, in its order.
  package let protocols: [String]

  /// Reads a request's head.
  package init(_ request: HTTPRequest) throws(Problem) {
    guard request.upgrade == WebSocketHandshake.protocolName else { throw .noUpgrade }
    let connection = request.headers[canonicalForm: "Connection"]
    guard connection.contains(where: { $0.lowercased() == "upgrade" }) else {
      throw .malformed("The field Connection does not say Upgrade.")
    }
    guard request.method == .GET else { throw .malformed("A WebSocket is opened with GET.") }
    guard request.headers["Sec-WebSocket-Version"] == ["13"] else { throw .version }
    let keys = request.headers["Sec-WebSocket-Key"]
    guard keys.count == 1, let key = keys.first, Base64.decodePadded(key)?.count == 16 else {
      throw .malformed("The field Sec-WebSocket-Key is not the Base64 of 16 bytes.")
    }
    self.key = key
    protocols = request.headers[canonicalForm: "Sec-WebSocket-Protocol"].map(String.init)
  }

  /// The answer that opens the connection.
  ///
  /// - Parameters:
  ///   - subprotocol: One of ``protocols``, if one was chosen.
  ///   - takeOver: Is given the channel: it adds the connection to it.
  package func accept(
    subprotocol: String?, _ takeOver: @escaping @Sendable (any Channel) throws -> Void
  ) -> HTTPResponse {
    var headers: HTTPHeaders = ["Sec-WebSocket-Accept": WebSocketHandshake.accept(key)]
    if let subprotocol { headers.add(name: "Sec-WebSocket-Protocol", value: subprotocol) }
    return .switchingProtocols(to: WebSocketHandshake.protocolName, headers: headers) { channel in
      channel.eventLoop.makeCompletedFuture { try takeOver(channel) }
    }
  }

  /// RFC 6455 section 4.2.2, 5.4.
  static func accept(_ key: String) -> String {
    Base64.encode(SHA1.digest(Array((key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
  }
}

extension WebSocketHandshake.Problem {
  /// What the client is told.
  package var answer: HTTPResponse {
    switch self {
    case .noUpgrade:
      var response = HTTPResponse.text(.upgradeRequired, "This path is a WebSocket: open it with a WebSocket client.\n")
      response.headers.add(name: "Upgrade", value: WebSocketHandshake.protocolName)
      return response
    case .version:
      var response = HTTPResponse.text(.upgradeRequired, "This server speaks version 13 of the WebSocket protocol.\n")
      response.headers.add(name: "Sec-WebSocket-Version", value: "13")
      response.headers.add(name: "Upgrade", value: WebSocketHandshake.protocolName)
      return response
    case .malformed(let sentence): return .text(.badRequest, "\(sentence)\n")
    }
  }
}
