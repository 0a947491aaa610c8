internal import Catalogue
internal import Glibc
internal import Lifecycle

/// Reads what the kernel knows about this process, for the `process_*` metrics.
enum ProcessReader {
  /// - Returns: `nil` where there is no `/proc`, or one of another shape.
  static func current() -> ProcessStatistics? {
    guard let stat = file("/proc/self/stat"), let boot = bootSeconds() else { return nil }
    return statistics(
      stat: stat, ticksPerSecond: Int64(sysconf(Int32(_SC_CLK_TCK))), pageBytes: Int64(sysconf(Int32(_SC_PAGESIZE))),
      boot: Timestamp(seconds: boot), openFiles: openFiles(), openFilesLimit: openFilesLimit())
  }

  /// Reads a line of `/proc/PID/stat` (proc(5)).
  static func statistics(
    stat: String, ticksPerSecond: Int64, pageBytes: Int64, boot: Timestamp, openFiles: Int64, openFilesLimit: Int64?
  ) -> ProcessStatistics? {
    // The second field is the program's name in parentheses, which may itself hold spaces and parentheses.
    guard let end = stat.lastIndex(of: ")"), ticksPerSecond > 0 else { return nil }
    let fields = stat[stat.index(after: end)...].dropFirst().split(whereSeparator: \.isWhitespace)
    // The first of these is field 3, so field n is at n - 3.
    guard fields.count > 21, let user = Int64(fields[11]), let system = Int64(fields[12]),
      let threads = Int64(fields[17]), let start = Int64(fields[19]), let virtual = Int64(fields[20]),
      let pages = Int64(fields[21])
    else { return nil }
    // A tick is 10 ms on Linux, whatever the kernel counts in, so this divides without a rest.
    let tick = 1_000_000_000 / ticksPerSecond
    return ProcessStatistics(
      started: boot + Nanoseconds(start &* tick), cpu: Nanoseconds((user &+ system) &* tick),
      residentBytes: pages &* pageBytes, virtualBytes: virtual, openFiles: openFiles, openFilesLimit: openFilesLimit,
      threads: threads)
  }

  /// When the system was started, in seconds since the epoch.
  private static func bootSeconds() -> Int64? {
    guard let stat = file("/proc/stat") else { return nil }
    let line = stat.split(separator: "\n").first { $0.hasPrefix("btime ") }
    return line.flatMap { Int64($0.dropFirst(6)) }
  }

  private static func openFiles() -> Int64 {
    guard let directory = unsafe opendir("/proc/self/fd") else { return 0 }
    defer { unsafe closedir(directory) }
    var count: Int64 = 0
    while unsafe readdir(directory) != nil { count += 1 }
    // Without `.`, `..` and the directory's own.
    return max(0, count - 3)
  }

  private static func openFilesLimit() -> Int64? {
    var limit = rlimit()
    guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
    return limit.rlim_cur == rlim_t.max ? nil : Int64(clamping: limit.rlim_cur)
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
