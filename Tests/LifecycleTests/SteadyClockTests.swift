import Lifecycle
import TestSupport
import Testing

@Suite struct `A steady clock` {
  private let clock = ManualClock()

  @Test func `begins with the wall clock, and goes on as time passes`() {
    clock.setWall(by: .seconds(-7))
    let steady = clock.steady
    #expect(steady.now() == ten - .seconds(7))
    clock.advance(90)
    #expect(steady.now() == ten + .seconds(83))
    #expect(steady.wallClockLead == .zero)
  }

  @Test(arguments: [Int64(3_600_000), -3_600_000, 10, -10, 86_400_000_000])
  func `does not step when the wall clock is set, and tells by how much they differ`(_ milliseconds: Int64) {
    let steady = clock.steady
    clock.advance(5)
    clock.setWall(by: .milliseconds(milliseconds))
    clock.advance(5)
    #expect(steady.now() == ten + .seconds(10))
    #expect(steady.wallClockLead == .milliseconds(milliseconds))
    #expect(steady.wallTime(of: ten) == ten + .milliseconds(milliseconds))
    clock.setWall(by: .milliseconds(-milliseconds))
    #expect(steady.wallClockLead == .zero)
  }

  @Test func `takes what lies between two readings for no difference`() {
    let steady = clock.steady
    clock.setWall(by: Nanoseconds(4_999_999))
    #expect(steady.wallClockLead == .zero)
    clock.setWall(by: Nanoseconds(-9_999_998))
    #expect(steady.wallClockLead == .zero)
  }
}
