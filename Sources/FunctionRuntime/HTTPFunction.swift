/// A function that answers HTTP requests, as a function URL hands them over (payload format 2.0).
///
/// ```swift
/// @main struct Greeter: HTTPFunction {
///   func handle(_ request: HTTPFunctionRequest, _ context: InvocationContext) async throws -> HTTPFunctionResponse {
///     .text("Hello, \(request.query["name"] ?? "world")!")
///   }
/// }
/// ```
public protocol HTTPFunction: Function {
  /// Answers one request. An error becomes status 502.
  func handle(_ request: HTTPFunctionRequest, _ context: InvocationContext) async throws -> HTTPFunctionResponse
}

extension HTTPFunction {
  /// Reads the event as a request and writes the response as payload format 2.0 has it.
  ///
  /// - Throws: ``HTTPEventError`` if the event is no such request, or what the function's own handler throws.
  public func handle(_ event: [UInt8], _ context: InvocationContext) async throws -> [UInt8] {
    try await handle(HTTPFunctionRequest(event: event), context).event
  }
}

/// An event that is not an HTTP request in payload format 2.0.
public struct HTTPEventError: Error, Equatable, Sendable, CustomStringConvertible {
  /// A sentence for people.
  public var description: String
}
