/// The words that the process was started with.
enum ProcessArguments {
  /// Without the program's own name.
  ///
  /// Swift finds them on the stack, in front of the environment, and finds none if a preloaded library (`LD_PRELOAD`) has set
  /// a variable before: the environment lies somewhere else then. The kernel still knows them.
  static var own: [String] {
    let arguments = CommandLine.arguments
    if !arguments.isEmpty { return Array(arguments.dropFirst()) }
    // What cannot be read says no more than the empty list did.
    guard let bytes = try? Console.file("/proc/self/cmdline", bytesLimit: bytesMax) else { return [] }
    // Each ends with a zero byte.
    return bytes.split(separator: 0, omittingEmptySubsequences: false).dropLast().dropFirst().map {
      String(decoding: $0, as: UTF8.self)
    }
  }

  /// More than the kernel hands to a process (a quarter of the stack's limit, at most 6 MiB).
  private static let bytesMax = 8 << 20
}
