import Lifecycle
import NIOCore
import Testing
import Text

@testable import LambdaAPI

@Suite struct `The event of a schedule` {
  private let event = ScheduledEvent(
    schedule: "cleanup", request: RequestID(Identifier128(high: 1, low: 2)),
    time: Timestamp(nanoseconds: 1_796_007_600_500_000_000), attempt: 2, identity: HostIdentity())

  @Test func `is that of EventBridge`() throws {
    let document = try #require(event.document(input: nil).json)
    #expect(
      document == [
        "version": "0", "id": "00000000-0000-0001-0000-000000000002", "detail-type": "Scheduled Event",
        "source": "aws.events", "account": "000000000000", "time": "2026-11-30T03:00:00Z", "region": "us-east-1",
        "resources": ["arn:aws:events:us-east-1:000000000000:rule/cleanup"], "detail": [:],
      ])
  }

  @Test(arguments: [
    (#"{"a":1}"#, #"{"a":1}"#), (#""<aws.scheduler.scheduled-time>""#, #""2026-11-30T03:00:00Z""#),
    (
      #"["<aws.scheduler.execution-id>","<aws.scheduler.attempt-number>","<aws.scheduler.attempt-number>"]"#,
      #"["00000000-0000-0001-0000-000000000002","2","2"]"#
    ),
    (
      #"{"arn":"<aws.scheduler.schedule-arn>","<aws.scheduler.other>":0}"#,
      #"{"arn":"arn:aws:scheduler:us-east-1:000000000000:schedule/default/cleanup","<aws.scheduler.other>":0}"#
    ),
  ])
  func `is an input with what AWS fills in`(_ input: String, _ document: String) {
    #expect(String(buffer: event.document(input: input)) == document)
  }
}
