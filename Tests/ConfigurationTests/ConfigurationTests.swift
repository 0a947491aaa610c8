import Configuration
import Lifecycle
import Testing

/// The one place that touches the interface.
func reading(_ text: String, folderExists: (String) -> Bool = { _ in true }) -> ConfigurationReading {
  ConfigurationFile.read(Array(text.utf8), folder: "/srv", folderExists: folderExists)
}

struct ProblemCase: Sendable, CustomTestStringConvertible {
  var testDescription: String
  var text: String
  /// `line:column: ` and a part of the sentence, one for each expected problem.
  var expected: [String]
}

/// A file with one function `f` whose lines from the third on are `lines`.
private func function(_ lines: String...) -> String {
  "functions:\n  f:\n    command: [a]\n" + lines.map { "    \($0)\n" }.joined()
}

@Suite struct `A whole configuration` {
  static let whole = """
    agent:  {listen: 127.0.0.1:27415, dataDirectory: data, window: 30s, socket: run/kelvin.socket}
    host:   {listen: "[::1]:27416", accountConcurrency: 500, unreservedMinimum: 50}
    functions:
      orders:
        command: [python3, -m, awslambdaric, app.handler]
        directory: functions/orders
        environment: {TABLE: orders, PORT: 8080, EMPTY: }
        memory: 0.5GB
        temporaryStorage: 512MB
        timeout: 10s
        onTimeout: continue
        abortSignal: SIGUSR1
        abortLimit: 5s
        reserved: 50
        databaseConnections: 1
        extensions: extensions/orders
        layers: [layers/tools, /srv/layers/more]
        freeze: true
        logFormat: json
      mails:
        command: [./mails]
    """

  @Test func `is read without problems`() throws {
    let reading = reading(Self.whole)
    #expect(reading.problems == [])
    #expect(reading.warnings == [])
    let read = reading.configuration
    #expect(read.agent.listen == ListenAddress(host: "127.0.0.1", port: 27415))
    #expect(read.agent.dataDirectory == "/srv/data")
    #expect(read.agent.window == .seconds(30))
    #expect(read.agent.socket == "/srv/run/kelvin.socket")
    #expect(read.host.listen == ListenAddress(host: "::1", port: 27416))
    #expect(read.host.accountConcurrency == 500)
    #expect(read.host.unreservedMinimum == 50)
    #expect(read.functions.map(\.name) == ["orders", "mails"])
    let orders = try #require(read.functions.first)
    #expect(orders.command == ["python3", "-m", "awslambdaric", "app.handler"])
    #expect(orders.directory == "/srv/functions/orders")
    #expect(orders.environment == ["TABLE": "orders", "PORT": "8080", "EMPTY": ""])
    #expect(orders.memoryBytes == 536_870_912)
    #expect(orders.temporaryStorageBytes == 536_870_912)
    #expect(orders.timeout == .seconds(10))
    #expect(orders.timeoutPolicy == .continue)
    #expect(orders.abortSignal == .user1)
    #expect(orders.abortLimit == .seconds(5))
    #expect(orders.reserved == 50)
    #expect(orders.provisioned == nil)
    #expect(orders.databaseConnections == 1)
    #expect(orders.extensions == "/srv/extensions/orders")
    #expect(orders.layers == ["/srv/layers/tools", "/srv/layers/more"])
    #expect(orders.freezes && orders.logFormat == .json)
    #expect(orders.line == 4)
    #expect(read.functions[1].memoryBytes == nil)
    #expect(read.functions[1].directory == "/srv")
  }

  @Test(arguments: ["", "# nothing\n", "functions:\n", "---\n", "agent:\nhost: ~\n", "\u{FEFF}functions:\n"])
  func `may leave everything out`(_ text: String) {
    let reading = reading(text)
    #expect(reading.problems == [])
    #expect(reading.configuration.functions == [])
    #expect(reading.configuration.agent.listen.description == "127.0.0.1:27315")
    #expect(reading.configuration.agent.dataDirectory == "/srv/.kelvin")
    #expect(reading.configuration.host.listen.description == "127.0.0.1:27316")
  }

