import AlertRules
import Foundation
import Testing

@testable import kelvin

@Suite struct `rules` {
  private static let file = """
    functions:
      orders: {command: [a], databaseConnections: 2}
    alerts: {databaseConnectionsLimit: 50, coldStartShare: 12.5%}

    """

  @Test func `prints the defaults where there is no configuration`() throws {
    let outcome = try KelvinBinary.run(["rules"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
    #expect(outcome.output == AlertRules().yaml)
  }

  @Test(arguments: [["rules"], ["rules", "--config", "kelvin.yaml"]])
  func `fills in what the configuration says`(_ arguments: [String]) throws {
    let folder = try TemporaryFolder()
    try folder.write(Self.file, to: "kelvin.yaml")
    let outcome = try KelvinBinary.run(arguments, folder: folder)
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
    #expect(outcome.output.contains("> 0.125\n"))
    #expect(outcome.output.contains(#"lambda_instances_max{function=~"orders"}[5m])) * 2"#))
    #expect(outcome.output.contains("sum without (function) (function:lambda_database_connections:max5m) / 50 > 0.8"))
  }

  @Test func `writes a file in the place of the old one, and keeps its mode`() throws {
    let folder = try TemporaryFolder()
    try folder.write("old", to: "rules.yaml")
    try FileManager.default.setAttributes([.posixPermissions: 0o640], ofItemAtPath: folder.path + "/rules.yaml")
    try FileManager.default.createSymbolicLink(
      atPath: folder.path + "/link.yaml", withDestinationPath: folder.path + "/rules.yaml")
    let outcome = try KelvinBinary.run(["rules", "-o", "link.yaml"], folder: folder)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output + outcome.messages == "")
    #expect(try String(contentsOfFile: folder.path + "/rules.yaml", encoding: .utf8) == AlertRules().yaml)
    let attributes = try FileManager.default.attributesOfItem(atPath: folder.path + "/rules.yaml")
    #expect(attributes[.posixPermissions] as? Int == 0o640)
    let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { !$0.hasPrefix(".") }
    #expect(Set(names) == ["rules.yaml", "link.yaml"], "no temporary file is left")
  }

  @Test func `writes to what is no file, too`() throws {
    let outcome = try KelvinBinary.run(["rules", "--output", "/dev/null"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 0)
    #expect(outcome.messages == "")
  }

  @Test func `ends with 1 if the file cannot be written`() throws {
    let outcome = try KelvinBinary.run(["rules", "--output", "missing/rules.yaml"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages == "kelvin: missing/rules.yaml cannot be written: No such file or directory.\n")
  }

  @Test func `ends with 64 if the configuration has a problem`() throws {
    let folder = try TemporaryFolder()
    try folder.write("alerts: {coldStartShare: 5}\n", to: "kelvin.yaml")
    let outcome = try KelvinBinary.run(["rules"], folder: folder)
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
    #expect(outcome.messages.hasPrefix("kelvin.yaml:1:26: coldStartShare must be a share"))
  }
}
