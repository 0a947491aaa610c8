package import Text

/// The answer of `POST /v1/import`: what became of facts, and what is still to be computed of them.
package struct ImportAnswerDocument: Sendable, Equatable {
  /// Windows that were left as they are, because live events reached them.
  package struct Held: Sendable, Equatable {
    /// The function.
    package var function: String
    /// How many of its windows.
    package var windows: Int

    /// Makes a count.
    package init(function: String, windows: Int) {
      self.function = function
      self.windows = windows
    }
  }

  /// Facts that were not known; they are durable.
  package var accepted: UInt64
  /// Facts that were imported before.
  package var duplicates: UInt64
  /// Facts of a time of which nothing is kept any more.
  package var tooOld: UInt64
  /// Facts of more than a day after the agent's clock.
  package var inFuture: UInt64
  /// How many spans of time have windows that are not computed yet.
  package var pending: Int
  /// Of the span that was asked for; by name.
  package var held: [Held]

  /// Makes an answer of its parts.
  package init(
    accepted: UInt64 = 0, duplicates: UInt64 = 0, tooOld: UInt64 = 0, inFuture: UInt64 = 0, pending: Int = 0,
    held: [Held] = []
  ) {
    self.accepted = accepted
    self.duplicates = duplicates
    self.tooOld = tooOld
    self.inFuture = inFuture
    self.pending = pending
    self.held = held
  }

  /// The document as JSON.
  package func json() -> [UInt8] {
    var writer = JSONWriter.document(capacity: 128)
    writer.object { document in
      document.member("accepted", accepted)
      document.member("duplicates", duplicates)
      document.member("tooOld", tooOld)
      document.member("inFuture", inFuture)
      document.member("pending", pending)
      document.key("held")
      Held.write(held, to: &document)
    }
    return writer.bytes
  }

  /// Reads what ``json()`` writes. Members that this version does not know are ignored.
  ///
  /// - Throws: `JSONError` if it is not such a document.
  package init(json: [UInt8]) throws(JSONError) {
    var document = ImportAnswerDocument()
    var isAnswer = false
    try JSONReader.document(json) { (reader: inout JSONReader) throws(JSONError) in
      try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
        switch name {
        case "accepted": document.accepted = try reader.unsigned()
        case "duplicates": document.duplicates = try reader.unsigned()
        case "tooOld": document.tooOld = try reader.unsigned()
        case "inFuture": document.inFuture = try reader.unsigned()
        case "pending":
          document.pending = Int(clamping: try reader.unsigned())
          isAnswer = true
        case "held":
          var held: [Held] = []
          try reader.array { (reader: inout JSONReader) throws(JSONError) in held.append(try Held(from: &reader)) }
          document.held = held
        default: try reader.skip()
        }
      }
    }
    guard isAnswer else { throw JSONError(.missing, "pending is missing", position: 0) }
    self = document
  }
}

extension ImportAnswerDocument.Held {
  /// Writes a list of counts.
  package static func write(_ list: [ImportAnswerDocument.Held], to writer: inout JSONWriter) {
    writer.array { array in
      for held in list {
        array.object { document in
          document.member("function", held.function)
          document.member("windows", held.windows)
        }
      }
    }
  }

  fileprivate init(from reader: inout JSONReader) throws(JSONError) {
    var (function, windows): (String, UInt64) = ("", 0)
    try reader.object { (reader: inout JSONReader, name: String) throws(JSONError) in
      switch name {
      case "function": function = try reader.string()
      case "windows": windows = try reader.unsigned()
      default: try reader.skip()
      }
    }
    self.init(function: function, windows: Int(clamping: windows))
  }
}
