/// Memory for C structures at fixed addresses, so that they can point to each other.
@safe struct CMemory<Element: BitwiseCopyable>: ~Copyable {
  let count: Int
  /// Lives as long as `self`.
  let start: UnsafeMutablePointer<Element>

  /// - Parameter make: Gives what stands at each position at first.
  init(_ count: Int, _ make: (_ position: Int) -> Element) {
    self.count = count
    unsafe start = .allocate(capacity: count)
    for position in 0..<count { unsafe (start + position).initialize(to: make(position)) }
  }

  // SAFETY: nobody else has the pointer, `self` cannot be copied, and what is in it needs no end of its own.
  deinit { unsafe start.deallocate() }

  /// The address of an element.
  @unsafe func pointer(_ position: Int) -> UnsafeMutablePointer<Element> {
    precondition(position >= 0 && position < count, "BUG: place \(position) of \(count)")
    return unsafe start + position
  }
}
