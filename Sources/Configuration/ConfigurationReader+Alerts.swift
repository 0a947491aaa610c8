import Text
import AlertRules
import Lifecycle

extension ConfigurationReader {
  /// The section `alerts`: each key is as `AlertKey.all` says.
  mutating func readAlerts(_ node: YAMLNode) {
    let keys = nodes.entries(of: node, name: "alerts", keys: AlertKey.all.map(\.name))
    for key in AlertKey.all {
      guard let entry = keys[key.name] else { continue }
      switch key.kind {
      case .duration(let path, let range): set(path, to: duration(entry, in: range))
      case .count(let path, let range): set(path, to: nodes.integer(entry, in: range))
      case .optionalCount(let path, let range): set(path, to: nodes.integer(entry, in: range).map(Optional.some))
      case .share(let path, let range): set(path, to: share(entry, in: range))
      case .jobName(let path):
        let advice = "must be 1 to 100 letters, digits and _ . : / -"
        set(path, to: text(entry, advice, if: AlertKey.isJobName))
      case .address(let path):
        let advice = "must be an address that begins with https:// or http://, of at most 500 characters"
        set(path, to: text(entry, advice, if: AlertKey.isAddress))
      }
    }
    if configuration.alerts.databaseConnectionsLimit != nil,
      !configuration.functions.contains(where: { $0.databaseConnections ?? 0 > 0 })
    {
      nodes.warn(keys["databaseConnectionsLimit"], "has no effect: no function has databaseConnections")
    }
  }

  private mutating func set<Value>(_ path: WritableKeyPath<AlertThresholds, Value>, to value: Value?) {
    if let value { configuration.alerts[keyPath: path] = value }
  }

  private mutating func duration(_ entry: YAMLNode.Entry, in range: ClosedRange<Nanoseconds>) -> Nanoseconds? {
    guard let length = nodes.duration(entry) else { return nil }
    if range.contains(length) { return length }
    let (first, last) = (DurationText.text(range.lowerBound), DurationText.text(range.upperBound))
    nodes.add(entry.value, "\(entry.key) must be from \(first) to \(last), but is \(DurationText.text(length)).")
    return nil
  }

  private mutating func share(_ entry: YAMLNode.Entry, in range: ClosedRange<Share>) -> Share? {
    guard let text = nodes.text(entry) else { return nil }
    if let share = Share(text), range.contains(share) { return share }
    nodes.add(
      entry.value,
      "\(entry.key) must be a share from \(range.lowerBound.percentage) to \(range.upperBound.percentage), such as 90% or 0.9, "
        + "but is \(quoted(text)).")
    return nil
  }

  private mutating func text(_ entry: YAMLNode.Entry, _ advice: String, if isGood: (String) -> Bool) -> String? {
    guard let text = nodes.text(entry) else { return nil }
    if isGood(text) { return text }
    nodes.add(entry.value, "\(entry.key) \(advice), but is \(quoted(text)).")
    return nil
  }
}
