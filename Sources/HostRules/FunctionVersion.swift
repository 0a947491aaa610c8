import Lifecycle

/// Which configuration of a function runs: the one that can change, or a published one, which cannot.
package enum FunctionVersion: Hashable, Comparable, Sendable {
  /// `$LATEST`; before all published ones in the order of lists.
  case latest
  /// The number is at least 1.
  case published(Int)

  /// `$LATEST`, or the number.
  package var text: String {
    switch self {
    case .latest: FunctionID.latest
    case .published(let number): String(number)
    }
  }

  /// Reads ``text``; `nil` for everything else, also for a number with a sign or leading zeros.
  package init?(text: some StringProtocol) {
    if text == FunctionID.latest {
      self = .latest
    } else if let number = Int(text), number >= 1, String(number) == text {
      self = .published(number)
    } else {
      return nil
    }
  }
}
