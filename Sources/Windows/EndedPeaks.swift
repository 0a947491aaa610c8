public import Lifecycle

/// The largest values of the invocations that ended in one window.
///
/// By their end, unlike all else that is counted of an invocation: one that runs for longer than a window would be reported
/// into a window that was closed long before, where no scraper looks any more.
public struct EndedPeaks: Sendable, Equatable {
  /// Zero if none ended.
  public var duration: Nanoseconds = .zero
  /// The most memory that an instance had used; 0 if none ended, or none was reported.
  public var memoryUsedBytes: Int64 = 0

  /// Makes peaks of the largest values; without any, those of a window in which no invocation ended.
  public init(duration: Nanoseconds = .zero, memoryUsedBytes: Int64 = 0) {
    self.duration = duration
    self.memoryUsedBytes = memoryUsedBytes
  }

  /// The larger of each value.
  func merged(_ other: EndedPeaks) -> EndedPeaks {
    EndedPeaks(
      duration: max(duration, other.duration), memoryUsedBytes: max(memoryUsedBytes, other.memoryUsedBytes))
  }
}

/// The ``EndedPeaks`` of the latest windows: enough for the last closed one and those that events are still due for.
struct RecentEndedPeaks: Sendable {
  private struct Slot {
    var window = Int64.min
    var peaks = EndedPeaks()
  }

  /// A window's slot is its index modulo their number; a later window takes the place of an earlier one.
  private var slots = InlineArray<4, Slot>(repeating: Slot())

  mutating func add(_ window: Int64, _ peaks: EndedPeaks) {
    let position = RecentEndedPeaks.position(window)
    if slots[position].window != window {
      // What ended so long ago is past every reader.
      guard slots[position].window < window else { return }
      slots[position] = Slot(window: window)
    }
    slots[position].peaks = slots[position].peaks.merged(peaks)
  }

  /// For a store: the windows in which any invocation ended, in no order that means anything.
  func stored(_ grid: WindowGrid) -> [StoredEndedPeaks] {
    slots.indices.compactMap { position in
      let slot = slots[position]
      return slot.window == .min ? nil : StoredEndedPeaks(start: grid.start(slot.window), peaks: slot.peaks)
    }
  }

  subscript(window: Int64) -> EndedPeaks {
    let slot = slots[RecentEndedPeaks.position(window)]
    return slot.window == window ? slot.peaks : EndedPeaks()
  }

  private static func position(_ window: Int64) -> Int { Int(truncatingIfNeeded: window & 3) }
}
