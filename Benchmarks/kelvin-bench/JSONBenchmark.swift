import Text

extension Benchmark {
  /// What a payload costs on its way: to be checked by a host, and to be written as the event of a function URL.
  static let json = Benchmark(name: "json") {
    let order = #"{"id":17,"name":"orders-17","price":12.50,"tags":["a","b\n","é"],"ok":true,"none":null}"#
    let members = Array("[\(Array(repeating: order, count: 2_000).joined(separator: ","))]".utf8)
    let body = String(repeating: "A line of a body, with \"quotes\" here and there.\n", count: 4_000)
    let text = JSONValue.string(body).bytes
    let rules = JSONRules(depthLimit: 1_024, loneSurrogates: .replaced)
    var problems = 0
    let ofMembers = Cost.least(ofRuns: 15) { if JSONReader.problem(in: members.span, rules) != nil { problems += 1 } }
    let ofText = Cost.least(ofRuns: 15) { if JSONReader.problem(in: text.span, rules) != nil { problems += 1 } }
    precondition(problems == 0, "BUG: what is JSON has \(problems) problems")
    var written = 0
    let writing = Cost.least(ofRuns: 15) {
      var writer = JSONWriter(capacity: 1_024)
      writer.object { event in
        for number in 0..<1_000 {
          event.member("name", "a value of some length")
          event.member("number", number)
          event.key("inner")
          event.object { $0.member("escaped", "a\"b") }
        }
      }
      written = writer.bytes.count
    }
    func speed(_ bytes: Int, _ cost: Cost) -> Double { Double(bytes) * 1e3 / cost.nanoseconds }
    return [
      Figure(
        name: "short members checked", value: speed(members.count, ofMembers), unit: "MB/s", target: .atLeast(200)),
      Figure(name: "a long text checked", value: speed(text.count, ofText), unit: "MB/s", target: .atLeast(500)),
      Figure(
        name: "allocations of a check", value: Double(ofMembers.allocations + ofText.allocations), unit: "",
        target: .atMost(0)),
      Figure(name: "short members written", value: speed(written, writing), unit: "MB/s", target: .atLeast(200)),
    ]
  }
}
