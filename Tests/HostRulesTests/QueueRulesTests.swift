import HostRules
import Lifecycle
import TestSupport
import Testing

/// A queue as simple as it can be: a list in the order of sequence numbers, and the line of a standard queue.
private struct ModelQueue {
  struct Message {
    var sequence: Int64
    var group: String
    var sentAt: Timestamp
    var availableAt: Timestamp
    var receives = 0
    /// `nil`: nobody has it.
    var hiddenUntil: Timestamp?
  }

  var isFIFO: Bool
  var maximumReceives: Int?
  var messages: [Message] = []

  mutating func settle(at now: Timestamp) -> [Int64] {
    var dead: [Int64] = []
    for position in messages.indices.reversed() {
      guard let until = messages[position].hiddenUntil, until <= now else { continue }
      messages[position].hiddenUntil = nil
      if let maximumReceives, messages[position].receives >= maximumReceives {
        dead.append(messages.remove(at: position).sequence)
      }
    }
    return dead
  }

  /// What may be given now, in the order of each group.
  func givable(at now: Timestamp) -> [String: [Int64]] {
    var lines: [String: [Int64]] = [:]
    for (group, members) in Dictionary(grouping: messages, by: { isFIFO ? $0.group : "" }) {
      if isFIFO, members.contains(where: { $0.hiddenUntil != nil }) { continue }
      let free = members.filter { $0.hiddenUntil == nil }
      lines[group] =
        isFIFO
        ? free.prefix { $0.availableAt <= now }.map(\.sequence)
        : free.filter { $0.availableAt <= now }.map(\.sequence)
    }
    return lines.filter { !$0.value.isEmpty }
  }

  func position(_ sequence: Int64) -> Int? { messages.firstIndex { $0.sequence == sequence } }
}

