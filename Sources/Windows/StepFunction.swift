import Lifecycle

/// A value that changes at instants and holds in between, such as a limit; 0 before the first.
struct StepFunction: Sendable, Equatable {
  /// In ascending order of time.
  private(set) var steps: [Step] = []

  struct Step: Sendable, Equatable {
    var time: Timestamp
    var value: Int64
  }

  /// A stretch of time on which a value changed by the same amount.
  struct Change: Equatable {
    var from: Timestamp
    /// `nil`: for good.
    var until: Timestamp?
    var delta: Int64
  }

  /// The value at an instant.
  func value(at time: Timestamp) -> Int64 {
    steps.last { $0.time <= time }?.value ?? 0
  }

  /// States the value from an instant on, until the next statement; statements come in any order.
  mutating func set(_ value: Int64, at time: Timestamp) -> Change {
    let position = steps.firstIndex { $0.time > time } ?? steps.count
    let until = position < steps.count ? steps[position].time : nil
    let before = position > 0 ? steps[position - 1].value : 0
    if position > 0, steps[position - 1].time == time {
      // Two statements of one instant: the larger stands, whatever their order.
      steps[position - 1].value = max(before, value)
      return Change(from: time, until: until, delta: max(before, value) - before)
    }
    steps.insert(Step(time: time, value: value), at: position)
    return Change(from: time, until: until, delta: value - before)
  }

  /// Adds an amount on a stretch of time.
  mutating func add(_ change: Change) {
    guard change.delta != 0 else { return }
    ensureStep(at: change.from)
    if let until = change.until { ensureStep(at: until) }
    for position in steps.indices where steps[position].time >= change.from {
      if let until = change.until, steps[position].time >= until { break }
      steps[position].value += change.delta
    }
  }

  private mutating func ensureStep(at time: Timestamp) {
    let position = steps.firstIndex { $0.time >= time } ?? steps.count
    if position < steps.count, steps[position].time == time { return }
    steps.insert(Step(time: time, value: position > 0 ? steps[position - 1].value : 0), at: position)
  }

  /// The stretches of constant value that make up `[from, to)`, in order.
  func stretches(from: Timestamp, to: Timestamp) -> [(from: Timestamp, to: Timestamp, value: Int64)] {
    var stretches: [(from: Timestamp, to: Timestamp, value: Int64)] = []
    var begin = from
    var value = value(at: from)
    for step in steps where step.time > from && step.time < to {
      stretches.append((begin, step.time, value))
      begin = step.time
      value = step.value
    }
    stretches.append((begin, to, value))
    return stretches
  }

  /// Forgets steps before an instant, but for the value that holds there.
  mutating func forget(before time: Timestamp) {
    guard let last = steps.lastIndex(where: { $0.time <= time }), last > 0 else { return }
    steps.removeFirst(last)
  }
}
