import Text
import BlockingHTTP
import Documents

extension ServerClient {
  /// `GET /api/v1/status`.
  func status(timeout: Duration) throws(CommandFailure) -> StatusDocument {
    let body = try get("/api/v1/status", timeout: timeout).body
    do { return try StatusDocument(json: body) } catch { throw unreadable(error) }
  }

  /// `GET /api/v1/instances`.
  func instances(timeout: Duration) throws(CommandFailure) -> InstancesDocument {
    let body = try get("/api/v1/instances", timeout: timeout).body
    do { return try InstancesDocument(json: body) } catch { throw unreadable(error) }
  }

  private func unreadable(_ error: JSONError) -> CommandFailure {
    .failure("The answer of the agent at \(address) cannot be read: \(error.phrase).")
  }
}
