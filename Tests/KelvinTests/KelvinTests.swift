import ArgumentParser
import BlockingHTTP
import Testing

@testable import kelvin

@Suite struct `The command line` {
  @Test func `prints its version`() throws {
    let outcome = try KelvinBinary.run(["--version"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.hasPrefix("\(kelvinVersion)\nSQLite "))
  }

  @Test func `explains itself when it is called bare`() throws {
    let outcome = try KelvinBinary.run([], folder: TemporaryFolder())
    #expect(outcome.exitCode == 0)
    #expect(outcome.output.contains("kelvin metrics lambda"))
  }

  @Test(arguments: [
    ["--nonsense"], ["nonsense"], ["invoke"], ["invoke", "f", "{}", "more"], ["invoke", "f", "--agent", "x"],
    ["invoke", "f", "--event", "--tail"],
  ])
  func `ends with 64 if it is used wrongly`(_ arguments: [String]) throws {
    let error = #expect(throws: (any Error).self) { try Kelvin.parseAsRoot(arguments) }
    #expect(error.map { Kelvin.exitCode(for: $0).rawValue } == 64)
  }
}

@Suite struct `check-config` {
  @Test func `accepts a good file and says so on standard output`() throws {
    let folder = try TemporaryFolder()
    try folder.write("functions: {f: {command: [sh]}}\n", to: "kelvin.yaml")
    let outcome = try KelvinBinary.run(["check-config"], folder: folder)
    #expect(outcome.exitCode == 0)
    #expect(outcome.output == "kelvin.yaml: ok, 1 function\n")
    #expect(outcome.messages == "")
  }

  @Test func `lists every problem with its place on standard error and ends with 64`() throws {
    let folder = try TemporaryFolder()
    try folder.write(
      """
      agnt: {}
      functions:
        orders:
          command: python3 app.py
          directory: missing
          memory: 64
          memory: 128
          timout: 10s
        mails: {reserved: 5, provisioned: 6, databaseConnections: 0}
      alerts: {databaseConnectionsLimit: 9, range: 1s}
      """, to: "bad.yaml")
    let outcome = try KelvinBinary.run(["check-config", "bad.yaml"], folder: folder)
    #expect(outcome.exitCode == 64)
    #expect(outcome.output == "")
    #expect(
      outcome.messages == """
        bad.yaml:10:10: warning: databaseConnectionsLimit has no effect: no function has databaseConnections.
        bad.yaml:1:1: "agnt" is not a key of the file; did you mean agent?
        bad.yaml:4:14: command must be a list, because no shell reads it; write command: [python3, app.py].
        bad.yaml:5:16: directory: there is no folder \(folder.path)/missing; write the path of one.
        bad.yaml:6:13: memory must be from 128MB to 10GB, but is "64".
        bad.yaml:7:5: "memory" is written twice in the function "orders", first in line 6; keep one.
        bad.yaml:8:5: "timout" is not a key of the function "orders"; did you mean timeout?
        bad.yaml:9:3: The function "mails" has no command; write command: [program, argument, …] below its name, or runtime and handler.
        bad.yaml:9:37: provisioned is 6, more than reserved, 5; write at most 5.
        bad.yaml:10:46: range must be from 4s to 1h, but is 1s.
        kelvin: bad.yaml has 9 problems.

        """)
  }

  @Test func `ends with 1 if there is no such file`() throws {
    let outcome = try KelvinBinary.run(["check-config"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages == "kelvin: kelvin.yaml cannot be opened: No such file or directory.\n")
  }
}

@Suite struct `The address of a server` {
  @Test(arguments: [
    ("127.0.0.1", ["127.0.0.1:27316"]), ("http://127.0.0.1:80/", ["127.0.0.1:80"]), ("[::1]", ["[::1]:27316"]),
    ("localhost:99", ["127.0.0.1:99", "[::1]:99"]), ("http://localhost", ["127.0.0.1:27316", "[::1]:27316"]),
  ])
  func `is read`(_ text: String, expected: [String]) throws {
    #expect(try ServerAddress(text, defaultPort: 27316).endpoints.map(\.description) == expected)
  }

