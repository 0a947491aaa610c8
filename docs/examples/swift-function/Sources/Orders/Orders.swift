import FunctionRuntime

/// A shop's orders over HTTP, with every way to end that a function has.
@main struct Orders: HTTPFunction {
  static var configuration: FunctionConfiguration { FunctionConfiguration(memory: "0.5GB", timeout: .seconds(10)) }

  private let prices = PriceList()

  init() async throws {}

  /// Loads the prices before the first request is let in. `orders --warm-up 60` pretends that this takes 60 ms.
  func warmUp() async throws {
    let arguments = CommandLine.arguments
    if let flag = arguments.firstIndex(of: "--warm-up"), let milliseconds = arguments.dropFirst(flag + 1).first {
      try await Task.sleep(for: .milliseconds(Int(milliseconds) ?? 0))
    }
    await prices.load()
    print("warmed up: \(await prices.count) prices")
  }

  func handle(_ request: HTTPFunctionRequest, _ context: InvocationContext) async throws -> HTTPFunctionResponse {
    switch request.path {
    case "/": return try await answer(for: request, context)
    case "/slow": return try await slow(request)
    case "/stuck": return await stuck(request, context)
    case "/error": throw OrderError.soldOut(item: request.query["item"] ?? "pear")
    case "/crash": fatalError("/crash was asked for")
    default: return .text("There is nothing at \(request.path).\n", status: 404)
    }
  }

  /// What an item costs, and what the context knows.
  private func answer(for request: HTTPFunctionRequest, _ context: InvocationContext) async throws
    -> HTTPFunctionResponse
  {
    let item = request.query["item"] ?? "apple"
    guard let cents = await prices.cents(of: item) else { throw OrderError.unknown(item: item) }
    return .json([
      "item": .string(item), "cents": .number(cents), "requestId": .string(context.requestID),
      "function": .string(context.environment.functionName),
      "initializationType": .string(context.environment.initializationType),
    ])
  }

  /// Waits for `?ms=`. Sleeping ends with an error when the task is cancelled, so an abort ends this at once.
  private func slow(_ request: HTTPFunctionRequest) async throws -> HTTPFunctionResponse {
    let milliseconds = milliseconds(in: request, otherwise: 1_000)
    try await Task.sleep(for: .milliseconds(milliseconds))
    return .text("waited \(milliseconds) ms\n")
  }

  /// Waits for `?ms=` whatever happens: past its deadline it overlaps with the next request.
  private func stuck(_ request: HTTPFunctionRequest, _ context: InvocationContext) async -> HTTPFunctionResponse {
    let end = ContinuousClock.now + .milliseconds(milliseconds(in: request, otherwise: 15_000))
    // A task of its own is not cancelled along: this is how code that heeds no cancellation behaves.
    await Task.detached {
      while ContinuousClock.now < end { try? await Task.sleep(for: .milliseconds(20)) }
    }.value
    if context.isCancelled { print("\(context.requestID): nobody waits for this any more") }
    return .text("done at last\n")
  }

  private func milliseconds(in request: HTTPFunctionRequest, otherwise: Int) -> Int {
    request.query["ms"].flatMap { Int($0) }.map { min(max($0, 0), 900_000) } ?? otherwise
  }
}

/// What things cost. Shared by all invocations of the instance, so it is an actor.
actor PriceList {
  private var cents: [String: Int] = [:]

  var count: Int { cents.count }
  func load() { cents = ["apple": 40, "pear": 55, "quince": 120] }
  func cents(of item: String) -> Int? { cents[item] }
}

enum OrderError: Error, CustomStringConvertible {
  case unknown(item: String)
  case soldOut(item: String)

  var description: String {
    switch self {
    case .unknown(let item): "Nobody sells \"\(item)\"."
    case .soldOut(let item): "\"\(item)\" is sold out."
    }
  }
}
