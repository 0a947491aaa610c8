import Text
import Documents
import Lifecycle
import Table
import Windows

extension Benchmark {
  /// What `kelvin metrics lambda --range 12h --resolution 1m` does with the answer of the agent.
  static let windowsDocument = Benchmark(name: "windows-document") {
    let start = Timestamp(seconds: 1_795_428_000)
    let function = ManyFunctions.snapshot(1).functions[0]
    let rollups = (0..<Int64(720)).map { minute in
      var rollup = Rollup()
      rollup.tally = function.totals
      rollup.peaks.concurrency = minute % 17
      return WindowRollup(
        scope: .function(function.function), start: start + .seconds(60 * minute), length: .seconds(60), isClosed: true,
        rollup: rollup)
    }
    let document = WindowsDocument(
      resolution: .seconds(60), from: start, to: start + .seconds(720 * 60), rollups: rollups)
    var json: [UInt8] = []
    var table = ""
    let write = Cost.least(ofRuns: 5) { json = document.json() }
    let read = Cost.least(ofRuns: 5) {
      do throws(JSONError) {
        table = WindowsTable.text(try WindowsDocument(json: json), TableOptions(width: 100))
      } catch {
        fatalError("BUG: the document does not read back: \(error)")
      }
    }
    precondition(table.utf8.count > 720, "BUG: a table of \(table.utf8.count) bytes")
    return [
      Figure(name: "720 windows", value: Double(json.count) / 1e3, unit: "kB", target: .none),
      Figure(name: "written", value: write.nanoseconds / 1e6, unit: "ms", target: .atMost(5)),
      Figure(name: "read and shown", value: read.nanoseconds / 1e6, unit: "ms", target: .atMost(15)),
    ]
  }
}
