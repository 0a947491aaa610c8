import Testing

@testable import Sandboxes

@Suite struct `Process launcher location tests` {
  @Test(
    arguments: [
      ("/named", ["/named", "/bin/kelvin-launcher"], "/named"), (nil, ["/bin/kelvin-launcher"], "/bin/kelvin-launcher"),
      ("", ["/bin/kelvin-launcher"], "/bin/kelvin-launcher"),
      (nil, ["/bin/../libexec/kelvin/kelvin-launcher"], "/bin/../libexec/kelvin/kelvin-launcher"),
      ("/gone", ["/bin/kelvin-launcher"], nil), (nil, [], nil),
    ] as [(String?, [String], String?)])
  func `is found where it may be, in order`(_ named: String?, _ present: [String], _ found: String?) {
    #expect(
      (try? LauncherLocation.find(named: named, programDirectory: "/bin") { present.contains($0) }) == found)
  }

  @Test func `the error says where it was looked for`() {
    let error = #expect(throws: ProcessError.self) {
      _ = try LauncherLocation.find(named: nil, programDirectory: "/bin") { _ in false }
    }
    #expect(error?.code == .launcher)
    #expect(error?.message.contains("/bin/kelvin-launcher") == true)
    #expect(error?.message.contains("KELVIN_LAUNCHER") == true)
  }
}
