package import AWSClient

/// Asks the control plane of AWS Lambda: that of AWS, of Kelvin's host, or of whatever speaks the same API.
///
/// Every call here may be repeated without harm, and `ServiceClient` repeats those that failed for a moment. May be used by
/// several tasks at once.
///
/// Every call throws a `AWSClientError`. Its code says whether the service refused (with a `AWSClientError.Refusal`), does not have
/// the call, did not answer, or answered what cannot be read.
package struct LambdaClient: Sendable {
  private let service: ServiceClient

  /// Makes a client that asks through `service`.
  package init(_ service: ServiceClient) { self.service = service }

  /// Where it asks.
  package var endpoint: EndpointURL { service.endpoint }
  /// The region in use, and that signatures are for.
  package var region: String { service.region }

  /// Makes a call; see ``ServiceClient/answer(to:)``.
  func answer(to call: ServiceCall) async throws(AWSClientError) -> [UInt8] { try await service.answer(to: call) }
}
