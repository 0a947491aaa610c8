import Lifecycle
import Windows

extension Catalogue {
  /// Totals of event sources, what there is now, and the largest values of the last closed window.
  static let eventSources: [MetricFamily] = Trigger.eventSources.flatMap { families(of: $0) }

  /// The metrics of one kind of source: counters, histograms, gauges, and the gauges of the last closed window.
  static func families(of trigger: Trigger) -> [MetricFamily] {
    let numbers = EventSourceNumber.all(of: trigger)
    return numbers.compactMap { counter($0, of: trigger) } + numbers.compactMap { histogram($0, of: trigger) }
      + numbers.compactMap { gauge($0, of: trigger) } + numbers.compactMap { maximum($0, of: trigger) }
  }

  private static func counter(_ number: EventSourceNumber, of trigger: Trigger) -> MetricFamily? {
    guard case .count(let counter) = number.content else { return nil }
    return MetricFamily(
      number.metric.name, .counter, help: number.metric.help, cloudWatch: number.metric.cloudWatch,
      source: .eventSource(trigger) { source, _ in .unsigned(source.totals[counter]) })
  }

  private static func histogram(_ number: EventSourceNumber, of trigger: Trigger) -> MetricFamily? {
    guard case .distribution(let duration) = number.content, let bounds = number.metric.bounds else { return nil }
    return MetricFamily(
      number.metric.name, .histogram, unit: .seconds, help: number.metric.help, cloudWatch: number.metric.cloudWatch,
      source: .eventSourceDistribution(trigger, bounds) { $0.totals[duration] })
  }

  /// What a source never told has no gauge, nor has anything of one that is gone.
  private static func gauge(_ number: EventSourceNumber, of trigger: Trigger) -> MetricFamily? {
    let read: @Sendable (EventSourceSnapshot, Timestamp) -> MetricValue?
    switch number.content {
    case .level(let level): read = { source, _ in source.present[level].map { .integer($0) } }
    case .oldestAge: read = { source, now in source.present.oldestAge(at: now).map { .duration($0) } }
    case .count, .distribution: return nil
    }
    return MetricFamily(
      number.metric.name, .gauge, unit: unit(number), help: number.metric.help, cloudWatch: number.metric.cloudWatch,
      source: .eventSource(trigger) { source, now in source.present.isGone ? nil : read(source, now) })
  }

  private static func maximum(_ number: EventSourceNumber, of trigger: Trigger) -> MetricFamily? {
    guard let name = number.metric.maximumName else { return nil }
    let read: @Sendable (EventSourceSnapshot) -> MetricValue?
    switch number.content {
    case .level(let level): read = { $0.present[level] == nil ? nil : .integer($0.lastClosed[level]) }
    case .oldestAge: read = { $0.present.oldestTold == nil ? nil : .duration($0.lastClosed.oldestAge) }
    case .count, .distribution: return nil
    }
    return MetricFamily(
      name, .gauge, unit: unit(number), help: number.metric.maximumHelp, cloudWatch: number.metric.cloudWatch,
      source: .eventSource(trigger) { source, _ in source.present.isGone ? nil : read(source) })
  }

  private static func unit(_ number: EventSourceNumber) -> MetricFamily.Unit {
    number.content == .oldestAge ? .seconds : .none
  }
}
