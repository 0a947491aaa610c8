import Documents
import ExporterSupport
import Lifecycle
import Testing

@Suite struct `An overview` {
  private func control(_ functions: [ControlDocument.Function], unknown: [String] = []) -> ControlDocument {
    ControlDocument(
      endpoint: "https://lambda.eu-central-1.amazonaws.com", region: "eu-central-1", unknown: unknown,
      account: .init(concurrencyLimit: 1_000, unreservedConcurrency: 950), functions: functions)
  }

  private func pool(_ qualifier: String, _ status: String, _ available: Int64 = 2) -> ProvisionedDocument.Configuration
  {
    .init(qualifier: qualifier, requested: 2, allocated: 2, available: available, status: status)
  }

  @Test func `takes what is configured from the control plane, and what it does not say from the agent`() {
    let document = OverviewDocument(
      status: Samples.status(),
      control: control([
        .init(name: "free", memoryLimitBytes: 1 << 30, timeout: .seconds(3)),
        .init(name: "orders", timeout: .seconds(10), reserved: .none, provisioned: []),
        .init(name: "new", memoryLimitBytes: 128 << 20),
      ]))
    let functions = document.functions
    #expect(functions.map(\.name) == ["free", "orders", "new", "paused", "unknown"])
    #expect(functions[0].memoryLimitBytes == 1 << 30)
    #expect(functions[0].timeout == .seconds(3))
    #expect(functions[0].temporaryStorageLimitBytes == 512 << 20)
    #expect(functions[0].reserved == ControlDocument.Reserved.none)
    #expect(functions[1].reserved == ControlDocument.Reserved.none)
    #expect(functions[1].provisioned == OverviewDocument.Provisioned.none)
    #expect(functions[1].activity?.busy == 2)
    #expect(functions[2].activity == nil)
    #expect(functions[2].reserved == .unknown)
    #expect(functions[3].version == "blue")
  }

  @Test(arguments: [
    (Int64(1_500_000_000), Int64(2), Int64(1_500_000_000)), (2_000_000_000, 2, 2_000_000_000),
    (2_000_000_001, 2, 2_000_000_000), (1_000_000_000, 2, 2_000_000_000), (.max, 2, 2_000_000_000),
    (.min, 2, 2_000_000_000), (1, .min, -9_223_372_036_854_775_808),
  ])
  func `has the agent's timeout where it is the same, rounded up to seconds`(
    _ seen: Int64, configured: Int64, shown: Int64
  ) {
    var status = Samples.status()
    status.functions[0].limits?.timeout = Nanoseconds(seen)
    let document = OverviewDocument(
      status: status, control: control([.init(name: "orders", timeout: .seconds(configured))]))
    #expect(document.functions[0].timeout == Nanoseconds(shown))
  }

  @Test func `adds up what is provisioned and has the state that asks for attention`() {
    let document = OverviewDocument(
      status: nil,
      control: control([
        .init(name: "f", provisioned: [pool("live", "READY"), pool("7", "FAILED", 0)]),
        .init(
          name: "g",
          provisioned: [
            .init(qualifier: "x", requested: .max, allocated: .min, available: 0, status: "A"), pool("1", "READY"),
          ]),
      ]))
    guard case .some(let total, let byQualifier) = document.functions[0].provisioned else {
      Issue.record("nothing is provisioned")
      return
    }
    #expect([total.requested, total.allocated, total.available] == [4, 4, 2])
    #expect(total.status == "FAILED")
    #expect(byQualifier?.map(\.qualifier) == ["live", "7"])
    guard case .some(let extreme, _) = document.functions[1].provisioned else { return }
    #expect(extreme.requested == .max)
  }

  @Test func `is the status of an agent in JSON, extended`() throws {
    let status = Samples.status()
    let alone = OverviewDocument(status: status, control: nil)
    #expect(alone.json() == status.json())
    let both = OverviewDocument(
      status: status, control: control([.init(name: "orders", memoryLimitBytes: 1 << 30)]))
    #expect(try StatusDocument(json: both.json()).functions[0].limits?.memoryLimitBytes == 1 << 30)
  }

  @Test func `leaves out of JSON what is not known`() {
    let document = OverviewDocument(
      status: nil,
      control: control(
        [
          .init(name: "f", state: "Inactive", memoryLimitBytes: 128 << 20, reserved: .some(0)), .init(name: "g"),
          .init(name: "h", reserved: .none, provisioned: [pool("live", "READY")]),
        ], unknown: ["GetAccountSettings"]))
    #expect(
      String(decoding: document.json(), as: UTF8.self) == """
        {"controlPlane":{"endpoint":"https://lambda.eu-central-1.amazonaws.com","region":"eu-central-1",\
        "unknown":["GetAccountSettings"]},"account":{"concurrencyLimit":1000,"unreservedConcurrency":950},\
        "functions":[{"function":"f","state":"Inactive","limits":{"memoryLimitBytes":134217728,"reserved":0}},\
        {"function":"g"},{"function":"h","limits":{"reserved":null,"provisioned":{"requested":2,"allocated":2,\
        "available":2,"status":"READY"},"provisionedByQualifier":[{"qualifier":"live","requested":2,"allocated":2,\
        "available":2,"status":"READY"}]}}]}
        """)
  }

  @Test func `of the concurrency of one function is a document`() {
    let reserved = ReservedDocument(function: "f\"", reserved: nil)
    #expect(String(decoding: reserved.json(), as: UTF8.self) == #"{"function":"f\"","reserved":null}"#)
    let provisioned = ProvisionedDocument(
      function: "f",
      provisioned: [
        .init(qualifier: "a", requested: 1, allocated: 0, available: 0, status: "FAILED", statusReason: "r")
      ])
    #expect(
      String(decoding: provisioned.json(), as: UTF8.self) == """
        {"function":"f","provisioned":[{"qualifier":"a","requested":1,"allocated":0,"available":0,"status":"FAILED",\
        "statusReason":"r"}]}
        """)
  }
}
