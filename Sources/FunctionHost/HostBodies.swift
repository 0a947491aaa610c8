import CLinux
import HTTPServer
import HostRules
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1

/// The memory that requests in flight may hold in a host: those of callers and those of instances apart, so that callers who
/// have used up theirs are still answered.
///
/// What is counted: the bodies of callers from their arrival to the function's answer, wherever they wait; the bodies of
/// instances from their arrival until the host has taken them. Asynchronous events in the queue have a bound of their own
/// (`AsynchronousPolicy.bytesLimit`).
struct HostBodies: Sendable {
  /// Of all callers.
  static let callersBytesMax = 192 << 20
  /// Of the callers of one function.
  static let callersOfFunctionBytesMax = 96 << 20
  /// Of all instances.
  static let instancesBytesMax = 256 << 20
  /// Of the instances of one function: three answers of the largest size that is read.
  static let instancesOfFunctionBytesMax = 64 << 20

  let callers = BodyBudget(bytesMax: callersBytesMax)
  private let instances = BodyBudget(bytesMax: instancesBytesMax)
  private var callersOf: [BodyBudget] = []
  private var instancesOf: [BodyBudget] = []

  init(functions: Int) {
    for _ in 0..<functions { addFunction() }
  }

  /// Takes one more function.
  mutating func addFunction() {
    callersOf.append(BodyBudget(bytesMax: HostBodies.callersOfFunctionBytesMax, within: callers))
    instancesOf.append(BodyBudget(bytesMax: HostBodies.instancesOfFunctionBytesMax, within: instances))
  }

  /// What the callers of a function share.
  func callers(of function: FunctionIndex) -> BodyBudget { callersOf[function.position] }

  /// What the instances of a function share.
  func instances(of function: FunctionIndex) -> BodyBudget { instancesOf[function.position] }
}

/// The host's limits for its callers.
enum FrontLimits {
  /// The most files that a process needs beside connections: its store, its logs, its programs and what is looked at of them.
  private static let otherFiles = 256

  /// The most connections of callers: of the files that this process may have open, three fifths of those that are not kept
  /// back. The rest is for instances, each of which takes some.
  static func connectionsMax(openFiles: Int) -> Int {
    min(65_536, max(32, (openFiles - otherFiles) / 5 * 3))
  }

  /// The most of them that are WebSockets: three quarters, so that they keep nobody from asking.
  static var socketsMax: Int { connectionsMax(openFiles: Int(clinux_open_files_limit())) / 4 * 3 }

  static func limits(of core: HostCore) -> HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.bodyBytesMax = RequestBody.bytesMax
    limits.bodyBudget = core.callersBudget
    limits.bodyBytesUnasked = BodyBudget.smallBytesMax
    limits.budgetOf = { _, match in budget(match, of: core) }
    limits.headerBytesMax = PayloadLimits.headerBytesMax
    limits.connectionsMax = connectionsMax(openFiles: Int(clinux_open_files_limit()))
    limits.closesIdle = true
    limits.backlog = 4096
    return limits
  }

  static func answers(of core: HostCore) -> HTTPServerAnswers {
    var answers = HTTPServerAnswers()
    answers.bodyTooLarge = { request in
      core.assumeIsolated { core in
        let id = core.newRequestID()
        guard let route = request.frontRoute else {
          return AWSError.tooLarge(limit: RequestBody.bytesMax, operation: request.method.rawValue).response(id)
        }
        if route.name == ConnectionOperation.post.rawValue {
          return AWSError.messageTooLarge(limit: route.limits.bodyBytesMax).response(id)
        }
        let operation = route.access == .ownRules ? "InvokeFunction" : route.name
        return AWSError.tooLarge(limit: route.limits.bodyBytesMax, operation: operation).response(id)
      }
    }
    answers.noRoom = { _ in core.assumeIsolated { AWSError.noRoom.response($0.newRequestID()) } }
    answers.tooManyConnections = {
      core.assumeIsolated { AWSError.tooManyConnections.response($0.newRequestID()) }
    }
    return answers
  }

  /// The share of the function whose payload a request brings. What names no function will be refused; until then it is nobody's in
  /// particular.
  private static func budget(_ match: RouteMatch, of core: HostCore) -> BodyBudget {
    guard let position = match.position,
      FrontRoutes.shared.limits(of: position).bodyBytesMax == PayloadLimits.answerBytesMax,
      let name = match.parameters.first
    else { return core.callersBudget }
    // An ARN or a name with a qualifier may stand for the name of an operation's function.
    let reference = try? FunctionReference(name, queryQualifier: nil)
    return core.assumeIsolated { core in
      core.indices[reference?.name ?? name].map(core.bodies.callers(of:)) ?? core.bodies.callers
    }
  }
}