@Suite struct `The rules of queues` {
  private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(seconds: 1_000) + .milliseconds(milliseconds) }

  private func fifo(_ groups: [String], maximumReceives: Int? = nil) -> QueueRules {
    var rules = QueueRules(isFIFO: true, maximumReceives: maximumReceives)
    for (position, group) in groups.enumerated() {
      rules.add(Int64(position), group: group, sentAt: at(0), availableAt: at(0), at: at(0))
    }
    return rules
  }

  @Test func `a group waits until all of it that was given is done`() {
    var rules = fifo(["a", "a", "a", "b"])
    #expect(rules.take(2, fromOneGroup: true, until: nil, at: at(1)).map(\.sequence) == [0, 1])
    #expect(rules.take(10, fromOneGroup: false, until: nil, at: at(1)).map(\.sequence) == [3])
    #expect(rules.groupsInFlightCount == 2)
    #expect(rules.remove(0) == true)
    #expect(rules.take(10, fromOneGroup: false, until: nil, at: at(2)).isEmpty)
    #expect(rules.remove(1) == true)
    #expect(rules.take(10, fromOneGroup: false, until: nil, at: at(2)).map(\.sequence) == [2])
    #expect(rules.groupsInFlightCount == 2)
  }

  @Test func `what failed is first again, in its order, whichever comes back first`() {
    for order in [[1, 0], [0, 1]] as [[Int64]] {
      var rules = fifo(["a", "a", "a"])
      _ = rules.take(2, fromOneGroup: true, until: nil, at: at(1))
      for sequence in order { #expect(rules.fail([sequence], at: at(2)) { _ in at(2) }.isEmpty) }
      let again = rules.take(10, fromOneGroup: true, until: nil, at: at(2))
      #expect(again.map(\.sequence) == [0, 1, 2])
      #expect(again.map(\.receives) == [2, 2, 1])
    }
  }

  @Test func `a time that its consumer set goes before the delay of a retry`() {
    var rules = fifo(["a"])
    _ = rules.take(1, fromOneGroup: true, until: nil, at: at(1))
    let isHidden = rules.hide(0, until: at(60))
    #expect(isHidden)
    #expect(rules.fail([0], at: at(2)) { _ in at(2) }.isEmpty)
    #expect(rules.take(1, fromOneGroup: true, until: nil, at: at(59)).isEmpty)
    #expect(rules.nextDue == at(60))
    _ = rules.advance(to: at(60))
    #expect(rules.take(1, fromOneGroup: true, until: nil, at: at(60)).map(\.receives) == [2])
  }

  @Test func `a delayed retry holds its group, and no other`() {
    var rules = fifo(["a", "a", "b"])
    _ = rules.take(1, fromOneGroup: true, until: nil, at: at(1))
    _ = rules.fail([0], at: at(1)) { _ in at(100) }
    #expect(rules.take(10, fromOneGroup: false, until: nil, at: at(50)).map(\.sequence) == [2])
    #expect(rules.nextDue == at(100))
    #expect(rules.delayedCount == 1)
    _ = rules.advance(to: at(100))
    #expect(rules.take(10, fromOneGroup: false, until: nil, at: at(100)).map(\.sequence) == [0, 1])
  }

  @Test func `a delivery that was given back was no receive`() {
    var rules = fifo(["a"], maximumReceives: 1)
    _ = rules.take(1, fromOneGroup: true, until: nil, at: at(1))
    rules.giveBack([0], at: at(1))
    #expect(rules.take(1, fromOneGroup: true, until: nil, at: at(1)).map(\.receives) == [1])
    #expect(rules.fail([0], at: at(2)) { _ in at(2) }.map(\.sequence) == [0])
    #expect(rules.count == 0)
  }

  @Test func `a message whose time is up is dropped, but not from who has it`() {
    var rules = QueueRules(isFIFO: false, retention: .milliseconds(100))
    for sequence in 0..<3 as Range<Int64> {
      rules.add(sequence, group: "", sentAt: at(sequence * 10), availableAt: at(0), at: at(0))
    }
    _ = rules.take(1, fromOneGroup: true, until: nil, at: at(50))
    #expect(rules.advance(to: at(115)).expired.isEmpty)
    #expect(rules.nextDue == nil)
    #expect(rules.fail([0], at: at(116)) { _ in at(116) }.isEmpty)
    #expect(rules.advance(to: at(116)).expired.map(\.sequence) == [0, 1])
    #expect(rules.oldest == at(20))
  }

  @Test(arguments: [(1, 0), (2, 100), (3, 200), (60, 900_000)])
  func `a delay doubles up to a quarter of an hour`(receives: Int, milliseconds: Int64) {
    let delay = RetryDelay.backOff(first: .milliseconds(receives == 1 ? 0 : 50))
    let next = delay.next(
      receives: receives, deliveredAt: at(0), failedAt: at(5), visibilityTimeout: .seconds(30))
    #expect(next == at(5 + milliseconds))
  }

  /// Random sends, receives, failures, deletions and pauses, compared with the model after each step.
  @Test(arguments: 0..<40)
  func `gives what the model gives`(seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    let isFIFO = seed % 2 == 0
    let maximum = seed % 4 < 2 ? nil : 3 as Int?
    var rules = QueueRules(isFIFO: isFIFO, maximumReceives: maximum)
    var model = ModelQueue(isFIFO: isFIFO, maximumReceives: maximum)
    var (sequence, time): (Int64, Int64) = (0, 0)
    for _ in 0..<400 {
      time += Int64.random(in: 0...20, using: &random)
      let now = at(time)
      let changes = rules.advance(to: now)
      #expect(Set(changes.deadLetters.map(\.sequence)) == Set(model.settle(at: now)))
      switch Int.random(in: 0..<10, using: &random) {
      case 0..<4:
        let group = "g\(Int.random(in: 0..<5, using: &random))"
        let delay = isFIFO ? 10 : Int64.random(in: 0...30, using: &random)
        sequence += 1
        rules.add(sequence, group: group, sentAt: now, availableAt: now + .milliseconds(delay), at: now)
        model.messages.append(
          .init(sequence: sequence, group: group, sentAt: now, availableAt: now + .milliseconds(delay)))
      case 4..<7: take(&rules, &model, at: now, &random)
      case 7: end(&rules, &model, at: now, &random, removes: true)
      case 8: end(&rules, &model, at: now, &random, removes: false)
      default: giveBack(&rules, &model, at: now, &random)
      }
      check(rules, model, at: now)
    }
  }

  private func take(
    _ rules: inout QueueRules, _ model: inout ModelQueue, at now: Timestamp, _ random: inout SplitMix
  ) {
    let limit = Int.random(in: 1...5, using: &random)
    let until = Bool.random(using: &random) ? now + .milliseconds(Int64.random(in: 1...60, using: &random)) : nil
    let given = rules.take(limit, fromOneGroup: Bool.random(using: &random), until: until, at: now)
    let lines = model.givable(at: now)
    #expect(given.isEmpty == lines.isEmpty)
    for (group, sequences) in lines {
      let ours = given.map(\.sequence).filter { sequences.contains($0) }
      if model.isFIFO { #expect(ours == Array(sequences.prefix(ours.count)), "group \(group)") }
    }
    #expect(given.allSatisfy { delivery in lines.values.contains { $0.contains(delivery.sequence) } })
    for delivery in given {
      guard let position = model.position(delivery.sequence) else { continue }
      model.messages[position].receives += 1
      model.messages[position].hiddenUntil = until ?? Timestamp(nanoseconds: .max)
      #expect(model.messages[position].receives == delivery.receives)
    }
  }

  private func end(
    _ rules: inout QueueRules, _ model: inout ModelQueue, at now: Timestamp, _ random: inout SplitMix, removes: Bool
  ) {
    guard let message = model.messages.filter({ $0.hiddenUntil != nil }).randomElement(using: &random),
      let position = model.position(message.sequence)
    else { return }
    if removes {
      #expect(rules.remove(message.sequence) == true)
      model.messages.remove(at: position)
      return
    }
    let time = now + .milliseconds(Int64.random(in: 0...10, using: &random))
    let dead = rules.fail([message.sequence], at: now) { _ in time }
    // Whoever has it may have said when it comes back.
    let said = message.hiddenUntil.flatMap { $0.nanoseconds == .max ? nil : $0 }
    model.messages[position].hiddenUntil = nil
    model.messages[position].availableAt = said ?? time
    if let maximum = model.maximumReceives, message.receives >= maximum {
      #expect(dead.map(\.sequence) == [message.sequence])
      model.messages.remove(at: position)
    } else {
      #expect(dead.isEmpty)
    }
  }

  private func giveBack(
    _ rules: inout QueueRules, _ model: inout ModelQueue, at now: Timestamp, _ random: inout SplitMix
  ) {
    guard let message = model.messages.filter({ $0.hiddenUntil != nil }).randomElement(using: &random),
      let position = model.position(message.sequence)
    else { return }
    rules.giveBack([message.sequence], at: now)
    model.messages[position].hiddenUntil = nil
    model.messages[position].availableAt = now
    model.messages[position].receives -= 1
  }

  private func check(_ rules: QueueRules, _ model: ModelQueue, at now: Timestamp) {
    let inFlight = model.messages.filter { $0.hiddenUntil != nil }
    #expect(rules.count == model.messages.count)
    #expect(rules.inFlightCount == inFlight.count)
    let delayed = model.messages.filter { $0.hiddenUntil == nil && $0.availableAt > now }
    #expect(rules.delayedCount == delayed.count)
    #expect(rules.waitingCount == model.messages.count - inFlight.count - delayed.count)
    #expect(rules.groupsInFlightCount == (model.isFIFO ? Set(inFlight.map(\.group)).count : 0))
    #expect(rules.oldest == model.messages.first?.sentAt)
  }
}
