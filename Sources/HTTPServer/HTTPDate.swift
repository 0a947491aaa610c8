internal import Text
internal import Glibc
internal import NIOCore
internal import Synchronization

/// The time of day in an answer's `Date` field, in the form of RFC 9110 5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
enum HTTPDate {
  private struct Cache {
    var second = Int.min
    var field = ByteBuffer()
  }

  // One for all loops: what is done under the lock are two comparisons and a copy of a reference, and the text is made once
  // a second, not once per loop and second.
  private static let cache = Mutex(Cache())

  /// Writes `Date: …` and the end of its line.
  static func writeField(into output: inout ByteBuffer) {
    var now = timespec()
    // It is as old as the kernel's last tick at most, and asking costs no system call. It cannot fail for this clock.
    unsafe clock_gettime(CLOCK_REALTIME_COARSE, &now)
    let second = now.tv_sec
    let field = cache.withLock { cache in
      if cache.second != second {
        let text = CalendarText.http(seconds: Int64(second))
        cache = Cache(second: second, field: ByteBuffer(string: "Date: \(text)\r\n"))
      }
      return cache.field
    }
    output.writeImmutableBuffer(field)
  }
}
