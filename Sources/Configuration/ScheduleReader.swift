import Glibc
import Lifecycle
import Schedules
import Text

/// Reads the section `schedules`.
struct ScheduleReader {
  var nodes: NodeReader
  /// The names of the file's functions.
  let functions: [String]
  /// Where time zones are.
  let zones = TimeZoneFiles.system
  /// The time of day: for schedules that do not come any more.
  let now = Timestamp(seconds: Int64(time(nil)))
  private var schedules: [ScheduleSettings] = []

  init(nodes: NodeReader, functions: [String]) {
    self.nodes = nodes
    self.functions = functions
  }

  /// AWS's limit for the input of a schedule, in bytes.
  private static let inputBytesMax = 256 << 10
  private static let inputDepthMax = 32

  mutating func read(_ section: YAMLNode.Entry) -> [ScheduleSettings] {
    let entries = nodes.uniqueEntries(of: section.value, name: "schedules")
    guard entries.count <= KelvinConfiguration.schedulesLimit else {
      nodes.add(
        section.value,
        "schedules has \(entries.count) entries; at most \(KelvinConfiguration.schedulesLimit) are allowed.")
      return []
    }
    for entry in entries { readSchedule(entry) }
    return schedules
  }

  private mutating func readSchedule(_ entry: YAMLNode.Entry) {
    nodes.checkName(entry, of: "a schedule")
    let keys = nodes.entries(
      of: entry.value, name: "the schedule \(quoted(entry.key))",
      keys: [
        "function", "expression", "timezone", "overlap", "input", "retries", "retryDelay", "maximumAge",
      ])
    for key in ["function", "expression"] where keys[key] == nil {
      let example = key == "function" ? "function: NAME" : "expression: \"cron(0 3 * * ? *)\""
      nodes.problems.append(
        ConfigurationProblem(
          line: entry.line, column: entry.column,
          message: "The schedule \(quoted(entry.key)) has no \(key); write \(example) below its name."))
    }
    let function = nodes.functionName(keys["function"], among: functions)
    let schedule = self.schedule(keys["expression"], keys["timezone"])
    let overlap = self.overlap(keys["overlap"])
    var input: String?
    if let entry = keys["input"] { input = self.input(entry) }
    let retries = nodes.integer(keys["retries"], in: 0...185)
    let delay = nodes.duration(keys["retryDelay"], in: .seconds(1)...(.seconds(3_600)))
    let age = nodes.duration(keys["maximumAge"], in: .seconds(60)...(.seconds(86_400)))
    guard let function, let schedule else { return }
    var settings = ScheduleSettings(name: entry.key, function: function, schedule: schedule)
    settings.input = input
    if let overlap { settings.overlap = overlap }
    if let retries { settings.retries = retries }
    if let delay { settings.retryDelay = delay }
    if let age { settings.maximumAge = age }
    schedules.append(settings)
  }

  private mutating func schedule(_ expression: YAMLNode.Entry?, _ timezone: YAMLNode.Entry?) -> Schedule? {
    var zone = TimeZone.utc
    if let timezone, let name = nodes.text(timezone) {
      do throws(TextProblem) {
        zone = try zones.zone(named: name)
      } catch {
        nodes.add(timezone.value, "timezone: \(error.message).")
        return nil
      }
    }
    guard let expression, let text = nodes.text(expression) else { return nil }
    do throws(TextProblem) {
      let schedule = try Schedule(text, zone: zone)
      // Of a single time, a host that runs on after it says the same with every start.
      let start = schedule.isOnce ? Timestamp(nanoseconds: 0) : now
      guard schedule.next(after: start, anchor: start) != nil else {
        nodes.add(expression.value, "expression: \(quoted(text)) never comes; look at its day, its month and its year.")
        return nil
      }
      if schedule.isOnce, schedule.next(after: now, anchor: now) == nil {
        nodes.warn(expression, "is in the past: the schedule does not run any more")
      }
      return schedule
    } catch {
      nodes.add(expression.value, "expression: \(error.message).")
      return nil
    }
  }

  private mutating func overlap(_ entry: YAMLNode.Entry?) -> ScheduleSettings.Overlap? {
    guard let entry, let text = nodes.text(entry) else { return nil }
    let overlap = ScheduleSettings.Overlap(rawValue: text)
    if overlap == nil { nodes.add(entry.value, "overlap must be start or skip, but is \(quoted(text)).") }
    return overlap
  }

  // MARK: JSON as YAML

  private mutating func input(_ entry: YAMLNode.Entry) -> String? {
    guard let value = json(entry.value, depth: 0) else { return nil }
    let text = value.text
    guard text.utf8.count <= Self.inputBytesMax else {
      nodes.add(entry.value, "input is \(text.utf8.count) bytes as JSON; at most \(Self.inputBytesMax) are allowed.")
      return nil
    }
    return text
  }

  private mutating func json(_ node: YAMLNode, depth: Int) -> JSONValue? {
    guard depth <= Self.inputDepthMax else {
      nodes.add(node, "input is nested deeper than \(Self.inputDepthMax) levels.")
      return nil
    }
    switch node.value {
    case .null: return .null
    case .text(let text, let isPlain): return isPlain ? Self.scalar(text) : .string(text)
    case .list(let items):
      var elements: [JSONValue] = []
      for item in items {
        guard let element = json(item, depth: depth + 1) else { return nil }
        elements.append(element)
      }
      return .array(elements)
    case .map:
      var members: [JSONValue.Member] = []
      for entry in nodes.uniqueEntries(of: node, name: "input") {
        guard let value = json(entry.value, depth: depth + 1) else { return nil }
        members.append(JSONValue.Member(entry.key, value))
      }
      return .object(members)
    }
  }

  /// A text without quotes: as YAML's JSON schema has it.
  private static func scalar(_ text: String) -> JSONValue {
    if text == "true" || text == "false" { return .bool(text == "true") }
    guard let first = text.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first),
      let value = try? JSONValue(Array(text.utf8).span, JSONRules(depthLimit: 1)), case .number = value
    else { return .string(text) }
    return value
  }
}
