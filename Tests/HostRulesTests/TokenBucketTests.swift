import Lifecycle
import Testing

@testable import HostRules

@Suite struct `Token bucket tests` {
  private func at(_ milliseconds: Int64) -> Timestamp { Timestamp(nanoseconds: milliseconds * 1_000_000) }

  /// How many tokens there are.
  private func drain(_ bucket: inout TokenBucket, at now: Timestamp) -> Int {
    var count = 0
    while count < 10_000, bucket.take(at: now) { count += 1 }
    return count
  }

  @Test func `begins full and refills continuously, never beyond one interval`() {
    var bucket = TokenBucket(limit: 1000, per: .seconds(10), at: at(0))
    #expect(drain(&bucket, at: at(0)) == 1000)
    #expect(bucket.take(at: at(9)) == false)
    #expect(bucket.take(at: at(10)) == true)
    #expect(bucket.take(at: at(19)) == false)
    #expect(drain(&bucket, at: at(5010)) == 500)
    #expect(drain(&bucket, at: at(1_000_000)) == 1000)
  }

  @Test func `loses no part of a token however often it is asked`() {
    var bucket = TokenBucket(limit: 3, per: .seconds(1), at: at(0))
    #expect(drain(&bucket, at: at(0)) == 3)
    var taken = 0
    for millisecond in 1...10_000 where bucket.take(at: at(Int64(millisecond))) { taken += 1 }
    #expect(taken == 30)
  }

  @Test func `asks without taking`() {
    var bucket = TokenBucket(limit: 1, per: .seconds(1), at: at(0))
    for _ in 0..<3 { #expect(bucket.hasToken(at: at(0)) == true) }
    #expect(bucket.take(at: at(0)) == true)
    #expect(bucket.hasToken(at: at(0)) == false)
  }

  @Test func `keeps what is in store when the rate changes, up to the new limit`() {
    var bucket = TokenBucket(limit: 10, per: .seconds(1), at: at(0))
    bucket.setLimit(4, at: at(0))
    #expect(drain(&bucket, at: at(0)) == 4)
    bucket.setLimit(100, at: at(0))
    #expect(bucket.take(at: at(0)) == false)
    #expect(drain(&bucket, at: at(500)) == 50)
    bucket.setLimit(0, at: at(500))
    #expect(bucket.take(at: at(100_000)) == false)
    bucket.setLimit(-5, at: at(500))
    #expect(bucket.limit == 0)
  }

  @Test func `refills nothing while the clock goes back`() {
    var bucket = TokenBucket(limit: 1, per: .seconds(1), at: at(5000))
    #expect(bucket.take(at: at(5000)) == true)
    #expect(bucket.take(at: at(1000)) == false)
    #expect(bucket.take(at: at(1999)) == false)
    #expect(bucket.take(at: at(2000)) == true)
  }

  @Test func `holds the largest rates and times without an overflow`() {
    var bucket = TokenBucket(limit: .max, per: .seconds(10), at: Timestamp(nanoseconds: .min))
    #expect(bucket.take(at: Timestamp(nanoseconds: .max)) == true)
    bucket.setLimit(1, at: Timestamp(nanoseconds: .min))
    #expect(bucket.take(at: Timestamp(nanoseconds: .min)) == true)
    #expect(bucket.take(at: Timestamp(nanoseconds: .min)) == false)
  }
}
