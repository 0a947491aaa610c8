public import Text

/// The body of an API error: `{"error":{"code":"…","message":"…"}}`.
public struct ErrorDocument: Sendable, Equatable {
  /// A word for programs, such as `invalid-parameter`.
  public var code: String
  /// A sentence for people.
  public var message: String

  /// Makes an error; the codes are listed in docs/formats/api.md.
  public init(code: String, message: String) {
    self.code = code
    self.message = message
  }

  /// The document as JSON.
  public func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 128)
    writer.beginObject()
    writer.key("error")
    writer.beginObject()
    writer.member("code", code)
    writer.member("message", message)
    writer.endObject()
    writer.endObject()
    return writer.bytes
  }

  /// Reads what ``json()`` writes. Members that this version does not know are ignored.
  ///
  /// - Throws: `JSONError` if it is not such a document.
  public init(json: [UInt8]) throws(JSONError) {
    var code: String?
    var message: String?
    try JSONReader.document(json) { (reader: inout JSONReader) throws(JSONError) in
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        guard name == "error" else { return try reader.skip() }
        try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
          switch name {
          case "code": code = try reader.string()
          case "message": message = try reader.string()
          default: try reader.skip()
          }
        }
      }
    }
    guard let code, let message else { throw JSONError(.missing, "error is missing", position: 0) }
    self.init(code: code, message: message)
  }
}
