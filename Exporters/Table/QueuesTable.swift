package import Lifecycle

/// Queues of a host as a table for people.
package enum QueuesTable {
  /// One queue, as its host tells it.
  package struct Row: Sendable {
    /// Its name.
    package var name: String
    /// The function that is given its jobs, and why it is not; `-` if there is none.
    package var function: String
    /// Jobs that could be given.
    package var waiting: Int
    /// Jobs that wait for a time.
    package var delayed: Int
    /// Jobs that somebody has.
    package var inFlight: Int
    /// The age of the oldest job; `nil` if there is none.
    package var oldest: Nanoseconds?
    /// The dead-letter queue; `-` if there is none.
    package var deadLetters: String

    /// A row of its parts.
    package init(
      name: String, function: String, waiting: Int, delayed: Int, inFlight: Int, oldest: Nanoseconds?,
      deadLetters: String
    ) {
      self.name = name
      self.function = function
      self.waiting = waiting
      self.delayed = delayed
      self.inFlight = inFlight
      self.oldest = oldest
      self.deadLetters = deadLetters
    }
  }

  /// The table, each line ended by a line feed.
  package static func text(_ rows: [Row], _ options: TableOptions = TableOptions()) -> String {
    var table = TextTable(columns: [
      .init(title: "Queue", alignment: .left, leastWidth: 10),
      .init(title: "Function", alignment: .left, leastWidth: 8),
      .init(title: "Waiting", alignment: .right), .init(title: "Delayed", alignment: .right),
      .init(title: "In flight", alignment: .right), .init(title: "Oldest", alignment: .right),
      .init(title: "Dead letters", alignment: .left, leastWidth: 8),
    ])
    table.rows = rows.map { row in
      [
        DisplayText.safe(row.name), DisplayText.safe(row.function), String(row.waiting), String(row.delayed),
        String(row.inFlight), row.oldest.map { Quantities.age($0) } ?? "-", DisplayText.safe(row.deadLetters),
      ]
    }
    return table.text(options)
  }
}
