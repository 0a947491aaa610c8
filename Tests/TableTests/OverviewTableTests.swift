import Documents
import ExporterSupport
import Lifecycle
import Table
import Testing

@Suite struct `An overview as a table` {
  private func control(_ functions: [ControlDocument.Function], unknown: [String] = []) -> ControlDocument {
    ControlDocument(
      endpoint: "https://lambda.eu-central-1.amazonaws.com", region: "eu-central-1", unknown: unknown,
      account: .init(concurrencyLimit: 1_000, unreservedConcurrency: 950), functions: functions)
  }

  private func pool(_ qualifier: String, _ status: String, _ available: Int64 = 2) -> ProvisionedDocument.Configuration
  {
    .init(qualifier: qualifier, requested: 2, allocated: 2, available: available, status: status)
  }

  @Test func `names the control plane unless the agent has named it`() {
    var control = control([])
    control.region = nil
    for (endpoint, isSaid) in [("http://127.0.0.1:27316", true), ("http://127.0.0.1:27317", false)] {
      control.endpoint = endpoint
      let lines = StatusTable.summary(OverviewDocument(status: Samples.status(), control: control))
      #expect(lines.contains("functions of \(endpoint)") == !isSaid)
      #expect(lines.last == "concurrent executions now: 2 of 1000, 950 unreserved")
    }
  }

  @Test func `says why instances cannot be started`() {
    let failed = ProvisionedDocument.Configuration(
      qualifier: "current", requested: 2, allocated: 1, available: 0, status: "FAILED", statusReason: "WHY")
    let document = OverviewDocument(
      status: nil, control: control([.init(name: "f", memoryLimitBytes: 1 << 30, provisioned: [failed])]))
    #expect(StatusTable.text(document).hasSuffix(" unknown  2/1/0, failed (WHY)\n"))
  }

  @Test func `is a table without instances where no agent answers`() {
    let document = OverviewDocument(
      status: nil,
      control: control([
        .init(
          name: "orders", state: "Active", memoryLimitBytes: 512 << 20, timeout: .seconds(10),
          temporaryStorageLimitBytes: 512 << 20, reserved: .some(50), provisioned: [pool("current", "READY")]),
        .init(
          name: "reports", state: "Inactive", memoryLimitBytes: 128 << 20, timeout: .seconds(3),
          temporaryStorageLimitBytes: 512 << 20, provisioned: [pool("live", "READY"), pool("7", "IN_PROGRESS", 0)]),
      ]))
    #expect(
      StatusTable.text(document) == """
        Function  Memory  Timeout  Temporary storage  Reserved  Provisioned (requested/allocated/available)  State
        orders    512 MB     10 s             512 MB        50  2/2/2, ready                                 Active
        reports   128 MB      3 s             512 MB   unknown  live 2/2/2, ready; 7 2/2/0, in progress      Inactive

        """)
    #expect(
      StatusTable.summary(document) == [
        "functions of https://lambda.eu-central-1.amazonaws.com (eu-central-1)",
        "concurrency of the account: 1000, 950 unreserved",
      ])
  }
}

@Suite struct `Concurrency in words` {
  @Test(arguments: [
    (Int64?.none, "f: no reserve"), (0, "f: reserved 0 (paused)"), (50, "f: reserved 50"),
  ])
  func `says what is reserved`(_ reserved: Int64?, line: String) {
    #expect(ConcurrencyText.line(ReservedDocument(function: "f", reserved: reserved)) == line)
  }

  @Test func `says what is provisioned, and shows nothing that steers a terminal`() {
    let document = ProvisionedDocument(
      function: "f\u{1B}",
      provisioned: [
        .init(qualifier: "live", requested: 5, allocated: 3, available: 0, status: "FAILED", statusReason: "why\n"),
        .init(qualifier: "7", requested: 1, allocated: 1, available: 1, status: "NEW_WORD"),
      ])
    #expect(
      ConcurrencyText.lines(document) == [
        "f\u{FFFD}:live: provisioned 5, allocated 3, available 0, failed (why\u{FFFD})",
        "f\u{FFFD}:7: provisioned 1, allocated 1, available 1, NEW_WORD",
      ])
    #expect(
      ConcurrencyText.lines(ProvisionedDocument(function: "f", provisioned: [])) == ["f: no provisioned concurrency"])
  }
}
