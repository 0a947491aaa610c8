package import LambdaRecords
package import Lifecycle
package import Windows

/// The windows of a span of time, of the facts in it and around it.
///
/// Facts have to come in an order that depends on nothing but what they are; then the windows depend on nothing else, either.
package struct ImportedWindows {
  /// About how many requests wait for more to be said of them.
  private static let pendingMax = 1 << 16
  /// The most functions that are told apart in one span.
  private static let functionsLimit = 10_000

  private let start: Timestamp
  private let end: Timestamp
  private var lives: ImportedLives
  private var reconstruction = LifeReconstruction()
  /// The numbers of streams, by those of who keeps them.
  private var streams: [Int64: Int] = [:]
  private var linesUntilDrain = ImportedWindows.pendingMax
  /// Facts that cannot be read.
  package private(set) var damaged = 0

  /// Makes the windows that begin in `[start, end)`.
  ///
  /// - Parameters:
  ///   - start: A multiple of `window`.
  ///   - end: A multiple of `window`.
  ///   - window: The length of the windows; 1 s to 1 h.
  package init(from start: Timestamp, to end: Timestamp, window: Nanoseconds) {
    (self.start, self.end) = (start, end)
    lives = ImportedLives(window: window, functionsLimit: ImportedWindows.functionsLimit)
  }

  /// Takes a fact.
  ///
  /// - Parameters:
  ///   - bytes: As `LogFact` writes them.
  ///   - number: Of the stream; the same one for all of its facts.
  ///   - stream: What is known of it.
  package mutating func take(_ bytes: Span<UInt8>, at time: Timestamp, of number: Int64, _ stream: FactBatch.Stream) {
    guard let fact = LogFact(bytes: bytes, at: time) else {
      damaged += 1
      return
    }
    let own: Int
    if let known = streams[number] {
      own = known
    } else {
      own = reconstruction.stream(stream.name, of: "\(number)", function: stream.function)
      if let seen = stream.lastSeen { reconstruction.seen(own, at: seen) }
      streams[number] = own
    }
    fact.tell(&reconstruction, of: own)
    linesUntilDrain -= 1
    guard linesUntilDrain <= 0 else { return }
    linesUntilDrain = ImportedWindows.pendingMax / 2
    if reconstruction.pendingCount > ImportedWindows.pendingMax { drain(keeping: ImportedWindows.pendingMax / 2) }
  }

  private mutating func drain(keeping count: Int) {
    reconstruction.drain(keeping: count) { life in
      // What nothing names belongs to no function that could be asked for.
      if life.function != nil { lives.take(life) }
    }
  }

  /// Takes the end of the facts.
  ///
  /// - Returns: The windows in which something happened, of functions and of the account.
  package mutating func finish() -> [WindowRollup] {
    drain(keeping: 0)
    return lives.windows(from: start, to: end)
  }
}

extension Life {
  /// The name of the function; `nil` if nothing says it.
  fileprivate var function: String? {
    switch self {
    case .invocation(let invocation): invocation.function
    case .unended(let unended): unended.function
    case .initialization(let initialization): initialization.function
    }
  }
}
