import Text
import Lifecycle
import Windows

/// One member of a map of counts by word, such as `"handler":1`.
public struct NamedCount: Sendable, Equatable {
  /// The word, or one that a later version has written and that this one does not know.
  public var name: String
  /// How often it was counted.
  public var count: UInt64

  /// Makes a member of a map.
  public init(_ name: String, _ count: UInt64) {
    self.name = name
    self.count = count
  }
}

extension [NamedCount] {
  /// The words that were counted at all, in the order of their set.
  init<Key: Word>(_ counts: WordCounts<Key>) {
    self = Key.allCases.compactMap { key in counts[key] == 0 ? nil : NamedCount(key.name, counts[key]) }
  }

  func write(_ name: String, to writer: inout JSONWriter) {
    writer.key(name)
    writer.beginObject()
    for entry in self { writer.member(entry.name, entry.count) }
    writer.endObject()
  }

  /// Words that this version does not know are kept.
  init(from reader: inout JSONReader) throws(JSONError) {
    var entries: [NamedCount] = []
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      entries.append(NamedCount(name, try reader.unsigned()))
    }
    self = entries
  }
}
