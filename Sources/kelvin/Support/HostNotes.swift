import BlockingHTTP
import Text

/// The sentences about a function that cannot start.
enum StartFailureText {
  /// - Parameter reason: Without a full stop.
  static func sentences(_ reason: String, of function: String) -> String {
    "\(Sentence.text(TypedText.safe(reason))) The whole log: kelvin logs \(UnknownFunction.plainName(function))"
  }
}

/// Facts about a function that only Kelvin's host gives, in headers beside AWS's document.
struct HostNotes: Hashable {
  /// Where the host writes the function's log; `nil` if it writes none.
  var logPath: String?
  /// Why the newest initialization failed; `nil` if it did not.
  var startFailure: String?

  /// Asks a host about a function.
  ///
  /// - Returns: `nil` if the host does not have the function.
  /// - Throws: ``CommandFailure`` if no host answers, or it does not say.
  static func asked(
    _ function: String, of client: ServerClient, timeout: Duration = .seconds(10)
  ) throws(CommandFailure) -> HostNotes? {
    let path = "/2015-03-31/functions/\(PercentEncoding.encoded(function))/configuration"
    let reply = try client.send(ClientRequest("GET", path), timeout: timeout)
    switch reply.status {
    case 200:
      return HostNotes(
        logPath: reply.headers["X-Kelvin-Log"].flatMap { PercentEncoding.decoded($0[...].utf8) },
        startFailure: reply.headers["X-Kelvin-Start-Failure"].flatMap { PercentEncoding.decoded($0[...].utf8) })
    case 404 where reply.headers["x-amzn-ErrorType"] != nil: return nil
    default:
      throw CommandFailure.failure(
        "The \(client.server.name) at \(client.address) answered \(reply.status) to \(path). Is it a Kelvin host?")
    }
  }

  /// The names of a host's functions; `nil` if it does not say.
  static func names(of client: ServerClient) -> [String]? {
    var names: [String] = []
    var marker: String?
    repeat {
      let query = marker.map { "&Marker=\(PercentEncoding.encoded($0))" } ?? ""
      let request = ClientRequest("GET", "/2015-03-31/functions?MaxItems=50\(query)")
      // Only a hint is made of it: whatever goes wrong, there is none.
      guard let reply = try? client.send(request, timeout: .seconds(10)), reply.status == 200,
        let page = Page(reply.body)
      else { return nil }
      names += page.names
      marker = page.nextMarker
    } while marker.map { !$0.isEmpty } == true && names.count < FunctionChoice.listLimit
    return names
  }

  private struct Page {
    var names: [String]
    var nextMarker: String?

    /// `nil` if it is not the document of AWS.
    init?(_ body: [UInt8]) {
      // Only a hint is made of it: why it cannot be read does not matter.
      guard let document = try? JSONValue(body.span, .answer), let functions = document["Functions"]?.array else {
        return nil
      }
      names = functions.compactMap { $0["FunctionName"]?.string }
      guard names.count == functions.count else { return nil }
      nextMarker = document["NextMarker"]?.string
    }
  }
}