  @Test(arguments: [
    ("https://127.0.0.1", "https://127.0.0.1:27316"), ("https://kelvin.example:99", "https://kelvin.example:99"),
    ("HTTPS://[::1]", "https://[::1]:27316"), ("https://[::1]:9", "https://[::1]:9"),
  ])
  func `with TLS is read, by name too`(_ text: String, expected: String) throws {
    let address = try ServerAddress(text, defaultPort: 27316)
    #expect(address.description == expected)
    #expect(address.url == expected)
    #expect(address.endpoints.isEmpty)
  }

  @Test(arguments: [
    "", "https://", "https://127.0.0.1/path", "example.org:80", "127.0.0.1:0", "127.0.0.1:x",
    "http://127.0.0.1:80/path", "::1",
  ])
  func `is refused with 64 if it is none`(_ text: String) {
    let failure = #expect(throws: CommandFailure.self) { try ServerAddress(text, defaultPort: 27316) }
    #expect(failure?.exitCode == 64)
  }
}

@Suite struct `invoke` {
  @Test(arguments: [
    ("orders", nil, "orders/invocations?Qualifier=current"),
    ("orders", "$LATEST", "orders/invocations?Qualifier=%24LATEST"),
    ("orders", "1", "orders/invocations?Qualifier=1"),
    ("a b/../c", nil, "a%20b%2F..%2Fc/invocations?Qualifier=current"),
    ("orders:1", nil, "orders%3A1/invocations"),
    ("orders:1", "2", "orders%3A1/invocations?Qualifier=2"),
    ("1:function:f", nil, "1%3Afunction%3Af/invocations?Qualifier=current"),
    ("arn:aws:lambda:r:1:function:f", nil, "arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Af/invocations?Qualifier=current"),
    ("arn:aws:lambda:r:1:function:f:2", nil, "arn%3Aaws%3Alambda%3Ar%3A1%3Afunction%3Af%3A2/invocations"),
  ])
  func `asks the path of AWS with the name encoded, for the alias current unless another is named`(
    _ name: String, qualifier: String?, path: String
  ) {
    #expect(Invoke.path(name, qualifier: qualifier) == "/2015-03-31/functions/" + path)
  }

  @Test func `ends with 69 and says how to start a host if none answers`() throws {
    let outcome = try KelvinBinary.run(["invoke", "f", "--host-url", "http://127.0.0.1:1"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 69)
    #expect(outcome.output == "")
    #expect(
      outcome.messages
        == "kelvin: No host answers at http://127.0.0.1:1. Start one with kelvin host, or name another with "
        + "--host-url.\n"
    )
  }

  @Test func `takes the address of the environment, and of kelvin.yaml after that`() throws {
    let folder = try TemporaryFolder()
    try folder.write("host: {listen: 127.0.0.1:2}\n", to: "kelvin.yaml")
    let fromFile = try KelvinBinary.run(["invoke", "f"], folder: folder)
    #expect(fromFile.messages.hasPrefix("kelvin: No host answers at http://127.0.0.1:2. "))
    let fromEnvironment = try KelvinBinary.run(
      ["invoke", "f"], folder: folder, environment: ["KELVIN_HOST": "127.0.0.1:3"])
    #expect(fromEnvironment.messages.hasPrefix("kelvin: No host answers at http://127.0.0.1:3. "))
  }

  @Test func `ends with 1 if the file of the event cannot be read`() throws {
    let outcome = try KelvinBinary.run(["invoke", "f", "@missing.json"], folder: TemporaryFolder())
    #expect(outcome.exitCode == 1)
    #expect(outcome.messages == "kelvin: missing.json cannot be opened: No such file or directory.\n")
  }
}
