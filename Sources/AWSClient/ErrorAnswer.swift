/// Reads the error answer of a service.
enum ErrorAnswer {
  /// - Parameter result: Of any status but 2xx.
  static func failure(_ result: HTTPResult, call: String, endpoint: EndpointURL) -> AWSClientError {
    let document = ServiceErrorDocument(result.body)
    guard let code = code(result) else { return foreign(result, document, call: call, endpoint: endpoint) }
    let refusal = AWSClientError.Refusal(
      code: code, message: document?.message ?? "", status: result.status, type: document?.type,
      reason: document?.reason, retryAfterSeconds: result.header("Retry-After").flatMap { Int($0) })
    let isUnsupported =
      result.status == 501 || ["NotImplementedException", "UnknownOperationException"].contains(code)
    let words = refusal.message.isEmpty ? "no reason is given" : refusal.message
    let reason = refusal.reason.map { ", \($0)" } ?? ""
    return AWSClientError(
      isUnsupported ? .unsupported : .refused, "\(call) was refused (\(code)\(reason)): \(words)", refusal: refusal)
  }

  /// The code of the header: up to a colon, and behind a number sign, as AWS's clients read it.
  private static func code(_ result: HTTPResult) -> String? {
    guard let text = result.header("x-amzn-ErrorType"), let first = text.split(separator: ":").first else { return nil }
    return first.split(separator: "#").last.map(String.init)
  }

  /// An answer that is not in AWS's form: from a stand-in without this call, a gateway on the way, or another program.
  private static func foreign(
    _ result: HTTPResult, _ document: ServiceErrorDocument?, call: String, endpoint: EndpointURL
  ) -> AWSClientError {
    let refusal = AWSClientError.Refusal(
      code: "HTTP \(result.status)", message: document?.message ?? "", status: result.status)
    if [404, 405, 501].contains(result.status) {
      return AWSClientError(
        .unsupported, "\(endpoint) does not have \(call) (it answered \(result.status)).", refusal: refusal)
    }
    let words = document?.message.map { ": \($0)" } ?? "."
    return AWSClientError(.refused, "\(endpoint) answered \(result.status) to \(call)\(words)", refusal: refusal)
  }
}
