import Documents
import Lifecycle

/// Asks for windows, and every ten seconds for the limit of their concurrency.
struct WatchAsker: Asking {
  /// Limits change rarely, and the answer with them is as long as there are functions.
  private static let limitAge = Nanoseconds.seconds(10)

  let function: String?
  /// The windows, from an agent or out of a store.
  let windows: @Sendable () throws(CommandFailure) -> WindowsDocument
  /// `nil` where only a store is read.
  let status: (@Sendable () throws(CommandFailure) -> StatusDocument)?
  private var limit: (value: Int64?, time: Timestamp)?

  init(
    function: String?, windows: @escaping @Sendable () throws(CommandFailure) -> WindowsDocument,
    status: (@Sendable () throws(CommandFailure) -> StatusDocument)?
  ) {
    self.function = function
    self.windows = windows
    self.status = status
  }

  mutating func ask(_ question: Void) throws(CommandFailure) -> WatchAnswer {
    let document = try windows()
    let now = SystemClock.now()
    if let status, limit.map({ now - $0.time >= Self.limitAge || now < $0.time }) ?? true {
      limit = (Self.limit(of: function, try status()), now)
    }
    return WatchAnswer(windows: document, concurrencyLimit: limit?.value, time: now)
  }

  /// The function's reserve, else what the account has.
  static func limit(of function: String?, _ status: StatusDocument) -> Int64? {
    let own = status.functions.first { function != nil && $0.displayName == function }
    return own?.limits?.reserved ?? status.account.concurrencyLimit
  }
}

extension FunctionDocument {
  /// `name`, or `name:version`, as the API takes it.
  var displayName: String { version.map { "\(function):\($0)" } ?? function }
}
