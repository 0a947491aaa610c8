import FuzzTargets
import Glibc

/// Runs targets in processes of their own, so that a trap ends one of them and its input is still there.
enum FuzzDriver {
  private struct Options {
    var seconds = 60
    var seed: UInt64 = UInt64(time(nil))
    var target: String?
    var input: String?
    /// The file that a child shows its input in; `nil` in the parent.
    var shown: String?
  }

  /// - Returns: The exit code: 0, 1 if a target trapped or did not end, 64 for wrong arguments.
  static func run(_ arguments: [String]) -> Int32 {
    guard let options = options(arguments) else {
      print("usage: kelvin-fuzz [--seconds N] [--seed S] [--target NAME [--input FILE]]")
      return 64
    }
    let targets = FuzzTarget.all.filter { options.target == nil || $0.name == options.target }
    guard let first = targets.first else {
      print("There is no target '\(options.target ?? "")': choose one of \(names).")
      return 64
    }
    if let input = options.input {
      guard let bytes = FuzzFiles.read(input) else {
        print("\(input) cannot be read.")
        return 64
      }
      first.run(bytes)
      print("\(first.name): \(input) passes.")
      return 0
    }
    if let shown = options.shown { return child(first, options, shown) }
    let seconds = max(1, options.seconds / targets.count)
    print("kelvin-fuzz: \(targets.count) targets, \(seconds) s each; the seed is \(options.seed)")
    let failed = targets.filter { !parent($0, options, seconds) }
    return failed.isEmpty ? 0 : 1
  }

  private static var names: String { FuzzTarget.all.map(\.name).joined(separator: ", ") }

  private static func options(_ arguments: [String]) -> Options? {
    var options = Options()
    var rest = arguments[...]
    while let name = rest.popFirst() {
      guard let value = rest.popFirst() else { return nil }
      switch name {
      case "--seconds":
        guard let seconds = Int(value), seconds > 0 else { return nil }
        options.seconds = seconds
      case "--seed":
        guard let seed = UInt64(value) else { return nil }
        options.seed = seed
      case "--target": options.target = value
      case "--input": options.input = value
      case "--shown": options.shown = value
      default: return nil
      }
    }
    return options
  }

  // MARK: The parent

  /// - Returns: Whether the child ended well.
  private static func parent(_ target: FuzzTarget, _ options: Options, _ seconds: Int) -> Bool {
    let shown = "\(folder)/\(target.name)-\(options.seed).input"
    guard let board = InputBoard(path: shown, isNew: true) else {
      print("\(shown) cannot be written.")
      return false
    }
    let arguments = [
      "/proc/self/exe", "--target", target.name, "--seed", "\(options.seed)", "--seconds", "\(seconds)", "--shown",
      shown,
    ]
    guard let process = spawn(arguments) else {
      print("\(target.name): the child cannot be started.")
      return false
    }
    let status = wait(process, seconds: seconds + 30)
    if status == 0 {
      unsafe unlink(shown)
      return true
    }
    // The file becomes the input alone.
    let input = board.input
    _ = FuzzFiles.write(input, to: shown)
    print(
      """
      \(target.name): \(status.map { "ended with \($0)" } ?? "did not end in time") on an input of \(input.count) bytes; the seed is \(options.seed).
      To run it again: kelvin-fuzz --target \(target.name) --input \(shown)
      """)
    return false
  }

  private static let folder: String = {
    let folder = ".build/fuzz"
    unsafe mkdir(".build", 0o755)
    unsafe mkdir(folder, 0o755)
    return folder
  }()

  private static func spawn(_ arguments: [String]) -> pid_t? {
    var pointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    defer { unsafe pointers.forEach { unsafe free($0) } }
    var process: pid_t = 0
    let result = unsafe posix_spawn(&process, arguments[0], nil, nil, &pointers, environ)
    return result == 0 ? process : nil
  }

  /// - Returns: How the process ended, 0 for well; `nil` if it had to be ended.
  private static func wait(_ process: pid_t, seconds: Int) -> Int32? {
    var status: Int32 = 0
    for _ in 0..<(seconds * 10) {
      if unsafe waitpid(process, &status, WNOHANG) == process { return status }
      usleep(100_000)
    }
    kill(process, SIGKILL)
    unsafe waitpid(process, &status, 0)
    return nil
  }

  // MARK: The child

  private static func child(_ target: FuzzTarget, _ options: Options, _ shown: String) -> Int32 {
    guard let board = InputBoard(path: shown, isNew: false) else { return 64 }
    let seeds = target.seeds()
    for seed in seeds {
      board.show(seed)
      target.run(seed)
    }
    var mutator = Mutator(seeds, number: options.seed)
    let end = time(nil) + options.seconds
    var count = 0
    while true {
      let input = mutator.next()
      board.show(input)
      target.run(input)
      count += 1
      if count & 63 == 0, time(nil) >= end { break }
    }
    print("\(target.name): \(count) inputs of \(seeds.count) seeds")
    return 0
  }
}
