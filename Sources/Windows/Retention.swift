public import Lifecycle

/// How long windows of one length are kept.
public struct RetentionTier: Sendable, Hashable {
  /// The length of its windows.
  public var length: Nanoseconds
  /// How long after its end a window is kept.
  public var kept: Nanoseconds

  /// Makes a tier; `kept` is longer than `length`.
  public init(length: Nanoseconds, kept: Nanoseconds) {
    self.length = length
    self.kept = kept
  }
}

/// The tiers of a store: finer windows for a short time, coarser ones for longer.
public struct Retention: Sendable, Hashable {
  /// From the finest to the coarsest; each length is a multiple of the one before. Never empty.
  public let tiers: [RetentionTier]

  /// What CloudWatch keeps, over windows of `window`: these 15 days, five minutes 63 days, an hour 455 days.
  ///
  /// Tiers that the window's length does not divide, or that are not coarser than it, are left out.
  public init(window: Nanoseconds) {
    var tiers = [RetentionTier(length: window, kept: .days(15))]
    for coarser in [
      RetentionTier(length: .seconds(300), kept: .days(63)), RetentionTier(length: .seconds(3600), kept: .days(455)),
    ] {
      let finest = tiers[tiers.count - 1].length.count
      if coarser.length.count > finest && coarser.length.count % finest == 0 { tiers.append(coarser) }
    }
    if tiers.count == 1 { tiers[0].kept = .days(455) }
    self.tiers = tiers
  }

  /// Makes the tiers of a store, from the finest to the coarsest.
  ///
  /// - Precondition: As ``tiers`` says.
  public init(tiers: [RetentionTier]) {
    precondition(!tiers.isEmpty, "BUG: retention without a tier")
    for (finer, coarser) in zip(tiers, tiers.dropFirst()) {
      precondition(
        coarser.length > finer.length && coarser.length.count % finer.length.count == 0,
        "BUG: windows of \(coarser.length.count) ns are no multiple of \(finer.length.count) ns")
    }
    self.tiers = tiers
  }

  /// The tier to read for windows of `resolution` from `from` on: the coarsest whose length divides the resolution and
  /// that still holds windows of that age. If there is none, the coarsest that holds them, or else the coarsest of all; its
  /// length need not divide the resolution.
  public func tier(resolution: Nanoseconds, from: Timestamp, now: Timestamp) -> RetentionTier {
    let dividing = tiers.filter { resolution.count % $0.length.count == 0 }
    let holding = dividing.filter { from >= now - $0.kept }
    return holding.last ?? tiers.last { from >= now - $0.kept } ?? tiers[tiers.count - 1]
  }

  /// The first instant of which a tier still keeps windows; windows that ended by then can be deleted.
  public func horizon(of tier: RetentionTier, now: Timestamp) -> Timestamp { now - tier.kept }
}

extension Nanoseconds {
  static func days(_ days: Int64) -> Nanoseconds { .seconds(days * 86_400) }
}

/// The length of the windows that an answer is folded into.
public enum Resolution {
  /// The length for a range when none is asked for: 1 min under 1 h, 10 min under 12 h, 1 h under 3 d, 4 h under 7 d,
  /// 1 d beyond; never finer than `window`.
  public static func suited(to range: Nanoseconds, window: Nanoseconds) -> Nanoseconds {
    let length: Nanoseconds
    switch range {
    case ..<(.seconds(3_600)): length = .seconds(60)
    case ..<(.seconds(12 * 3_600)): length = .seconds(600)
    case ..<(.days(3)): length = .seconds(3_600)
    case ..<(.days(7)): length = .seconds(4 * 3_600)
    default: length = .days(1)
    }
    return rounded(length, to: window)
  }

  /// The least multiple of `window` that is not shorter than `length`; at least `window`, and where no multiple is as
  /// long as `length`, the greatest one.
  public static func rounded(_ length: Nanoseconds, to window: Nanoseconds) -> Nanoseconds {
    guard length > window else { return window }
    let multiple = (length.count - 1) / window.count + 1
    let (product, overflow) = multiple.multipliedReportingOverflow(by: window.count)
    return Nanoseconds(overflow ? product &- window.count : product)
  }

  /// Folds windows into coarser ones of `length`: sums add, peaks take the larger, distributions merge.
  ///
  /// - Parameter length: A multiple of the windows' lengths; windows are placed by their start.
  /// - Returns: In ascending order of start, then of scope. A coarse window is closed if its end has passed with every
  ///   window in it closed.
  public static func fold(
    _ windows: some Sequence<WindowRollup>, into length: Nanoseconds, closedBefore closed: Timestamp
  ) -> [WindowRollup] {
    let grid = WindowGrid(length: length)
    var folded: [FoldKey: Rollup] = [:]
    for window in windows {
      let key = FoldKey(index: grid.index(of: window.start), scope: window.scope)
      folded[key, default: Rollup()].merge(window.rollup)
    }
    return folded.sorted { $0.key < $1.key }.map { key, rollup in
      let start = grid.start(key.index)
      return WindowRollup(
        scope: key.scope, start: start, length: length, isClosed: start + length <= closed, rollup: rollup)
    }
  }

  private struct FoldKey: Hashable, Comparable {
    var index: Int64
    var scope: Scope

    static func < (left: FoldKey, right: FoldKey) -> Bool {
      left.index == right.index ? left.scope < right.scope : left.index < right.index
    }
  }
}
