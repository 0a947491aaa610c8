import Text
import BlockingHTTP
import Configuration
import Documents
import Lifecycle

/// What `kelvin top` asks for.
struct TopQuestion: Hashable, Sendable {
  /// The functions whose windows matter most: those on the screen.
  var functions: [String] = []
  /// Whether instances are shown.
  var wantsInstances = true
}

/// The data that `kelvin top` shows at one moment.
struct TopAnswer: Sendable {
  var status: StatusDocument
  /// By function; a function whose windows were not asked for yet is absent.
  var windows: [String: RecentWindows] = [:]
  var instances: [InstanceDocument] = []
}

/// The newest windows of one function, in the numbers that `kelvin top` shows.
struct RecentWindows: Hashable, Sendable {
  /// How many windows are looked back at.
  static let count: Int64 = 30

  var concurrencyMax: Int64 = 0
  var coldStarts: UInt64 = 0
  /// Of the newest window in which an invocation has ended; `nil` if there is none.
  var p95: Nanoseconds?
  var memoryUsedMax: Int64?
  /// The maximum of concurrency, by the number of the window since the epoch.
  var peaks: [Int64: Double] = [:]
  var positions: ClosedRange<Int64> = 0...0

  init(_ document: WindowsDocument) {
    for window in document.windows {
      concurrencyMax = max(concurrencyMax, window.concurrencyMax)
      coldStarts &+= window.coldStarts
      if p95 == nil, window.duration.count > 0 { p95 = Nanoseconds(window.duration.p95) }
      if window.memoryUsed.count > 0 { memoryUsedMax = max(memoryUsedMax ?? 0, window.memoryUsed.maximum) }
      peaks[window.start.nanoseconds / document.resolution.count] = Double(window.concurrencyMax)
    }
    let last = (document.to.nanoseconds - 1) / document.resolution.count
    positions = (last - Self.count + 1)...last
  }
}

/// Asks an agent for all that `kelvin top` shows: status, the windows of some functions, instances.
struct TopAsker: Asking {
  /// The most functions whose windows are asked for at once. With more, those on the screen come first and the others
  /// in turn.
  static let windowsLimit = 50

  let client: ServerClient
  /// Only this function; `nil` for all.
  let function: String?
  private var windows: [String: RecentWindows] = [:]
  private var turn = 0

  init(_ client: ServerClient, function: String?) {
    self.client = client
    self.function = function
  }

  mutating func ask(_ question: TopQuestion) throws(CommandFailure) -> TopAnswer {
    var status = try client.status(timeout: MetricsLambda.liveTimeout)
    if let function {
      let names = status.functions.map(\.displayName)
      status.functions.removeAll { $0.displayName != function && $0.function != function }
      guard !status.functions.isEmpty else {
        throw UnknownFunction.failure(function, known: names, at: "at \(client.address)")
      }
    }
    let names = status.functions.map(\.displayName)
    let known = Set(names)
    windows = windows.filter { known.contains($0.key) }
    for name in due(question.functions, of: names) {
      if let recent = try recent(name, window: status.agent.window) { windows[name] = recent }
    }
    var answer = TopAnswer(status: status, windows: windows)
    if question.wantsInstances {
      answer.instances = try client.instances(timeout: MetricsLambda.liveTimeout).instances
    }
    return answer
  }

  /// The functions to ask about now.
  private mutating func due(_ wanted: [String], of names: [String]) -> [String] {
    guard names.count > Self.windowsLimit else { return names }
    let known = Set(names)
    var due = wanted.filter(known.contains).prefix(Self.windowsLimit).map { $0 }
    let chosen = Set(due)
    for step in 0..<names.count where due.count < Self.windowsLimit {
      let name = names[(turn + step) % names.count]
      if !chosen.contains(name) { due.append(name) }
    }
    turn = (turn + Self.windowsLimit) % names.count
    return due
  }

  /// - Returns: `nil` if the agent knows nothing of it, or not in this form; the others are shown all the same.
  private func recent(_ name: String, window: Nanoseconds) throws(CommandFailure) -> RecentWindows? {
    guard window > .zero else { return nil }
    let length = DurationText.text(window)
    let range = DurationText.text(Nanoseconds(window.count * (RecentWindows.count - 1)))
    let path = "/api/v1/windows?function=\(PercentEncoding.encoded(name))&range=\(range)&resolution=\(length)"
    do {
      let body = try client.get(path, timeout: MetricsLambda.liveTimeout).body
      guard let document = try? WindowsDocument(json: body) else { return nil }
      return RecentWindows(document)
    } catch {
      // The function is one that the agent has just forgotten, or a name that its query does not take.
      guard error.exitCode == CommandFailure.usage("").exitCode else { throw error }
      return nil
    }
  }
}