  @Test func `takes the rates of the host, which are off unless written`() {
    #expect(reading("").configuration.host.requestRateLimit == false)
    #expect(reading("").configuration.host.scaleOutRate == nil)
    let reading = reading("host: {requestRateLimit: true, scaleOutRate: 1000}\n")
    #expect(reading.problems == [])
    #expect(reading.configuration.host.requestRateLimit)
    #expect(reading.configuration.host.scaleOutRate == 1000)
  }

  @Test func `takes what a function has at once, without a warning`() {
    let reading = reading(
      function("reserved: 5", "provisioned: 5", "temporaryStorage: 1GB", "memory: 1GB", "databaseConnections: 2"))
    #expect(reading.problems == [])
    #expect(reading.warnings == [])
    #expect(reading.configuration.functions.first?.provisioned == 5)
  }
}

@Suite struct `The limit of an abort` {
  @Test(arguments: [
    ("onTimeout: continue", 0), ("abortSignal: SIGTERM", 0), ("onTimeout: restart", 1), ("memory: 128", 1),
  ])
  func `needs an abort that takes time`(_ line: String, _ warnings: Int) {
    let reading = reading(function(line, "abortLimit: 1s"))
    #expect(reading.problems == [])
    #expect(reading.warnings.map(\.line) == Array(repeating: 5, count: warnings))
  }
}

@Suite struct `Isolation in a configuration` {
  @Test func `is auto unless it is none`() {
    #expect(reading("functions:\n").configuration.host.isolation == .auto)
    #expect(reading("host: {isolation: auto}\n").configuration.host.isolation == .auto)
    #expect(reading("host: {isolation: none}\n").configuration.host.isolation == .none)
  }

  @Test func `is nothing else`() {
    let problems = reading("host: {isolation: docker}\n").problems
    #expect(problems.map(\.message) == [#"isolation must be auto or none, but is "docker"."#])
  }
}

