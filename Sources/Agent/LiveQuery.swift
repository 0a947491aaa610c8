internal import EventPipeline
internal import Documents
internal import Lifecycle
internal import Windows

/// The functions that a reader of `/api/v1/live` follows.
struct LiveQuery: Sendable, Hashable {
  static let functionsLimit = 100
  /// The most instances of one event; the newest are kept.
  static let instancesLimit = 200

  /// In the order in which they were asked for.
  var functions: [FunctionID] = []
  /// Whose instances are shown one by one.
  var instancesOf: FunctionID?

  /// - Throws: `QueryProblem` that names the parameter, its value and what is valid.
  init(_ items: [(name: String, value: String?)]) throws(QueryProblem) {
    for (name, value) in items {
      switch name {
      case "function":
        functions.append(try FunctionID(parameter: name, value))
        guard functions.count <= Self.functionsLimit else {
          throw QueryProblem(name, value ?? "", "is given more than \(Self.functionsLimit) times")
        }
      case "instances":
        guard instancesOf == nil else { throw QueryProblem(name, value ?? "", "is given more than once") }
        instancesOf = try FunctionID(parameter: name, value)
      default:
        throw QueryProblem(name, value ?? "", "there is no such parameter; valid are function, instances")
      }
    }
  }
}

extension Folding {
  /// What some functions are doing now.
  ///
  /// - Parameter failures: Which functions cannot start now, and why.
  mutating func live(
    _ queries: [LiveQuery], window length: Nanoseconds, _ failures: StartFailureReadings, _ now: Timestamp
  ) -> [LiveDocument] {
    let grid = WindowGrid(length: length)
    let window = grid.start(grid.index(of: now))
    let account = activity()
    return queries.map { query in
      let instances = query.instancesOf.map { function in
        let all = self.instances(of: function)
        return LiveDocument.Instances(
          function: function, total: all.count, shown: Array(all.suffix(LiveQuery.instancesLimit)))
      }
      return LiveDocument(
        window: window, account: account, functions: failures.documents(snapshots(of: query.functions, now)),
        instances: instances)
    }
  }
}

/// Which functions cannot start now, and why, by name.
struct StartFailureReadings: Sendable {
  var all: [String: FunctionDocument.StartFailure] = [:]

  /// Functions as documents, with what the host of this process says of their starts.
  func documents(_ functions: [FunctionSnapshot]) -> [FunctionDocument] {
    functions.map { function in
      var document = FunctionDocument(function)
      document.startFailure = document.version == nil ? all[document.function] : nil
      return document
    }
  }
}

extension FunctionID {
  /// `name`, or `name:version`.
  ///
  /// - Throws: `QueryProblem` if it is neither.
  init(parameter: String, _ value: String?) throws(QueryProblem) {
    guard let text = value, !text.isEmpty else { throw QueryProblem(parameter, "", "has no value") }
    guard text.utf8.count <= 2 * FunctionID.nameBytesLimit + 1 else {
      throw QueryProblem(
        parameter, String(text.prefix(40)) + "…", "must be a name of at most \(FunctionID.nameBytesLimit) bytes")
    }
    // The last colon, so that whatever name a source gave can be asked for by its version.
    guard let colon = text.lastIndex(of: ":") else {
      self.init(text)
      return
    }
    let (name, version) = (text[..<colon], text[text.index(after: colon)...])
    guard !name.isEmpty, !version.isEmpty else {
      throw QueryProblem(parameter, text, "must be a name, or a name, a colon and a version")
    }
    self.init(String(name), version: String(version))
  }
}
