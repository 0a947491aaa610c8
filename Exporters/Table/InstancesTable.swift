package import Documents
import Lifecycle

/// The instances that are alive, as an aligned table.
package enum InstancesTable {
  /// The table, its header alone if there are no instances; every line ends with a line feed.
  package static func text(_ document: InstancesDocument, _ options: TableOptions = TableOptions()) -> String {
    var table = TextTable(columns: [
      TextTable.Column(title: "Function", alignment: .left, leastWidth: 8),
      TextTable.Column(title: "Instance", alignment: .left, leastWidth: 9),
      TextTable.Column(title: "State", alignment: .left),
      TextTable.Column(title: "Initialization type", alignment: .left, leastWidth: 9),
      TextTable.Column(title: "Age", alignment: .right), TextTable.Column(title: "Initialization", alignment: .right),
      TextTable.Column(title: "Invocations", alignment: .right),
    ])
    table.rows = document.instances.map { instance in
      let name = instance.version.map { "\(instance.function):\($0)" } ?? instance.function
      return [
        DisplayText.safe(name), DisplayText.safe(instance.instance), DisplayText.safe(instance.state),
        DisplayText.safe(instance.initializationType), Quantities.age(instance.age),
        instance.initialization.map { Quantities.duration($0.count) } ?? "", String(instance.invocations),
      ]
    }
    if let width = options.width, table.width > width { table.gap = 1 }
    return table.text(options)
  }
}
