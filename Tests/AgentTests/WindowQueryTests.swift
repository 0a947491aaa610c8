import Lifecycle
import TestSupport
import Testing
import Windows

@testable import Agent

private struct Plan: CustomTestStringConvertible {
  var query: [(String, String?)]
  /// Seconds before now.
  var from: Int64
  var rows: Int64
  var resolution: Int64
  var tier: Int64

  init(_ query: [(String, String?)], from: Int64, rows: Int64, resolution: Int64, tier: Int64) {
    self.query = query
    self.from = from
    self.rows = rows
    self.resolution = resolution
    self.tier = tier
  }

  var testDescription: String { query.map { "\($0.0)=\($0.1 ?? "")" }.joined(separator: "&") }
}

private struct Refusal: CustomTestStringConvertible {
  var query: [(String, String?)]
  var parameter: String
  init(_ query: [(String, String?)], _ parameter: String) {
    self.query = query
    self.parameter = parameter
  }
  var testDescription: String { query.map { "\($0.0)=\($0.1 ?? "")" }.joined(separator: "&") }
}

private let now = ten + .seconds(90)

private func parse(_ items: [(String, String?)], window: Int64 = 60) throws(QueryProblem) -> WindowQuery {
  try WindowQuery(
    items.map { (name: $0.0, value: $0.1) },
    .init(now: now, retention: Retention(window: .seconds(window)), rowsLimit: 20_000))
}

@Suite struct `Window query tests` {
  @Test(arguments: [
    // now is 10:01:30; from is counted back from 10:00:00.
    Plan([], from: 43_200, rows: 13, resolution: 3_600, tier: 3_600),
    Plan([("range", "30m")], from: 1_740, rows: 31, resolution: 60, tier: 60),
    Plan([("range", "1h")], from: 3_600, rows: 7, resolution: 600, tier: 300),
    Plan([("range", "1h"), ("resolution", "1m")], from: 3_540, rows: 61, resolution: 60, tier: 60),
    Plan([("range", "12h")], from: 43_200, rows: 13, resolution: 3_600, tier: 3_600),
    Plan([("range", "1m")], from: 0, rows: 2, resolution: 60, tier: 60),
    // One minute windows are kept for 15 days: what is older comes in what there is.
    Plan([("range", "20d"), ("resolution", "1m")], from: 20 * 86_400, rows: 5_761, resolution: 300, tier: 300),
    Plan([("range", "20d"), ("resolution", "7m")], from: 20 * 86_400, rows: 2_881, resolution: 600, tier: 300),
    Plan(
      [("range", "500d"), ("resolution", "1d")], from: 500 * 86_400 + 36_000, rows: 501, resolution: 86_400, tier: 3_600
    ),
    Plan([("range", "100d"), ("resolution", "7m")], from: 100 * 86_400, rows: 2_401, resolution: 3_600, tier: 3_600),
  ])
  private func `a query is understood`(_ plan: Plan) throws {
    let query = try parse(plan.query)
    #expect(query.resolution == .seconds(plan.resolution))
    #expect(query.tier == .seconds(plan.tier))
    #expect(query.from == ten - .seconds(plan.from))
    #expect((query.to - query.from).count / query.resolution.count == plan.rows)
    #expect(query.to > now)
    #expect(query.function == nil)
  }

  @Test func `a span may be given by its ends`() throws {
    for from in ["2026-11-23T09:00:00Z", "1795424400", "1795424400.000"] {
      let query = try parse([("from", from), ("to", "2026-11-23T09:30:00Z")])
      #expect(query.from == ten - .seconds(3_600))
      #expect(query.to == ten - .seconds(1_800))
    }
    #expect(try parse([("to", "1795428000"), ("range", "10m")]).from == ten - .seconds(600))
    #expect(try parse([("from", "1795428000"), ("range", "10m")]).to == ten + .seconds(600))
    #expect(try parse([("from", "1795428000")]).to == ten + .seconds(120))
    #expect(try parse([("from", "1795428001"), ("to", "1795428002")]).from == ten)
  }

