internal import Glibc
internal import HTTPServer
internal import NIOHTTP1

/// The agent's limits: no request bodies but batches of events, memory for a few of those at once, and no more connections than leave
/// enough open files for everything else.
enum AgentLimits {
  /// An eighth of the files that this process may have open.
  static func connectionsMax(openFiles: Int) -> Int { min(1_024, max(32, openFiles / 8)) }

  static func limits() -> HTTPServerLimits {
    var limits = HTTPServerLimits()
    // Paths are read, but for those whose routes say otherwise.
    limits.bodyBytesMax = 0
    // Of batches, and of heads over a few kilobytes. It has room for the largest batch, inflated, and for some others.
    limits.bodyBudget = BodyBudget(bytesMax: 96 << 20)
    limits.connectionsMax = connectionsMax(openFiles: sysconf(Int32(_SC_OPEN_MAX)))
    // Connections that nobody uses must not keep a scraper out.
    limits.closesIdle = true
    return limits
  }

  static func answers() -> HTTPServerAnswers {
    var answers = HTTPServerAnswers()
    answers.bodyNotTaken = { request in
      switch request.route.outcome {
      case .wrongMethod(let allowed): return Routes.methodNotAllowed(allowed)
      case .notFound where request.method != .GET && request.method != .HEAD: return Routes.notFound
      case .found, .notFound, .malformed: break
      }
      return Routes.error(
        .payloadTooLarge, "body-not-taken", "This path takes no request body; send the request without one.")
    }
    answers.bodyTooLarge = { request in
      guard let position = request.route.position else { return Routes.notFound }
      let limits = AgentRoutes.table.limits(of: position)
      let inflated = (limits.inflation?.bytesMax ?? limits.bodyBytesMax) >> 20
      return Routes.error(
        .payloadTooLarge, "body-too-large",
        "The body has more than \(limits.bodyBytesMax >> 20) MiB, or more than \(inflated) MiB once inflated, or inflates more "
          + "than any batch does; send smaller batches, with Content-Encoding: gzip.")
    }
    answers.codingNotTaken = { _ in
      var response = Routes.error(
        .unsupportedMediaType, "unsupported-coding", "Send the body as it is, or with Content-Encoding: gzip.")
      response.headers.add(name: "Accept-Encoding", value: "gzip")
      return response
    }
    answers.noRoom = { _ in Routes.busy("Too many large requests are in progress; try again in a moment.") }
    answers.tooManyConnections = { Routes.busy("Too many connections are open; try again in a moment.") }
    return answers
  }
}

extension Routes {
  /// 429, to be tried again after a second.
  static var tooMany: HTTPResponse {
    var response = error(
      .tooManyRequests, "too-many-requests",
      "You send more requests than agent.requestsPerSecond allows; send larger batches, or try again in a moment.")
    response.headers.add(name: "Retry-After", value: "1")
    return response
  }

  /// 503, to be tried again after a second.
  static func busy(_ message: String) -> HTTPResponse {
    var response = error(.serviceUnavailable, "unavailable", message)
    response.headers.add(name: "Retry-After", value: "1")
    return response
  }
}
