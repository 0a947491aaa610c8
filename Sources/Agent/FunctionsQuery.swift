internal import Lifecycle
internal import Windows

/// Which part of the list of functions a request to `/api/v1/functions` asks for.
struct FunctionsQuery: Sendable {
  /// What the list is ordered by. Numbers are ordered from the largest; equal ones by name.
  enum Order: String, CaseIterable {
    case name, concurrentExecutions, instances, invocations, errors, throttles, timeouts, coldStarts

    func value(_ function: FunctionSnapshot) -> UInt64 {
      switch self {
      case .name: 0
      case .concurrentExecutions: UInt64(clamping: function.concurrentExecutions)
      case .instances: function.instances.total
      case .invocations: function.totals.invocations.total
      case .errors: function.totals.errors
      case .throttles: function.totals.throttles.total
      case .timeouts: function.totals.timeouts.total
      case .coldStarts: function.totals.coldStarts
      }
    }
  }

  static let limitLargest = 500
  static let searchBytesLimit = 280

  /// A part of the name, in whatever case.
  var search = ""
  var order = Order.name
  var offset = 0
  var limit = 50

  /// - Throws: ``QueryProblem`` that names the parameter, its value and what is valid.
  init(_ items: [(name: String, value: String?)]) throws(QueryProblem) {
    var seen: Set<String> = []
    for (name, value) in items {
      let text = value ?? ""
      guard seen.insert(name).inserted else { throw QueryProblem(name, text, "is given more than once") }
      switch name {
      case "search":
        guard text.utf8.count <= Self.searchBytesLimit else {
          throw QueryProblem(name, String(text.prefix(40)) + "…", "has at most \(Self.searchBytesLimit) bytes")
        }
        search = text.lowercased()
      case "sort":
        guard let found = Order(rawValue: text) else {
          let valid = Order.allCases.map(\.rawValue).joined(separator: ", ")
          throw QueryProblem(name, text, "the list can be sorted by \(valid)")
        }
        order = found
      case "limit": limit = try Self.number(name, text, 1...Self.limitLargest)
      case "offset": offset = try Self.number(name, text, 0...10_000_000)
      default:
        throw QueryProblem(name, text, "there is no such parameter; valid are search, sort, limit, offset")
      }
    }
  }

  private static func number(
    _ name: String, _ text: String, _ valid: ClosedRange<Int>
  ) throws(QueryProblem) -> Int {
    guard let number = Int(text), valid.contains(number) else {
      throw QueryProblem(name, text, "must be a number from \(valid.lowerBound) to \(valid.upperBound)")
    }
    return number
  }

  /// The functions that match, in order.
  ///
  /// - Parameter functions: In ascending order of their identities.
  func matching(_ functions: [FunctionSnapshot]) -> [FunctionSnapshot] {
    let found =
      search.isEmpty
      ? functions
      : functions.filter { function in
        "\(function.function.name):\(function.function.version)".lowercased().contains(search)
      }
    guard order != .name else { return found }
    return found.enumerated().sorted { left, right in
      let (first, second) = (order.value(left.element), order.value(right.element))
      return first == second ? left.offset < right.offset : first > second
    }.map(\.element)
  }
}
