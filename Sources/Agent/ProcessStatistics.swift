internal import Glibc

/// What the kernel says about this process, for the `process_*` metrics.
struct ProcessStatistics: Sendable, Equatable {
  var cpuSeconds: Double
  var residentBytes: Int64
  var virtualBytes: Int64
  /// Since the Unix epoch.
  var startSeconds: Double
  var openDescriptors: Int64
  var descriptorsLimit: Int64

  /// - Returns: `nil` where there is no `/proc`, or one of another shape.
  static func current() -> ProcessStatistics? {
    guard let stat = file("/proc/self/stat"), let boot = bootSeconds() else { return nil }
    return ProcessStatistics(
      stat: stat, ticksPerSecond: Double(sysconf(Int32(_SC_CLK_TCK))), pageBytes: Int64(sysconf(Int32(_SC_PAGESIZE))),
      bootSeconds: boot, openDescriptors: openDescriptors(), descriptorsLimit: descriptorsLimit())
  }

  /// Reads a line of `/proc/PID/stat` (proc(5)).
  init?(
    stat: String, ticksPerSecond: Double, pageBytes: Int64, bootSeconds: Double, openDescriptors: Int64,
    descriptorsLimit: Int64
  ) {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    guard let end = stat.lastIndex(of: ")"), ticksPerSecond > 0 else { return nil }
    let fields = stat[stat.index(after: end)...].split(whereSeparator: \.isWhitespace)
    // The first of these is field 3, so field n is at n - 3.
    guard fields.count > 21, let user = Double(fields[11]), let system = Double(fields[12]),
      let start = Double(fields[19]), let virtual = Int64(fields[20]), let pages = Int64(fields[21])
    else { return nil }
    cpuSeconds = (user + system) / ticksPerSecond
    residentBytes = pages * pageBytes
    virtualBytes = virtual
    startSeconds = bootSeconds + start / ticksPerSecond
    self.openDescriptors = openDescriptors
    self.descriptorsLimit = descriptorsLimit
  }

  private static func bootSeconds() -> Double? {
    guard let stat = file("/proc/stat") else { return nil }
    let line = stat.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Double($0.dropFirst(6)) }
  }

  private static func openDescriptors() -> Int64 {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe closedir(directory) }
    var count: Int64 = 0
    while unsafe readdir(directory) != nil { count += 1 }
    // Without `.`, `..` and the directory's own.
    return max(0, count - 3)
  }

  private static func descriptorsLimit() -> Int64 {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return 0 }
    return Int64(clamping: limit.rlim_cur)
  }

  private static func file(_ path: String) -> String? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var part = [UInt8](repeating: 0, count: 16_384)
    while true {
      let count = unsafe part.withUnsafeMutableBytes { unsafe read(descriptor, $0.baseAddress, $0.count) }
      guard count > 0 else { break }
      bytes.append(contentsOf: part[..<count])
    }
    return bytes.isEmpty ? nil : String(decoding: bytes, as: UTF8.self)
  }
}
