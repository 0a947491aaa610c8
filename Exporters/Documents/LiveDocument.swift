import Text
public import Lifecycle
public import Windows

/// One event of `GET /api/v1/live`: what some functions are doing now.
///
/// Nothing in it but `time` changes while nothing happens: ages are left to the reader, who has starts.
public struct LiveDocument: Sendable {
  /// The live instances of one function.
  public struct Instances: Sendable {
    /// Whose instances they are.
    public var function: FunctionID
    /// How many there are; ``shown`` may be fewer.
    public var total: Int
    /// By start.
    public var shown: [InstanceSnapshot]

    /// Makes the live instances of a function; `total` is at least the count of `shown`.
    public init(function: FunctionID, total: Int, shown: [InstanceSnapshot]) {
      self.function = function
      self.total = total
      self.shown = shown
    }
  }

  /// The start of the window that is open.
  public var window: Timestamp
  /// What all functions together are doing now.
  public var account: Activity
  /// Those that were asked for, as far as they are known.
  public var functions: [FunctionDocument]
  /// `nil` if none were asked for; then there is no such member.
  public var instances: Instances?

  /// Makes an event of what is so at one instant.
  public init(window: Timestamp, account: Activity, functions: [FunctionDocument], instances: Instances?) {
    self.window = window
    self.account = account
    self.functions = functions
    self.instances = instances
  }

  /// All members but `time`, without the brackets of the document.
  ///
  /// - Complexity: O(functions and instances shown).
  public func members() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 512 + 512 * functions.count + 256 * (instances?.shown.count ?? 0))
    writer.member("window", RFC3339.text(window))
    writer.key("account")
    account.write(to: &writer)
    writer.key("functions")
    writer.beginArray()
    for function in functions { function.write(to: &writer) }
    writer.endArray()
    if let instances {
      writer.key("instances")
      instances.write(to: &writer)
    }
    return writer.bytes
  }

  /// The document, out of ``members()``.
  public static func json(time: Timestamp, members: [UInt8]) -> [UInt8] {
    var writer = JSONWriter.document(capacity: members.count + 64)
    writer.beginObject()
    writer.member("time", RFC3339.text(time))
    return writer.bytes + Array(",".utf8) + members + Array("}".utf8)
  }
}

extension Activity {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("functions", functions)
    writer.member("concurrentExecutions", concurrentExecutions)
    if let concurrencyLimit { writer.member("concurrencyLimit", concurrencyLimit) }
    writer.key("instances")
    writer.beginObject()
    for state in InstanceState.allCases { writer.member(state.name, instances[state]) }
    writer.endObject()
    writer.endObject()
  }
}

extension LiveDocument.Instances {
  fileprivate func write(to writer: inout JSONWriter) {
    writer.beginObject()
    writer.member("function", function.name)
    if function.version != FunctionID.latest { writer.member("version", function.version) }
    writer.member("total", total)
    writer.key("shown")
    writer.beginArray()
    // Those that are asked for by their function do not name it again, and readers tell ages by starts.
    for instance in shown {
      writer.beginObject()
      InstanceDocument(instance, at: instance.started).writeLife(to: &writer, age: nil)
      writer.endObject()
    }
    writer.endArray()
    writer.endObject()
  }
}
