/// A function that sends its answers piece by piece.
///
/// ```swift
/// @main struct Clock: StreamingFunction {
///   func handle(_ event: [UInt8], _ response: ResponseWriter, _ context: InvocationContext) async throws {
///     try response.begin(status: 200, headers: ["content-type": "text/event-stream"])
///     for count in 0..<3 { try response.write("data: \(count)\n\n") }
///   }
/// }
/// ```
public protocol StreamingFunction: Function {
  /// Answers one event. The answer ends when the handler does; an error that it throws behind the beginning is told in the stream.
  func handle(_ event: [UInt8], _ response: ResponseWriter, _ context: InvocationContext) async throws
}

extension StreamingFunction {
  /// Runs the function's own handler, and ends the answer that it has begun.
  public func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8] {
    do {
      try await handle(event, ResponseWriter(context.upload), context)
    } catch {
      guard try context.upload.fail(FunctionFailure(error)) else { throw error }
      return []
    }
    try context.upload.finish()
    return []
  }
}

/// The answer of a handler that streams. It may be written from any thread, one piece after the other.
public final class ResponseWriter: Sendable {
  private let upload: ResponseUpload

  init(_ upload: ResponseUpload) { self.upload = upload }

  /// Begins the answer with status and header fields, for callers over HTTP.
  ///
  /// - Parameter cookies: Each as `name=value; attributes`.
  /// - Throws: ``ResponseWriterError`` if it has begun, or if the host is gone.
  public func begin(status: Int = 200, headers: HTTPFields = [:], cookies: [String] = []) throws(ResponseWriterError) {
    var prelude = HTTPFunctionResponse(status: status, headers: headers, cookies: cookies).prelude
    prelude.append(contentsOf: [UInt8](repeating: 0, count: 8))
    try upload.begin("application/vnd.awslambda.http-integration-response", prelude)
  }

  /// Begins the answer with a content type alone.
  ///
  /// - Throws: ``ResponseWriterError`` if it has begun, or if the host is gone.
  public func begin(contentType: String) throws(ResponseWriterError) { try upload.begin(contentType, []) }

  /// Sends a piece, and begins the answer as `application/octet-stream` if it has not. Blocks for as long as the caller takes less than is
  /// written.
  ///
  /// - Throws: ``ResponseWriterError`` if the host wants no more of the answer, or if the answer has ended.
  public func write(_ bytes: [UInt8]) throws(ResponseWriterError) { try upload.write(bytes) }

  /// Sends a piece of text.
  ///
  /// - Throws: As ``write(_:)-([UInt8])``.
  public func write(_ text: String) throws(ResponseWriterError) { try write(Array(text.utf8)) }
}

/// Why a piece of an answer cannot be sent.
public struct ResponseWriterError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A sentence for people.
  public var description: String
}
