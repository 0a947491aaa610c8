import Glibc

/// A moment of the monotonic clock after which waiting ends.
struct Deadline: Comparable {
  private let nanoseconds: Int64

  init(after duration: Duration) {
    let parts = duration.components
    let seconds = max(0, min(parts.seconds, 1_000_000_000))
    nanoseconds = Deadline.now &+ seconds &* 1_000_000_000 &+ max(0, parts.attoseconds / 1_000_000_000)
  }

  static func < (left: Deadline, right: Deadline) -> Bool { left.nanoseconds < right.nanoseconds }

  /// The timeout for poll(2), rounded up, so that waiting never ends early.
  var remainingMilliseconds: Int32 {
    let left = nanoseconds &- Deadline.now
    return left <= 0 ? 0 : Int32(clamping: (left &+ 999_999) / 1_000_000)
  }

  private static var now: Int64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_MONOTONIC, &time)
    return Int64(time.tv_sec) &* 1_000_000_000 &+ Int64(time.tv_nsec)
  }
}

/// A connected socket that never blocks; waiting is done by poll(2), so that it can end. Its owner closes it.
struct TCPSocket {
  private let descriptor: Int32

  static func connect(to endpoint: HTTPEndpoint, deadline: Deadline) throws(HTTPClientError) -> TCPSocket {
    let family = if case .v4 = endpoint.address { AF_INET } else { AF_INET6 }
    let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue | SOCK_NONBLOCK.rawValue)
    let descriptor = Glibc.socket(family, type, 0)
    guard descriptor >= 0 else { throw failure("open a socket", errno) }
    let socket = TCPSocket(descriptor: descriptor)
    do throws(HTTPClientError) {
      try socket.connect(to: endpoint, deadline)
    } catch {
      socket.close()
      throw error
    }
    var one: Int32 = 1
    // Without this the kernel holds a small request back for an acknowledgement; if it cannot be set we are only slower.
    _ = unsafe setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &one, socklen_t(MemoryLayout<Int32>.size))
    return socket
  }

  func close() { _ = Glibc.close(descriptor) }

  /// Whether bytes, an end or an error wait already.
  var hasSomethingToRead: Bool {
    var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
    return unsafe poll(&entry, 1, 0) > 0
  }

  /// Sends both parts, in one call where they are small.
  func send(
    _ head: [UInt8], _ body: [UInt8], deadline: Deadline?, sentBytes: inout Int
  ) throws(HTTPClientError) {
    if body.count <= 64 << 10 {
      try send(head + body, flags: 0, deadline, &sentBytes)
    } else {
      // The kernel joins the two, so that a long body is not copied once more.
      try send(head, flags: Int32(MSG_MORE), deadline, &sentBytes)
      try send(body, flags: 0, deadline, &sentBytes)
    }
  }

  private func send(
    _ bytes: [UInt8], flags: Int32, _ deadline: Deadline?, _ sentBytes: inout Int
  ) throws(HTTPClientError) {
    var offset = 0
    while offset < bytes.count {
      // SAFETY: the kernel reads within the array, only during the call.
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.send(
          descriptor, $0.baseAddress.map { unsafe $0 + offset }, bytes.count - offset,
          flags | Int32(MSG_NOSIGNAL))
      }
      if count >= 0 {
        offset += count
        sentBytes += count
      } else if errno == EAGAIN {
        try wait(for: Int16(POLLOUT), deadline)
      } else if errno != EINTR {
        throw TCPSocket.failure("send the request", errno)
      }
    }
  }

  /// - Returns: How many bytes came; 0 if the other side has closed.
  func receive(into buffer: inout [UInt8], deadline: Deadline?) throws(HTTPClientError) -> Int {
    while true {
      try wait(for: Int16(POLLIN), deadline)
      // SAFETY: the kernel writes within the array, only during the call.
      let count = unsafe buffer.withUnsafeMutableBytes { unsafe recv(descriptor, $0.baseAddress, $0.count, 0) }
      if count >= 0 { return count }
      guard errno == EAGAIN || errno == EINTR else { throw TCPSocket.failure("read the reply", errno) }
    }
  }

  private func connect(to endpoint: HTTPEndpoint, _ deadline: Deadline) throws(HTTPClientError) {
    guard connectOnce(to: endpoint) != 0 else { return }
    guard errno == EINPROGRESS || errno == EINTR else { throw unreachable(endpoint, errno) }
    try wait(for: Int16(POLLOUT), deadline, doing: "connect to \(endpoint)")
    var status: Int32 = 0
    var length = socklen_t(MemoryLayout<Int32>.size)
    guard unsafe getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &status, &length) == 0 else {
      throw TCPSocket.failure("connect to \(endpoint)", errno)
    }
    guard status == 0 else { throw unreachable(endpoint, status) }
  }

  private func connectOnce(to endpoint: HTTPEndpoint) -> Int32 {
    switch endpoint.address {
    case .v4(let address):
      var name = sockaddr_in()
      name.sin_family = sa_family_t(AF_INET)
      name.sin_port = endpoint.port.bigEndian
      name.sin_addr.s_addr = address
      return connect(&name)
    case .v6(let high, let low):
      var name = sockaddr_in6()
      name.sin6_family = sa_family_t(AF_INET6)
      name.sin6_port = endpoint.port.bigEndian
      unsafe withUnsafeMutableBytes(of: &name.sin6_addr) {
        unsafe $0.storeBytes(of: high, as: UInt64.self)
        unsafe $0.storeBytes(of: low, toByteOffset: 8, as: UInt64.self)
      }
      return connect(&name)
    }
  }

  private func connect<Name>(_ name: inout Name) -> Int32 {
    // SAFETY: an address family's structure may be read as the common one for as long as its own size is passed.
    unsafe withUnsafePointer(to: &name) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe Glibc.connect(descriptor, $0, socklen_t(MemoryLayout<Name>.size))
      }
    }
  }

  private func wait(
    for events: Int16, _ deadline: Deadline?, doing what: String = "get a reply"
  ) throws(HTTPClientError) {
    var entry = pollfd(fd: descriptor, events: events, revents: 0)
    while true {
      switch unsafe poll(&entry, 1, deadline?.remainingMilliseconds ?? -1) {
      case 0: throw HTTPClientError(.timedOut, "It took too long to \(what).")
      case 1...: return
      default: guard errno == EINTR else { throw TCPSocket.failure(what, errno) }
      }
    }
  }

  private func unreachable(_ endpoint: HTTPEndpoint, _ number: Int32) -> HTTPClientError {
    HTTPClientError(.refused, "\(endpoint) cannot be reached: \(TCPSocket.text(number)).")
  }

  private static func failure(_ what: String, _ number: Int32) -> HTTPClientError {
    let isClosed = number == EPIPE || number == ECONNRESET || number == ENOTCONN
    return HTTPClientError(isClosed ? .closed : .system, "Could not \(what): \(text(number)).")
  }

  // SAFETY: the C library's text is copied at once.
  private static func text(_ number: Int32) -> String { unsafe String(cString: strerror(number)) }
}