/// The host's limits for an instance.
enum InstanceLimits {
  /// An answer up to here is read whole, so that a runtime that sends too much gets its 413 on a connection that stays open.
  private static let answerBytesMax = 16 << 20
  /// Everything else that a runtime or an extension sends.
  private static let bodyBytesMax = 256 << 10
  /// awslambdaric describes an error in `Lambda-Runtime-Function-XRay-Error-Cause`, in up to 1 MiB; the rest of the head beside it.
  private static let headerBytesMax = (1 << 20) + (64 << 10)

  /// Calls without a body.
  static let none = RouteLimits()
  /// Most calls.
  static let small = RouteLimits(bodyBytesMax: bodyBytesMax)
  /// The function's answer. It may be followed by fields that tell of an error in the middle of a stream.
  static let answer = RouteLimits(bodyBytesMax: answerBytesMax, takesTrailers: true)
  /// What a runtime or an extension reports.
  static let error = RouteLimits(bodyBytesMax: answerBytesMax, headerBytesMax: headerBytesMax)

  static func limits(_ budget: BodyBudget) -> HTTPServerLimits {
    var limits = HTTPServerLimits()
    limits.bodyBytesMax = bodyBytesMax
    limits.bodyBudget = budget
    // An answer is never refused for the moment's sake: it waits, unread, until others are through.
    limits.waitsForRoom = true
    // Runtime, extensions, and what they open besides: fewer where files are few.
    limits.connectionsMax = min(64, max(16, Int(clinux_open_files_limit()) / 64))
    // A runtime is silent for as long as its handler runs, and the deadline watches that.
    limits.idleTimeout = .hours(24)
    limits.answersHalfClosed = true
    return limits
  }

  static func answers() -> HTTPServerAnswers {
    var answers = HTTPServerAnswers()
    answers.bodyNotTaken = { request in
      RuntimeAPI.error(.payloadTooLarge, "RequestEntityTooLarge", "\(request.method) \(request.path) takes no body.")
    }
    answers.noRoom = { _ in
      var response = RuntimeAPI.error(
        .serviceUnavailable, "ServiceUnavailable",
        "The bodies that this function's instances send use all the memory that the host has for them.")
      response.headers.add(name: "Retry-After", value: "1")
      return response
    }
    return answers
  }

  /// The answer to a call whose body is over the limit and is not an invocation's answer.
  static func tooLarge(_ request: HTTPRequest) -> HTTPResponse {
    let limit = request.route.position.map(InstanceRoutes.table.limits)?.bodyBytesMax ?? bodyBytesMax
    guard limit != answerBytesMax else { return RuntimeAPI.tooLarge }
    return RuntimeAPI.error(
      .payloadTooLarge, "RequestEntityTooLarge", "Exceeded maximum allowed payload size (\(limit) bytes).")
  }
}

extension AWSError {
  static let noRoom = AWSError(
    status: 503, code: "ServiceException",
    message: "The requests in progress use all the memory that the host has for them; try again in a moment.")

  static let tooManyConnections = AWSError(
    status: 503, code: "ServiceException", message: "Too many connections are open; try again in a moment.")
}
