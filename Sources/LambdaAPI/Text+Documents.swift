package import NIOCore
package import Text

// How the host uses JSON: on buffers of NIO, and with the times of the model.

extension JSONRules {
  /// Of payloads, which are handed on as they came: AWS's front refuses more than 1,000 levels as well.
  package static let payload = JSONRules(depthLimit: JSONRules.depthMax, loneSurrogates: .replaced)

  /// Of documents that the host reads whole, which are small.
  package static let document = JSONRules(depthLimit: 16, loneSurrogates: .replaced)
}

extension ByteBuffer {
  /// Why the readable bytes are not one JSON value; `nil` if they are.
  package func jsonProblem() -> JSONError? { withReadableSpan { JSONReader.problem(in: $0, .payload) } }

  /// The readable bytes as a value; `nil` if they are not JSON, or deeper than ``JSONRules/document``.
  package var json: JSONValue? {
    withReadableSpan { bytes in
      // Whoever needs to know why asks for the problem.
      try? JSONValue(bytes, .document)
    }
  }

  /// Calls `member` for each member of a document that is one object; it must read exactly one value.
  ///
  /// - Returns: Whether the readable bytes are such a document. `member` may have been called even if not.
  package func readObject(_ member: (inout JSONReader, _ name: String) throws(JSONError) -> Void) -> Bool {
    withReadableSpan { bytes in
      do {
        try JSONReader.document(bytes, .payload) { (reader: inout JSONReader) throws(JSONError) in
          try reader.object(member)
        }
        return true
      } catch {
        return false
      }
    }
  }
}

extension JSONValue {
  /// The whole number, if this is one that is written as one and fits.
  package var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }
}

extension JSONWriter {
  /// What was written so far. Copies it.
  package var buffer: ByteBuffer { ByteBuffer(bytes: bytes) }
}
