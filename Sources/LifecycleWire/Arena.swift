internal import CProtobufC

/// Memory that is given out piece by piece, and taken back all at once: what libprotobuf-c makes of one message after another.
///
/// A message that needs more than there is gets further blocks; once it is done with, one block of the size of all takes their
/// place, so that messages of like size allocate nothing from then on.
///
/// SAFETY: all memory lives until `reset()` or the end of the arena, which cannot be copied.
@safe struct Arena: ~Copyable {
  /// A message that needed more leaves no more than this behind.
  private static let keptBytes = 4 << 20
  private static let firstBytes = 64 << 10

  /// What the two functions of the allocator find behind its pointer.
  @safe fileprivate struct State {
    /// The block that is given out now; its first bytes are the address of the one before it.
    var block: UnsafeMutableRawPointer?
    var size = 0
    var used = 0
    /// Of all blocks.
    var total = 0
    var limit = 0
  }

  private let state: UnsafeMutablePointer<State>
  /// For libprotobuf-c; valid as long as the arena.
  let allocator: UnsafeMutablePointer<ProtobufCAllocator>

  init() {
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
    unsafe allocator = .allocate(capacity: 1)
    unsafe allocator.initialize(
      to: ProtobufCAllocator(alloc: arenaAllocate, free: { _, _ in }, allocator_data: UnsafeMutableRawPointer(state)))
  }

  deinit {
    unsafe state.pointee.release()
    unsafe state.deallocate()
    unsafe allocator.deallocate()
  }

  /// Takes back everything, and gives out at most `limit` bytes from now on.
  mutating func reset(limit: Int) {
    unsafe state.pointee.limit = limit
    unsafe state.pointee.used = State.headerBytes
    let total = unsafe state.pointee.total
    guard unsafe state.pointee.size != total || total > Arena.keptBytes || total == 0 else { return }
    unsafe state.pointee.release()
    unsafe state.pointee.add(min(max(total, Arena.firstBytes), Arena.keptBytes))
  }
}

extension Arena.State {
  fileprivate static var headerBytes: Int { 16 }

  fileprivate mutating func add(_ bytes: Int) {
    let fresh = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
    unsafe fresh.storeBytes(of: block, as: UnsafeMutableRawPointer?.self)
    unsafe block = fresh
    size = bytes
    used = Arena.State.headerBytes
    total += bytes
  }

  fileprivate mutating func release() {
    while let last = unsafe block {
      unsafe block = last.load(as: UnsafeMutableRawPointer?.self)
      unsafe last.deallocate()
    }
    (size, used, total) = (0, 0, 0)
  }

  /// - Returns: `nil` beyond the limit.
  fileprivate mutating func allocate(_ bytes: Int) -> UnsafeMutableRawPointer? {
    guard bytes >= 0, bytes <= limit else { return nil }
    let rounded = (bytes + 15) & ~15
    if rounded > size - used {
      let needed = rounded + Arena.State.headerBytes
      let left = max(limit, Arena.firstBytes) - total
      guard needed <= left else { return nil }
      add(max(needed, min(total, left)))
    }
    let piece = unsafe block.map { unsafe $0 + used }
    used += rounded
    return unsafe piece
  }
}

private func arenaAllocate(_ state: UnsafeMutableRawPointer?, _ bytes: Int) -> UnsafeMutableRawPointer? {
  // SAFETY: the pointer is the one that the arena gave to its allocator, and the arena outlives each call.
  unsafe state?.assumingMemoryBound(to: Arena.State.self).pointee.allocate(bytes)
}
