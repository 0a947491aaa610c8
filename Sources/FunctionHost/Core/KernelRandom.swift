internal import CLinux

/// Random numbers of the kernel, fetched 32 at a time: every request needs two for its id, and a call into the kernel costs more
/// than they do.
struct KernelRandom: RandomNumberGenerator {
  private var pool = InlineArray<32, UInt64>(repeating: 0)
  private var left = 0

  mutating func next() -> UInt64 {
    if left == 0 { refill() }
    left -= 1
    return pool[left]
  }

  private mutating func refill() {
    var span = pool.mutableSpan
    // SAFETY: the call writes at most as many bytes as the pool has, and every pattern of bits is a number.
    let filled = unsafe span.withUnsafeMutableBytes { bytes in
      unsafe bytes.baseAddress.map { unsafe clinux_random($0, bytes.count) } ?? 0
    }
    // Up to 256 bytes are never cut short nor interrupted (getrandom(2)).
    precondition(filled == 256, "BUG: getrandom gave \(filled) bytes of 256")
    left = pool.count
  }
}