  @Test func `a function may have a version`() throws {
    #expect(try parse([("function", "orders")]).function == FunctionID("orders"))
    #expect(try parse([("function", "orders:live")]).function == FunctionID("orders", version: "live"))
    #expect(try parse([("function", "orders")]).scope == .function(FunctionID("orders")))
    #expect(try parse([]).scope == .account)
  }

  @Test func `windows of another length set the resolution`() throws {
    #expect(try parse([("range", "30m")], window: 7).resolution == .seconds(63))
    #expect(try parse([("range", "30m"), ("resolution", "7s")], window: 7).resolution == .seconds(7))
    #expect(try parse([("range", "30m")], window: 3_600).resolution == .seconds(3_600))
  }

  @Test(arguments: [
    Refusal([("rnage", "1h")], "rnage"), Refusal([("range", "")], "range"), Refusal([("range", nil)], "range"),
    Refusal([("range", "1h"), ("range", "2h")], "range"), Refusal([("range", "0s")], "range"),
    Refusal([("range", "-1h")], "range"), Refusal([("range", "12")], "range"), Refusal([("range", "h")], "range"),
    Refusal([("range", "1y")], "range"), Refusal([("range", "99999999999999999999h")], "range"),
    Refusal([("range", "9999999999h")], "range"), Refusal([("range", "11000d")], "range"),
    Refusal([("range", "1h"), ("from", "1795424400"), ("to", "1795424500")], "range"),
    Refusal([("resolution", "90s")], "resolution"), Refusal([("resolution", "1s")], "resolution"),
    Refusal([("resolution", "fine")], "resolution"), Refusal([("range", "14d"), ("resolution", "1m")], "resolution"),
    Refusal([("from", "yesterday")], "from"), Refusal([("from", "-5")], "from"), Refusal([("from", "1.2.3")], "from"),
    Refusal([("from", "0")], "from"), Refusal([("from", "99999999999")], "from"),
    Refusal([("from", "1795999999")], "from"),
    Refusal([("from", "2026-11-23T10:00:00Z"), ("to", "2026-11-23T10:00:00Z")], "to"),
    Refusal([("function", ":1")], "function"), Refusal([("function", "a:")], "function"),
    Refusal([("function", String(repeating: "a", count: 500))], "function"),
  ])
  private func `a query that makes no sense names the parameter`(_ refusal: Refusal) {
    var problem: QueryProblem?
    do { _ = try parse(refusal.query) } catch { problem = error }
    #expect(problem?.parameter == refusal.parameter)
    #expect(problem?.valid.isEmpty == false)
  }

  @Test func `a resolution that is asked for instead is one that works`() throws {
    do {
      _ = try parse([("range", "14d"), ("resolution", "1m")])
      Issue.record("20,160 rows are too many")
    } catch {
      #expect(error.valid.contains("resolution of 2m or more"))
    }
    #expect(throws: Never.self) { _ = try parse([("range", "14d"), ("resolution", "2m")]) }
  }

  @Test(arguments: [("30m", 1_800), ("1h30m", 5_400), ("7d", 604_800), ("2w", 1_209_600), ("300000ms", 300)])
  func `durations are read`(_ text: String, _ seconds: Int64) throws {
    let query = try parse([("range", text), ("to", "1795428000"), ("resolution", "5m")])
    #expect(query.to - query.from == .seconds(seconds))
  }

  @Test(arguments: ["gzip", "GZIP", "br, gzip;q=0.5", "*", "deflate, *;q=0.1", "gzip;q=0.001", "identity;q=0, gzip"])
  func `gzip is taken`(_ field: String) { #expect(AcceptEncoding.takesGzip([field])) }

  @Test(arguments: ["", "identity", "gzip;q=0", "gzip; q=0.0", "gzip;q=0, *", "*;q=0", "gzipped", "br,", "gzip;q=x"])
  func `gzip is not taken`(_ field: String) { #expect(!AcceptEncoding.takesGzip([field])) }
}
