package import NIOCore
import Text

/// What a function answers to an event of a WebSocket API.
package enum WebSocketAnswer: Equatable, Sendable {
  /// Nothing is sent to the client.
  case nothing
  /// This is sent, as text or as bytes.
  case send(ByteBuffer, isText: Bool)
  /// The function says that it failed, by a status of 400 or more.
  case failed(status: Int, ByteBuffer, isText: Bool)
  /// It is not JSON, or has a body that is not what it says.
  case malformed

  /// Reads the answer to a message: of an object with a `statusCode`, the `body`; else a string is sent without its quotes, and any other
  /// JSON in its compact form. `null`, an empty body and none are nothing.
  package init(_ payload: ByteBuffer) {
    let answer = payload.withReadableSpan { bytes in
      do {
        return try JSONReader.document(bytes, .payload) { (reader: inout JSONReader) throws(JSONError) in
          try WebSocketAnswer.read(&reader)
        }
      } catch {
        return WebSocketAnswer.malformed
      }
    }
    self = payload.readableBytes == 0 ? .nothing : answer
  }

  private static func read(_ reader: inout JSONReader) throws(JSONError) -> WebSocketAnswer {
    switch try reader.kind() {
    case .null:
      try reader.skip()
      return .nothing
    case .string: return text(ByteBuffer(string: try reader.string()))
    case .object: break
    case .array, .number, .boolean:
      let value = try reader.slice()
      return text(ByteBuffer(bytes: JSONReader.compacted(reader.bytes, value)))
    }
    let start = reader.position
    var (status, body, isBase64): (Int?, Range<Int>?, Bool) = (nil, nil, false)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "statusCode": status = try WebSocketAnswer.status(&reader)
      case "body": body = try reader.slice()
      case "isBase64Encoded":
        let value = try reader.slice()
        isBase64 = reader.bytes[value.lowerBound] == UInt8(ascii: "t")
      default: try reader.skip()
      }
    }
    let bytes = reader.bytes
    guard let status else {
      return text(ByteBuffer(bytes: JSONReader.compacted(bytes, start..<reader.position)))
    }
    let answer = try body.map { (value) throws(JSONError) in try content(bytes, value, isBase64) } ?? .nothing
    guard status >= 400 else { return answer }
    switch answer {
    case .send(let data, let isText): return .failed(status: status, data, isText: isText)
    case .nothing: return .failed(status: status, ByteBuffer(), isText: true)
    case .failed, .malformed: return answer
    }
  }

  private static func content(
    _ bytes: Span<UInt8>, _ value: Range<Int>, _ isBase64: Bool
  ) throws(JSONError) -> WebSocketAnswer {
    var reader = JSONReader(bytes, at: value.lowerBound, .payload)
    switch try reader.kind() {
    case .null: return .nothing
    case .string:
      let string = try reader.string()
      guard isBase64 else { return text(ByteBuffer(string: string)) }
      guard let data = Base64.decode(string) else { return .malformed }
      return data.isEmpty ? .nothing : .send(ByteBuffer(bytes: data), isText: false)
    case .object, .array, .number, .boolean: return text(ByteBuffer(bytes: JSONReader.compacted(bytes, value)))
    }
  }

  private static func status(_ reader: inout JSONReader) throws(JSONError) -> Int? {
    switch try reader.kind() {
    case .number: return Int(try reader.numberText())
    case .string: return Int(try reader.string())
    case .object, .array, .boolean, .null:
      try reader.skip()
      return nil
    }
  }

  private static func text(_ data: ByteBuffer) -> WebSocketAnswer {
    data.readableBytes == 0 ? .nothing : .send(data, isText: true)
  }
}

/// What a client is sent in place of an answer.
package enum WebSocketError {
  /// Kelvin's own form: `{"error": "…"}`.
  package static func document(_ sentence: String) -> ByteBuffer {
    var writer = JSONWriter()
    writer.object { $0.member("error", sentence) }
    return writer.buffer
  }

  /// API Gateway's form.
  package static func gatewayDocument(
    _ message: String, connection: GatewayID, request: GatewayID
  ) -> ByteBuffer {
    var writer = JSONWriter()
    writer.object {
      $0.member("message", message)
      $0.member("connectionId", connection.text)
      $0.member("requestId", request.text)
    }
    return writer.buffer
  }

  /// What a fault says, without the identity of the request that AWS puts before it.
  package static func sentence(_ fault: FunctionFault) -> String {
    if fault.message.isEmpty {
      if case .string(let message)? = fault.document.json?["errorMessage"], !message.isEmpty { return message }
      return "The function failed."
    }
    guard let separator = fault.message.firstRange(of: " Error: ") else { return fault.message }
    return String(fault.message[separator.upperBound...])
  }
}

extension AWSError {
  /// The connection of a WebSocket is closed, or is not open yet.
  package static let gone = AWSError(status: 410, code: "GoneException", message: "The connection is gone.")

  /// A text that names no connection.
  package static func invalidConnection(_ text: String) -> AWSError {
    AWSError(status: 400, code: "BadRequestException", message: "Invalid connectionId: \(text)")
  }

  /// What is to be sent to a client is over the limit, in bytes.
  package static func messageTooLarge(limit: Int) -> AWSError {
    AWSError(
      status: 413, code: "PayloadTooLargeException", message: "The message is larger than \(limit) bytes.")
  }
}
