import HTTPServer
import LambdaAPI
import Lifecycle
import NIOCore
import NIOHTTP1
import Schedules
import Text

/// What a host tells of its schedules, and has them do.
enum ScheduleRoutes {
  /// How many of the next times are told.
  private static let timesCount = 3

  static var all: [Route<FrontRoutes.Handler>] {
    [
      Route("schedules", [.GET], "/kelvin/v1/schedules") { core, call in
        call.promise.succeed(core.schedules.document)
      },
      Route(
        "schedule-run", [.POST], "/kelvin/v1/schedules/{name}/run",
        limits: RouteLimits(bodyBytesMax: RequestBody.bytesMax)
      ) { core, call in
        try core.schedules.runNow(call.request.route.parameters.first ?? "", call, in: core)
      },
    ]
  }

  fileprivate static func write(_ entry: ScheduleSource.Entry, _ writer: inout JSONWriter) {
    let specification = entry.specification
    writer.member("name", specification.name)
    writer.member("function", specification.function)
    writer.member("expression", specification.schedule.expression)
    writer.member("timezone", specification.schedule.zone.name)
    writer.member("overlap", specification.policy.overlap == .skip ? "skip" : "start")
    writer.member("running", entry.inFlight)
    writer.key("next")
    writer.array { list in
      for time in entry.runs.times(timesCount) { list.string(RFC3339.text(nanoseconds: time.nanoseconds)) }
    }
    if let last = entry.last {
      writer.key("last")
      writer.object {
        $0.member("time", RFC3339.text(nanoseconds: last.time.nanoseconds))
        $0.member("outcome", last.outcome)
      }
    }
  }
}

extension ScheduleSource {
  /// `{"schedules":[…]}`.
  fileprivate var document: HTTPResponse {
    .document {
      $0.object {
        $0.key("schedules")
        $0.array { list in for entry in self.list { list.object { ScheduleRoutes.write(entry, &$0) } } }
      }
    }
  }
}