@Suite struct `A wrong configuration` {
  @Test(arguments: [
    ProblemCase(
      testDescription: "an unknown section", text: "funktions: {}\n",
      expected: [#"1:1: "funktions" is not a key of the file; did you mean functions?"#]),
    ProblemCase(
      testDescription: "rates that are none", text: "host: {requestRateLimit: yes, scaleOutRate: 0}\n",
      expected: [
        #"1:26: requestRateLimit must be true or false, but is "yes"."#,
        "1:45: scaleOutRate must be a whole number from 1",
      ]),
    ProblemCase(
      testDescription: "a key of AWS", text: function("memorySize: 512"),
      expected: [#"4:5: "memorySize" is not a key of the function "f"; did you mean memory?"#]),
    ProblemCase(
      testDescription: "a key in other letters", text: function("on_timeout: restart"),
      expected: [#"4:5: "on_timeout" is not a key of the function "f"; did you mean onTimeout?"#]),
    ProblemCase(
      testDescription: "a key that is like none", text: function("colour: red"),
      expected: [#"4:5: "colour" is not a key of the function "f"; its keys are command, runtime,"#]),
    ProblemCase(
      testDescription: "a repeated key", text: function("memory: 128", "timeout: 1s", "memory: 256"),
      expected: [#"6:5: "memory" is written twice in the function "f", first in line 4; keep one."#]),
    ProblemCase(
      testDescription: "several repeated keys beside another problem",
      text: "host: {listen: 1}\n"
        + function("memory: 128", "timeout: 1s", "memory: 256", "\"timeout\": 2s", "memory: 1"),
      expected: [
        #"1:16: listen: "1" has no port"#, #"7:5: "memory" is written twice"#, #"8:5: "timeout" is written twice"#,
        #"9:5: "memory" is written twice"#,
      ]),
    ProblemCase(
      testDescription: "a repeated function", text: "functions:\n  f: {command: [a]}\n  f: {command: [b]}\n",
      expected: [#"3:3: "f" is written twice in functions, first in line 2"#]),
    ProblemCase(
      testDescription: "a function without a command", text: "functions:\n  f: {memory: 128}\n  g:\n",
      expected: [#"2:3: The function "f" has no command"#, #"3:3: The function "g" has no command"#]),
    ProblemCase(
      testDescription: "a command that is a text", text: "functions:\n  f: {command: python3 app.py}\n",
      expected: ["2:16: command must be a list, because no shell reads it; write command: [python3, app.py]."]),
    ProblemCase(
      testDescription: "an empty command",
      text: "functions: {f: {command: []}, g: {command: [\"\"]}, h: {command: {}}}",
      expected: ["1:26: command is empty", "1:44: command is empty", "1:64: command must be a list"]),
    ProblemCase(
      testDescription: "a list inside a command", text: "functions: {f: {command: [a, [b]]}}",
      expected: ["1:30: Each item of command must be a string"]),
    ProblemCase(
      testDescription: "functions as a list", text: "functions: [a]",
      expected: ["1:12: functions must be a mapping of keys to values, but is a list."]),
    ProblemCase(
      testDescription: "a file that is a text", text: "hello",
      expected: ["1:1: the file must be a mapping of keys to values, but is a string."]),
    ProblemCase(
      testDescription: "too little memory", text: function("memory: 127"),
      expected: [#"4:13: memory must be from 128MB to 10GB, but is "127"."#]),
    ProblemCase(
      testDescription: "too much memory", text: function("memory: 10.5GB"),
      expected: [#"4:13: memory must be from 128MB to 10GB, but is "10.5GB"."#]),
    ProblemCase(
      testDescription: "memory that is none", text: function("memory: lots", "temporaryStorage: [1]"),
      expected: [#"4:13: memory: "lots" is not an amount of memory"#, "5:23: temporaryStorage must be one value"]),
    ProblemCase(
      testDescription: "a timeout without a unit", text: function("timeout: 10"),
      expected: [#"4:14: timeout: "10" has no unit"#]),
    ProblemCase(
      testDescription: "a timeout out of bounds",
      text: "functions: {f: {command: [a], timeout: 901s}, g: {command: [a], timeout: 99ms}}",
      expected: ["1:40: timeout must be from 100ms to 900s, but is 901s.", "1:74: timeout must be from 100ms"]),
    ProblemCase(
      testDescription: "a policy that is none", text: function("onTimeout: abort"),
      expected: [#"4:16: onTimeout must be restart or continue, but is "abort"."#]),
    ProblemCase(
      testDescription: "a signal that cannot be caught", text: function("abortSignal: SIGKILL", "abortLimit: 0s"),
      expected: [
        "4:18: abortSignal must be one of SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGTERM, but is",
        "5:17: abortLimit must be from 100ms to 900s, but is",
      ]),
    ProblemCase(
      testDescription: "ways to answer that are none",
      text: function("responseMode: streaming") + "\n  g: {command: [a], invokeMode: stream}\n  "
        + "h: {command: [a], responseMode: stream, invokeMode: BUFFERED}",
      expected: [
        #"4:19: responseMode must be stream or buffered, but is "streaming"."#,
        #"6:33: invokeMode must be RESPONSE_STREAM or BUFFERED, but is "stream"."#,
        "7:55: responseMode and invokeMode say the same thing; write one of them.",
      ]),
    ProblemCase(
      testDescription: "runtimes that are none",
      text: "functions: {a: {runtime: nodejs20.x, handler: index.handler}, b: {runtime: node}, "
        + "c: {runtime: python, handler: app}, d: {runtime: node, handler: a.b, command: [x]}}",
      expected: [
        #"1:26: runtime must be node or python, but is "nodejs20.x"; write runtime: node, which runs the version"#,
        "1:76: runtime needs a handler; write handler: index.handler beside it.",
        #"1:113: handler must be a module and the name of a function in it, such as app.handler, but is "app"."#,
        "1:132: runtime and command exclude each other", "1:147: handler and command exclude each other",
      ]),
    ProblemCase(
      testDescription: "counts that are none",
      text: function("freeze: yes", "logFormat: JSON"),
      expected: ["4:13: freeze must be true or false", "5:16: logFormat must be text or json"]),
    ProblemCase(
      testDescription: "wrong numbers",
      text: function("reserved: -1", "provisioned: many", "databaseConnections: 1.5"),
      expected: ["4:15: reserved must be a whole", "5:18: provisioned must be", "6:26: databaseConnections must be"]),
    ProblemCase(
      testDescription: "a count in quotes", text: function("reserved: \"5\""),
      expected: [#"4:15: reserved must be a whole number from 0 to 100000, without quotes, but is "5"."#]),
    ProblemCase(
      testDescription: "a key without a value", text: function("reserved:"),
      expected: ["4:5: reserved has no value"]),
    ProblemCase(
      testDescription: "more provisioned than reserved", text: function("reserved: 2", "provisioned: 3"),
      expected: ["5:18: provisioned is 3, more than reserved, 2; write at most 2."]),
    ProblemCase(
      testDescription: "reservations that leave too little",
      text:
        "host: {accountConcurrency: 110}\nfunctions:\n  f: {command: [a], reserved: 6}\n  g: {command: [a], reserved: 5}\n",
      expected: [
        "2:1: The functions reserve or provision 11 together, but accountConcurrency 110 less unreservedMinimum 100 leaves 10"
      ]),
    ProblemCase(
      testDescription: "an account smaller than its unreserved minimum", text: "host: {accountConcurrency: 50}",
      expected: ["1:28: unreservedMinimum is 100 by default, more than accountConcurrency, 50"]),
    ProblemCase(
      testDescription: "a window that divides no hour", text: "agent: {window: 7s}",
      expected: ["1:17: window must be a whole number of seconds"]),
    ProblemCase(
      testDescription: "windows out of bounds", text: "agent: {window: 2h}\nhost: {listen: \":x\"}",
      expected: ["1:17: window must be", #"2:16: listen: ":x" has no port"#]),
    ProblemCase(
      testDescription: "a listener for everybody", text: "agent: {listen: \"0.0.0.0:27315\"}",
      expected: ["1:17: listen: 0.0.0.0:27315 is reached from other machines, so requests need credentials"]),
    ProblemCase(
      testDescription: "a host for everybody", text: "host: {listen: \"[::]:27316\"}",
      expected: ["1:16: listen: [::]:27316 is reached from other machines, and whoever reaches the host runs"]),
    ProblemCase(
      testDescription: "a rate that is none", text: "agent: {requestsPerSecond: 0}",
      expected: ["1:28: requestsPerSecond must be a whole number from 1 to 1000000"]),
    ProblemCase(
      testDescription: "two listeners at one address", text: "host: {listen: 127.0.0.1:27315}",
      expected: ["1:7: agent and host would both listen on 127.0.0.1:27315"]),
    ProblemCase(
      testDescription: "names that are none", text: "functions:\n  a b: {command: [a]}\n  \"\": {command: [a]}\n",
      expected: [#"2:3: "a b" is not a valid name for a function"#, #"3:3: "" is not a valid name"#]),
    ProblemCase(
      testDescription: "variables that are none",
      text: function("environment: {1A: x, B-C: y, DD: [z], AWS_LAMBDA_RUNTIME_API: q, E: x, _F: x}"),
      expected: [
        #"4:19: "1A" is not a valid name for a variable: Map keys must satisfy constraint"#,
        #"4:26: "B-C" is not a valid name"#,
        "4:38: DD must be a string",
        "4:43: Lambda was unable to configure your environment variables because the environment variables you have "
          + "provided contains reserved keys that are currently not supported for modification. Reserved keys used in "
          + "this request: AWS_LAMBDA_RUNTIME_API. The host sets it for each instance; leave it out.",
        #"4:70: "E" is not a valid name"#, #"4:76: "_F" is not a valid name"#,
      ]),
    ProblemCase(
      testDescription: "a region as a variable", text: function("environment: {AWS_REGION: eu-west-1}"),
      expected: [
        "4:19: " + EnvironmentVariables.reservedSentence(["AWS_REGION"])
          + ". Write region: below host:, or leave it out."
      ]),
    ProblemCase(
      testDescription: "variables that are too many",
      text: function("environment: {AB: \"\(String(repeating: "x", count: 4088))\"}"),
      expected: ["4:5: " + EnvironmentVariables.failure + "exceeded the 4KB limit: they are 4097 bytes as JSON"]),
    ProblemCase(
      testDescription: "a region and an account that are none",
      text: "host: {region: moon, accountId: 123}",
      expected: [#"1:16: region must be the name of a region"#, #"1:33: accountId must be the 12 digits"#]),
    ProblemCase(
      testDescription: "a key that is a list", text: "? [a]\n: 1\n", expected: ["1:3: A key must be a string."]),
  ])
  func `names each problem with its line and what to write`(_ given: ProblemCase) {
    let problems = reading(given.text).problems.map(\.description)
    #expect(problems.count == given.expected.count, "\(problems)")
    for (problem, expected) in zip(problems, given.expected) {
      #expect(problem.hasPrefix(expected))
    }
  }

  @Test func `names the folder that is missing`() {
    let problems = reading(function("directory: nowhere"), folderExists: { $0 == "/srv" }).problems
    #expect(problems.map(\.description) == ["4:16: directory: there is no folder /srv/nowhere; write the path of one."])
  }
}

@Suite struct `A file that is not YAML` {
  @Test(arguments: [
    ("functions:\n  f: [a\n", 3), ("a: b: c\n", 1), ("a: \"b\n", 2), ("\tkey: 1\n", 1), ("a: 1\n  b: 2\n", 2),
    ("ok: 1\nb: \u{1}\n", 2), ("a: 1\n---\nb: 1\n", 2), ("a: *none\n", 1), ("}\n", 1),
  ])
  func `is one problem with its line`(_ text: String, line: Int) {
    let problems = reading(text).problems
    #expect(problems.map(\.line) == [line], "\(problems)")
    #expect(problems.allSatisfy { $0.message.hasPrefix("This is not YAML: ") }, "\(problems)")
  }

  @Test func `in another encoding is one problem with its line`() {
    let problems = ConfigurationFile.read(Array("a: 1\nb: ".utf8) + [0xE9, 0x0A], folder: "/").problems
    #expect(problems.map(\.description) == ["2:1: This line is not UTF-8; save the file as UTF-8."])
  }

  @Test func `over 1 MiB is refused unread`() {
    let bytes = [UInt8](repeating: UInt8(ascii: "#"), count: ConfigurationFile.bytesLimit + 1)
    #expect(ConfigurationFile.read(bytes, folder: "/").problems.map(\.message) == ["The file is larger than 1 MiB."])
    #expect(ConfigurationFile.read(bytes.dropLast(), folder: "/").problems == [])
  }

  @Test func `that multiplies itself by aliases is refused at the first one`() {
    var text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
    for (level, name) in zip("bcdefghijklmnop", "abcdefghijklmno") {
      let aliases = repeatElement("*\(name)", count: 10).joined(separator: ", ")
      text += "\(level): &\(level) [\(aliases)]\n"
    }
    text += "? *p\n: 1\n"
    #expect(
      reading(text).problems.map(\.description).first?.hasPrefix(#"2:8: The alias "*a" is not supported"#) == true)
  }

  @Test func `nested too deep is one problem`() {
    let problems = reading(String(repeating: "[", count: 5000)).problems
    #expect(problems.count == 1)
  }

  @Test func `with more repeated keys than are told apart stops there`() {
    let problems = reading(String(repeating: "a: 1\n", count: 2) + (0..<30).map { "k\($0): 1\nk\($0): 2\n" }.joined())
      .problems
    #expect(problems.count == 1)
    #expect(problems.first?.message.hasSuffix("is written more than once; keep one.") == true)
  }
}

@Suite struct `The file system` {
  @Test func `gives one sentence for a file that is not there`() {
    #expect(
      throws: ConfigurationError(message: "/nonexistent/kelvin.yaml cannot be opened: No such file or directory.")
    ) {
      try ConfigurationFile.read(path: "/nonexistent/kelvin.yaml")
    }
  }

  @Test func `gives one sentence for a folder`() {
    #expect(throws: ConfigurationError(message: "/tmp is a folder; give the path of the kelvin.yaml in it.")) {
      try ConfigurationFile.read(path: "/tmp")
    }
  }
}
