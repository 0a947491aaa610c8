import ArgumentParser
import BlockingHTTP
import Configuration
import Lifecycle
import Schedules
import Text

struct ScheduleCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "schedule",
    abstract: "Shows the schedules of a host, runs one now, or shows when an expression comes.",
    subcommands: [ScheduleList.self, ScheduleRun.self, ScheduleNext.self],
    aliases: ["schedules"])
}

struct ScheduleList: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Shows the schedules of a host, with their next three times in UTC.",
    discussion: """
      Examples:
        kelvin schedule list
        kelvin schedule list --output json
      """)

  @Option(name: [.short, .long], help: "The output format.")
  var output = Status.Output.table

  @OptionGroup var host: HostOptions

  func run() async throws {
    try await reportingFailure {
      let client = try ServerClient(.host, option: host.host)
      let reply = try client.get(ScheduleLines.path)
      guard output == .table else { return try Console.foreignResult(reply.body) }
      guard let lines = ScheduleLines(reply.body) else {
        throw CommandFailure.failure("The answer of the host at \(client.address) cannot be read.")
      }
      try Console.result(lines.text.isEmpty ? "The host has no schedules." : lines.text)
    }
  }
}

struct ScheduleRun: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a schedule's function now, with the event that it would get, and prints the answer.",
    discussion: """
      The schedule's own times stay as they are. If the function fails, the command prints its error on standard error and exits with 1.

      Examples:
        kelvin schedule run cleanup
      """)

  @Argument(help: "The name of the schedule.")
  var name: String

  @OptionGroup var host: HostOptions

  func run() async throws {
    try await reportingFailure {
      let client = try ServerClient(.host, option: host.host)
      let request = ClientRequest("POST", "\(ScheduleLines.path)/\(PercentEncoding.encoded(name))/run")
      // The longest that a function may run is 900 s, after an initialization.
      let reply = try client.send(request, timeout: .seconds(960))
      switch reply.status {
      case 200..<300:
        guard let error = reply.headers["X-Amz-Function-Error"] else { return try Console.foreignResult(reply.body) }
        Console.message(reply.text)
        throw CommandFailure.failure("The function of the schedule \(name) failed (\(error)).")
      case 404: throw CommandFailure.usage(Invoke.message(of: reply))
      case 429: throw CommandFailure.failure("The host throttled the schedule \(name): \(Invoke.message(of: reply))")
      default: throw CommandFailure.failure("The host answered \(reply.status): \(Invoke.message(of: reply))")
      }
    }
  }
}

struct ScheduleNext: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "next",
    abstract: "Shows when expressions of schedules come next, without a host.",
    discussion: """
      Examples:
        kelvin schedule next 'cron(0 3 * * ? *)' --timezone Europe/Berlin
        kelvin schedule next '*/15 * * * *' 'rate(7 days)' --count 5
      """)

  @Argument(help: "Expressions as in kelvin.yaml.")
  var expressions: [String]

  @Option(help: "The time zone whose clock counts.")
  var timezone = "UTC"

  @Option(
    help:
      "The instant after which times are shown, such as 2026-11-30T10:00:00Z; rates are counted from it. Default: now.")
  var after: String?

  @Option(help: "How many times are shown of each, at most 1000.")
  var count = 3

  func validate() throws {
    guard (1...1000).contains(count) else { throw ValidationError("--count must be from 1 to 1000.") }
  }

  func run() async throws {
    try await reportingFailure {
      var start = SystemClock.now()
      if let after {
        guard let nanoseconds = RFC3339.nanoseconds(after) else {
          throw CommandFailure.usage("--after must be an instant such as 2026-11-30T10:00:00Z, not \(quoted(after)).")
        }
        start = Timestamp(nanoseconds: nanoseconds)
      }
      let zone: TimeZone
      do throws(TextProblem) {
        zone = try TimeZoneFiles.system.zone(named: timezone)
      } catch {
        throw CommandFailure.usage("--timezone: \(error.message).")
      }
      var lines: [String] = []
      for expression in expressions {
        do throws(TextProblem) {
          let schedule = try Schedule(expression, zone: zone)
          lines.append(ScheduleLines.line(expression, schedule.next(count, after: start, anchor: start)))
        } catch {
          throw CommandFailure.usage(Sentence.text(error.message))
        }
      }
      try Console.result(lines.joined(separator: "\n"))
    }
  }
}
